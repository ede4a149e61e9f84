"""LiveCodeBench code generation, graded: one JSON list or JSON lines, one problem per row.

Shape as LiveCodeBench/LiveCodeBench@28fef95 writes ``…_eval_all.json`` (``lcb_runner/runner/main.py``):
``output_list`` raw replies, ``code_list`` programs, ``graded_list`` verdicts, ``metadata`` a JSON string per sample
whose ``error_code`` says why it failed.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .glimpse import Glimpse
from .json_stream import JsonStream
from .records import Context, Judgement, Log, LogFacts, Record, TaskFacts, log_format
from .source_files import field_of, is_list_of_verdicts, line_of, place_of, streamed_rows

TOOL = "LiveCodeBench"
_BY_ERROR_CODE: Mapping[int, Judgement] = {
    -1: Judgement("timeout", "timeout"),
    -2: Judgement("fail", "wrong_answer"),
    -3: Judgement("timeout", "timeout"),
    -4: Judgement("fail", "exception"),
}
"""``error_code`` as ``lcb_runner/evaluation/testing_util.py`` gives it; -5 (other) tells no reason."""


def open_generation(path: Path, context: Context) -> Log:
    """Every sample as text (the raw reply where recorded, else the program) with its verdict where graded."""
    first = next(iter(streamed_rows(path)))
    scenario = "repair" if "original_code_list" in first else "generation"
    return Log(lambda: _records(path, context), LogFacts(tool=TOOL, benchmark="livecodebench", scenario=scenario))


def _records(path: Path, context: Context) -> Iterator[Record]:
    seen: set[str] = set()
    for row in streamed_rows(path):
        task_id = str(field_of(path, row, "question_id", (str, int)))
        if task_id in seen:
            raise BadInput(f"{path} has problem {task_id} twice", "keep one row per problem")
        seen.add(task_id)
        yield from _samples(path, task_id, row, context)


def _samples(path: Path, task_id: str, row: Mapping[str, Any], context: Context) -> Iterator[Record]:
    facts = _facts(path, task_id, row)
    key, form = ("output_list", "raw") if row.get("output_list") else ("code_list", "program")
    texts = field_of(path, row, key, list)
    grades, metadata = row.get("graded_list"), row.get("metadata")
    if grades is not None and not is_list_of_verdicts(grades):
        raise BadInput(f"{place_of(path, row)}: graded_list of {task_id} is no list of true and false", "")
    if grades is not None and len(grades) != len(texts):
        raise BadInput(f"{path}: {task_id} has {len(texts)} samples but {len(grades)} verdicts", "")
    for index, text in enumerate(texts):
        # the self-repair runner wraps a reply into a list of one
        reply = text[0] if isinstance(text, list) and len(text) == 1 else text
        if not isinstance(reply, str):
            raise BadInput(f"{path}: sample {index} of {task_id} is not text", "")
        note = metadata[index] if isinstance(metadata, list) and index < len(metadata) else None
        judgements = {} if grades is None else {"base": _judgement(grades[index], note)}
        yield Record(
            task_id,
            index,
            reply,
            context.text_form or form,
            judgements,
            line=line_of(row),
            program=_program(row, index, len(texts)),
            task_facts=facts,
            notes={"metadata": note, "starter_code": row.get("starter_code")},
        )


def _program(row: Mapping[str, Any], index: int, num_samples: int) -> str | None:
    programs = row.get("code_list")
    if not isinstance(programs, list) or len(programs) != num_samples:
        return None
    return programs[index] if isinstance(programs[index], str) else None


def _judgement(grade: Any, note: Any) -> Judgement:
    if grade is True:
        return Judgement("pass", "ok")
    try:
        details = json.loads(note) if isinstance(note, str) else note
    except ValueError:
        details = None
    code = details.get("error_code") if isinstance(details, dict) else None
    return _BY_ERROR_CODE.get(code, Judgement("fail")) if isinstance(code, int) else Judgement("fail")


def _facts(path: Path, task_id: str, row: Mapping[str, Any]) -> TaskFacts:
    contest = row.get("contest_id")
    cluster = f"{row.get('platform', '')}/{contest}" if contest else None
    return TaskFacts(task_id, row.get("difficulty"), cluster, _day(path, task_id, row.get("contest_date")))


def _day(path: Path, task_id: str, value: Any) -> datetime.date | None:
    if value is None:
        return None
    try:
        return datetime.date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise BadInput(f"{path}: contest_date {value!r} of {task_id} is no date", "") from error


def open_eval(path: Path, context: Context) -> Log:
    """``…_eval.json``: ``[{pass@k, detail}, {place: [[result of every test], …]}, …]``; a test passes above 0.

    Places go by the question ids in order. A list of results without any is taken for passed upstream
    (``evaluation/pass_k_utils.py``), so it is here: the stated score counts it so.
    """
    stream = JsonStream(path)
    stated: dict[str, float] = {}
    num_tasks = 0
    for position in stream.elements():
        if position == 1:
            num_tasks = sum(1 for _ in _skipped_members(stream))
            continue
        metrics = stream.value() if position == 0 else stream.skip()
        if isinstance(metrics, dict):
            stated = {
                name: 100 * value
                for name, value in metrics.items()
                if name.startswith("pass@") and isinstance(value, int | float)
            }
    note = "its rows name no problem: places go by the question ids in order"
    facts = LogFacts(
        tool=TOOL, benchmark="livecodebench", num_tasks=num_tasks or None, is_by_position=True, notes=(note,)
    )
    return Log(lambda: _eval_records(path), facts, stated)


def _skipped_members(stream: JsonStream) -> Iterator[str]:
    for key in stream.members():
        stream.skip()
        yield key


def _eval_records(path: Path) -> Iterator[Record]:
    stream = JsonStream(path)
    for position in stream.elements():
        if position != 1:
            stream.skip()
            continue
        for key in stream.members():
            for index, results in enumerate(stream.value()):
                yield Record(key, index, judgements={"base": _of_tests(results)}, notes={"num_tests": len(results)})


def _of_tests(results: Any) -> Judgement:
    if all(isinstance(one, bool | int | float) and one > 0 for one in results):
        return Judgement("pass", "ok")
    return _BY_ERROR_CODE.get(results[-1], Judgement("fail")) if type(results[-1]) is int else Judgement("fail")


def _is_generation(glimpse: Glimpse) -> bool:
    has_programs = glimpse.has("code_list") or glimpse.has("output_list", "graded_list")
    return glimpse.has_rows_with("question_id") and has_programs and not glimpse.has("pred_list")


def _is_eval(glimpse: Glimpse) -> bool:
    is_metrics = glimpse.has("detail") and any(name.startswith("pass@") for name in glimpse.row)
    return glimpse.kind == "array" and glimpse.length in (2, 3) and is_metrics


FORMATS = (
    log_format(
        "livecodebench",
        open_generation,
        "LiveCodeBench code generation, …_eval_all.json or JSON lines",
        tool=TOOL,
        recognises=_is_generation,
    ),
    log_format(
        "livecodebench-eval",
        open_eval,
        "LiveCodeBench …_eval.json: results of every test by place",
        tool=TOOL,
        recognises=_is_eval,
    ),
)
