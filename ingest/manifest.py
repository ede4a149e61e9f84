"""The manifest: what a run set out to do, one line per shard, and the markers that say what is done.

::

    <scratch>/<run.name>/
      shards/manifest.jsonl                    one line per shard, appended, never rewritten
      gen/<shard>/samples.jsonl                journal of generation
      score/<shard>/results.jsonl              journal of verdicts
      manifests/<stage>-<shard>.done           written after the rows reconcile with the manifest
      manifests/<stage>-<shard>.committed      append-only: one line per sealed set of parts
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from . import keys
from .errors import BadInput, ConfigurationChanged
from .journal import Journal
from .lake import Lake, append_line, replace_file
from .liveness import shard_entries

JOURNALS: Mapping[str, tuple[str, str]] = {
    "generate": ("gen", "samples.jsonl"),
    "score": ("score", "results.jsonl"),
    "import": ("import", "rows.jsonl"),
}


@dataclass(frozen=True)
class Shard:
    """One unit of work: a window of samples of one model on one scenario of one benchmark.

    ``task_ids`` is None when the shard covers every task; ``expected_rows`` is the exact number of sample rows.
    ``num_planned`` is the n of pass@k: samples planned per task over all windows of this request.
    """

    shard_id: str
    stage: str
    benchmark: str
    scenario: str
    dataset_version: str
    dataset_digest: str | None
    model: str
    protocol: str
    request: Mapping[str, Any]
    request_digest: str
    comparability_digest: str
    first_sample: int
    num_samples: int
    num_planned: int
    expected_rows: int
    task_ids: tuple[str, ...] | None = None
    seed: int | None = None
    engine: str | None = None
    source: str | None = None
    parent_model: str | None = None
    """Model that a local checkpoint was trained from."""
    training_step: int | None = None

    @staticmethod
    def make_id(**parts: Any) -> str:
        """16 hex characters over what identifies the shard."""
        return keys.digest_of(parts)[:16]

    def line(self) -> str:
        return keys.canonical_json(asdict(self))


class Manifest:
    """Shards of a run, in the order they were planned; one shard id stands once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def shards(self) -> dict[str, Shard]:
        """Shard id -> shard; the first line of an id counts, torn lines are skipped."""
        found: dict[str, Shard] = {}
        for row in Journal(self.path).rows():
            shard = shard_of_row(row)
            found.setdefault(shard.shard_id, shard)
        return found

    def add(self, shards: Iterable[Shard]) -> list[Shard]:
        """Append the shards that are not there yet and return them; ConfigurationChanged if one is, but differs."""
        present = self.shards()
        new = []
        for shard in shards:
            if shard.shard_id in present:
                _refuse_change(present[shard.shard_id], shard)
            else:
                new.append(shard)
                present[shard.shard_id] = shard
        for shard in new:
            append_line(self.path, shard.line())
        return new


