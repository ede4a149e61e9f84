"""Sealed rows against the journals that they were made from, in the memory of one batch and some bytes per key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ....ingest.benchmarks import registry
from ....ingest.errors import LakeError
from ....ingest.journal import Journal
from ....ingest.manifest import Run, Shard
from ...generate.rows import restored
from ...score.verdicts import OUTCOME_COLUMNS, outcomes_of_row
from .faults import Fault
from .live import Looks
from .parts import batches
from .place import Lane, Place
from .sealing import planned_lines

_KEY = ("task_id", "sample_index")
_MEASURED = ("cpu_seconds", "wall_seconds", "peak_memory_bytes")
_SHOWN = 5
_RULES = {"generate": "journal_differs", "score": "verdict_differs"}
_AGAIN = {
    "generate": "which of the two was edited is yours to say; benchforge generate --force --shard-id {} asks again",
    "score": "benchforge score --force --shard-id {} grades again",
}


@dataclass
class _Compared:
    """Rows that are not what the journal says, and how many have no line although this shard made them."""

    differing: list[dict[str, Any]] = field(default_factory=list)
    num_without: int = 0


def look_at_journals(place: Place, looks: Looks) -> Iterator[Fault]:
    """Faults of finished shards whose parts and journal disagree, or whose journal is gone."""
    if place.run is None:
        return
    for lane in place.markers:
        shard = place.shard_of(lane)
        if shard is None or shard.stage != "generate" or lane[0] not in _RULES:
            continue
        try:
            found = _compared(place, place.run, lane, shard, looks)
        except (LakeError, KeyError, TypeError, ValueError, AttributeError) as error:
            message = f"the journal holds a line that is none of its stage ({type(error).__name__}: {error})"
            yield Fault(_RULES[lane[0]], f"{lane[0]}-{lane[1]}", message)
            continue
        yield from _told(lane, found)


def _told(lane: Lane, found: _Compared) -> Iterator[Fault]:
    name = f"{lane[0]}-{lane[1]}"
    if found.differing:
        number = len(found.differing)
        again = _AGAIN[lane[0]].format(lane[1])
        message = f"{number} rows are not what the journal says: {again}"
        yield Fault(_RULES[lane[0]], name, message, number, tuple(found.differing[:_SHOWN]))
    if found.num_without:
        yield Fault("journal_gone", name, f"{found.num_without} rows have no line to compare with", found.num_without)


def _compared(place: Place, run: Run, lane: Lane, shard: Shard, looks: Looks) -> _Compared:
    if lane[0] == "generate":
        return _samples(run.journal("generate", lane[1]), shard, _read(place, looks, "samples", lane))
    results = _read(place, looks, "results", lane, (*_KEY, "sample_id", "grader_id", *OUTCOME_COLUMNS))
    timings = _read(place, looks, "timings", lane, ("sample_id", "is_reused", *_MEASURED))
    return _verdicts(run.journal("score", lane[1]), shard, results, timings)


def _read(
    place: Place, looks: Looks, table: str, lane: Lane, columns: Sequence[str] | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Rows of the lane's readable parts by the batch."""
    for part in place.entries[table].get(lane, ()):
        if looks[part].num_rows is not None:
            for batch in batches(place.lake.root / part, columns):
                yield batch.to_pylist()


def _samples(journal: Journal, shard: Shard, parts: Iterator[list[dict[str, Any]]]) -> _Compared:
    """A journal that is there has every line; one that is gone can be compared with nothing."""
    found, placed = _Compared(), planned_lines(journal, shard)
    for rows in parts:
        if not journal.path.exists():
            found.num_without += len(rows)
            continue
        keys = [(row["task_id"], row["sample_index"]) for row in rows]
        known = [(row, placed[key]) for row, key in zip(rows, keys, strict=True) if key in placed]
        found.differing += [_named(row, "no line") for row, key in zip(rows, keys, strict=True) if key not in placed]
        lines = journal.rows_at(offset for _, offset in known)
        for (row, _), (_, line) in zip(known, lines, strict=True):
            said = restored(line)
            if names := [name for name, value in row.items() if value != said.get(name)]:
                found.differing.append(_named(row, ", ".join(names)))
    return found


def _verdicts(
    journal: Journal,
    shard: Shard,
    results: Iterator[list[dict[str, Any]]],
    timings: Iterator[list[dict[str, Any]]],
) -> _Compared:
    """Verdicts that were looked up stand in another shard's journal, or in none: no line is asked of those."""
    found, said = _Compared(), _said(journal)
    own = {row["sample_id"]: _digest([row[name] for name in _MEASURED]) for row in _ran(timings)}
    oracles = registry()[shard.benchmark].oracles
    for row in (row for rows in results for row in rows):
        measured = said.get(_name(row, row["program_id"], ""))
        if row["sample_id"] in own:
            found.num_without += measured is None
            if measured not in (None, own[row["sample_id"]]):
                found.differing.append(_named(row, "seconds or bytes"))
        for program_id, oracle, line in outcomes_of_row(row, oracles):
            if said.get(_name(row, program_id, oracle), _digest(line)) != _digest(line):
                found.differing.append(_named(row, f"verdict of {oracle}"))
    return found


def _ran(timings: Iterator[list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    return (row for rows in timings for row in rows if row["is_reused"] is False)


def _said(journal: Journal) -> dict[bytes, bytes]:
    """Digest of each outcome by program and oracle, and of what its first run took (no oracle)."""
    said: dict[bytes, bytes] = {}
    for row in journal.rows():
        said |= {_name(row, row["program_id"], oracle): _digest(line) for oracle, line in row["outcomes"].items()}
        said.setdefault(_name(row, row["program_id"], ""), _digest([row["measured"][name] for name in _MEASURED]))
    return said


def _named(row: Mapping[str, Any], what: str) -> dict[str, Any]:
    return {**{name: row[name] for name in _KEY}, "differs": what}


def _name(row: Mapping[str, Any], program_id: bytes, oracle: str) -> bytes:
    text = f"{row['grader_id']} {row['task_digest']} {program_id.hex()} {oracle}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _digest(line: Any) -> bytes:
    return hashlib.blake2b(json.dumps(line).encode(), digest_size=8).digest()
