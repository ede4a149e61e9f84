"""Which shards a submission takes: pending, not in the queue already, not given up, within the budget."""

from __future__ import annotations

from collections.abc import Callable

from ...ingest.config import Settings
from ...ingest.manifest import Run, Shard
from ...ingest.planning.wanted import served_models
from ..generate.pending import to_generate
from ..score.pending import to_score
from ..selection import Selection
from .budget import spent
from .ledger import attempts
from .limits import mark_failed, refuse_spent
from .smoke_gate import refuse_without_smoke
from .submitting import Planned, Queue, gpus_by_model, in_queue, plan_generate, plan_score

Say = Callable[[str], None]


def planned(
    stage: str, run: Run, settings: Settings, selection: Selection, queue: Queue, say: Say, is_forced: bool = False
) -> list[Planned]:
    """Arrays of a stage; ``say`` hears what is left out; ``is_forced`` goes without a smoke run.

    Raises UsageError, Incomplete (the budget is used up, no smoke run has passed).
    """
    if stage == "score":
        return _score_arrays(run, settings, selection, queue)
    shards = _shards_to_generate(run, settings, selection, queue, say)
    if not is_forced:
        refuse_without_smoke(settings, [shard.model for shard in shards])
    return plan_generate(shards, gpus_by_model(served_models(settings), settings), settings, queue)


def _shards_to_generate(run: Run, settings: Settings, selection: Selection, queue: Queue, say: Say) -> list[Shard]:
    rows = attempts(run.lake)
    refuse_spent(settings, spent(run, rows).hours)
    pending = to_generate(run, selection)
    queued = in_queue(run, "generate", queue)
    failed = set(mark_failed(run, "generate", pending, rows, settings["run.max_requeue_per_shard"]))
    if failed:
        say(f"{len(failed)} shards were tried too often and are left out: benchforge resubmit")
    if queued:
        say(f"{len(queued)} shards are in the queue already")
    return [shard for shard in pending if shard.shard_id not in failed | set(queued)]


def _score_arrays(run: Run, settings: Settings, selection: Selection, queue: Queue) -> list[Planned]:
    """What is generated now, and what the tasks in the queue will have generated."""
    queued = in_queue(run, "score", queue)
    ready = [shard for shard in to_score(run, selection) if shard.shard_id not in queued]
    shards = run.manifest.shards()
    taken = {shard.shard_id for shard in ready} | set(queued)
    coming = {
        shard_id: one
        for shard_id, one in in_queue(run, "generate", queue).items()
        if shard_id in shards and shard_id not in taken and selection.covers(shards[shard_id])
    }
    return plan_score(ready, coming, settings, queue)
