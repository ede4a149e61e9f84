"""GPU hours that a run has used: by its own ledger, and by the site's accounting where there is one.

The ledger knows what attempts wrote; a killed attempt wrote nothing, a running one not yet, and a booting engine is not
in it. Accounting (``sacct -D``) knows all of that, but is off on many sites and forgets after some months. The larger
of the two counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ingest.errors import QueueError
from ...ingest.manifest import Run
from ...slurm import commands
from ...slurm.accounting import gpu_seconds
from ...slurm.submissions import Submissions
from .ledger import SECONDS_PER_HOUR, gpu_hours


@dataclass(frozen=True)
class Spent:
    """``accounted_hours`` is None where accounting is off or does not answer."""

    ledger_hours: float
    accounted_hours: float | None

    @property
    def hours(self) -> float:
        return max(self.ledger_hours, self.accounted_hours or 0.0)


def spent(run: Run, rows: Sequence[Mapping[str, Any]]) -> Spent:
    """One call of sacct for all jobs of the run; ``rows`` are its ledger."""
    submissions = [one for one in Submissions(run.root).all() if one.gpus]
    if not submissions or not commands.is_there():
        return Spent(gpu_hours(rows), None)
    try:
        ended = commands.ended_attempts([one.job_id for one in submissions], since=submissions[0].submitted_at)
    except QueueError:
        return Spent(gpu_hours(rows), None)
    return Spent(gpu_hours(rows), gpu_seconds(ended) / SECONDS_PER_HOUR)
