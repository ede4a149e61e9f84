"""GPU hours that a run has used: by its own records, and by the site's accounting where there is one.

The ledger knows what attempts wrote about their shards, the files in ``held`` what every task held, boot and death
included. Accounting (``sacct -D``) also knows what a job held before its program began, but is off on many sites and
forgets after some months. The largest of the three counts.
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
from .spending import held_hours


@dataclass(frozen=True)
class Spent:
    """``accounted_hours`` is None where accounting is off or does not answer."""

    ledger_hours: float
    accounted_hours: float | None
    held_hours: float = 0.0

    @property
    def hours(self) -> float:
        return max(self.ledger_hours, self.held_hours, self.accounted_hours or 0.0)


def spent(run: Run, rows: Sequence[Mapping[str, Any]]) -> Spent:
    """One call of sacct for all jobs of the run; ``rows`` are its ledger."""
    submissions = [one for one in Submissions(run.root).all() if one.gpus]
    ledger, held = gpu_hours(rows), held_hours(run)
    if not submissions or not commands.is_there():
        return Spent(ledger, None, held)
    try:
        ended = commands.ended_attempts([one.job_id for one in submissions], since=submissions[0].submitted_at)
    except QueueError:
        return Spent(ledger, None, held)
    return Spent(ledger, gpu_seconds(ended) / SECONDS_PER_HOUR, held)
