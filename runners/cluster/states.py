"""Where every shard of a run stands: markers first, then the queue, then journals. One call of squeue."""

from __future__ import annotations

import datetime
import getpass
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ingest.errors import QueueError
from ...ingest.manifest import Run
from ...slurm import commands
from ...slurm.accounting import cause_of_state
from ...slurm.submissions import ShardTask, Submissions, shard_tasks
from .ledger import record_end
from .limits import failed_marker, reason_of

BAR_WIDTH = 30
_OVER_MEMORY = "exceeded memory limit"
"""Of slurmstepd under ``JobAcctGatherParams=OverMemoryKill``: the job ends FAILED, JobLaunchFailure (seen on 22.05)."""
_TAIL_BYTES = 16_384


@dataclass(frozen=True)
class QueueView:
    """(stage, shard) -> its latest task; ``complaint`` where the queue could not be asked."""

    tasks: Mapping[tuple[str, str], ShardTask]
    complaint: str = ""


def queue_view(run: Run) -> QueueView:
    """Empty where nothing was submitted from here, or there is no SLURM: the markers say enough then."""
    submissions = Submissions(run.root).all()
    if not submissions or not commands.is_there():
        return QueueView({})
    try:
        found = shard_tasks(submissions, commands.queued(getpass.getuser()))
    except QueueError as error:
        return QueueView({}, error.message)
    return QueueView({(one.submission.stage, one.shard_id): one for one in found})


def state_of(run: Run, stage: str, shard_id: str, view: QueueView) -> str:
    """done, failed (tried too often), running, queued, begun (its journal is there, nobody works on it), pending."""
    if run.is_done(stage, shard_id):
        return "done"
    if failed_marker(run, stage, shard_id):
        return "failed"
    one = view.tasks.get((stage, shard_id))
    if one is not None and one.task.is_running:
        return "running"
    if one is not None and one.task.is_pending:
        return "queued"
    return "begun" if run.journal(stage, shard_id).path.exists() else "pending"


def note_of(run: Run, shard_id: str, view: QueueView) -> str:
    """What to know beyond the state: why it failed, where it runs, why it waits, how its last task ended."""
    for stage in ("generate", "score"):
        if run.is_done(stage, shard_id):
            continue
        if marker := failed_marker(run, stage, shard_id):
            return reason_of(marker)
        one = view.tasks.get((stage, shard_id))
        if one is not None:
            return _said_of(one)
    return ""


def bars(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Stage -> state -> number, as one bar each."""
    lines = []
    for stage, states in counts.items():
        total = sum(states.values())
        done = states.get("done", 0)
        filled = BAR_WIDTH * done // total if total else 0
        others = ", ".join(f"{number} {state}" for state, number in states.items() if state != "done" and number)
        lines.append(f"{stage:9}{'█' * filled}{'░' * (BAR_WIDTH - filled)} {done}/{total}  {others}".rstrip())
    return lines


def record_silent_ends(run: Run, view: QueueView, rows: Sequence[Mapping[str, Any]]) -> int:
    """Ledger rows for attempts that could not write their own (killed, out of memory, node lost); how many.

    The queue's word on how the task ended is taken, its lease removed, so that no heir counts the attempt again.
    """
    written = 0
    for (stage, shard_id), one in view.tasks.items():
        if stage == "generate" and _is_silent(one, rows) and not run.is_done(stage, shard_id):
            _record(run, shard_id, one)
            _remove_lease(run, shard_id, one)
            written += 1
    return written


def _is_silent(one: ShardTask, rows: Iterable[Mapping[str, Any]]) -> bool:
    task = one.task
    if not task.is_ended or task.state == "COMPLETED" or task.started is None or task.used_seconds == 0:
        return False
    began = task.started.astimezone(datetime.UTC).replace(tzinfo=None)
    names = (f"{task.raw_id}.", f"{task.raw_id}_")
    ours = (row for row in rows if str(row["job_id"] or "").startswith(names))
    return not any(row["ended_at"] >= began for row in ours)


def _record(run: Run, shard_id: str, one: ShardTask) -> None:
    task = one.task
    assert task.started is not None
    began = task.started.astimezone(datetime.UTC).replace(tzinfo=None)
    record_end(
        run,
        run.manifest.shards()[shard_id],
        job_id=task.raw_id if task.index is None else f"{task.raw_id}_{task.index}",
        node=task.node,
        num_gpus=one.submission.gpus,
        gpu_seconds=float(task.used_seconds * one.submission.gpus),
        wall_seconds=float(task.used_seconds),
        cause=_cause_of(run, one),
        detail=f"the queue says {task.state}; the attempt wrote nothing itself",
        started_at=began,
        ended_at=began + datetime.timedelta(seconds=task.used_seconds),
    )


def _cause_of(run: Run, one: ShardTask) -> str:
    """Sites that watch memory by looking at it end a job as FAILED; its log says why."""
    cause = cause_of_state(one.task.state) or "crashed"
    return "oom" if cause == "crashed" and _OVER_MEMORY in _last_words(run, one) else cause


def _last_words(run: Run, one: ShardTask) -> str:
    name = f"{one.task.array_id}_{one.task.index}.log"
    path = Submissions(run.root).root / one.submission.folder / "logs" / name
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _remove_lease(run: Run, shard_id: str, one: ShardTask) -> None:
    lease = run.journal("generate", shard_id).path.parent / "lease"
    try:
        holder = json.loads(lease.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if holder.get("job") == one.task.raw_id:
        lease.unlink(missing_ok=True)


def _said_of(one: ShardTask) -> str:
    task = one.task
    if task.is_running:
        return f"{task.raw_id} on {task.node}, {task.used_seconds // 60} min"
    if task.is_pending:
        return task.reason
    return f"{task.state} ({one.submission.folder}/logs)"
