"""The processes behind the queue: an RQ worker for one queue, or the dispatcher."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from redis import RedisError
from redis.client import Pipeline
from rq import Queue as RqQueue
from rq import SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker_registration import register

from app.core.config import Settings
from app.core.jobs import Queue
from app.core.redis import get_redis
from app.jobs.dispatcher import run_dispatcher

# How long a dead worker is still listed, less a minute; also bounds RQ's blocking pop, below the client's time limit.
WORKER_TTL_SECONDS = 30
BEAT_SECONDS = 10
log = structlog.get_logger()


class QueueWorker(SimpleWorker):
    """RQ's worker that runs jobs in its own process: a fork a job costs five times the processor time of a small job.

    It is back within seconds of an outage, listed again after Redis has lost its memory, and seen while it is busy.
    A job that takes the process down with it comes again when its lease runs out; the supervisor starts the next
    worker.
    """

    max_connection_wait_time = 5.0
    log_result_lifespan = False

    def execute_job(self, job: Job, queue: RqQueue) -> None:
        """Run a job, with a heart that goes on beating."""
        with self._beating():
            super().execute_job(job, queue)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Return how long a heartbeat counts: as long as an idle worker's, because a busy one's heart beats too."""
        return WORKER_TTL_SECONDS + 60

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Say that this worker lives, and what it is if Redis no longer knows."""
        if pipeline is None and self.birth_date is not None and not self.connection.hexists(self.key, "birth"):
            self.connection.hset(self.key, mapping=self.serialize())
            register(self)
        super().heartbeat(timeout, pipeline)

    @contextmanager
    def _beating(self) -> Iterator[None]:
        done = threading.Event()

        def beat_until_done() -> None:
            while not done.wait(BEAT_SECONDS):
                try:
                    self.heartbeat()
                except RedisError as error:
                    log.warning("heartbeat_unheard", error=type(error).__name__)

        thread = threading.Thread(target=beat_until_done, name="heart", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


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
