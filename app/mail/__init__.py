"""Mail: features queue a mail by name in the transaction that wants it; a job composes, renders and delivers it.

A *Mail* is who it goes to, its template and what the template says; a *Composer* makes one from a job's payload when
the job runs, so links are derived then and never lie in a job. A mail's *key* (with its link serial) names it: the same
key again is the same job and the same Message-ID. Public services: queue_mail, send_mail.
"""
