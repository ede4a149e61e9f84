"""A function that both engines register under one name, declared once."""

from __future__ import annotations

import os
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


def load_numpy_on_one_thread() -> None:
    """numpy's OpenBLAS with one thread: the engine calls functions from threads of its own.

    With as many again, on matrices as small as ours, threads wait for each other: more than half of the CPU time of a
    leaderboard. OpenBLAS looks at the variable only while it is loaded; a process that has numpy keeps what it has.
    """
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = before or "1"
    try:
        import numpy as np  # noqa: F401
    finally:
        if before is None:
            del os.environ["OPENBLAS_NUM_THREADS"]
