"""Opening recorded files, packed or not, so that every way of being broken ends in one sentence.

A file cut off in transfer is the usual accident: a last line without its end, a gzip stream without its trailer.
Both are refused whole; nothing that could be read before the cut is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .json_stream import JsonStream
from .text_stream import first_bytes, unpacked

_AGAIN = "get the file again"


class Row(dict[str, Any]):
    """One object of a file of rows; ``line`` is counted from 1."""

    def __init__(self, values: Mapping[str, Any], line: int) -> None:
        super().__init__(values)
        self.line = line


def line_of(row: Mapping[str, Any]) -> int | None:
    """Where the row stands in its file; None where the file has no lines."""
    return row.line if isinstance(row, Row) else None


def place_of(path: Path, row: Mapping[str, Any]) -> str:
    """``FILE line 3``, or the file alone: what an error message begins with."""
    line = line_of(row)
    return str(path) if line is None else f"{path} line {line}"


def read_content(path: Path) -> bytes:
    """Bytes of the file, unpacked when it is gzip or zstd (told by its first bytes, not by its name)."""
    first_bytes(path)  # a file that is not there is said so before anything is opened
    with unpacked(path) as stream:
        return stream.read()


def json_document(path: Path) -> Any:
    """The file as one JSON value."""
    text = _text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not whole JSON: {error}", _AGAIN) from error


def json_lines(path: Path) -> list[Row]:
    """The file as JSON objects, one per line; blank lines are allowed, a torn last line is not."""
    rows: list[Row] = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            rows.append(Row(_row(path, number, line), number))
    if not rows:
        raise BadInput(f"{path} holds no rows", _AGAIN)
    return rows


def json_rows(path: Path) -> Sequence[Mapping[str, Any]]:
    """Objects of a file that is either one JSON list or JSON lines."""
    if not _text(path).lstrip().startswith("["):
        return json_lines(path)
    rows = json_document(path)
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise BadInput(f"{path} is not a list of objects", "check that the format named fits the file")
    return rows


def field_of(path: Path, row: Mapping[str, Any], name: str, type_: type | tuple[type, ...]) -> Any:
    """A field that must be there and of this type; BadInput names file, task and field."""
    value = row.get(name)
    if not isinstance(value, type_) or (isinstance(value, bool) and type_ is int):
        where = f" of {row['task_id']!r}" if isinstance(row.get("task_id"), str) else ""
        found = "is missing" if name not in row else f"is {type(value).__name__}"
        raise BadInput(
            f"{place_of(path, row)}: field {name!r}{where} {found}", "check that the format named fits the file"
        )
    return value


def is_list_of_verdicts(value: Any) -> bool:
    """Whether this is a list of JSON booleans: a word like "no" would count as a pass wherever truth is asked."""
    return isinstance(value, list) and all(isinstance(verdict, bool) for verdict in value)


def occurrence_counter() -> Callable[[str], int]:
    """Sample index by order: how often the task id was seen before."""
    seen: dict[str, int] = {}

    def next_index(task_id: str) -> int:
        seen[task_id] = seen.get(task_id, -1) + 1
        return seen[task_id]

    return next_index


def _text(path: Path) -> str:
    try:
        return read_content(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: {error}", _AGAIN) from error


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} line {number} is not whole JSON (is the file cut off?): {error}", _AGAIN) from error
    if not isinstance(row, dict):
        raise BadInput(f"{path} line {number} is not an object", "check that the format named fits the file")
    return row


def streamed_rows(path: Path, *required: str, what: str = "") -> Iterator[Row]:
    """Objects of JSON lines or of one JSON list, one at a time; a lone object is one row.

    With ``required``, a row without these keys is BadInput that says what it looks like instead: files are glued
    together more often than they are damaged.
    """
    num_rows = 0
    for number, value in _values(path):
        num_rows += 1
        if not isinstance(value, dict):
            raise BadInput(f"{path} line {number} is not an object", "check that the format named fits the file")
        missing = [name for name in required if name not in value]
        if missing:
            raise _stranger(path, number, num_rows, value, missing[0], what)
        yield Row(value, number)
    if not num_rows:
        raise BadInput(f"{path} holds no rows", _AGAIN)


def _values(path: Path) -> Iterator[tuple[int, Any]]:
    stream = JsonStream(path)
    if stream.peek() == "[":
        for _ in stream.elements():
            stream.peek()
            yield stream.line, stream.value()
        if stream.peek():
            raise BadInput(f"{path} line {stream.line}: something follows the list", "split the file")
        return
    while stream.peek():
        yield stream.line, stream.value()


def _stranger(path: Path, line: int, num_rows: int, row: Mapping[str, Any], missing: str, what: str) -> BadInput:
    from .recognise import name_of_row

    other = name_of_row(path, dict(row))
    if not other or num_rows == 1:
        return BadInput(f"{path} line {line}: a row lacks {missing!r}", "check that the format named fits the file")
    before = f"the rows before it are {what}" if what else "the rows before it are not"
    return BadInput(f"{path} line {line} is a row of {other}, {before}", "split the file by format")
