"""How a lake is tampered with, from a careless hand to a careful one: how far the traces are covered is a level.

``bytes``: the file is changed where it lies. ``named``: it gets the name of its new content, and the live list says so.
``sealed``: the record of the seal says so too. ``journal``: and the journal tells the same lie.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from benchforge.ingest import liveness
from benchforge.ingest.lake import WRITE_OPTIONS, append_line
from benchforge.ingest.manifest import Run

LEVELS = ("bytes", "named", "sealed")
OSI, OTHER, SAMPLER = "qwen__qwen2.5-coder-7b-instruct", "bigcode__starcoder2-15b-instruct-v0.1", "lab__sampler"

Rows = list[dict[str, Any]]


def part_of(run: Run, table: str, model: str = OSI) -> Path:
    """The live part of a model's own shard (of ``programs``, ``tasks`` and ``runs``: the first one)."""
    names = sorted({name for parts in liveness.shard_entries(run.lake.root, table).values() for name in parts})
    return run.lake.root / next(name for name in names if f"model={model}/" in name or "model=" not in name)


def shard_id(run: Run, model: str = OSI) -> str:
    return next(one.shard_id for one in run.manifest.shards().values() if one.model == model)


def changed(run: Run, table: str, change: Callable[[Rows], Rows], level: str = "bytes", model: str = OSI) -> Path:
    """Rows of a part changed; where the file lies then."""
    part = part_of(run, table, model)
    old = pq.read_table(part, partitioning=None)
    new = pa.Table.from_pylist(change(old.to_pylist()), schema=old.schema)
    return rewritten(run, part, new, level)


def rewritten(run: Run, part: Path, table: pa.Table, level: str, folder: Path | None = None) -> Path:
    """Another content for a part, traces covered as far as ``level`` says; ``folder``: it moves there."""
    pq.write_table(table, part, **WRITE_OPTIONS)
    return renamed(run, part, level, folder)


def renamed(run: Run, part: Path, level: str, folder: Path | None = None) -> Path:
    """The part under the name of its content."""
    if level == "bytes" and folder is None:
        return part
    content = hashlib.sha256(part.read_bytes()).hexdigest()[:12]
    target = (folder or part.parent) / f"{part.stem.rpartition('-')[0]}-{content}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    part.rename(target)
    names = [path.relative_to(run.lake.root).as_posix() for path in (part, target)]
    files = [*(run.lake.root / "_live").rglob("*.jsonl")]
    if level == "sealed":
        files += [*(run.root / "manifests").glob("*.committed")]
    for file in files:
        file.write_text(file.read_text().replace(*names))
    return target


def each(**values: Any) -> Callable[[Rows], Rows]:
    """The same values in every row."""
    return lambda rows: [{**row, **values} for row in rows]


def first(**values: Any) -> Callable[[Rows], Rows]:
    """Other values in the first row."""
    return lambda rows: [{**rows[0], **values}, *rows[1:]]


def flipped(rows: Rows) -> Rows:
    """Every fail of a model becomes a pass, in every column that tells of it."""
    told = {"verdict": "pass", "reason": "ok", "first_failing_case": None, "num_run": 3, "num_passed": 3}
    kinds = ("official_base", "official_plus", "strict_base", "strict_plus")
    passes = {f"{kind}_{name}": value for kind in kinds for name, value in told.items()}
    return [{**row, **passes} for row in rows]


def in_manifest(run: Run, change: Callable[[dict[str, Any]], None], model: str = OSI) -> None:
    """A manifest line changed where it stands."""
    lines = [json.loads(line) for line in run.manifest.path.read_text().splitlines()]
    for line in lines:
        if line["model"] == model:
            change(line)
    run.manifest.path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def in_lines(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Lines of a journal, a list or a marker changed."""
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def enter(run: Run, table: str, lane: str, parts: list[str]) -> None:
    """A line more in a live list: ``lane`` is stage and shard."""
    stage, _, shard = lane.partition("-")
    line = {"shard": shard, "stage": stage, "table": table, "parts": parts}
    append_line(run.lake.root / "_live" / table / f"{lane}.jsonl", json.dumps(line))
