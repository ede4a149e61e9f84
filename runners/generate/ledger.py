"""The runs ledger: one row per attempt of a shard, also of an attempt that could not write its own."""

from __future__ import annotations

import datetime
import json
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...ingest.errors import BenchforgeError, Incomplete, Interrupted
from ...ingest.manifest import Run, Shard, run_id
from .client import Unreachable
from .engines import Engine
from .held import held_by
from .job import NOTICES, Job, name_of

_CAUSES: Mapping[str, str] = {
    **dict.fromkeys(NOTICES, "notice"),
    "SIGTERM": "preempted",
    "SIGINT": "cancelled",
    "SIGHUP": "cancelled",
}
"""Signal that ended an attempt -> word of ``schemas.CAUSES``."""


class OutOfTime(Incomplete):
    """What is left is not expected to end before the job does."""


@dataclass
class Attempt:
    """One attempt of one shard, from the lease to its row in ``runs``."""

    run: Run
    shard: Shard
    engine: Engine
    job: Job
    num_gpus: int | None = None
    num_rows: int = 0
    num_restarts: int = 0
    gpu_seconds: float = 0.0
    started: datetime.datetime = field(default_factory=lambda: _utc_now())
    _clock: float = field(default_factory=time.monotonic)

    def record(self, error: BaseException | None) -> None:
        """Append the row; ``error`` is what ended the attempt, None when its shard was sealed."""
        self._append(
            self._cause_of(error),
            None if error is None else str(error) or type(error).__name__,
            started_at=self.started,
            wall_seconds=time.monotonic() - self._clock,
            num_rows=self.num_rows,
            num_restarts=self.num_restarts,
            num_gpus=self.num_gpus,
            gpu_seconds=self.gpu_seconds if self.num_gpus else None,
        )

    def _cause_of(self, error: BaseException | None) -> str:
        """Signals mean several things under SLURM, and only its controller knows which."""
        asked = self.job.cause_of_signal(error.signal_name) if isinstance(error, Interrupted) else None
        cause = asked or cause_of(error)
        return "oom" if cause == "crashed" and self.job.is_out_of_memory() else cause

    def record_heir_of(self, holder: Mapping[str, Any]) -> None:
        """The row of an attempt that was killed: its lease was still there when ours was taken."""
        lost = held_by(self.run.root, _name_of(holder)) if holder.get("job") else None
        self._append(
            _cause_of_death(holder, self.job),
            f"process {holder.get('pid')} on {holder.get('host')} left its lease behind",
            # not now: what ends before a later run of the same job begins is no word about that run
            started_at=_utc(lost.began if lost else holder["last_beat"]),
            ended_at=_utc(holder["last_beat"]),
            node=holder.get("node") or holder.get("host") or platform.node(),
            job_id=_name_of(holder) if holder.get("job") else None,
            num_gpus=lost.num_gpus if lost else None,
            # up to its last beat; a job of several shards held them for all of these
            gpu_seconds=lost.gpu_seconds if lost and holder.get("array_task") else None,
        )

    def _append(self, cause: str, detail: str | None, **measured: Any) -> None:
        shard = self.shard
        attempt = self.run.next_attempt("generate", shard.shard_id)
        names = ("shard_id", "benchmark", "model", "scenario", "request_digest", "num_planned")
        row = {
            "run_id": run_id(shard.shard_id, "generate", attempt),
            "stage": "generate",
            **{name: getattr(shard, name) for name in names},
            "attempt": attempt,
            "job_id": self.job.name,
            "node": self.job.node,
            "gpu": self.engine.gpu,
            "image_digest": self.engine.image_digest,
            "engine": self.engine.name,
            "engine_version": self.engine.version or None,
            "engine_flags": None if self.engine.flags is None else json.dumps(dict(self.engine.flags), sort_keys=True),
            "cause": cause,
            "detail": detail,
            "ended_at": _utc_now(),
        }
        self.run.record_attempt({**row, **measured})


def cause_of(error: BaseException | None) -> str:
    """Word of ``schemas.CAUSES`` for what ended an attempt."""
    if error is None:
        return "done"
    if isinstance(error, Interrupted):
        return _CAUSES.get(error.signal_name, "cancelled")
    if isinstance(error, OutOfTime):
        return "time_limit"
    if isinstance(error, Unreachable) or not isinstance(error, BenchforgeError | KeyboardInterrupt):
        return "crashed"
    return "cancelled"


def _name_of(holder: Mapping[str, Any]) -> str:
    return name_of(holder["job"], holder.get("array_task"), holder.get("restart", "0"))


def _cause_of_death(holder: Mapping[str, Any], job: Job) -> str:
    """SLURM requeued our own job without a word of its process: a lost node, unless accounting knows better."""
    if holder.get("job") and holder["job"] == job.id:
        from ...slurm.causes import cause_of_silence

        return cause_of_silence(holder["job"]) or "node_fail"
    return "crashed" if holder.get("host") == platform.node() else "node_fail"


def _utc_now() -> datetime.datetime:
    return _utc(time.time())


def _utc(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).replace(tzinfo=None)
