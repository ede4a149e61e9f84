"""What the whole run may still spend, as one of its tasks sees it while all of them spend at the same time.

Every task sums up what all tasks hold (one folder is listed), and between two looks goes on counting at the rate that
it saw. A look takes milliseconds; before a request there is only arithmetic.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...ingest.config import Settings
from ...ingest.errors import Incomplete
from ...ingest.manifest import Run
from ..generate.held import AllHeld, beat, holding
from ..generate.job import Job
from .ledger import SECONDS_PER_HOUR, attempts, gpu_hours

_LOOK_SECONDS = 30.0
_LOOKS_UNTIL_SPENT = 4
"""Tasks that begin at the same time do not see each other at once: the nearer the end, the more often one looks."""


class Budget:
    """GPU-seconds of the run. ``seconds_left`` is until they are spent, if all tasks at work go on."""

    def __init__(self, run: Run, budget_hours: float, own: Path, num_gpus: int) -> None:
        self._budget_hours, self._own, self._num_gpus = budget_hours, own, num_gpus
        self._held = AllHeld(run.root)
        self._since = sum(held.gpu_seconds for held in self._held.look())
        self._before = max(self._since, gpu_hours(attempts(run.lake)) * SECONDS_PER_HOUR)
        self._spent, self._rate, self._looked = self._before, num_gpus, time.monotonic()
        self.look()

    def look(self) -> float:
        """Sum up anew; seconds until the next look is due. OSError where the folder cannot be read."""
        now = beat(self._own)
        found = self._held.look()
        self._spent = self._before + sum(held.gpu_seconds for held in found) - self._since
        self._rate = max(self._num_gpus, sum(held.num_gpus for held in found if held.is_alive(now)))
        self._looked = time.monotonic()
        return min(_LOOK_SECONDS, max(1.0, self.seconds_left() / _LOOKS_UNTIL_SPENT))

    def seconds_left(self) -> float:
        return (self._budget_hours * SECONDS_PER_HOUR - self._spent_now()) / self._rate

    def refusal(self) -> Incomplete:
        return spent_error(self._budget_hours, self._spent_now() / SECONDS_PER_HOUR)

    def _spent_now(self) -> float:
        return self._spent + self._rate * (time.monotonic() - self._looked)


@contextmanager
def spending(run: Run, settings: Settings, job: Job) -> Iterator[Budget | None]:
    """Counts what this job holds, for the length of the block; None where it holds no GPU."""
    with holding(run.root, job) as own:
        yield None if own is None else Budget(run, settings["run.gpu_hour_budget"], own, job.num_gpus or 1)


def held_hours(run: Run) -> float:
    """GPU hours that all jobs of the run held until now, those at work and those that were killed as well."""
    return sum(held.gpu_seconds for held in AllHeld(run.root).look()) / SECONDS_PER_HOUR


def spent_error(budget_hours: float, spent_hours: float) -> Incomplete:
    return Incomplete(
        f"{spent_hours:.1f} GPU hours are used, the budget is {budget_hours:g}",
        "raise run.gpu_hour_budget (BENCHFORGE_RUN_GPU_HOUR_BUDGET) and run the same command again",
    )
