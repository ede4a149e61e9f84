"""What was submitted, kept in the run's folder: the exact script, its shards, and the job it became.

::

    <run>/jobs/generate-001/
      script.sbatch      as it was submitted
      shards.txt         one shard per line; the array's task i runs line i
      submission.json    job id, number of GPUs, when; written after sbatch answered
      logs/              one file per task, appended to across requeues
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..ingest.errors import QueueError
from ..ingest.lake import replace_file
from .queue import QueuedTask


@dataclass(frozen=True)
class Submission:
    """One array (or, with ``is_array`` False, one job). Task i of ``indices`` runs ``shard_ids[i]``."""

    stage: str
    folder: str
    job_id: str
    shard_ids: tuple[str, ...]
    indices: tuple[int, ...]
    gpus: int
    throttle: int
    submitted_at: str
    """Local time as SLURM's commands take it (``sacct -S``)."""
    is_array: bool = True

    def shard_of(self, task: QueuedTask) -> str | None:
        if task.array_id != self.job_id:
            return None
        if not self.is_array:
            return self.shard_ids[0] if self.shard_ids else None
        return self.shard_ids[task.index] if task.index is not None and task.index < len(self.shard_ids) else None


@dataclass(frozen=True)
class ShardTask:
    """One shard in the queue: the task that runs it now, or ran it last."""

    submission: Submission
    shard_id: str
    task: QueuedTask


class Submissions:
    """All of one run, in the order they were made."""

    def __init__(self, run_root: Path) -> None:
        self.root = run_root / "jobs"

    def new_folder(self, stage: str) -> Path:
        """The next free ``<stage>-<number>``; two commands at once get two folders."""
        number = 1
        while True:
            folder = self.root / f"{stage}-{number:03d}"
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                number += 1
                continue
            (folder / "logs").mkdir()
            return folder

    def record(self, submission: Submission) -> None:
        content = json.dumps(asdict(submission), indent=1)
        replace_file(self.root / submission.folder / "submission.json", content.encode())

    def all(self) -> list[Submission]:
        """Without folders whose ``sbatch`` never answered."""
        paths = sorted(self.root.glob("*/submission.json"))
        found = [_submission(path) for path in paths]
        return sorted(found, key=lambda one: (one.submitted_at, one.folder))

    def of_stage(self, stage: str) -> list[Submission]:
        return [one for one in self.all() if one.stage == stage]


def shard_tasks(submissions: Iterable[Submission], queued: Sequence[QueuedTask]) -> list[ShardTask]:
    """Tasks in the queue that are ours, with the shard of each; a later submission of a shard comes later."""
    by_job: dict[str, list[QueuedTask]] = {}
    for task in queued:
        by_job.setdefault(task.array_id, []).append(task)
    found = []
    for submission in submissions:
        for task in by_job.get(submission.job_id, ()):
            shard_id = submission.shard_of(task)
            if shard_id is not None:
                found.append(ShardTask(submission, shard_id, task))
    return found


def now_text() -> str:
    """SLURM's clock is local time without a zone."""
    return datetime.datetime.now().astimezone().replace(tzinfo=None).isoformat(timespec="seconds")


def _submission(path: Path) -> Submission:
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        lists = {name: tuple(row[name]) for name in ("shard_ids", "indices")}
        return Submission(**{**row, **lists})
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise QueueError(f"{path} is not a submission ({error})", f"move {path.parent} away") from error
