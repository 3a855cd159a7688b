"""Measuring sides against each other: in rounds, one side after the other in each, so that noise meets them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from statistics import median, quantiles

from app.instance.processes import LOOPBACK
from tests.bench.figures import tell
from tests.bench.processes import cpu_seconds
from tests.bench.visitors import Visit

Pids = Callable[[], list[int]]


@dataclass(frozen=True)
class Side:
    """What is measured: requests to one web server, and the processes whose CPU time they cost."""

    name: str
    port: int
    visits: Sequence[Visit]
    web: Pids
    database: Pids


@dataclass(frozen=True)
class Sample:
    """What one round of a side took."""

    web_ms: float
    database_ms: float
    requests_per_second: float
    milliseconds: Sequence[float]

    @property
    def cpu_ms(self) -> float:
        return self.web_ms + self.database_ms

    def percentile(self, percent: int) -> float:
        return quantiles(self.milliseconds, n=100, method="inclusive")[percent - 1]


def alternate(sides: Sequence[Side], *, rounds: int, requests: int, clients: int = 1) -> dict[str, list[Sample]]:
    """Measure every side once a round, each second round in the other order; the first round only warms up."""
    samples: dict[str, list[Sample]] = {side.name: [] for side in sides}
    for number in range(rounds + 1):
        tell(f"round {number} of {rounds}")
        for side in sides if number % 2 else reversed(sides):
            sample = measure(side, requests, clients)
            if number:
                samples[side.name].append(sample)
    return samples


def warm_up(side: Side, requests: int) -> None:
    """Make every web worker answer, each several times: a worker compiles its own templates and statements."""
    for start in range(0, requests, 5):
        # A connection stays with the worker that took it, so each few requests come over new ones.
        measure(side, 5, 4, start)


def measure(side: Side, requests: int, clients: int, start: int = 0) -> Sample:
    """Send a number of requests, shared among so many connections, and read what they cost."""
    visits = [side.visits[(start + number) % len(side.visits)] for number in range(requests)]
    shares = [share for share in (visits[client::clients] for client in range(clients)) if share]
    database = side.database()
    before = (cpu_seconds(side.web()), {pid: cpu_seconds([pid]) for pid in database})
    began = time.perf_counter()
    with ThreadPoolExecutor(len(shares)) as pool:
        lists = list(pool.map(lambda share: _send(side.port, share), shares))
    seconds = time.perf_counter() - began
    web = cpu_seconds(side.web()) - before[0]
    spent = sum(cpu_seconds([pid]) - before[1].get(pid, 0.0) for pid in side.database())
    each = 1000 / requests
    return Sample(web * each, spent * each, requests / seconds, [one for some in lists for one in some])


def beside(samples: Sequence[Sample]) -> dict[str, object]:
    """Return what is printed beside a page's CPU time: medians of the rounds."""
    middles = {
        "web_ms": median(sample.web_ms for sample in samples),
        "database_ms": median(sample.database_ms for sample in samples),
        "requests_per_second": median(sample.requests_per_second for sample in samples),
        "p50_ms": median(sample.percentile(50) for sample in samples),
        "p99_ms": median(sample.percentile(99) for sample in samples),
    }
    return {name: round(value, 2) for name, value in middles.items()}


def _send(port: int, visits: Sequence[Visit]) -> list[float]:
    connection = HTTPConnection(LOOPBACK, port, timeout=60)
    times = []
    for visit in visits:
        began = time.perf_counter()
        connection.request("GET", visit.path, headers=visit.headers)
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, (answer.status, visit.path)
    connection.close()
    return times
