"""Would the lake take these rows? Asked before the first byte is written, so that no refusal leaves a half behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadInput
from ..formats import Record
from ..lake import arrow_schema

_MAX_INDEX = 2**31 - 1


def refuse_odd_records(path: Path, records: Sequence[Record]) -> None:
    """Raises BadInput that names the sample: a text that is no text or cannot be stored, a number out of all range."""
    for record in records:
        if fault := _fault(record):
            line = "" if record.line is None else f" line {record.line}"
            raise BadInput(
                f"{path}{line}: sample {record.sample_index} of {record.task_id!r} {fault}",
                "repair the row, or leave it out and import with --partial",
            )


def refuse_unwritable(path: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Raises BadInput where a row does not fit the declared types of its table."""
    import pyarrow as pa

    for table, rows in tables.items():
        try:
            pa.Table.from_pylist([dict(row) for row in rows], schema=arrow_schema(table))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise BadInput(
                f"{path}: a row does not fit table {table}: {str(error).splitlines()[0]}",
                "check that the format named fits the file",
            ) from error


def _fault(record: Record) -> str:
    for name, value in (("task id", record.task_id), ("text", record.text)):
        if value is not None and not isinstance(value, str):
            return f"has a {name} that is {type(value).__name__}"
        if value is not None and not _is_encodable(value):
            return f"has a {name} with half a character (a lone surrogate), which no UTF-8 text can hold"
    numbers = (record.sample_index, record.completion_tokens)
    if any(number is not None and abs(number) > _MAX_INDEX for number in numbers):
        return f"has a number beyond {_MAX_INDEX}"
    if "plus" in record.judgements and "base" not in record.judgements:
        return "has a verdict on the extra tests without one on the base tests, and no number could count it"
    return ""


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
