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
from .records import Context, Format, Judgement, Record, Recording, TaskFacts
from .source_files import field_of, is_list_of_verdicts, json_rows, line_of, place_of

_BY_ERROR_CODE: Mapping[int, Judgement] = {
    -1: Judgement("timeout", "timeout"),
    -2: Judgement("fail", "wrong_answer"),
    -3: Judgement("timeout", "timeout"),
    -4: Judgement("fail", "exception"),
}
"""``error_code`` as ``lcb_runner/evaluation/testing_util.py`` gives it; -5 (other) tells no reason."""


def read_generation(path: Path, context: Context) -> Recording:
    """Every sample as text (the raw reply where recorded, else the program) with its verdict where graded."""
    records: list[Record] = []
    facts: dict[str, TaskFacts] = {}
    for row in json_rows(path):
        task_id = str(field_of(path, row, "question_id", (str, int)))
        if task_id in facts:
            raise BadInput(f"{path} has problem {task_id} twice", "keep one row per problem")
        facts[task_id] = _facts(path, task_id, row)
        records += _samples(path, task_id, row, context)
    return Recording(tuple(records), task_facts=facts)


def _samples(path: Path, task_id: str, row: Mapping[str, Any], context: Context) -> Iterator[Record]:
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
        yield Record(task_id, index, reply, context.text_form or form, judgements, line=line_of(row))


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


FORMATS = (Format("livecodebench", read_generation, "LiveCodeBench code generation, …_eval_all.json or JSON lines"),)
