"""One whole Tenantry on this machine: embedded servers, generated secrets and the supervisor over all processes.

Terms: a *child* is a process that the supervisor keeps alive; a *step* is a command that ends before they start.
"""
