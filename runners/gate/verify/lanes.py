"""Shards: markers, seals, live lists and the plan must tell the same story of each."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from ....ingest import schemas
from ....ingest.manifest import Shard
from ...generate.lease import is_left
from .faults import Fault
from .live import Looks, as_sealed
from .place import Lane, Marker, Place, committed_of, counting_since, sealed_at
from .redoing import brought_back, scored_again
from .remedies import MarkPending, Remedy, SealAgain, WriteMarkers
from .sealing import can_seal

CLOCKS_APART = datetime.timedelta(seconds=60)
"""Samples and verdicts are sealed on different machines."""
COUNTED = {"generate": "samples", "score": "results"}
"""Stage -> table whose rows its marker counts."""


def look_at_lanes(place: Place, looks: Looks) -> Iterator[Fault]:
    """Faults of finished shards, one at most of each kind; nothing for a lake without a run."""
    if place.run is None:
        return
    for lane, marker in place.markers.items():
        found = list(_finished(place, looks, lane, marker))
        yield from found if marker.is_current() else ()
    yield from _strangers(place)


def look_at_progress(place: Place, looks: Looks, is_quick: bool) -> Iterator[Fault]:
    """What is left to do, one finding per stage; shards whose rows all count and that lack their markers."""
    from ....ingest.benchmarks import registry

    if place.run is None:
        return
    planned = [shard for shard in place.shards.values() if shard.stage == "generate"]
    to_generate = [one for one in place.shards.values() if ("generate", one.shard_id) not in place.markers]
    to_score = [
        one
        for one in planned
        if ("score", one.shard_id) not in place.markers and one not in to_generate and one.benchmark in registry()
        and registry()[one.benchmark].grades(one.scenario)
    ]  # fmt: skip
    for stage, shards in (("generate", to_generate), ("score", to_score)):
        if shards:
            yield _pending(stage, shards)
    for shard in to_generate:
        yield from _unfinished(place, looks, shard, is_quick)


def _finished(place: Place, looks: Looks, lane: Lane, marker: Marker) -> Iterator[Fault]:
    name = f"{lane[0]}-{lane[1]}.done"
    shard = place.shard_of(lane)
    if shard is None:
        yield Fault("marker", name, "the manifest plans no such shard")
        return
    live = _live(place, lane)
    sealed = committed_of(place.run, lane) if place.run else None
    if marker.num_rows is None:
        yield Fault(
            "marker", name, "it cannot be read, or tells of another shard", remedies=_marked(place, lane, shard)
        )
        return
    if sealed is None or sealed != live:
        words = "no seal is recorded" if sealed is None else f"{len(live)} parts count, {len(sealed)} were sealed"
        yield Fault("live_as_sealed", name, words, remedies=_resealed(place, lane, live))
        return
    yield from _counted(place, looks, lane, marker, shard)
    yield from _aged(place, lane, shard)


def _counted(place: Place, looks: Looks, lane: Lane, marker: Marker, shard: Shard) -> Iterator[Fault]:
    table = COUNTED.get(lane[0])
    if table is None:
        return
    parts = place.entries[table].get(lane, ())
    if any(looks[part].num_rows is None for part in parts):
        return  # the part is named already
    num_rows = sum(looks[part].num_rows or 0 for part in parts)
    planned = shard.expected_rows
    if num_rows != planned:
        message = f"{num_rows} rows of {table} count, {planned} are planned"
        again = _completed(place, lane, shard, num_rows)
        yield Fault("rows_as_planned", f"{lane[0]}-{lane[1]}", message, abs(num_rows - planned), remedies=again)
    elif marker.num_rows != planned:
        message = f"it says {marker.num_rows} rows, {planned} are planned and there"
        yield Fault("marker", f"{lane[0]}-{lane[1]}.done", message, remedies=_marked(place, lane, shard))


def _completed(place: Place, lane: Lane, shard: Shard, num_rows: int) -> tuple[Remedy, ...]:
    """From the journal, or by the stage, which keeps what is there. Too many rows: a person says which are right."""
    assert place.run is not None, "asked of a run"
    if lane[0] == "generate" and can_seal(place.run, shard):
        return (SealAgain(place.run, lane[1]),)
    return (MarkPending(place.run, *lane),) if num_rows < shard.expected_rows else ()


def _aged(place: Place, lane: Lane, shard: Shard) -> Iterator[Fault]:
    """Samples that were asked for anew after their verdicts were sealed: those are about other texts."""
    if lane[0] != "score" or place.run is None:
        return
    verdicts = sealed_at(place.run, lane)
    samples = counting_since(place, "samples", ("generate", shard.shard_id))
    if verdicts and samples and samples - verdicts > CLOCKS_APART:
        message = f"verdicts of {verdicts.isoformat()}, samples of {samples.isoformat()}"
        again = tuple(scored_again(place, shard.shard_id))
        yield Fault("verdict_older", f"score-{lane[1]}", message, shard.expected_rows, remedies=again)


def _strangers(place: Place) -> Iterator[Fault]:
    """Shards in the run's own lake that nobody planned; a lake that several runs share is nobody's own."""
    assert place.run is not None, "asked of a run"
    if place.lake.root.resolve().parent != place.run.root.resolve():
        return
    for table in ("samples", "results", "timings", "problem_means"):
        for lane, parts in place.entries[table].items():
            if parts and place.shard_of(lane) is None:
                yield Fault("unknown_shard", table, f"{lane[0]}-{lane[1]} is not in the manifest", len(parts))


def _pending(stage: str, shards: Sequence[Shard]) -> Fault:
    offenders = tuple({"shard_id": one.shard_id, "model": one.model, "benchmark": one.benchmark} for one in shards)
    message = f"{len(shards)} shards are not done: benchforge {stage}"
    return Fault("pending", stage, message, len(shards), offenders)


def _unfinished(place: Place, looks: Looks, shard: Shard, is_quick: bool) -> Iterator[Fault]:
    """Ended before the marker; under --force the old rows count on until new ones replace them."""
    assert place.run is not None, "asked of a run"
    lane = ("generate", shard.shard_id)
    lease = place.run.root / "gen" / shard.shard_id / "lease"
    if lease.exists() and not is_left(lease):
        return
    if not is_quick and can_seal(place.run, shard):
        again = (SealAgain(place.run, shard.shard_id),)
        yield Fault("seal_unfinished", f"generate-{shard.shard_id}", "the journal is whole, no marker", 1, (), again)
        return
    parts = place.entries["samples"].get(lane, ())
    if not parts or any(not looks[part].is_whole for part in parts):
        return
    if sum(looks[part].num_rows or 0 for part in parts) == shard.expected_rows:
        remedies = _marked(place, lane, shard)
        yield Fault("seal_unfinished", f"generate-{shard.shard_id}", "all rows count, no marker", 1, (), remedies)


def _marked(place: Place, lane: Lane, shard: Shard) -> tuple[Remedy, ...]:
    """Markers are written where something beside the lake proves the rows: the journal, or the record of the seal."""
    assert place.run is not None, "markers belong to a run"
    live, sealed = _live(place, lane), committed_of(place.run, lane)
    is_sealed = sealed is not None and sealed == live and lane in place.markers
    if lane[0] == "generate" and (is_sealed or can_seal(place.run, shard)):
        return (WriteMarkers(place.run, *lane, tuple(live), shard.expected_rows),)
    if lane[0] == "score" and is_sealed:
        return (WriteMarkers(place.run, *lane, tuple(live), shard.expected_rows),)
    return (MarkPending(place.run, *lane),)


def _resealed(place: Place, lane: Lane, live: Sequence[str]) -> tuple[Remedy, ...]:
    tables = {name.split("/")[0] for name in live} or {COUNTED.get(lane[0], "samples")}
    return as_sealed(place, lane) or brought_back(place, lane, sorted(tables))


def _live(place: Place, lane: Lane) -> list[str]:
    """All parts that the lane says count, whatever the table."""
    return sorted(part for table in schemas.TABLES for part in place.entries[table].get(lane, ()))
