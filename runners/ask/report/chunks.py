"""Rows as scripts: what a page opened from ``file://`` can load, whatever the texts in them are."""

from __future__ import annotations

import datetime
import decimal
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


class Chunks:
    """Files below ``folder``; counts what it wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.num_files = 0
        self.num_bytes = 0

    def add(self, name: str, data: Any) -> None:
        """``data/<name>.js``: the page's own function gets the name and the value."""
        self.write(f"data/{name}.js", f"report.take({encoded(name)},{encoded(data)});\n".encode("ascii"))

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.num_files += 1
        self.num_bytes += len(content)


def encoded(data: Any) -> str:
    """JSON of ASCII that may stand in any script: no ``<`` (``</script>``, ``<!--``), no U+2028, no lone surrogate.

    Names that come from outside are values here, never keys: ``__proto__`` as a key means something in a script.
    """
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c")


def packed(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, Any]:
    """A table by columns, as ``report.table`` of the page reads it back; about a fifth of the same rows as objects.

    A column is ``[0, value]`` where all rows hold the same, ``[1, values, places]`` where values repeat (place of the
    value per row), else ``[2, values]``.
    """
    return {"rows": len(rows), "columns": {name: _packed(list(map(itemgetter(name), rows))) for name in columns}}


def _packed(values: list[Any]) -> list[Any]:
    """Only distinct values are looked at one by one: of a million samples most columns hold one, found by counting."""
    if not values or values.count(values[0]) == len(values):
        return [0, plain(values[0]) if values else None]
    if list in map(type, values):
        values = [tuple(value) if isinstance(value, list) else value for value in values]
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    if 2 * len(places) > len(values):
        return [2, [plain(value) for value in values]]
    return [1, [plain(value) for value in places], [places[value] for value in values]]


def plain(value: Any) -> Any:
    """What JSON can hold: digests as hex, days and times in ISO form, floats of 9 digits, no NaN."""
    if isinstance(value, float):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, decimal.Decimal):
        return plain(float(value))
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def short_id(*parts: Any) -> str:
    """16 hex characters that name a file; names of models and problems may hold anything, so they name none."""
    return hashlib.sha256(json.dumps([plain(part) for part in parts]).encode()).hexdigest()[:16]
