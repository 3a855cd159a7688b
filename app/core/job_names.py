"""The kinds of job, alphabetical."""

from enum import StrEnum


class JobName(StrEnum):
    """The name of a kind of job: `<feature>.<verb>`."""

    CLONES_WATCH = "clones.watch"
    HOMES_CHECK = "homes.check"
    HOMES_FILL = "homes.fill"
    ISOLATION_PREPARE = "isolation.prepare"
    ISOLATION_PROBE = "isolation.probe"
    ISOLATION_REQUEST = "isolation.request"
    JOBS_PRUNE = "jobs.prune"
    MAIL_SEND = "mail.send"
    MEMBERS_PUBLISH_FACTS = "members.publish_facts"
    MOVES_FINISH = "moves.finish"
    ONBOARDING_EXPIRE_REQUESTS = "onboarding.expire_requests"
    OPERATIONS_RUN = "operations.run"
    SERVERS_MEASURE = "servers.measure"