class Run:
    """The directory of one run: manifest, journals, markers; rows go to ``lake``."""

    def __init__(self, root: Path, lake: Lake) -> None:
        self.root = Path(root)
        self.lake = lake
        self.manifest = Manifest(self.root / "shards" / "manifest.jsonl")

    def journal(self, stage: str, shard_id: str) -> Journal:
        folder, name = JOURNALS[stage]
        return Journal(self.root / folder / shard_id / name)

    def is_done(self, stage: str, shard_id: str) -> bool:
        return self._marker(stage, shard_id, "done").exists()

    def mark_done(self, stage: str, shard_id: str, num_rows: int) -> None:
        """Only after the row count reconciled with the manifest; atomic, so a marker is whole or absent."""
        content = json.dumps({"shard_id": shard_id, "stage": stage, "num_rows": num_rows, "at": now_text()})
        replace_file(self._marker(stage, shard_id, "done"), content.encode() + b"\n")

    def clear_done(self, stage: str, shard_id: str) -> None:
        """``--force``: the shard is pending again; its parts stay live until new ones replace them."""
        self._marker(stage, shard_id, "done").unlink(missing_ok=True)

    def mark_committed(self, stage: str, shard_id: str, parts: Iterable[Path], num_rows: int) -> None:
        names = sorted(part.relative_to(self.lake.root).as_posix() for part in parts)
        line = json.dumps({"at": now_text(), "num_rows": num_rows, "parts": names}, sort_keys=True)
        append_line(self._marker(stage, shard_id, "committed"), line)

    def seal(self, stage: str, shard_id: str, tables: Mapping[str, list[dict[str, Any]]], num_rows: int) -> None:
        """Parts, liveness, both markers, in this order: a crash between any two leaves a shard that seals again."""
        parts: list[Path] = []
        for table, rows in tables.items():
            parts += self.lake.write_part(table, rows, shard_id)
        self.seal_parts(stage, shard_id, parts, num_rows)

    def seal_parts(self, stage: str, shard_id: str, parts: list[Path], num_rows: int) -> None:
        """``seal`` for parts that are written already. Other samples than before are not scored yet."""
        if stage == "generate" and self._are_others(shard_id, parts):
            for marker in self._score_markers(shard_id):
                marker.unlink(missing_ok=True)
        self.lake.commit(shard_id, stage, parts)
        self.mark_committed(stage, shard_id, parts, num_rows)
        self.mark_done(stage, shard_id, num_rows)

    def record_attempt(self, row: Mapping[str, Any]) -> None:
        """One row of the ``runs`` ledger, a live part of its own: attempts are appended, never replaced."""
        parts = self.lake.write_part("runs", [row], row["shard_id"])
        self.lake.commit(row["run_id"], row["stage"], parts)

    def next_attempt(self, stage: str, shard_id: str) -> int:
        """1 + attempts of this shard and stage so far, counted from the ledger's liveness files."""
        entries = (self.lake.root / "_live" / "runs").glob(f"{stage}-{shard_id}-{stage}-*.jsonl")
        return 1 + sum(1 for _ in entries)

    def _are_others(self, shard_id: str, parts: Iterable[Path]) -> bool:
        """Whether samples of the shard are live and are not these: verdicts on them say nothing of the new ones."""
        before = shard_entries(self.lake.root, "samples", shard_id).get(f"generate-{shard_id}")
        names = [part.relative_to(self.lake.root).as_posix() for part in parts]
        return bool(before) and sorted(before) != sorted(name for name in names if name.startswith("samples/"))

    def _score_markers(self, shard_id: str) -> Iterable[Path]:
        """Of the official limits, and of others (``-x<factor>``)."""
        folder = self.root / "manifests"
        return [*folder.glob(f"score-{shard_id}.done"), *folder.glob(f"score-{shard_id}-x*.done")]

    def _marker(self, stage: str, shard_id: str, kind: str) -> Path:
        return self.root / "manifests" / f"{stage}-{shard_id}.{kind}"


def run_id(shard_id: str, stage: str, attempt: int) -> str:
    return f"{shard_id}-{stage}-{attempt}"


def now_text() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def shard_of_row(row: Mapping[str, Any]) -> Shard:
    """A manifest line as a shard; BadInput for one that is none."""
    names = {field.name for field in fields(Shard)}
    try:
        values = {name: value for name, value in row.items() if name in names}
        values["task_ids"] = tuple(row["task_ids"]) if row.get("task_ids") is not None else None
        return Shard(**values)
    except (KeyError, TypeError) as error:
        raise BadInput(f"a manifest line is not a shard ({error})", "plan again into a new run folder") from error


def _refuse_change(old: Shard, new: Shard) -> None:
    before, after = json.loads(old.line()), json.loads(new.line())
    for name in sorted(before):
        if before[name] != after[name]:
            raise ConfigurationChanged(
                f"shard {old.shard_id} was planned with {name} = {before[name]!r}, now it would be {after[name]!r}",
                "give the changed run another run.name, or undo the change",
            )
