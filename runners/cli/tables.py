"""Rows as text, piece by piece: one writer per format, so that ten million rows need the memory of one."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]


def pieces(rows: Iterable[Row], columns: Sequence[str], format: str, title: str = "") -> Iterator[str]:
    """The text of ``rows`` in ``format`` (a key of WRITERS), columns in this order, each piece ended by a newline."""
    if title and format in ("table", "markdown"):
        yield f"{_bold(title) if format == 'table' else '### ' + title}\n\n"
    yield from WRITERS[format](rows, columns)


def _csv(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        yield _taken(buffer)
        writer.writerow([row.get(name) for name in columns])
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _json(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[str]:
    """One array, a row a line; numbers stay numbers, and what JSON has no number for (NaN, infinity) is null."""
    before = "[\n"
    for row in rows:
        values = {name: _finite(row.get(name)) for name in columns}
        yield before + " " + json.dumps(values, default=str, allow_nan=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _finite(inner) for name, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value


def _markdown(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[str]:
    listed = list(rows)
    right = _is_right(listed, columns)
    yield f"| {' | '.join(columns)} |\n"
    yield f"| {' | '.join('---:' if is_right else '---' for is_right in right)} |\n"
    for row in listed:
        yield f"| {' | '.join(_cell(row.get(name)).replace('|', chr(92) + '|') for name in columns)} |\n"


def _text_table(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[str]:
    """Plain aligned text: rich only where colour is wanted costs 0.1 s of start, and a pipe needs none."""
    listed = list(rows)
    cells = [[_cell(row.get(name)) for name in columns] for row in listed]
    widths = [max([len(name), *(len(line[i]) for line in cells)]) for i, name in enumerate(columns)]
    right = _is_right(listed, columns)
    yield _line(columns, widths, right)
    yield "  ".join("─" * width for width in widths) + "\n"
    yield from (_line(line, widths, right) for line in cells)


def _is_right(rows: Sequence[Row], columns: Sequence[str]) -> list[bool]:
    return [bool(rows) and all(isinstance(row.get(name), int | float | None) for row in rows) for name in columns]


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        text.rjust(width) if is_right else text.ljust(width)
        for text, width, is_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip() + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.0e}" if 0 < abs(value) < 5e-5 else f"{value:.4f}"  # a p-value is small, never zero
    if isinstance(value, bytes):
        return value.hex()
    return str(value).replace("\n", "⏎")


def _bold(text: str) -> str:
    wants_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return f"\033[1m{text}\033[0m" if wants_colour else text


WRITERS: Mapping[str, Callable[[Iterable[Row], Sequence[str]], Iterator[str]]] = {
    "table": _text_table,
    "json": _json,
    "csv": _csv,
    "markdown": _markdown,
}
