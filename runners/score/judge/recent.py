"""Which tasks a worker still holds: both ends keep the same list in step, so that neither grows for ever."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

Value = TypeVar("Value")
NUM_KEPT = 32


def remember(kept: OrderedDict[str, Value], key: str, value: Value) -> None:
    """Make ``key`` the most recently used one; the least recently used goes where there are too many.

    Both ends call this once per job, in the order of the jobs: what one has forgotten the other has as well.
    """
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > NUM_KEPT:
        kept.popitem(last=False)
