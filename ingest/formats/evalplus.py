"""EvalPlus files: samples (``solution`` or ``completion`` per row) and graded results.

Shapes as evalplus/evalplus@26d6d00 writes them (``evalplus/evaluate.py``, ``codegen.py``), and the results of
evalplus 0.1 (statuses only). A graded file states the md5 of the problem file it was graded against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .glimpse import Glimpse
from .records import Context, Format, Judgement, LogFacts, Record, Recording
from .source_files import field_of, json_document, json_lines, line_of, occurrence_counter

TOOL = "EvalPlus"
DATASETS: Mapping[str, tuple[str, str]] = {
    "84f4b93a1270b492e4c54d5212da7a5b": ("humanevalplus", "v0.1.9"),
    "fe585eb4df8c88d844eeb463ea4d0302": ("humanevalplus", "v0.1.10"),
    "ebe95df0d5220f00cedd6f4bddea35e4": ("mbppplus", "v0.1.0"),
    "ee43ecabebf20deef4bb776a405ac5b1": ("mbppplus", "v0.2.0"),
}
"""md5 of the unpacked problem file -> benchmark and version."""

_VERDICTS: Mapping[str, str] = {
    "pass": "pass",
    "success": "pass",
    "fail": "fail",
    "failed": "fail",
    "timeout": "timeout",
    "timed out": "timeout",
}
_REASONS: Mapping[str, str] = {"pass": "ok", "timeout": "timeout"}
_WRONG_FORMAT = "check that the format named fits the file"


def read_samples(path: Path, context: Context) -> Recording:
    """One row per sample; ``solution`` runs as it is, ``completion`` continues the prompt."""
    next_index = occurrence_counter()
    records = []
    for row in json_lines(path):
        task_id = field_of(path, row, "task_id", str)
        key = "solution" if "solution" in row else "completion"
        text = field_of(path, row, key, str)
        implied = {"solution": "program", "completion": "completion"}[key]
        records.append(Record(task_id, next_index(task_id), text, context.text_form or implied, line=line_of(row)))
    return Recording(tuple(records))


def read_graded(path: Path, context: Context) -> Recording:
    """``eval_results.json``: every sample with its base and plus status, and the problem file's md5."""
    document = json_document(path)
    if not isinstance(document, dict) or not isinstance(document.get("eval"), dict):
        raise BadInput(f"{path} is not an EvalPlus result: it has no object 'eval'", _WRONG_FORMAT)
    records = [
        record
        for task_id, entry in document["eval"].items()
        for record in _graded_task(path, task_id, entry, context.text_form)
    ]
    md5 = None if document.get("hash") is None else str(document["hash"])
    return Recording(
        tuple(records),
        dataset=DATASETS.get(md5 or ""),  # of an unknown file: an import refuses it, an audit names it
        stated_scores=_stated(document.get("pass_at_k")),
        facts=LogFacts(tool=TOOL, recorded_at=document.get("date"), dataset_hash=md5),
    )


def _stated(pass_at_k: Any) -> dict[str, float]:
    """``{base: {pass@1: share}, plus: …}``, written since evalplus d1ed99c; plus counts base and plus."""
    stated: dict[str, float] = {}
    for part, shares in pass_at_k.items() if isinstance(pass_at_k, dict) else ():
        prefix = "" if part == "base" else f"{part} "
        stated |= {f"{prefix}{metric}": 100 * share for metric, share in shares.items()}
    return stated


def _graded_task(path: Path, task_id: str, entry: Any, text_form: str | None) -> Iterator[Record]:
    if isinstance(entry, dict):
        yield from _graded_task_of_0_1(path, task_id, entry)
        return
    if not isinstance(entry, list):
        raise BadInput(f"{path}: results of {task_id} are neither a list nor an object", _WRONG_FORMAT)
    for index, sample in enumerate(entry):
        if not isinstance(sample, dict):
            raise BadInput(f"{path}: sample {index} of {task_id} is no object", _WRONG_FORMAT)
        statuses = {"base": sample.get("base_status"), "plus": sample.get("plus_status")}
        solution = sample.get("solution")
        form = (text_form or "program") if solution is not None else None
        yield Record(task_id, index, solution, form, _judgements(path, task_id, statuses))


def _graded_task_of_0_1(path: Path, task_id: str, entry: Mapping[str, Any]) -> Iterator[Record]:
    """Before evalplus 0.2 a task held ``base`` and ``plus``: lists of [status, details] by sample, no texts."""
    base, plus = entry.get("base") or [], entry.get("plus") or []
    if not all(_is_list_of_results(results) for results in (base, plus)):
        raise BadInput(f"{path}: results of {task_id} are not lists of [status, details]", _WRONG_FORMAT)
    if plus and len(plus) != len(base):
        raise BadInput(f"{path}: {task_id} has {len(base)} base and {len(plus)} plus results", _WRONG_FORMAT)
    for index, (status, *_) in enumerate(base):
        statuses = {"base": status, "plus": plus[index][0] if plus else None}
        yield Record(task_id, index, judgements=_judgements(path, task_id, statuses))


def _is_list_of_results(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(result, list) and result for result in value)


def _judgements(path: Path, task_id: str, statuses: Mapping[str, Any]) -> dict[str, Judgement]:
    judgements = {}
    for part, status in statuses.items():
        if status is None:
            continue
        if not isinstance(status, str) or status not in _VERDICTS:
            raise BadInput(f"{path}: {task_id} has the unknown status {status!r}", _WRONG_FORMAT)
        verdict = _VERDICTS[status]
        judgements[part] = Judgement(verdict, _REASONS.get(verdict))
    return judgements


def _is_samples(glimpse: Glimpse) -> bool:
    """HumanEval's completions look the same in both tools: human-eval knows them as well."""
    is_row = glimpse.kind in ("lines", "object") and (glimpse.has("solution") or glimpse.has("completion"))
    is_ours = str(glimpse.row.get("task_id", "")).startswith(("HumanEval/", "Mbpp/"))
    return is_row and is_ours and not {"passed", "generation", "details", "language"} & set(glimpse.row)


def _is_graded(glimpse: Glimpse) -> bool:
    first = first_of(glimpse.row.get("eval")) if glimpse.kind == "object" else None
    return isinstance(first, dict) and ("base_status" in first or {"nfiles", "base"} <= set(first))


def first_of(by_task: Any) -> Any:
    """The first sample of a glimpse's ``{task: [sample, …]}``, or what stands there instead of a list."""
    first = next(iter(by_task.values()), None) if isinstance(by_task, dict) else None
    return first[0] if isinstance(first, list) and first else first


FORMATS = (
    Format(
        "evalplus",
        read_samples,
        "EvalPlus samples, JSON lines with solution or completion",
        TOOL,
        _is_samples,
        benchmarks=("humanevalplus", "mbppplus"),
    ),
    Format(
        "evalplus-graded",
        read_graded,
        "EvalPlus eval_results.json: samples with base and plus status",
        TOOL,
        _is_graded,
        judges_parts=True,
    ),
)
