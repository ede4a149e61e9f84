"""What is looked at: a lake, the run that wrote it where there is one, and what their small files say, read once."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ....ingest import liveness, schemas
from ....ingest.errors import BadInput
from ....ingest.lake import Lake
from ....ingest.manifest import Run, Shard, shard_of_row

Lane = tuple[str, str]
"""(stage, shard id), other time limits' factor behind the id: what markers and live lists are named by."""


@dataclass(frozen=True)
class LiveList:
    """One file of ``_live/<table>/``. ``parts`` are those of its last whole line; ``complaint``: what is wrong."""

    table: str
    lane: Lane
    path: Path
    parts: tuple[str, ...]
    complaint: str


@dataclass(frozen=True)
class Marker:
    """A ``.done`` file; ``num_rows`` None where it cannot be read or tells of another shard."""

    lane: Lane
    path: Path
    num_rows: int | None
    written_ns: int

    def is_current(self) -> bool:
        """Whether the shard was not done again since the marker was read."""
        try:
            return self.path.stat().st_mtime_ns == self.written_ns
        except FileNotFoundError:
            return False


@dataclass(frozen=True)
class Place:
    """A lake in the form that runs write; ``run`` None: a lake alone, of which no plan is known."""

    lake: Lake
    run: Run | None
    datasets_root: Path | None = None

    @cached_property
    def lists(self) -> Mapping[str, Mapping[Lane, LiveList]]:
        """Table -> lane -> live list.

        Tables that rest on others are read first: what a stage seals meanwhile is missed whole, never by half.
        """
        return {table: {one.lane: one for one in self._lists_of(table)} for table in reversed(tuple(schemas.TABLES))}

    @cached_property
    def entries(self) -> Mapping[str, Mapping[Lane, tuple[str, ...]]]:
        """Table -> lane -> parts that the shard says count."""
        return {table: {lane: one.parts for lane, one in lists.items()} for table, lists in self.lists.items()}

    @cached_property
    def compactions(self) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
        """Table -> compactions in force."""
        return {table: tuple(self._in_force(table)) for table in schemas.TABLES}

    def live(self, table: str) -> list[str]:
        """Names of the parts that count, compactions standing for their shards."""
        own = {name for parts in self.entries[table].values() for name in parts}
        for entry in self.compactions[table]:
            own -= {name for parts in entry["replaces"].values() for name in parts}
            own |= set(entry["parts"])
        return sorted(own)

    @cached_property
    def on_disk(self) -> Mapping[str, tuple[str, ...]]:
        """Table -> all of its parts, relative to the lake."""
        root = self.lake.root
        return {
            table: tuple(sorted(path.relative_to(root).as_posix() for path in (root / table).rglob("*.parquet")))
            for table in schemas.TABLES
        }

    @cached_property
    def shards(self) -> Mapping[str, Shard]:
        """Planned shards by id, the first line of an id; lines that are no shard are left out (``plans.py``)."""
        found: dict[str, Shard] = {}
        for row in whole_lines(self.run.manifest.path) if self.run else ():
            if (shard := shard_of_line(row)) is not None:
                found.setdefault(shard.shard_id, shard)
        return found

    @cached_property
    def markers(self) -> Mapping[Lane, Marker]:
        """Lane -> its ``.done`` marker."""
        if self.run is None:
            return {}
        found = (_marker(path) for path in sorted((self.run.root / "manifests").glob("*.done")))
        return {marker.lane: marker for marker in found}

    def shard_of(self, lane: Lane) -> Shard | None:
        """The planned shard behind a lane: ``<id>``, or ``<id>-x<factor>`` of other limits."""
        return self.shards.get(lane[1]) or self.shards.get(lane[1].rpartition("-x")[0])

    def _lists_of(self, table: str) -> Iterator[LiveList]:
        for path in sorted((self.lake.root / "_live" / table).glob("*.jsonl")):
            stage, _, lane = path.stem.partition("-")
            yield _live_list(table, (stage, lane), path)

    def _in_force(self, table: str) -> Iterator[Mapping[str, Any]]:
        entries = {f"{stage}-{lane}": list(parts) for (stage, lane), parts in self.entries[table].items()}
        for path in sorted((self.lake.root / "_live" / table / "compacted").glob("*.jsonl")):
            entry = liveness.last_entry(path)
            if {"partition", "replaces"} <= set(entry) and entry["parts"] and liveness.in_force(entry, entries):
                yield entry


