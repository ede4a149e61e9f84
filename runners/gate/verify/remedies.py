"""What ``--repair`` may do. Each is safe to kill and to repeat; none deletes a row.

A damaged file moves to ``damaged/`` beside the lake's tables (or in the run's folder), with a line in
``damaged/notes.jsonl`` that says when and why. A shard that cannot be sealed again loses its marker and its live parts,
so that the next ``generate``, ``score`` or ``import`` does it again and no reader meets a part that is gone.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ....ingest import liveness
from ....ingest.lake import Lake, append_line, fsync_directory
from ....ingest.manifest import Run, Shard, now_text
from ....ingest.tasks import record_tasks
from .place import committed_of, whole_lines
from .sealing import seal_again

DAMAGED = "damaged"


class Remedy(Protocol):
    """``say`` tells what ``do`` does; ``do`` raises OSError, LakeError or Incomplete (somebody works on the shard)."""

    def say(self) -> str: ...

    def do(self) -> None: ...


@dataclass(frozen=True)
class SetAside:
    """Move a file to ``<root>/damaged/`` under its own path; an equal name there gets a number."""

    root: Path
    path: Path
    why: str

    def say(self) -> str:
        return f"move {self.path.relative_to(self.root)} to {DAMAGED}/"

    def do(self) -> None:
        if not self.path.exists():
            return
        target = _free(self.root / DAMAGED / self.path.relative_to(self.root))
        note(self.root, self.path, target, self.why)
        self.path.rename(target)
        fsync_directory(target.parent)
        fsync_directory(self.path.parent)


@dataclass(frozen=True)
class Remove:
    """Delete a temporary file or a lease: nothing that holds a row."""

    path: Path

    def say(self) -> str:
        return f"remove {self.path.parent.name}/{self.path.name}"

    def do(self) -> None:
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class RemoveFolder:
    """Delete what an ended compaction spilled."""

    path: Path

    def say(self) -> str:
        return f"remove {self.path.parent.name}/{self.path.name}"

    def do(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True)
class CutTail:
    """A torn last line: its bytes go to ``damaged/``, the file ends with the whole line before it."""

    root: Path
    path: Path

    def say(self) -> str:
        return f"cut the torn last line of {self.path.relative_to(self.root)}"

    def do(self) -> None:
        with self.path.open("r+b") as stream:
            size = stream.seek(0, os.SEEK_END)
            start = end_of_lines(self.path)
            if start == size:
                return
            stream.seek(start)
            torn = stream.read()
            target = _free(self.root / DAMAGED / f"{self.path.relative_to(self.root)}.tail")
            note(self.root, self.path, target, "a torn last line")
            target.write_bytes(torn)
            stream.truncate(start)
            stream.flush()
            os.fsync(stream.fileno())


@dataclass(frozen=True)
class EnterLive:
    """Append to a shard's live list: from now on exactly these parts of the table count."""

    root: Path
    table: str
    stage: str
    lane: str
    parts: tuple[str, ...]

    def say(self) -> str:
        return f"{self.table} of {self.stage}-{self.lane}: " + (
            f"{len(self.parts)} parts count" if self.parts else "no part counts until it is done again"
        )

    def do(self) -> None:
        path = self.root / "_live" / self.table / f"{self.stage}-{self.lane}.jsonl"
        if path.exists() and sorted(liveness.last_entry(path)["parts"]) == sorted(self.parts):
            return
        line = {"shard": self.lane, "stage": self.stage, "table": self.table, "parts": list(self.parts)}
        append_line(path, json.dumps({**line, "at": now_text()}, sort_keys=True))


@dataclass(frozen=True)
class MarkPending:
    """Take the ``.done`` marker away: the stage does the shard again."""

    run: Run
    stage: str
    lane: str

    def say(self) -> str:
        return f"{self.stage}-{self.lane} is pending again"

    def do(self) -> None:
        self.run.clear_done(self.stage, self.lane)


@dataclass(frozen=True)
class WriteMarkers:
    """The last two steps of a seal, for parts that are live and whole."""

    run: Run
    stage: str
    lane: str
    parts: tuple[str, ...]
    num_rows: int

    def say(self) -> str:
        return f"write the markers of {self.stage}-{self.lane}"

    def do(self) -> None:
        sealed = committed_of(self.run, (self.stage, self.lane))
        if sealed is None or sealed != sorted(self.parts):
            paths = [self.run.lake.root / part for part in self.parts]
            self.run.mark_committed(self.stage, self.lane, paths, self.num_rows)
        self.run.mark_done(self.stage, self.lane, self.num_rows)


@dataclass(frozen=True)
class SealAgain:
    """Parts and markers of a generated shard from its journal: the same rows give the same bytes."""

    run: Run
    shard_id: str

    def say(self) -> str:
        return f"seal generate-{self.shard_id} again from its journal"

    def do(self) -> None:
        seal_again(self.run, self.shard_id)


@dataclass(frozen=True)
class RecordTasks:
    """Rows of ``tasks`` from the staged problems."""

    lake: Lake
    shard: Shard
    datasets_root: Path

    def say(self) -> str:
        return f"record the tasks of {self.shard.benchmark} {self.shard.dataset_version} {self.shard.scenario} again"

    def do(self) -> None:
        from ....ingest.benchmarks import registry
        from ....ingest.staging import staged

        shard = self.shard
        benchmark = registry()[shard.benchmark]
        tasks = staged.load_tasks(benchmark, shard.dataset_version, shard.scenario, self.datasets_root)
        record_tasks(self.lake, tasks, shard.dataset_version, shard.dataset_digest)


@dataclass(frozen=True)
class Note:
    """Keep in mind what cannot be had again."""

    root: Path
    what: str

    def say(self) -> str:
        return f"note that {self.what}"

    def do(self) -> None:
        if all(line.get("why") != self.what for line in notes(self.root)):
            append_line(self.root / DAMAGED / "notes.jsonl", json.dumps({"why": self.what, "at": now_text()}))


@dataclass(frozen=True)
class DropCompaction:
    """The shards' own parts of a partition count again."""

    lake: Lake
    table: str
    partition: str

    def say(self) -> str:
        return f"the compaction of {self.partition} counts no more"

    def do(self) -> None:
        path = liveness.compaction_file(self.lake.root, self.table, self.partition)
        line = {"table": self.table, "partition": self.partition, "parts": [], "replaces": {}, "at": now_text()}
        append_line(path, json.dumps(line, sort_keys=True))


def end_of_lines(path: Path) -> int:
    """Bytes up to and with the last newline."""
    with path.open("rb") as stream:
        position = stream.seek(0, os.SEEK_END)
        while position > 0:
            start = max(0, position - 65536)
            stream.seek(start)
            found = stream.read(position - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            position = start
    return 0


def note(root: Path, path: Path, target: Path, why: str) -> None:
    """One line on what is set aside, before it is: a kill between the two leaves a note too many, never one too few."""
    line = {"file": path.relative_to(root).as_posix(), "now": target.relative_to(root).as_posix(), "why": why}
    append_line(root / DAMAGED / "notes.jsonl", json.dumps({**line, "at": now_text()}, sort_keys=True))


def notes(root: Path) -> list[dict[str, Any]]:
    """What was set aside or lost below ``root``: lines with ``why``, ``at`` and, of a file, ``file`` and ``now``."""
    return list(whole_lines(root / DAMAGED / "notes.jsonl"))


def _free(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    number, free = 1, target
    while free.exists():
        free, number = target.with_name(f"{target.name}.{number}"), number + 1
    return free
