"""CRUXEval generations and scored generations; LiveCodeBench's code-execution results have the same shape.

Shapes and rules as facebookresearch/cruxeval@190faf1 (``evaluation/evaluate_generations.py``, ``utils_general.py``).
The official scorer leaves an answer out of a problem's list when it cannot be one (no call to ``f`` for input
prediction, the very call for output prediction), so a list can be shorter than the number of answers: such answers
are recorded as ``fail`` with reason ``empty``. From these rows both numbers follow: strict is passes over all planned
samples, published is passes over the rows without that mark. A problem without any pass has its list refilled with
False, n long: whatever is counted, its score is 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .glimpse import Glimpse
from .records import Context, Format, Judgement, Record, Recording
from .source_files import is_list_of_verdicts, json_document, json_rows, place_of

TOOL = "CRUXEval"
_SAMPLE = re.compile(r"sample_\d+")
PASSED = Judgement("pass", "ok")
FAILED = Judgement("fail")
DROPPED = Judgement("fail", "empty")

_WRONG_FORMAT = "check that the format named fits the file"


def read_generations(path: Path, context: Context) -> Recording:
    """``{sample_i: [text, …]}``: answers as the harness extracted them, or raw with ``--text-form raw``."""
    document = json_document(path)
    if isinstance(document, dict) and {"raw_generations", "raw_scored_generations"} <= set(document):
        raise BadInput(f"{path} holds scored generations, which another format reads", "name it: cruxeval-scored")
    generations = _lists(path, document, str)
    form = context.text_form or "program"
    records = [
        Record(task_id, index, text, form) for task_id, texts in generations.items() for index, text in enumerate(texts)
    ]
    return Recording(tuple(records))


def read_scored(path: Path, context: Context) -> Recording:
    """``raw_generations`` with ``raw_scored_generations`` beside them, and the scores stated in percent."""
    document = json_document(path)
    if not isinstance(document, dict) or "raw_scored_generations" not in document:
        hint = "generations without verdicts, {sample_i: [answer, …]}, are read by the format cruxeval"
        raise BadInput(f"{path} is not a scored file: it has no 'raw_scored_generations'", hint)
    generations = _lists(path, document.get("raw_generations"), str)
    scored = _lists(path, document["raw_scored_generations"], bool)
    if set(generations) != set(scored):
        odd = sorted(set(generations) ^ set(scored))
        raise BadInput(f"{path}: {len(odd)} tasks are generated but not scored, or scored only: {odd[0]} …", "")
    records = [
        record
        for task_id, texts in generations.items()
        for record in _scored_task(path, task_id, texts, scored[task_id], context)
    ]
    return Recording(tuple(records), stated_scores=_stated(document))


def read_execution(path: Path, context: Context) -> Recording:
    """LiveCodeBench code execution: the scored shape above, or lcb_runner's list with pred_list and graded_list."""
    document = json_document_or_none(path)
    if isinstance(document, dict) and "pred_list" not in document:
        return read_scored(path, context) if "raw_generations" in document else read_generations(path, context)
    records = []
    for row in json_rows(path):
        texts, grades = row.get("pred_list"), row.get("graded_list")
        task_id = row.get("id", row.get("question_id"))
        if not isinstance(texts, list) or not isinstance(grades, list) or task_id is None or len(texts) != len(grades):
            raise BadInput(f"{path}: {task_id} lacks equally long pred_list and graded_list", _WRONG_FORMAT)
        if not is_list_of_verdicts(grades):
            raise BadInput(f"{place_of(path, row)}: graded_list of {task_id} is no list of true and false", "")
        form = context.text_form or "program"
        for index, (text, grade) in enumerate(zip(texts, grades, strict=True)):
            records.append(Record(str(task_id), index, text, form, {"base": PASSED if grade else FAILED}))
    return Recording(tuple(records))


def json_document_or_none(path: Path) -> Any:
    """The file as one JSON value, None when it is JSON lines."""
    try:
        return json_document(path)
    except BadInput:
        return None


def dropped_rule(scenario: str, inputs: Mapping[str, str] | None) -> Callable[[str, str], bool]:
    """Whether the official scorer leaves this answer out: (task id, answer) -> bool.

    For output prediction the rule needs the problem's input; without it every answer with a call to ``f`` is taken
    for left out, and the caller's count check refuses the file where that does not fit.
    """
    if scenario == "cruxeval_i":
        return lambda _task_id, text: "f(" not in text
    if inputs is None:
        return lambda _task_id, text: "f(" in text
    return lambda task_id, text: f"f({inputs.get(task_id, '')})" in text


def judgements_in_order(
    texts: Sequence[str], verdicts: Sequence[bool], is_dropped: Sequence[bool]
) -> list[Judgement] | None:
    """One judgement per answer; None when the verdicts cannot belong to these answers."""
    if len(texts) == len(verdicts):
        return [PASSED if verdict else FAILED for verdict in verdicts]
    if len(verdicts) != is_dropped.count(False):
        return None
    remaining = iter(verdicts)
    return [DROPPED if dropped else PASSED if next(remaining) else FAILED for dropped in is_dropped]


def _scored_task(
    path: Path, task_id: str, texts: Sequence[str], verdicts: Sequence[bool], context: Context
) -> Iterator[Record]:
    rule = dropped_rule(context.scenario, context.inputs)
    judgements = judgements_in_order(texts, verdicts, [rule(task_id, text) for text in texts])
    if judgements is None:
        hint = "check --scenario" if context.inputs is not None else "check --scenario, or stage the problems first"
        raise BadInput(f"{path}: {task_id} has {len(texts)} answers but {len(verdicts)} verdicts", hint)
    form = context.text_form or "program"
    for index, (text, judgement) in enumerate(zip(texts, judgements, strict=True)):
        yield Record(task_id, index, text, form, {"base": judgement})


def _lists(path: Path, value: Any, type_: type) -> dict[str, list[Any]]:
    if not isinstance(value, dict) or not value:
        raise BadInput(f"{path} is not an object of lists by task", _WRONG_FORMAT)
    for task_id, items in value.items():
        if not isinstance(items, list) or not all(isinstance(item, type_) for item in items):
            raise BadInput(f"{path}: {task_id} does not hold a list of {type_.__name__}", _WRONG_FORMAT)
    return value


def _stated(document: Mapping[str, Any]) -> dict[str, float]:
    names = {"pass@1": "pass_at_1", "pass@5": "pass_at_5"}
    return {metric: document[name] for metric, name in names.items() if isinstance(document.get(name), int | float)}


def _is_generations(glimpse: Glimpse) -> bool:
    name, value = next(iter(glimpse.row.items()), ("", None)) if glimpse.kind == "object" else ("", None)
    is_answers = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return _SAMPLE.fullmatch(name) is not None and is_answers


FORMATS = (
    Format(
        "cruxeval",
        read_generations,
        "CRUXEval generations: {sample_i: [answer, …]}",
        TOOL,
        _is_generations,
        benchmarks=("cruxeval",),
    ),
    Format(
        "cruxeval-scored",
        read_scored,
        "CRUXEval scored generations with verdicts and stated scores",
        TOOL,
        lambda glimpse: glimpse.kind == "object" and glimpse.has("raw_generations", "raw_scored_generations"),
        benchmarks=("cruxeval",),
    ),
    Format(
        "livecodebench-execution",
        read_execution,
        "LiveCodeBench code execution, scored",
        "LiveCodeBench",
        lambda glimpse: glimpse.has_rows_with("pred_list", "graded_list") and not glimpse.has("test_id"),
        benchmarks=("livecodebench",),
    ),
)
