"""What the run has used so far, from its own ledger: the one source that every site has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...ingest.lake import Lake
from ...ingest.lake_batches import read_batches
from ...ingest.manifest import Run, Shard, run_id

_COLUMNS = (
    "run_id",
    "shard_id",
    "stage",
    "attempt",
    "job_id",
    "node",
    "gpu",
    "cause",
    "detail",
    "num_gpus",
    "num_rows",
    "gpu_seconds",
    "wall_seconds",
    "started_at",
    "ended_at",
)
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class Tries:
    """Attempts of one shard and stage: how many, how many of them left it unfinished, and the last."""

    num_attempts: int = 0
    num_unfinished: int = 0
    last_cause: str | None = None
    last_detail: str | None = None


def record_end(run: Run, shard: Shard, **measured: Any) -> None:
    """A row of the ledger for an attempt that no engine was started for, or that could not write its own."""
    attempt = run.next_attempt("generate", shard.shard_id)
    names = ("shard_id", "benchmark", "model", "scenario", "request_digest", "num_planned")
    described = {name: getattr(shard, name) for name in names}
    identity = {"run_id": run_id(shard.shard_id, "generate", attempt), "stage": "generate", "attempt": attempt}
    run.record_attempt({**identity, **described, **measured})


def attempts(lake: Lake) -> list[dict[str, Any]]:
    """Rows of ``runs``, oldest attempt of each shard first."""
    rows = [row for batch in read_batches(lake, "runs", _COLUMNS) for row in batch]
    return sorted(rows, key=lambda row: (row["shard_id"], row["stage"], row["attempt"]))


def tries_by_shard(rows: Iterable[Mapping[str, Any]], stage: str) -> dict[str, Tries]:
    """Shard -> its attempts of the stage."""
    found: dict[str, Tries] = {}
    for row in rows:
        if row["stage"] == stage:
            before = found.get(row["shard_id"], Tries())
            num_unfinished = before.num_unfinished + (row["cause"] != "done")
            found[row["shard_id"]] = Tries(before.num_attempts + 1, num_unfinished, row["cause"], row["detail"])
    return found


def gpu_hours(rows: Iterable[Mapping[str, Any]]) -> float:
    """Of all attempts that have ended."""
    return sum(row["gpu_seconds"] or 0.0 for row in rows) / SECONDS_PER_HOUR
