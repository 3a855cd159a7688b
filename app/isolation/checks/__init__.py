"""The checks, one room for each class of attack."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from app.core.logging import overheard
from app.isolation.canaries import Pair
from app.isolation.checks import context, http, logins, orm, policies, pooler, rls, traces
from app.isolation.outcomes import Breach, Check, NotTried, Outcome, Result

CHECKS: tuple[Check, ...] = (
    *orm.CHECKS,
    *rls.CHECKS,
    *policies.CHECKS,
    *logins.CHECKS,
    *context.CHECKS,
    *pooler.CHECKS,
    *http.CHECKS,
)
TOTAL = len(CHECKS) + len(traces.make_trace_checks([]))
log = structlog.get_logger()


def run_checks(pair: Pair, on_done: Callable[[Result], None]) -> list[Result]:
    """Run every check, one after the other, whatever those before it have found."""
    results = []
    with overheard() as lines:
        for check in (*CHECKS, *traces.make_trace_checks(lines)):
            results.append(_run(check, pair))
            on_done(results[-1])
    return results


def _run(check: Check, pair: Pair) -> Result:
    try:
        outcome, detail = Outcome.PASSED, check.run(pair)
    except Breach as breach:
        outcome, detail = Outcome.FAILED, str(breach)
    except NotTried as obstacle:
        outcome, detail = Outcome.COULD_NOT_RUN, str(obstacle)
    except Exception as error:
        # Its words may hold values of a home; its kind does not.
        log.warning("isolation_check_could_not_run", check=check.name, error=type(error).__name__)
        outcome, detail = Outcome.COULD_NOT_RUN, f"An error came in between ({type(error).__name__})."
    return Result(check.name, check.wall, check.title, outcome, detail)
