"""Jobs in the queue: one ``squeue`` call for everything, one row per array task."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from .nodes import parse_gres
from .records import columns, duration_seconds, given, moment

_COLUMNS = {
    "raw_id": "%A",
    "task_id": "%i",
    "array_id": "%F",
    "index": "%K",
    "state": "%T",
    "reason": "%r",
    "partition": "%P",
    "submitted": "%V",
    "started": "%S",
    "used": "%M",
    "limit": "%l",
    "ends": "%e",
    "priority": "%Q",
    "gres": "%b",
    "name": "%j",
    "node": "%N",
}
"""Our name -> squeue's format specifier (squeue(1), -o)."""
SQUEUE_FORMAT = "|".join(_COLUMNS.values())
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE")
RUNNING = ("RUNNING", "COMPLETING", "SUSPENDED", "CONFIGURING", "STOPPED", "SIGNALING", "STAGE_OUT")
REQUEUED = ("REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "PREEMPTED", "RESIZING")
"""States on the way back to the queue (sbatch(1): PREEMPTED is final only where the job may not be requeued)."""


@dataclass(frozen=True)
class QueuedTask:
    """One job, or one task of an array. ``index`` is None for what is no array; ``num_gpus`` per node."""

    raw_id: str
    array_id: str
    index: int | None
    name: str
    state: str
    reason: str
    partition: str
    node: str | None
    num_gpus: int
    submitted: datetime.datetime | None
    started: datetime.datetime | None
    ends: datetime.datetime | None
    """When it ended, or has to at the latest."""
    used_seconds: int
    limit_seconds: int | None
    priority: int

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING

    @property
    def is_pending(self) -> bool:
        return self.state == "PENDING" or self.state in REQUEUED

    @property
    def is_ended(self) -> bool:
        return not self.is_running and not self.is_pending


def parse_squeue(text: str) -> list[QueuedTask]:
    """Tasks of ``squeue -h -r -t all -o SQUEUE_FORMAT``; a line that is no such row is skipped."""
    return [_task(row) for row in columns(text, tuple(_COLUMNS)) if row["raw_id"].isdigit()]


def _task(row: dict[str, str]) -> QueuedTask:
    return QueuedTask(
        row["raw_id"],
        row["array_id"],
        int(row["index"]) if row["index"].isdigit() else None,
        row["name"],
        row["state"].split()[0],
        row["reason"],
        row["partition"],
        given(row["node"]),
        sum(parse_gres(row["gres"].removeprefix("gres:").removeprefix("gres/")).values()),
        moment(row["submitted"]),
        moment(row["started"]),
        moment(row["ends"]),
        _used_seconds(row["used"]),
        duration_seconds(row["limit"]),
        int(row["priority"]) if row["priority"].isdigit() else 0,
    )


def _used_seconds(text: str) -> int:
    """``M:SS`` and longer; squeue never prints bare minutes here."""
    return duration_seconds(text) or 0 if ":" in text else 0
