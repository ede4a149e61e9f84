"""Which parts of a table count: what shards say of their own parts, and compactions that stand in for them.

A shard's entry (``_live/<table>/<stage>-<shard>.jsonl``) names its parts. A compaction entry
(``_live/<table>/compacted/<partition>.jsonl``) names the part that holds the rows of one partition, and for every shard
the parts whose rows it holds. It is in force only while each of those shards still says the same: a shard that is
redone puts it out of force, and all shards' own parts count again. So one appended line makes a compaction live, no
writer has to know of it, and at every instant one whole set of parts counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import LakeError

Entries = Mapping[str, list[str]]
"""Name of a shard's entry -> its parts, relative to the lake."""


def shard_entries(root: Path, table: str, shard_id: str = "*") -> dict[str, list[str]]:
    """What every shard (or one) says of its parts of ``table``."""
    files = sorted((root / "_live" / table).glob(f"*-{shard_id}.jsonl"))
    return {file.stem: list(last_entry(file)["parts"]) for file in files}


def compactions(root: Path, table: str) -> dict[str, Mapping[str, Any]]:
    """Partition folder (relative to the lake) -> the last compaction written for it."""
    found = map(last_entry, sorted((root / "_live" / table / "compacted").glob("*.jsonl")))
    return {entry["partition"]: entry for entry in found if "partition" in entry}


def live_names(root: Path, table: str) -> list[str]:
    """Parts that count, relative to the lake, sorted."""
    entries = shard_entries(root, table)
    names = {name for parts in entries.values() for name in parts}
    for entry in compactions(root, table).values():
        if in_force(entry, entries):
            names -= {name for parts in entry["replaces"].values() for name in parts}
            names |= set(entry["parts"])
    return sorted(names)


def refuse_all_dead(root: Path, table: str, live: Sequence[Path]) -> None:
    """LakeError for a table with parts of which none counts: that is no empty table.

    ``_live`` was deleted or torn, or the only shard was killed before it ended.
    """
    num_parts = 0 if live else sum(1 for _ in (root / table).rglob("*.parquet"))
    if num_parts:
        raise LakeError(
            f"{root / table} holds {num_parts} parts and {root / '_live' / table} says that none of them counts",
            "restore the _live folder, or run the command that wrote them again with --force",
        )


def in_force(compaction: Mapping[str, Any], entries: Entries) -> bool:
    """Whether every shard behind it still says what it said when its rows were read."""
    partition = compaction["partition"]
    return all(
        sorted(parts) == parts_below(partition, entries.get(shard, []))
        for shard, parts in compaction["replaces"].items()
    )


def parts_below(partition: str, parts: list[str]) -> list[str]:
    """Those parts that lie in the folder of a partition, sorted."""
    return sorted(part for part in parts if part.rpartition("/")[0] == partition)


def compaction_file(root: Path, table: str, partition: str) -> Path:
    """Where compactions of one partition are entered."""
    name = partition.removeprefix(table).strip("/").replace("/", ",") or "all"
    return root / "_live" / table / "compacted" / f"{name}.jsonl"


def last_entry(path: Path) -> Mapping[str, Any]:
    """Last line that is an entry; a torn one at the end was never acknowledged, and no other bytes are one."""
    for line in reversed(path.read_bytes().splitlines()):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("parts"), list):
            return entry
    return {"parts": []}
