"""Import of means by problem: a file becomes one shard per model and protocol, in the table ``problem_means``.

Such rows are scores that others made and no verdicts: they never become pass@k of ours. Everything is read and checked
(``means_plan``) before the first byte is written; the same file twice changes nothing.
"""

from __future__ import annotations

import datetime
import platform
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import LakeError
from ..manifest import Run, run_id
from .import_plan import Wanted
from .means_plan import MeansPlan, MeansShard, plan_means
from .writable import refuse_unwritable

TABLE = "problem_means"


@dataclass(frozen=True)
class ImportedMeans:
    """What one import did; ``notes`` are things that the user should know. ``is_new``: something was written."""

    shard_ids: tuple[str, ...]
    summary: str
    notes: tuple[str, ...] = ()
    is_new: bool = True


def import_means(run: Run, path: Path, wanted: Wanted, *, is_dry_run: bool = False) -> ImportedMeans:
    """Read, check, write. Nothing is written when it raises, or when ``is_dry_run``.

    Raises what ``plan_means`` raises, and ConfigurationChanged (imported before, as another version or source).
    """
    return write_means(run, path, plan_means(path, wanted), is_dry_run=is_dry_run)


def write_means(run: Run, path: Path, plan: MeansPlan, *, is_dry_run: bool = False) -> ImportedMeans:
    """Write what was planned; raises ConfigurationChanged as ``import_means``."""
    started, clock = datetime.datetime.now(datetime.UTC).replace(tzinfo=None), time.monotonic()
    summary, shard_ids = _summary(path, plan), tuple(one.shard.shard_id for one in plan.shards)
    if is_dry_run:
        return ImportedMeans(shard_ids, f"would import {summary}", plan.notes, False)
    for one in plan.shards:
        refuse_unwritable(path, {TABLE: one.rows})
    run.manifest.add(one.shard for one in plan.shards)
    pending = [one for one in plan.shards if not _is_in_lake(run, one.shard.shard_id)]
    if not pending:
        return ImportedMeans(shard_ids, f"nothing to do: {path} was imported before", plan.notes, False)
    for one in pending:
        run.seal("generate", one.shard.shard_id, {TABLE: list(one.rows)}, 0)
        _record_attempt(run, one, "; ".join((summary, *plan.notes)), started, time.monotonic() - clock)
    return ImportedMeans(shard_ids, f"imported {summary}", plan.notes)


def _is_in_lake(run: Run, shard_id: str) -> bool:
    """Both the run and this very lake must know the shard: the lake may be a second one, or be gone."""
    try:
        return run.is_done("generate", shard_id) and bool(run.lake.live_parts(TABLE, shard_id))
    except LakeError:
        return False


def _summary(path: Path, plan: MeansPlan) -> str:
    num_rows = sum(len(one.rows) for one in plan.shards)
    num_models = len({one.shard.model for one in plan.shards})
    return (
        f"{path.name}: {num_rows} means of {num_models} models on {plan.benchmark} {plan.dataset_version} "
        f"{plan.scenario}"
    )


def _record_attempt(run: Run, one: MeansShard, detail: str, started: datetime.datetime, wall_seconds: float) -> None:
    """The ledger's row has no request: no samples were asked for, and none are waited for."""
    shard = one.shard
    attempt = run.next_attempt("import", shard.shard_id)
    run.record_attempt(
        {
            "run_id": run_id(shard.shard_id, "import", attempt),
            "shard_id": shard.shard_id,
            "stage": "import",
            "benchmark": shard.benchmark,
            "model": shard.model,
            "scenario": shard.scenario,
            "attempt": attempt,
            "node": platform.node(),
            "wall_seconds": wall_seconds,
            "num_rows": len(one.rows),
            "cause": "done",
            "detail": detail,
            "started_at": started,
            "ended_at": datetime.datetime.now(datetime.UTC).replace(tzinfo=None),
        }
    )
