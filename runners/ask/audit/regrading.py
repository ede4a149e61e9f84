"""A log graded again by our judge: imported into a lake of its own, scored, and the lake thrown away.

A file that import refuses (copied rows, verdicts on a problem file that is not pinned) is graded all the same, by the
texts alone: what is refused of a lake is what an audit is for.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ....ingest.benchmarks import registry
from ....ingest.errors import BadInput, BenchforgeError
from ....ingest.lake import Lake
from ....ingest.manifest import Run, Shard
from ....ingest.recorded import Wanted, import_file
from ....ingest.staging import staged
from ...score.pending import Means, score_pending, to_score
from ...selection import Selection
from .evidence import Evidence, Key

_MODEL = "audit__log"
_KINDS = ("official", "strict", "corrected_extraction")
_VERDICTS = tuple(
    f"{kind}_{part}_{what}" for kind in _KINDS for part in ("base", "plus") for what in ("verdict", "reason")
)
_COLUMNS = ("task_id", "sample_index", "sample_id", "origin", *_VERDICTS)
_SHARES = ("base_limit_share", "plus_limit_share")
_PLAIN = "benchforge"

Verdicts = Mapping[Key, bool]


@dataclass(frozen=True)
class Regraded:
    """(task, sample) -> passed, under each of our verdicts; on the parts that the log was judged on."""

    official: Verdicts
    strict: Verdicts
    official_base: Verdicts
    strict_base: Verdicts
    """On the base tests alone; equal to the others where a problem has no extra tests."""
    codes: Mapping[str, str]
    """Task -> the program that its problem is about (CRUXEval's)."""
    corrected: Verdicts = field(default_factory=dict)
    """The program that was meant, under the official oracle; only where it is another than the official one."""
    reasons: Mapping[Key, str] = field(default_factory=dict)
    """Why official rules fail a sample, in the words of the lake."""
    limit_shares: Mapping[Key, float] = field(default_factory=dict)
    """The largest share of its limit that a test of the sample took here."""
    note: str | None = None


def regraded(path: Path, wanted: Wanted, means: Means, evidence: Evidence | None = None) -> Regraded | str:
    """Our verdicts, or why there are none, in one sentence; ``evidence`` is what is graded where import refuses."""
    with tempfile.TemporaryDirectory(prefix="benchforge-audit-") as folder:
        asked = replace(wanted, model=_MODEL, is_partial=True)
        try:
            ours = _graded(Path(folder) / "whole", path, asked, means)
        except BenchforgeError as error:
            ours = f"{error.message}; {error.hint}" if error.hint else error.message
            if not isinstance(error, BadInput):
                return ours
        rows = _texts(evidence) if evidence is not None and isinstance(ours, str) else []
        if not isinstance(ours, str) or not rows:
            return ours
        texts = Path(folder) / "texts.jsonl"
        texts.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        try:
            found = _graded(Path(folder) / "texts", texts, _plain(asked, evidence), means)
        except BenchforgeError:
            return ours
    note = f"the texts alone were graded ({ours})"
    return found if isinstance(found, str) else replace(found, note=note)


def _plain(asked: Wanted, evidence: Evidence | None) -> Wanted:
    """The plain file of the texts, on the problems that the log proves."""
    proven = evidence.dataset[1] if evidence is not None and evidence.dataset is not None else None
    version = asked.version_name or proven
    return replace(asked, format_name=_PLAIN, text_form=None, version_name=version)


def _texts(evidence: Evidence) -> list[dict[str, object]]:
    """Plain rows of every sample that has a text, copies dropped; none where the rows name no problem."""
    if evidence.facts.is_by_position:
        return []
    found = {(one.task_id, one.sample_index): one for one in reversed(evidence.records) if one.text is not None}
    by_text = {(one.task_id, one.text): key for key, one in sorted(found.items(), reverse=True)}
    usual = evidence.num_samples_usual
    kept = [key for key in sorted(found) if key[1] < usual or by_text[key[0], found[key].text] == key]
    return [
        {"task_id": key[0], "sample_index": key[1], "text": found[key].text, "text_form": found[key].text_form}
        for key in kept
    ]


def _graded(folder: Path, path: Path, asked: Wanted, means: Means) -> Regraded | str:
    run = Run(folder / "run", Lake(folder / "lake"))
    import_file(run, path, asked, means.datasets_root)
    shards = to_score(run, Selection())
    if not shards:
        return "the benchmark is not among those that are judged here"
    for _ in score_pending(run, shards, means, False, _unwatched):
        pass
    rows = run.lake.read("results", _COLUMNS, [("origin", "=", "self")]).to_pylist()
    if not rows:
        return "the log holds verdicts and no texts"
    timings = run.lake.read("timings", ("sample_id", *_SHARES)).to_pylist()
    return _of_rows(rows, {row["sample_id"]: _share(row) for row in timings}, _codes(shards[0], means.datasets_root))


def _of_rows(rows: Sequence[Mapping[str, Any]], shares: Mapping[bytes, float], codes: Mapping[str, str]) -> Regraded:
    by_kind = [_passes(rows, kind, is_whole=is_whole) for is_whole in (True, False) for kind in ("official", "strict")]
    keys = {row["sample_id"]: (row["task_id"], row["sample_index"]) for row in rows}
    return Regraded(
        *by_kind,
        codes=codes,
        corrected=_passes(rows, "corrected_extraction", is_whole=True),
        reasons={(row["task_id"], row["sample_index"]): reason for row in rows if (reason := _reason(row))},
        limit_shares={keys[sample_id]: share for sample_id, share in shares.items() if sample_id in keys},
    )


def _share(row: Mapping[str, Any]) -> float:
    return max((row[name] for name in _SHARES if row[name] is not None), default=0.0)


def _reason(row: Mapping[str, Any]) -> str | None:
    """Of the first part that failed."""
    for part in ("base", "plus"):
        if row[f"official_{part}_verdict"] not in (None, "pass"):
            return row[f"official_{part}_reason"]
    return None


def _codes(shard: Shard, datasets_root: Path) -> dict[str, str]:
    if shard.benchmark != "cruxeval":  # the others' problems have no program, and 164 take 0.2 s to read
        return {}
    tasks = staged.load_tasks(registry()[shard.benchmark], shard.dataset_version, shard.scenario, datasets_root)
    return {task.task_id: code for task in tasks if isinstance(code := task.payload.get("code"), str)}


def _unwatched(shard: Any) -> Any:
    from contextlib import nullcontext

    return nullcontext(lambda number: None)


def _passes(rows: Sequence[Mapping[str, Any]], kind: str, *, is_whole: bool) -> Verdicts:
    """Base and, of the whole, plus where there is one: what the tools count."""
    return {
        (row["task_id"], row["sample_index"]): row[f"{kind}_base_verdict"] == "pass"
        and (not is_whole or row[f"{kind}_plus_verdict"] in (None, "pass"))
        for row in rows
        if row[f"{kind}_base_verdict"] is not None
    }
