"""Which remedies bring a shard back: sealed again from its journal, else pending, with no part that readers miss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ....ingest import schemas
from ....ingest.tasks import lane_of_tasks
from .place import Lane, Place
from .remedies import EnterLive, MarkPending, Note, RecordTasks, Remedy, SealAgain
from .sealing import can_seal

_OF_SHARDS = frozenset(("samples", "results", "timings", "problem_means"))
"""Tables whose parts a stage writes again when the shard is pending."""
_TOGETHER = ("results", "timings")
"""A timing belongs to its verdict."""


def brought_back(place: Place, lane: Lane, tables: Iterable[str]) -> tuple[Remedy, ...]:
    """For a lane of which parts of ``tables`` are gone or wrong. Empty where no run says what the lane was to hold."""
    if place.run is None:
        return ()
    stage, shard_id = lane
    tables = tuple(tables)
    shard = place.shard_of(lane) if set(tables) <= _OF_SHARDS else None
    if shard is not None and stage == "generate" and can_seal(place.run, shard):
        return (SealAgain(place.run, shard_id),)
    if shard is not None:
        return tuple(_pending(place, lane, tables))
    return tuple(_without_shard(place, lane, tables))


def scored_again(place: Place, shard_id: str) -> Iterator[Remedy]:
    """Verdicts of a shard in every lane: pending, and no longer live."""
    for lane in sorted({lane for table in _TOGETHER for lane in place.entries[table] if lane[0] == "score"}):
        shard = place.shard_of(lane)
        if shard is not None and shard.shard_id == shard_id:
            yield from _pending(place, lane, _TOGETHER)


def _pending(place: Place, lane: Lane, tables: Iterable[str]) -> Iterator[Remedy]:
    """The marker goes first: whatever happens between two steps, the shard is one to do again."""
    assert place.run is not None, "without a run nothing is pending"
    yield MarkPending(place.run, *lane)
    for table in _TOGETHER if "results" in tables and lane[0] == "score" else tables:
        yield EnterLive(place.lake.root, table, *lane, ())
    if lane[0] == "generate" and "samples" in tables:
        yield from scored_again(place, lane[1])


def _without_shard(place: Place, lane: Lane, tables: Iterable[str]) -> Iterator[Remedy]:
    """Parts that belong to no shard: texts are extracted again, tasks recorded again, measurements are lost."""
    for table in tables:
        if table == "tasks":
            yield from tasks_again(place, lane)
        elif table in ("runs", "regrades", "programs"):
            yield Note(place.lake.root, f"a part of {table} ({lane[0]}-{lane[1]}) is lost")
            yield EnterLive(place.lake.root, table, *lane, ())
        elif table in schemas.TABLES and place.run is not None and lane in place.markers:
            yield MarkPending(place.run, *lane)


def tasks_again(place: Place, lane: Lane) -> Iterator[Remedy]:
    """From the staged problems; of recorded files, whose imports are pending then."""
    for shard in place.shards.values():
        if lane[1] != lane_of_tasks(shard.benchmark, shard.scenario, shard.dataset_version):
            continue
        if shard.stage == "generate" and place.datasets_root is not None:
            yield RecordTasks(place.lake, shard, place.datasets_root)
            return
        if shard.stage == "import" and place.run is not None:
            yield MarkPending(place.run, "generate", shard.shard_id)
