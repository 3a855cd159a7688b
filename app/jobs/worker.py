"""The processes behind the queue: an RQ worker for one queue, or the dispatcher."""

from __future__ import annotations

import signal
import threading
from typing import Any

from redis.client import Pipeline
from rq import Worker
from rq.serializers import JSONSerializer
from rq.worker_registration import register

from app.core.config import Settings
from app.core.jobs import Queue
from app.core.redis import get_redis
from app.jobs.dispatcher import run_dispatcher

# How long a dead worker is still listed, less a minute; also bounds RQ's blocking pop, below the client's time limit.
WORKER_TTL_SECONDS = 30


class QueueWorker(Worker):
    """RQ's worker, back within seconds of an outage, and listed again after Redis has lost its memory."""

    max_connection_wait_time = 5.0
    log_result_lifespan = False

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Say that this worker lives, and what it is if Redis no longer knows."""
        if pipeline is None and self.birth_date is not None and not self.connection.hexists(self.key, "birth"):
            self.connection.hset(self.key, mapping=self.serialize())
            register(self)
        super().heartbeat(timeout, pipeline)


def work(queue: Queue, *, burst: bool = False) -> None:
    """Serve one queue until told to stop; a worker on several queues can lose a job between them."""
    worker = QueueWorker(
        [queue.value], connection=get_redis(), serializer=JSONSerializer, worker_ttl=WORKER_TTL_SECONDS
    )
    worker.work(burst=burst, logging_level="WARNING")


def dispatch(settings: Settings) -> None:
    """Run the dispatcher until SIGTERM or SIGINT."""
    stopped = threading.Event()

    def stop(_signal: int, _frame: Any) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    run_dispatcher(settings.jobs_per_tenant, stopped.is_set)