def committed_of(run: Run, lane: Lane) -> list[str] | None:
    """Parts of the last seal of a lane, sorted; None: no whole line."""
    lines = [row for row in whole_lines(_committed_file(run, lane)) if "parts" in row]
    return sorted(lines[-1]["parts"]) if lines else None


def counting_since(place: Place, table: str, lane: Lane) -> datetime.datetime | None:
    """When the parts of a table that count now were first said to, by the live list or the seal, whichever is earlier.

    Saying the same again (a second seal, a repair) does not make rows younger.
    """
    current = sorted(place.entries[table].get(lane, ()))
    files = [place.lake.root / "_live" / table / f"{lane[0]}-{lane[1]}.jsonl"]
    files += [_committed_file(place.run, lane)] if place.run else []
    found = [since for file in files if (since := _since(file, table, current)) is not None]
    return min(found, default=None)


def sealed_at(run: Run, lane: Lane) -> datetime.datetime | None:
    """When a lane was sealed last: scoring again reads the samples that count then, whatever parts it ends with."""
    times = [line.get("at") for line in whole_lines(_committed_file(run, lane))]
    return _time(times[-1]) if times else None


def _since(path: Path, table: str, current: list[str]) -> datetime.datetime | None:
    """The time of the first of the last lines that name exactly these parts of the table."""
    since = None
    for line in reversed(list(whole_lines(path))):
        parts = sorted(part for part in line.get("parts", ()) if part.startswith(f"{table}/"))
        if parts != current:
            break
        since = line.get("at")
    return _time(since)


def _time(text: Any) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None


def _committed_file(run: Run, lane: Lane) -> Path:
    return run.root / "manifests" / f"{lane[0]}-{lane[1]}.committed"


def shard_of_line(row: Mapping[str, Any]) -> Shard | None:
    """A manifest line as a shard, None where it is none."""
    try:
        return shard_of_row(row)
    except BadInput:
        return None


def whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Lines that are objects, in order; torn and foreign ones are skipped."""
    if not path.exists():
        return
    with path.open("rb") as stream:
        for line in stream:
            if (row := _object(line)) is not None:
                yield row


def _marker(path: Path) -> Marker:
    stage, _, lane = path.stem.partition("-")
    written_ns = path.stat().st_mtime_ns
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        is_own = (said["stage"], said["shard_id"]) == (stage, lane)
        num_rows = said["num_rows"] if is_own and isinstance(said["num_rows"], int) else None
    except (ValueError, KeyError, TypeError):
        num_rows = None
    return Marker((stage, lane), path, num_rows, written_ns)


def _live_list(table: str, lane: Lane, path: Path) -> LiveList:
    """A torn end was never acknowledged; a last line that is whole and no entry was changed by somebody."""
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n") and _object(lines[-1]) is None:
        lines.pop()
    entries = [_entry(line) for line in lines]
    last = next((entry for entry in reversed(entries) if entry), None)
    complaint = "its last line is no entry" if entries and entries[-1] is None else _odd(last, table, lane)
    parts = tuple(part for part in last["parts"] if _is_of(table, part)) if last else ()
    return LiveList(table, lane, path, parts, complaint)


def _is_of(table: str, part: str) -> bool:
    """Whether a name can be that of a part of the table, below the lake."""
    return part.startswith(f"{table}/") and ".." not in part.split("/")


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _entry(line: bytes) -> dict[str, Any] | None:
    entry = _object(line)
    if entry is None or not isinstance(entry.get("parts"), list):
        return None
    return entry if all(isinstance(part, str) for part in entry["parts"]) else None


def _odd(entry: Mapping[str, Any] | None, table: str, lane: Lane) -> str:
    """What an entry says that its place does not allow, as a sentence; empty: nothing."""
    if entry is None:
        return ""
    if (entry.get("table"), entry.get("stage"), entry.get("shard")) != (table, *lane):
        return f"it tells of {entry.get('table')} {entry.get('stage')}-{entry.get('shard')}"
    strangers = [part for part in entry["parts"] if not _is_of(table, part)]
    twice = len(entry["parts"]) - len(set(entry["parts"]))
    return f"it names {strangers[0]}" if strangers else "it names a part twice" if twice else ""
