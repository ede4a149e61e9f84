"""Texts that Parquet cannot hold as they are.

A server may answer with the JSON escape of half a surrogate pair; UTF-8 has no bytes for it. Such a text is stored as
the JSON string that gives it back, its row says so, and nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_TEXTS = ("raw_text", "reasoning", "answer")


def storable(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row, its texts written as JSON strings where one of them holds a lone surrogate."""
    texts = [row[name] for name in _TEXTS if row.get(name) is not None]
    if all(_is_plain(text) for text in texts):
        return dict(row)
    encoded = {name: json.dumps(row[name]) for name in _TEXTS if row.get(name) is not None}
    return {**row, **encoded, "text_encoding": "json"}


def original(text: str, encoding: str | None) -> str:
    """What was received, whatever form it is stored in."""
    return json.loads(text) if encoding == "json" else text


def _is_plain(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
