"""Jobs: the dispatcher hands job rows to RQ fairly, workers run them under a lease, schedules add their ticks.

A *Job* is a row in an outbox; RQ carries its id. A job's *token* rises with every dispatch and fences out a worker
that was thought dead. Public services: retry_job, prune_jobs.
"""
