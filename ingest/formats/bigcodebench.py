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
from .records import Context, Format, Judgement, Record, Recording
from .source_files import json_document

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


FORMATS = (Format("bigcodebench-graded", read_graded, "BigCodeBench …_eval_results.json: samples with their status"),)
