"""MultiPL-E graded results, one language per file: ``{problem: [[completion id, {passed, result, code}], …]}``.

Shape as QwenLM/Qwen2.5-Coder@d5ead97 writes ``humaneval-<language>-details.json``
(``qwencoder-eval/base/benchmarks/multiple-eval``): ``code`` is the whole program that ran, tests included. A problem is
named after the HumanEval problem it was translated from: ``HumanEval_23_strlen``. Problems of two languages can have
the same names, so the language goes by ``--scenario`` and, where the file still has the name it was written under, by
that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .glimpse import Glimpse
from .records import Context, Format, Judgement, LogFacts, Record, Recording, TaskFacts
from .source_files import json_document

_FILE_NAME = re.compile(r"humaneval-(?P<language>[a-z]+)-details\.json(\.gz)?")
_TASK_ID = re.compile(r"HumanEval_(?P<number>\d+)_.+")
_TOOL, _BENCHMARK = "MultiPL-E", "multipl_e"
_TIMED_OUT = "timed out"
_WRONG_FORMAT = "check that the format named fits the file"


def read_graded(path: Path, context: Context) -> Recording:
    """Every sample with its verdict; the problem it was translated from is a fact of each task."""
    language = _language_named(path, context)
    document = json_document(path)
    if not isinstance(document, dict) or not document:
        raise BadInput(f"{path} is not an object of samples by problem", _WRONG_FORMAT)
    form = context.text_form or "program"
    records = [record for task_id, pairs in document.items() for record in _graded_task(path, task_id, pairs, form)]
    task_facts = {task_id: facts_of(task_id) for task_id in document}
    facts = LogFacts(tool=_TOOL, benchmark=language and _BENCHMARK, scenario=language)
    return Recording(tuple(records), task_facts=task_facts, facts=facts)


def _language_named(path: Path, context: Context) -> str | None:
    """By the file's name, which no scenario may contradict; problems of several languages have the same names."""
    named = _FILE_NAME.fullmatch(path.name)
    language = named["language"] if named else None
    if language is not None and context.scenario not in ("", language):
        raise BadInput(
            f"{path} is named for {language}, not for {context.scenario}",
            f"add --scenario {language}, or rename the file",
        )
    return language


def _graded_task(path: Path, task_id: str, pairs: Any, text_form: str) -> Iterator[Record]:
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        raise BadInput(f"{path}: results of {task_id} are not pairs of completion id and result", _WRONG_FORMAT)
    for index, sample in pairs:
        passed, code = sample.get("passed"), sample.get("code")
        if not isinstance(passed, bool):
            raise BadInput(f"{path}: sample {index} of {task_id} has no true or false in 'passed'", _WRONG_FORMAT)
        if code is not None and not isinstance(code, str):
            raise BadInput(f"{path}: sample {index} of {task_id} is not text", _WRONG_FORMAT)
        form = text_form if code is not None else None
        yield Record(task_id, index, code, form, {"base": _judgement(passed, sample.get("result"))})


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], int)
        and not isinstance(value[0], bool)
        and isinstance(value[1], dict)
    )


def _judgement(passed: bool, result: Any) -> Judgement:
    if passed:
        return Judgement("pass", "ok")
    return Judgement("timeout", "timeout") if result == _TIMED_OUT else Judgement("fail")


def facts_of(task_id: str) -> TaskFacts:
    """The problem of HumanEval that a translated one was made from."""
    named = _TASK_ID.fullmatch(task_id)
    return TaskFacts(f"HumanEval/{named['number']}" if named else task_id)


def _is_graded(glimpse: Glimpse) -> bool:
    name, value = next(iter(glimpse.row.items()), ("", None)) if glimpse.kind == "object" else ("", None)
    return bool(_TASK_ID.fullmatch(name)) and isinstance(value, list) and bool(value) and _is_pair(value[0])


FORMATS = (
    Format(
        "multipl-e-graded",
        read_graded,
        "MultiPL-E humaneval-<language>-details.json: samples with results",
        _TOOL,
        _is_graded,
    ),
)
