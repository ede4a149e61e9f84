"""simple-evals derivatives that keep one row per problem: ``{id, instruction, answer, pred, is_correct, …}``.

Shape as kuk/simple-evals-ru@5fb1507 writes it (``data/results``). openai/simple-evals@ee3b031 itself keeps neither task
ids nor raw replies, so there is nothing to read of it. A problem that failed to be asked is absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .records import Context, Judgement, Log, LogFacts, Record, log_format
from .source_files import field_of, line_of, occurrence_counter, streamed_rows

TOOL = "simple-evals"
_REQUIRED = ("id", "answer", "pred", "is_correct")


def open_rows(path: Path, context: Context) -> Log:
    first = next(iter(streamed_rows(path, *_REQUIRED)))
    benchmark = "humaneval" if str(first["id"]).startswith("HumanEval/") else None
    return Log(lambda: _records(path, context), LogFacts(tool=TOOL, benchmark=benchmark))


def _records(path: Path, context: Context) -> Iterator[Record]:
    next_index = occurrence_counter()
    for row in streamed_rows(path, *_REQUIRED, what="of simple-evals"):
        name = f"Mbpp/{row['id']}" if isinstance(row["id"], int) else str(row["id"])
        yield Record(
            name,
            next_index(name),
            field_of(path, row, "answer", str),
            context.text_form or "raw",
            {"base": _judgement(row, field_of(path, row, "is_correct", bool))},
            (row.get("usage") or {}).get("completion_tokens"),
            line_of(row),
            program=row["pred"] if isinstance(row["pred"], str) else None,
            prompt=row.get("instruction"),
            notes={"traceback": row.get("traceback")},
        )


def _judgement(row: Mapping[str, Any], is_correct: bool) -> Judgement:
    if is_correct:
        return Judgement("pass", "ok")
    return Judgement("timeout", "timeout") if row.get("timed_out") is True else Judgement("fail")


FORMATS = (
    log_format(
        "simple-evals",
        open_rows,
        "rows of simple-evals derivatives: id, answer, pred, is_correct",
        tool=TOOL,
        recognises=lambda glimpse: glimpse.has_rows_with(*_REQUIRED),
    ),
)
