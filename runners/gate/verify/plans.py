"""The manifest: whole lines, each shard once, ids and digests as its own fields give them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from ....ingest import keys
from ....ingest.manifest import Run, Shard
from .faults import Fault
from .place import Place, shard_of_line, whole_lines

_ARTIFACT = "shards/manifest.jsonl"


def look_at_plan(place: Place) -> Iterator[Fault]:
    """Faults of the manifest; nothing for a lake without a run."""
    if place.run is None:
        return
    yield from _lines_wrong(place.run)
    for shard in place.shards.values():
        if wrong := digest_wrong(shard):
            yield Fault("plan_digest", _ARTIFACT, f"shard {shard.shard_id}: {wrong}")


def _lines_wrong(run: Run) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    if not run.manifest.path.exists():
        yield Fault("manifest_line", _ARTIFACT, "it is gone, and markers tell of shards")
        return
    yield from _foreign_lines(run)
    for row in whole_lines(run.manifest.path):
        shard = shard_of_line(row)
        if shard is None:
            yield Fault("manifest_line", _ARTIFACT, f"a line is no shard: {sorted(row)[:4]}…")
        elif seen.setdefault(shard.shard_id, shard.line()) != shard.line():
            yield Fault("manifest_line", _ARTIFACT, f"shard {shard.shard_id} stands twice, and differs")


def _foreign_lines(run: Run) -> Iterator[Fault]:
    """A line that ends and cannot be read, unless a torn one was closed before the next (it begins like a shard)."""
    num_whole = sum(1 for _ in whole_lines(run.manifest.path))
    with run.manifest.path.open("rb") as stream:
        ended = [line for line in stream if line.endswith(b"\n") and line.strip()]
    torn = [line for line in ended if line.startswith(b"{") and not line.rstrip().endswith(b"}")]
    if (number := len(ended) - len(torn) - num_whole) > 0:
        yield Fault("manifest_line", _ARTIFACT, f"{number} lines cannot be read", number)


def digest_wrong(shard: Shard) -> str:
    """Which digest does not fit the fields, as a sentence; empty: all do."""
    try:
        found = keys.request_digest(shard.request)
    except (ValueError, TypeError) as error:
        return f"its request cannot be digested ({error})"
    if found != shard.request_digest:
        return f"its request hashes to {found[:12]}, the line says {shard.request_digest[:12]}"
    names = {"benchmark", "scenario", "request_digest", "first_sample", "num_samples", "task_ids"}
    parts = {field.name: getattr(shard, field.name) for field in fields(Shard) if field.name in names}
    if shard.stage == "generate" and Shard.make_id(**parts) != shard.shard_id:
        return f"its fields give the id {Shard.make_id(**parts)}"
    return _contradiction(shard)


def _contradiction(shard: Shard) -> str:
    """Fields that say a thing twice must say the same."""
    for name in ("model", "protocol", "dataset_digest", "source"):
        asked, said = shard.request.get(name), getattr(shard, name)
        if asked is not None and asked != said:
            return f"it says {name} {said!r} and asks for {asked!r}"
    num_tasks = len(shard.task_ids) if shard.task_ids is not None else None
    if shard.stage == "generate" and num_tasks is not None and shard.expected_rows != num_tasks * shard.num_samples:
        return f"{num_tasks} tasks times {shard.num_samples} samples are not {shard.expected_rows} rows"
    return ""
