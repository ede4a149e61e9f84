"""A function that both engines register under one name, declared once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ArrowFunction:
    """``body`` takes one Arrow column per argument and gives one; types are in DuckDB's words."""

    name: str
    body: Callable[..., Any]
    arguments: Sequence[str]
    returns: str
