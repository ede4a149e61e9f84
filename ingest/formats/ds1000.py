"""DS-1000 answers, JSON lines ``{id, code, metadata}``, and the tables of scores beside them.

Shapes as xlang-ai/DS-1000@b39aab7 keeps them: ``data/<model>-answers.jsonl`` holds replies as the model wrote them
(``code`` is one text, or a list whose first text is graded), ``results/<model>-result.txt`` three tables of means with
three decimals: over all problems, by library, by kind of rewording. Samples have no verdicts there, so they come to be
graded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .glimpse import Glimpse
from .records import Context, Log, LogFacts, Record, TaskFacts, log_format
from .source_files import field_of, line_of, occurrence_counter, place_of, read_content, streamed_rows

TOOL = "DS-1000"
_MEAN = re.compile(r"^\s*score\s*\n\s*count\s+[\d.]+\s*\n\s*mean\s+(?P<mean>[01](?:\.\d+)?)\s*$", re.MULTILINE)


def open_answers(path: Path, context: Context) -> Log:
    """Every reply under its problem's name, in file order; the library is a fact of each problem."""
    return Log(lambda: _answers(path, context), LogFacts(tool=TOOL, benchmark="ds1000"))


def _answers(path: Path, context: Context) -> Iterator[Record]:
    next_index = occurrence_counter()
    for row in streamed_rows(path, "id", "code", "metadata", what="of DS-1000"):
        task_id = f"DS-1000/{field_of(path, row, 'id', int)}"
        facts = field_of(path, row, "metadata", dict)
        if facts.get("problem_id", row["id"]) != row["id"]:
            raise BadInput(
                f"{place_of(path, row)}: the answer to {row['id']} has the metadata of problem {facts['problem_id']}",
                "get the file again",
            )
        texts = row["code"] if isinstance(row["code"], list) else [row["code"]]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise BadInput(f"{place_of(path, row)}: the code of {task_id} is neither a text nor a list of texts", "")
        for text in texts:
            form = context.text_form or "raw"
            yield Record(task_id, next_index(task_id), text, form, line=line_of(row), task_facts=_task_facts(facts))


def _task_facts(facts: dict[str, Any]) -> TaskFacts:
    library = facts.get("library")
    return TaskFacts(stratum=library if isinstance(library, str) else None)


def open_result(path: Path, context: Context) -> Log:
    """The mean over all problems as ``pass@1``, percent; the tables by library and rewording are not taken."""
    text = read_content(path).decode("utf-8", "replace")
    overall = _MEAN.search(text)
    if overall is None:
        raise BadInput(f"{path} is not a table of DS-1000's scores", "check that the format named fits the file")
    scores = {"pass@1": round(100 * float(overall["mean"]), 1)}
    return Log(lambda: iter(()), LogFacts(tool=TOOL, benchmark="ds1000"), scores)


def _is_answers(glimpse: Glimpse) -> bool:
    facts = glimpse.row.get("metadata")
    is_named = isinstance(facts, dict) and {"library_problem_id", "perturbation_type"} & set(facts)
    return glimpse.kind in ("lines", "object") and glimpse.has("id", "code") and bool(is_named)


FORMATS = (
    log_format(
        "ds1000", open_answers, "DS-1000 answers, JSON lines: id, code, metadata", tool=TOOL, recognises=_is_answers
    ),
    log_format(
        "ds1000-result",
        open_result,
        "DS-1000 …-result.txt: stated scores",
        tool=TOOL,
        recognises=lambda glimpse: glimpse.kind == "text" and _MEAN.match(glimpse.start) is not None,
        has_samples=False,
    ),
)
