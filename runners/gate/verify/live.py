"""Live lists and the parts that they name, compactions and the parts that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....ingest import schemas
from .faults import Fault
from .parts import Look, batches, look_at, look_at_all, wrong_digest
from .place import Lane, Place, committed_of
from .redoing import brought_back
from .remedies import DropCompaction, EnterLive, Remedy, SetAside

if TYPE_CHECKING:
    import duckdb

Looks = Mapping[str, Look]
"""Part, relative to the lake -> what it is; all that any live list or compaction in force names."""


def looks_of(place: Place, num_threads: int, is_quick: bool) -> Looks:
    """One look at every part that counts, for the lake or for its shard."""
    wanted = dict.fromkeys((table, name) for table in schemas.TABLES for name in sorted(_named(place, table)))
    return {look.name: look for look in look_at_all(place.lake, wanted, num_threads, is_quick)}


def look_at_lists(place: Place) -> Iterator[Fault]:
    """Lists whose last line is no entry, and tables of which nothing counts."""
    for table, lists in place.lists.items():
        for lane, one in lists.items():
            if one.complaint:
                where = one.path.relative_to(place.lake.root).as_posix()
                yield Fault("live_list", where, one.complaint, remedies=as_sealed(place, lane))
        if place.on_disk[table] and not place.live(table) and not _is_pending(place, table):
            lanes = [lane for lane in place.markers if lane not in lists]
            remedies = [remedy for lane in lanes for remedy in as_sealed(place, lane)]
            message = f"{len(place.on_disk[table])} parts, and none of them counts"
            yield Fault("none_live", table, message, len(place.on_disk[table]), remedies=tuple(remedies))


def look_at_parts(place: Place, looks: Looks) -> Iterator[Fault]:
    """Parts that are gone, changed or unreadable, with what brings their rows back."""
    lanes = {
        (table, part): lane for table, entries in place.entries.items() for lane in entries for part in entries[lane]
    }
    for look in looks.values():
        if look.is_whole:
            continue
        assert look.rule is not None, "a part that is not whole breaks a rule"
        lane = lanes.get((look.table, look.name))
        remedies = _drop(place, look) if lane is None else brought_back(place, lane, (look.table,))
        yield Fault(look.rule, look.name, look.message, remedies=(*_aside(place, look, remedies), *remedies))


def look_at_dead_parts(place: Place, looks: Looks, is_quick: bool) -> Iterator[Fault]:
    """Parts that nothing names any more stay as evidence: their bytes are to be what they were."""
    ever = {table: _ever_named(place, table) for table in schemas.TABLES}
    for table, names in place.on_disk.items():
        for name in names:
            if name in looks:
                continue
            if not is_quick and (found := wrong_digest(place.lake.root / name)):
                aside = SetAside(place.lake.root, place.lake.root / name, "changed after writing")
                yield Fault("part_digest", name, f"{name} (counts no more) hashes to {found}", remedies=(aside,))
            elif name not in ever[table]:
                message = "no live list ever named it: its writer was ended before, or it was copied"
                yield Fault("orphan", name, message, remedies=_entered(place, table, name))


def look_at_compactions(place: Place, looks: Looks, connection: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    """The rows of a compacted part against those of the parts that it stands for, in any order."""
    for table, entries in place.compactions.items():
        for entry in entries:
            sources = sorted({part for parts in entry["replaces"].values() for part in parts})
            if not all(looks[name].is_whole for name in (*entry["parts"], *sources)):
                continue
            made, stood_for = (_digest(connection, place, table, parts) for parts in (entry["parts"], sources))
            if made != stood_for:
                message = f"{made[0]} rows stand for {stood_for[0]}" if made[0] != stood_for[0] else "values differ"
                drop = DropCompaction(place.lake, table, entry["partition"])
                yield Fault("compaction", entry["partition"], message, abs(made[0] - stood_for[0]) or 1, (), (drop,))


def as_sealed(place: Place, lane: Lane) -> tuple[Remedy, ...]:
    """The live lists of a lane as its last seal wrote them, where all of those parts are whole; else brought back."""
    if place.run is None or (sealed := committed_of(place.run, lane)) is None:
        return ()
    by_table = {table: tuple(name for name in sealed if name.startswith(f"{table}/")) for table in schemas.TABLES}
    concerned = {table: parts for table, parts in by_table.items() if parts or place.entries[table].get(lane)}
    looks = [look_at(place.lake.root, table, name) for table, parts in concerned.items() for name in parts]
    if all(look.is_whole for look in looks):
        return tuple(EnterLive(place.lake.root, table, *lane, parts) for table, parts in concerned.items())
    return brought_back(place, lane, concerned)


def _named(place: Place, table: str) -> set[str]:
    own = {name for parts in place.entries[table].values() for name in parts}
    return own | {name for entry in place.compactions[table] for name in entry["parts"]}


def _ever_named(place: Place, table: str) -> set[str]:
    from .place import whole_lines

    files = (place.lake.root / "_live" / table).rglob("*.jsonl")
    return {name for file in files for line in whole_lines(file) for name in line.get("parts", ())}


def _is_pending(place: Place, table: str) -> bool:
    """Whether every list of the table was emptied on purpose: its shards are to be done again."""
    return bool(place.lists[table]) and all(not one.complaint for one in place.lists[table].values())


def _drop(place: Place, look: Look) -> tuple[Remedy, ...]:
    """A compacted part that is damaged: the parts that it stands for count again, and are looked at by themselves."""
    entries = (entry for entry in place.compactions[look.table] if look.name in entry["parts"])
    return tuple(DropCompaction(place.lake, look.table, entry["partition"]) for entry in entries)


def _entered(place: Place, table: str, name: str) -> tuple[Remedy, ...]:
    """Tables that are only added to: a part of theirs counts from the moment it lies there, whole."""
    if not look_at(place.lake.root, table, name).is_whole or "part-compacted-" in name:
        return ()
    lane = _lane_of(place, table, name)
    return () if lane is None else (EnterLive(place.lake.root, table, *lane, (name,)),)


def _lane_of(place: Place, table: str, name: str) -> Lane | None:
    """Under which name the part would have been entered; None where that cannot be said for certain."""
    if table == "programs":
        return "score", name.rpartition("/")[2].removeprefix("part-").removesuffix(".parquet")
    if table == "tasks":
        siblings = [part for part in place.on_disk[table] if part.rpartition("-")[0] == name.rpartition("-")[0]]
        [benchmark] = [word for word in name.split("/") if word.startswith("benchmark=")]
        lane = "import", f"{benchmark.partition('=')[2]}-{name.rpartition('/')[2][len('part-') :].rpartition('-')[0]}"
        return lane if len(siblings) == 1 and lane not in place.lists[table] else None
    if table in ("runs", "regrades"):
        column = {"runs": "run_id", "regrades": "regrade_id"}[table]
        found = {(row.get("stage", "score"), row[column]) for row in _first_rows(place.lake.root / name)}
        return found.pop() if len(found) == 1 else None
    return None


def _first_rows(path: Path) -> list[dict[str, Any]]:
    return next((batch.to_pylist() for batch in batches(path)), [])


def _aside(place: Place, look: Look, remedies: Iterable[Remedy]) -> Iterator[Remedy]:
    """Only where something else is done as well: a part that nothing brings back is not made to vanish."""
    path = place.lake.root / look.name
    if path.exists() and list(remedies):
        yield SetAside(place.lake.root, path, look.message)


def _digest(connection: Any, place: Place, table: str, parts: Iterable[str]) -> tuple[int, int]:
    """Rows, and the sum of their hashes."""
    from .rows import reader

    columns = ", ".join(schemas.TABLES[table].column_names())
    rows = reader(place.lake.root, table, parts)
    found = connection.execute(f"select count(*), coalesce(sum(hash({columns})::hugeint), 0) from {rows}").fetchone()
    return found[0], found[1]
