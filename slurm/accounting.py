"""Accounting, where the site has it: ended attempts from ``sacct -D``, QOS from ``sacctmgr``.

Without ``-D`` sacct hides the attempts of a job that was requeued, and a budget counted so is too small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .records import columns, duration_seconds, given

SACCT_FIELDS = (
    "JobID",
    "JobIDRaw",
    "State",
    "ExitCode",
    "ElapsedRaw",
    "AllocTRES",
    "NodeList",
    "Submit",
    "Start",
    "End",
    "QOS",
    "JobName",
)
QOS_FIELDS = (
    "Name",
    "Priority",
    "GraceTime",
    "Preempt",
    "PreemptMode",
    "MaxWall",
    "MaxTRESPU",
    "MaxJobsPU",
    "MaxSubmitPU",
)
_CAUSES = {
    "COMPLETED": "done",
    "TIMEOUT": "time_limit",
    "DEADLINE": "time_limit",
    "OUT_OF_MEMORY": "oom",
    "NODE_FAIL": "node_fail",
    "BOOT_FAIL": "node_fail",
    "CANCELLED": "cancelled",
    "REVOKED": "cancelled",
    "PREEMPTED": "preempted",
    "REQUEUED": "preempted",
    "FAILED": "crashed",
}
"""State of a job (sacct(1), JOB STATE CODES) -> word of ``schemas.CAUSES``."""


@dataclass(frozen=True)
class EndedAttempt:
    """One attempt of a job as the site accounted it; ``elapsed_seconds`` of wall time."""

    job_id: str
    raw_id: str
    state: str
    exit_code: str
    elapsed_seconds: int
    num_gpus: int
    nodes: str | None
    name: str

    @property
    def gpu_seconds(self) -> int:
        return self.elapsed_seconds * self.num_gpus


@dataclass(frozen=True)
class Qos:
    """``preempts`` names the QOS whose jobs it may take; limits are None where there is none."""

    name: str
    priority: int
    grace_seconds: int
    preempts: tuple[str, ...]
    max_wall_seconds: int | None
    max_gpus_per_user: int | None
    max_jobs_per_user: int | None
    max_submitted_per_user: int | None


def parse_sacct(text: str) -> list[EndedAttempt]:
    """Attempts of ``sacct -D -X -P -n --format=SACCT_FIELDS``."""
    return [
        EndedAttempt(
            row["JobID"],
            row["JobIDRaw"],
            row["State"].split()[0] if row["State"] else "UNKNOWN",  # "CANCELLED by 1000"
            row["ExitCode"],
            int(row["ElapsedRaw"]),
            gpus_of_tres(row["AllocTRES"]),
            given(row["NodeList"].replace("None assigned", "")),
            row["JobName"],
        )
        for row in columns(text, SACCT_FIELDS)
        if row["ElapsedRaw"].isdigit()
    ]


def parse_qos(text: str) -> list[Qos]:
    """QOS of ``sacctmgr -n -P show qos format=QOS_FIELDS``."""
    return [_qos(row) for row in columns(text, QOS_FIELDS) if row["Name"]]


def gpus_of_tres(text: str) -> int:
    """``billing=1,gres/gpu=2,gres/gpu:pro6000=2`` -> 2: the untyped count; the typed ones where it is missing."""
    counts = re.findall(r"gres/gpu(:[^=,]+)?=(\d+)", text)
    untyped = [int(count) for name, count in counts if not name]
    return untyped[0] if untyped else sum(int(count) for _, count in counts)


def gpu_seconds(attempts: Iterable[EndedAttempt]) -> int:
    return sum(attempt.gpu_seconds for attempt in attempts)


def cause_of_state(state: str) -> str | None:
    """Word of ``schemas.CAUSES`` for a state that a job ended in; None while it has not."""
    return _CAUSES.get(state)


def _qos(row: dict[str, str]) -> Qos:
    return Qos(
        row["Name"],
        _number(row["Priority"]) or 0,
        duration_seconds(row["GraceTime"]) or 0,
        tuple(name for name in row["Preempt"].split(",") if name),
        duration_seconds(row["MaxWall"]) if row["MaxWall"] else None,
        gpus_of_tres(row["MaxTRESPU"]) if "gres/gpu" in row["MaxTRESPU"] else None,
        _number(row["MaxJobsPU"]),
        _number(row["MaxSubmitPU"]),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None
