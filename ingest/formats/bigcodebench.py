"""BigCodeBench graded results: every sample with its program and one status.

Shape as bigcode-project/bigcodebench@47eff25 writes ``…_eval_results.json`` (``bigcodebench/evaluate.py``): ``eval``
maps a problem to its samples ``{solution, status, details}``. In a calibrated file ``solution`` is the program as it
was executed, the signature with a ``pass`` body put first; the file does not say which dataset version it was graded
against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .evalplus import first_of
from .glimpse import Glimpse
from .records import Context, Format, Judgement, Log, LogFacts, Record, Recording, log_format
from .source_files import field_of, json_document, line_of, occurrence_counter, streamed_rows

TOOL = "BigCodeBench"
_JUDGEMENTS: Mapping[str, Judgement] = {
    "pass": Judgement("pass", "ok"),
    "fail": Judgement("fail"),
    "timeout": Judgement("timeout", "timeout"),
}
_WRONG_FORMAT = "check that the format named fits the file"


def read_graded(path: Path, context: Context) -> Recording:
    """Every sample with its verdict; ``details`` (tracebacks of the grader) are not taken."""
    document = json_document(path)
    if not isinstance(document, dict) or not isinstance(document.get("eval"), dict) or not document["eval"]:
        raise BadInput(f"{path} is not a BigCodeBench result: it has no object 'eval' with samples", _WRONG_FORMAT)
    records = [
        record
        for task_id, samples in document["eval"].items()
        for record in _graded_task(path, task_id, samples, context.text_form or "program")
    ]
    return Recording(tuple(records))


def _graded_task(path: Path, task_id: str, samples: Any, text_form: str) -> Iterator[Record]:
    if not isinstance(samples, list) or not all(isinstance(sample, dict) for sample in samples):
        raise BadInput(f"{path}: results of {task_id} are not a list of objects", _WRONG_FORMAT)
    for index, sample in enumerate(samples):
        status, solution = sample.get("status"), sample.get("solution")
        if not isinstance(status, str) or status not in _JUDGEMENTS:
            raise BadInput(f"{path}: {task_id} has the unknown status {status!r}", _WRONG_FORMAT)
        if solution is not None and not isinstance(solution, str):
            raise BadInput(f"{path}: sample {index} of {task_id} is not text", _WRONG_FORMAT)
        form = text_form if solution is not None else None
        yield Record(task_id, index, solution, form, {"base": _JUDGEMENTS[status]})


def open_samples(path: Path, context: Context) -> Log:
    """``{task_id, solution[, raw_solution]}``: the reply where it is kept beside the program made of it."""
    return Log(lambda: _samples(path, context), LogFacts(tool=TOOL))


def _samples(path: Path, context: Context) -> Iterator[Record]:
    next_index = occurrence_counter()
    for row in streamed_rows(path, "task_id", "solution", what="of bigcodebench"):
        task_id = field_of(path, row, "task_id", str)
        solution, raw = field_of(path, row, "solution", str), row.get("raw_solution")
        text, form = (raw, "raw") if isinstance(raw, str) else (solution, "program")
        index = next_index(task_id)
        yield Record(task_id, index, text, context.text_form or form, line=line_of(row), program=solution)


def open_scores(path: Path, context: Context) -> Log:
    """``…_pass_at_k.json``: stated scores, and how many gold solutions passed where they were made."""
    document = json_document(path)
    failed = document.get("failed_tasks") or []
    note = f"{len(failed)} problems have no passing gold solution where this was graded, and count: {', '.join(failed)}"
    facts = LogFacts(
        tool=TOOL,
        benchmark=f"bigcodebench_{document['split']}",
        scenario=document["split"],
        title=f"{document['split']} {document['subset']}",
        model=document.get("model"),
        notes=(note,) if failed else (),
    )
    scores = {
        name: 100 * value for name, value in document.items() if name.startswith("pass@") and isinstance(value, float)
    }
    return Log(lambda: iter(()), facts, scores)


def _is_graded(glimpse: Glimpse) -> bool:
    first = first_of(glimpse.row.get("eval")) if glimpse.kind == "object" else None
    return isinstance(first, dict) and "status" in first and "base_status" not in first


def _is_samples(glimpse: Glimpse) -> bool:
    is_named = str(glimpse.row.get("task_id", "")).startswith("BigCodeBench/")
    return glimpse.kind in ("lines", "object") and is_named and glimpse.has("solution")


FORMATS = (
    Format(
        "bigcodebench-graded",
        read_graded,
        "BigCodeBench …_eval_results.json: samples with their status",
        TOOL,
        _is_graded,
    ),
    log_format("bigcodebench", open_samples, "BigCodeBench samples, JSON lines", tool=TOOL, recognises=_is_samples),
    log_format(
        "bigcodebench-scores",
        open_scores,
        "BigCodeBench …_pass_at_k.json: stated scores",
        tool=TOOL,
        recognises=lambda glimpse: glimpse.kind == "object" and glimpse.has("split", "subset", "pass@1"),
        has_samples=False,
    ),
)
