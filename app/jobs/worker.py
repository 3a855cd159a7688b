"""The processes behind the queue: an RQ worker for one queue, or the dispatcher."""

from __future__ import annotations

import signal
import threading
from typing import Any

import structlog
from rq import Worker
from rq.serializers import JSONSerializer

from app.core.config import Settings
from app.core.jobs import Queue
from app.core.redis import get_redis
from app.jobs.dispatcher import run_dispatcher

log = structlog.get_logger()


def work(queue: Queue, *, burst: bool = False) -> None:
    """Serve one queue until told to stop; a worker on several queues can lose a job between them."""
    worker = Worker([queue.value], connection=get_redis(), serializer=JSONSerializer)
    worker.log_result_lifespan = False
    worker.work(burst=burst, logging_level="WARNING")


def dispatch(settings: Settings) -> None:
    """Run the dispatcher until SIGTERM or SIGINT."""
    stopped = threading.Event()

    def stop(_signal: int, _frame: Any) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    run_dispatcher(settings.jobs_per_tenant, stopped.is_set)
