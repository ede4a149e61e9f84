"""Sealed rows against the journals that they were made from, in the memory of one batch and nine numbers per key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ....ingest.benchmarks import registry
from ....ingest.manifest import Run, Shard
from ...generate.rows import restored
from ...score.verdicts import OUTCOME_COLUMNS, outcomes_of_row
from .faults import Fault
from .live import Looks
from .parts import batches
from .place import Place
from .sealing import planned_lines

_KEY = ("task_id", "sample_index")
_SHOWN = 5


def look_at_journals(place: Place, looks: Looks) -> Iterator[Fault]:
    """One fault per finished shard whose parts and journal disagree; a journal that is gone says nothing."""
    if place.run is None:
        return
    for lane in place.markers:
        shard = place.shard_of(lane)
        table = {"generate": "samples", "score": "results"}.get(lane[0])
        if shard is None or table is None or (lane[0] == "generate" and shard.stage != "generate"):
            continue
        parts = [part for part in place.entries[table].get(lane, ()) if looks[part].num_rows is not None]
        look = _samples if table == "samples" else _verdicts
        if differing := look(place, place.run, lane[1], shard, parts):
            rule = "journal_differs" if table == "samples" else "verdict_differs"
            message = f"{len(differing)} rows are not what the journal says"
            yield Fault(rule, f"{lane[0]}-{lane[1]}", message, len(differing), tuple(differing[:_SHOWN]))


def _samples(place: Place, run: Run, lane: str, shard: Shard, parts: Sequence[str]) -> list[dict[str, Any]]:
    journal = run.journal("generate", lane)
    if not journal.path.exists():
        return []
    placed, differing = planned_lines(journal, shard), []
    for part in parts:
        for batch in batches(place.lake.root / part):
            rows = batch.to_pylist()
            keys = [(row["task_id"], row["sample_index"]) for row in rows]
            known = [(row, placed[key]) for row, key in zip(rows, keys, strict=True) if key in placed]
            differing += [_told(row, "no line") for row, key in zip(rows, keys, strict=True) if key not in placed]
            lines = journal.rows_at(offset for _, offset in known)
            for (row, _), (_, line) in zip(known, lines, strict=True):
                if names := _differing(row, restored(line)):
                    differing.append(_told(row, ", ".join(names)))
    return differing


def _differing(row: Mapping[str, Any], line: Mapping[str, Any]) -> list[str]:
    """Columns of a sealed row that its line has otherwise."""
    return [name for name, value in row.items() if value != line.get(name)]


def _told(row: Mapping[str, Any], what: str) -> dict[str, Any]:
    return {**{name: row[name] for name in _KEY}, "differs": what}


def _verdicts(place: Place, run: Run, lane: str, shard: Shard, parts: Sequence[str]) -> list[dict[str, Any]]:
    """Verdicts that were looked up stand in the journal of another shard, or in none: those are not asked about."""
    journal = run.journal("score", lane)
    if not journal.path.exists() or shard.benchmark not in registry():
        return []
    said = {}
    for row in journal.rows():
        for oracle, line in row["outcomes"].items():
            said[_name(row["grader_id"], row["task_digest"], row["program_id"], oracle)] = _digest(line)
    oracles, differing = registry()[shard.benchmark].oracles, []
    for part in parts:
        for batch in batches(place.lake.root / part, [*_KEY, "grader_id", *OUTCOME_COLUMNS]):
            for row in batch.to_pylist():
                for program_id, oracle, line in outcomes_of_row(row, oracles):
                    name = _name(row["grader_id"], row["task_digest"], program_id, oracle)
                    if said.get(name, _digest(line)) != _digest(line):
                        differing.append(_told(row, f"verdict of {oracle}"))
    return differing


def _name(grader_id: str, task_digest: str, program_id: bytes, oracle: str) -> bytes:
    return hashlib.blake2b(f"{grader_id} {task_digest} {program_id.hex()} {oracle}".encode(), digest_size=16).digest()


def _digest(line: Any) -> bytes:
    return hashlib.blake2b(json.dumps(line).encode(), digest_size=8).digest()
