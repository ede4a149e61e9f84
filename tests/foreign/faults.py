"""What a planted fault is: a cause, a log, a change of it, and what the audit can know of its worth.

What a fault is worth follows from the two files: the score of the planted one, as the tool counts and states it, less
the score of the honest one. ``worth`` is what the audit can know of that from the log alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from honest_logs import Document
from sample_edits import Plant

EXACT, AT_MOST, NOT_KNOWN = "exact", "at most", "not known"
FENCE, CODE = "```", "def solution(x):\n    return 1\n"
DRAFT = f"{FENCE}python\ndraft = 1\n{FENCE}\n"
FENCED = f"{FENCE}python\n{CODE}{FENCE}\n"


@dataclass(frozen=True)
class Fault:
    """``also``: causes that the same file shows by nature; ``beside``: text of a score file named with the log."""

    cause_id: str
    log: str
    plant: Plant
    worth: str
    args: tuple[Any, ...] = ()
    also: frozenset[str] = frozenset()
    file_name: str = "log"
    beside: str | None = None
    cutoff: datetime.date | None = None
    stated: Mapping[str, float] = field(default_factory=dict)
    benchmark: str | None = None
    honest: Plant = lambda document: None
    """What the honest log is without, where the cause is about what it holds."""

    @property
    def name(self) -> str:
        return f"{self.cause_id} in {self.log}" + (f"{self.args}" if self.args else "")


def set_members(**members: Any) -> Plant:
    return lambda document: document.update(members)


def without(places: range, key: str | None = None) -> Plant:
    """Problems taken out of a list, or out of an object of the document."""

    def plant(document: Document) -> Document | None:
        if key is None:
            return [row for place, row in enumerate(document) if place not in places]
        document[key] = {name: one for place, (name, one) in enumerate(document[key].items()) if place not in places}
        return None

    return plant


def each(change: Callable[[int, dict[str, Any]], None]) -> Plant:
    def plant(document: Document) -> None:
        for place, row in enumerate(document):
            change(place, row)

    return plant


def doubled(document: Document) -> list[Any]:
    """A file appended to itself."""
    return [*document, *document]
