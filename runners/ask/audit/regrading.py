"""A log graded again by our judge: imported into a lake of its own, scored, compared verdict by verdict.

The lake is thrown away. What differs is grouped by the causes that only grading again can show; what none of them
explains is said to be unexplained, never guessed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ....ingest.benchmarks import registry
from ....ingest.errors import BenchforgeError
from ....ingest.lake import Lake
from ....ingest.manifest import Run, Shard
from ....ingest.recorded import Wanted, import_file
from ....ingest.staging import staged
from ...score.pending import Means, score_pending, to_score
from ...selection import Selection
from .evidence import Evidence, Finding, is_passed

_ORACLES_MOVED = frozenset(f"Mbpp/{number}" for number in (2, 7, 111, 140, 232, 249, 579, 769))
"""Tasks whose comparison changed between evalplus 0.2 and 0.3 (8649c02, de8c082, f86db47)."""
_SINCE_3_9 = (".removeprefix(", ".removesuffix(")
"""Methods that Python has from 3.9 on: 15 problems of CRUXEval call one."""
_MODEL = "audit__log"
_COLUMNS = (
    "task_id",
    "sample_index",
    "origin",
    "official_base_verdict",
    "official_plus_verdict",
    "strict_base_verdict",
    "strict_plus_verdict",
)

Verdicts = Mapping[tuple[str, int], bool]


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


def regraded(path: Path, wanted: Wanted, means: Means) -> Regraded | str:
    """Our verdicts, or why there are none, in one sentence."""
    with tempfile.TemporaryDirectory(prefix="benchforge-audit-") as folder:
        run = Run(Path(folder) / "run", Lake(Path(folder) / "lake"))
        asked = replace(wanted, model=_MODEL, is_partial=True)
        try:
            import_file(run, path, asked, means.datasets_root)
            shards = to_score(run, Selection())
            if not shards:
                return "the benchmark is not among those that are judged here"
            for _ in score_pending(run, shards, means, False, _unwatched):
                pass
        except BenchforgeError as error:
            return f"{error.message}; {error.hint}" if error.hint else error.message
        rows = run.lake.read("results", _COLUMNS, [("origin", "=", "self")]).to_pylist()
        (shard,) = shards
    if not rows:
        return "the log holds verdicts and no texts"
    by_kind = [_passes(rows, kind, is_whole=is_whole) for is_whole in (True, False) for kind in ("official", "strict")]
    return Regraded(*by_kind, codes=_codes(shard, means.datasets_root))


def _codes(shard: Shard, datasets_root: Path) -> dict[str, str]:
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


def differences(evidence: Evidence, ours: Regraded) -> Iterator[Finding]:
    """Verdicts of the log that the official rules do not give, by cause."""
    groups: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for record in evidence.records:
        key = (record.task_id, record.sample_index)
        if not record.judgements or key not in ours.official or is_passed(record) == ours.official[key]:
            continue
        way = "fails, official rules pass it" if ours.official[key] else "passes, official rules fail it"
        cause_id = _cause(evidence, key[0], ours.official[key], ours.codes.get(key[0], ""))
        groups.setdefault((cause_id, way), []).append(key)
    for (cause_id, way), samples in sorted(groups.items()):
        points = (1 if way.startswith("passes") else -1) * 100 * len(samples) / max(len(evidence.records), 1)
        shown = ", ".join(f"{task_id}" for task_id, _ in samples[:5]) + (" …" if len(samples) > 5 else "")
        yield Finding(cause_id, f"{len(samples)} samples: the log {way} ({shown})", tuple(samples), points)


def _cause(evidence: Evidence, task_id: str, is_ours_pass: bool, code: str) -> str:
    if is_ours_pass and any(word in code for word in _SINCE_3_9):
        return "python_too_old"
    if evidence.tool == "EvalPlus" and task_id == "HumanEval/32" and is_ours_pass:
        return "evalplus_find_zero"
    if evidence.tool == "EvalPlus" and task_id in _ORACLES_MOVED:
        return "evalplus_oracle_version"
    return "unexplained"
