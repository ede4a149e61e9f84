"""Take a run's jobs out of the queue and wait until they are gone."""

from __future__ import annotations

import getpass
import time
from collections.abc import Sequence
from typing import Any

from ...ingest.errors import Incomplete
from ...ingest.manifest import Run
from ...slurm import commands
from ...slurm.submissions import Submissions

_POLL_SECONDS = 1.0


def live_jobs(run: Run, stage: str | None = None) -> list[dict[str, Any]]:
    """Jobs of the run that have a task pending or running, oldest first. Raises QueueError."""
    submissions = [one for one in Submissions(run.root).all() if stage in (None, one.stage)]
    queued = commands.queued(getpass.getuser()) if submissions else []
    found = []
    for one in submissions:
        tasks = [task for task in queued if task.array_id == one.job_id]
        running, pending = (sum(task.is_running for task in tasks), sum(task.is_pending for task in tasks))
        if running + pending:
            found.append(
                {"job_id": one.job_id, "stage": one.stage, "folder": one.folder, "running": running, "pending": pending}
            )
    return found


def cancel_jobs(run: Run, jobs: Sequence[dict[str, Any]], wait_seconds: float) -> None:
    """Scoring first: it waits for tasks that end now. Incomplete when some are still there after the wait."""
    ordered = sorted(jobs, key=lambda job: job["stage"] != "score")
    commands.cancel([job["job_id"] for job in ordered])
    ids = {job["job_id"] for job in jobs}
    deadline = time.monotonic() + wait_seconds
    while ids and (left := ids & {job["job_id"] for job in live_jobs(run)}):
        if time.monotonic() > deadline:
            raise Incomplete(f"jobs {', '.join(sorted(left))} are still ending", "benchforge status")
        time.sleep(_POLL_SECONDS)
