"""A first look into a file: enough to tell its format by content, whatever it is named and however it is packed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .json_stream import JsonStream
from .text_stream import AGAIN, first_bytes, text_lines, text_pieces

_LFS = "version https://git-lfs.github.com/spec/"
_START_CHARACTERS = 4096


@dataclass(frozen=True)
class Glimpse:
    """What the file is: one of ``zip parquet object array lines text folder empty``, and what stands first in it.

    ``first`` is the first row of ``lines``, the first element of an ``array``; of an ``object`` each member, cut
    (``_cut``). ``names`` are members of a zip, columns of a Parquet file, files of a folder.
    """

    path: Path
    kind: str
    first: Any = None
    names: tuple[str, ...] = ()
    start: str = ""
    length: int | None = field(default=None)
    """Elements of an array."""

    @cached_property
    def row(self) -> Mapping[str, Any]:
        """The first object that stands in the file, {} where it is none."""
        return self.first if isinstance(self.first, dict) else {}

    def has(self, *keys: str) -> bool:
        """Whether the first object has all of these keys."""
        return all(key in self.row for key in keys)

    def has_rows_with(self, *keys: str) -> bool:
        """Whether the file is rows (lines, an array of objects, or one row alone) with all of these keys."""
        return self.kind in ("lines", "array", "object") and self.has(*keys)


def look(path: Path) -> Glimpse:
    """BadInput for a file that cannot be read, is a pointer to a file, or is several documents glued together."""
    if path.is_dir():
        return Glimpse(path, "folder", names=tuple(sorted(one.name for one in path.iterdir())))
    start = first_bytes(path)
    if start.startswith(b"PK\x03\x04"):
        return Glimpse(path, "zip", names=_zip_names(path))
    if start.startswith(b"PAR1"):
        return Glimpse(path, "parquet", names=_parquet_columns(path))
    text = _start(path)
    if text.startswith(_LFS):
        raise BadInput(
            f"{path} is a Git LFS pointer, not the file itself", "fetch it with git lfs pull, then try again"
        )
    if not text.strip():
        return Glimpse(path, "empty")
    if text.lstrip()[0] in "{[":
        return _look_into_json(path, text)
    return Glimpse(path, "text", start=text)


def _start(path: Path) -> str:
    text = ""
    for piece in text_pieces(path):
        text = (text + piece).lstrip()[:_START_CHARACTERS]
        if text:
            break
    return text


def _look_into_json(path: Path, text: str) -> Glimpse:
    if (row := _row_on_its_line(path)) is not None:
        return row
    stream = JsonStream(path)
    if stream.peek() == "[":
        first, length = _first_element(stream)
        found = Glimpse(path, "array", first, start=text, length=length)
    else:
        found = Glimpse(path, "object", {key: _cut(stream) for key in stream.members()}, start=text)
    if stream.peek():
        raise BadInput(
            f"{path} holds several JSON documents one after the other: the second begins in line {stream.line}",
            "split the file into its documents",
        )
    return found


def _row_on_its_line(path: Path) -> Glimpse | None:
    """JSON lines: the first line is an object, and something follows it. Reads no further than that."""
    rows = ((number, line) for number, line in text_lines(path) if line.strip())
    _, line = next(rows)
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None  # a document over several lines, or broken: the stream says which
    follows = next(rows, None)
    if not isinstance(row, dict) or follows is None:
        return None
    return Glimpse(path, "lines", row, start=line[:_START_CHARACTERS])


def _first_element(stream: JsonStream) -> tuple[Any, int]:
    first, length = None, 0
    for position in stream.elements():
        length += 1
        if position == 0:
            first = stream.value()
        else:
            stream.skip()
    return first, length


def _cut(stream: JsonStream) -> Any:
    """The next value; of a list only the first element, of an object the first value, None for the others."""
    character = stream.peek()
    if character == "[":
        first, length = _first_element(stream)
        return [first] if length else []
    if character != "{":
        return stream.value()
    entries: dict[str, Any] = {}
    for key in stream.members():
        if entries:
            stream.skip()
            entries[key] = None
        else:
            entries[key] = stream.value()
    return entries


def _zip_names(path: Path) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadInput(f"{path} is a damaged zip file: {error}", AGAIN) from error


def _parquet_columns(path: Path) -> tuple[str, ...]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(path).names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"{path} is not a whole Parquet file: {error}", AGAIN) from error
