"""What is left to do after some days: attempts that ended without a word, and shards that were tried too often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...ingest.manifest import Run
from .ledger import attempts, tries_by_shard
from .limits import failed_marker, forgive
from .states import queue_view, record_silent_ends


def take_stock(run: Run, shard_ids: Sequence[str], retries_failed: bool) -> int:
    """Write ledger rows for silent ends; with ``retries_failed`` shards given up count from now on. How many silent."""
    silent = record_silent_ends(run, queue_view(run), attempts(run.lake))
    if retries_failed:
        failed = [row["shard_id"] for row in failed_rows(run) if not shard_ids or row["shard_id"] in shard_ids]
        forgive(run, "generate", failed, attempts(run.lake))
    return silent


def failed_rows(run: Run) -> list[dict[str, Any]]:
    """Shards that are given up, with the cause of their last attempt."""
    tries = tries_by_shard(attempts(run.lake), "generate")
    rows = []
    for shard in run.manifest.shards().values():
        marker = failed_marker(run, "generate", shard.shard_id)
        if marker and not run.is_done("generate", shard.shard_id):
            rows.append(
                {
                    **{name: getattr(shard, name) for name in ("shard_id", "model", "benchmark", "scenario")},
                    "attempts": tries[shard.shard_id].num_attempts if shard.shard_id in tries else 0,
                    "cause": marker.get("cause"),
                    "detail": marker.get("detail"),
                }
            )
    return rows
