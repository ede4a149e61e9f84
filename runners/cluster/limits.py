"""What stops a run by itself: the GPU-hour budget, and shards that were tried often enough.

Both are checked when something is submitted and again by every task before it works: between the two a queue may wait
for days. The budget is checked before every request as well (``spending``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...ingest.config import Settings
from ...ingest.errors import Incomplete
from ...ingest.lake import replace_file
from ...ingest.manifest import Run, Shard, now_text
from ..generate.job import Job
from .ledger import Tries, gpu_hours, tries_by_shard
from .spending import held_hours, spent_error


def refuse_spent(settings: Settings, spent_hours: float) -> None:
    """Incomplete (exit 3) where the budget of GPU hours is used up."""
    budget = settings["run.gpu_hour_budget"]
    if spent_hours >= budget:
        raise spent_error(budget, spent_hours)


def refuse_beyond_limits(
    run: Run, shards: Sequence[Shard], settings: Settings, job: Job, rows: Sequence[Mapping[str, Any]]
) -> None:
    """A task of a batch job, before it works: Incomplete where the budget is used up or its shard tried too often.

    ``rows`` are the run's ledger. What of the budget may be spent while it works, ``spending.Budget`` says.
    """
    refuse_spent(settings, max(gpu_hours(rows), held_hours(run)))
    is_ours = job.array_task is not None  # a person at an interactive job may try as often as she likes
    limit = settings["run.max_requeue_per_shard"]
    failed = mark_failed(run, "generate", shards, rows, limit) if is_ours else []
    if failed and len(failed) == len(shards):
        said = reason_of(failed_marker(run, "generate", failed[0]))
        raise Incomplete(f"shard {failed[0]} is given up: {said}", "benchforge resubmit")


def mark_failed(
    run: Run, stage: str, shards: Iterable[Shard], rows: Sequence[Mapping[str, Any]], max_requeues: int
) -> list[str]:
    """Ids of shards over the limit; those newly over it get their marker, with the last cause."""
    tries = tries_by_shard(rows, stage)
    failed = []
    for shard in shards:
        found = tries.get(shard.shard_id, Tries())
        forgiven = _forgiven(run, stage, shard.shard_id)
        if run.is_done(stage, shard.shard_id) or found.num_unfinished - forgiven <= max_requeues:
            continue
        failed.append(shard.shard_id)
        if not failed_marker(run, stage, shard.shard_id):
            _write(run, stage, shard.shard_id, "failed", _content(found))
    return failed


def failed_marker(run: Run, stage: str, shard_id: str) -> dict[str, Any]:
    """What the marker says; empty where there is none."""
    return _read(run, stage, shard_id, "failed")


def reason_of(marker: Mapping[str, Any]) -> str:
    """``6 attempts, last: preempted (stopped by SIGTERM)``."""
    detail = f" ({marker['detail']})" if marker.get("detail") else ""
    return f"{marker.get('num_unfinished')} attempts, last: {marker.get('cause')}{detail}"


def forgive(run: Run, stage: str, shard_ids: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Count the attempts of these shards from now on: somebody has looked at the cause."""
    tries = tries_by_shard(rows, stage)
    for shard_id in shard_ids:
        _write(run, stage, shard_id, "forgiven", _content(tries.get(shard_id, Tries())))
        _path(run, stage, shard_id, "failed").unlink(missing_ok=True)


def _forgiven(run: Run, stage: str, shard_id: str) -> int:
    return int(_read(run, stage, shard_id, "forgiven").get("num_unfinished", 0))


def _content(tries: Tries) -> dict[str, Any]:
    return {
        "num_unfinished": tries.num_unfinished,
        "cause": tries.last_cause,
        "detail": tries.last_detail,
        "at": now_text(),
    }


def _write(run: Run, stage: str, shard_id: str, kind: str, content: Mapping[str, Any]) -> None:
    replace_file(_path(run, stage, shard_id, kind), json.dumps(content).encode() + b"\n")


def _read(run: Run, stage: str, shard_id: str, kind: str) -> dict[str, Any]:
    try:
        return json.loads(_path(run, stage, shard_id, kind).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _path(run: Run, stage: str, shard_id: str, kind: str) -> Any:
    return run.root / "manifests" / f"{stage}-{shard_id}.{kind}"
