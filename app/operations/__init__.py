"""Operations: long work in persisted steps that survives a kill at any line.

An *Operation* has *Steps*; a step's effect and its marker commit together where the effect is, so a step runs once
however often it is begun. Kinds are declared by name in create_app. Public services: start_operation,
retry_operation, compensate_operation; `runner.run_operation` does the work.
"""
