"""Logs of several models beside each other: every pair on the problems that both answered, corrected for many tests.

Before and after: by the verdicts of the logs, and by official and strict rules where both were graded again. Intervals
and p-values are those of the marts' boards (``macros.boards``): McNemar's mid-p for one sample per problem, sign flips
of the problem means for several; Holm (1979) over all pairs of a reading.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from .board import SIGNIFICANT
from .regrading import Verdicts
from .report import OFFICIAL, OWN, STRICT, Audit

_MAX_COMMON = 1000
PAIR_COLUMNS = (
    *("reading", "first", "second", "num_problems", "difference", "low", "high", "p", "p_holm", "is_distinguishable"),
)


@dataclass(frozen=True)
class Compared:
    """Rows of pairs, and why some could not be compared."""

    rows: tuple[dict[str, object], ...]
    notes: tuple[str, ...]


def compared(audits: Sequence[Audit]) -> Compared:
    """Every pair of logs of one benchmark and scenario; differences in points, first less second."""
    groups: dict[tuple[str, str], list[Audit]] = {}
    for audit in audits:
        groups.setdefault((audit.benchmark or audit.title, audit.scenario), []).append(audit)
    rows, notes = [], []
    for (title, _), several in groups.items():
        for reading in (OWN, OFFICIAL, STRICT):
            with_it = [audit for audit in several if reading in audit.verdicts]
            found, problems = _of_reading(reading, with_it) if len(with_it) > 1 else ([], [])
            rows += found
            notes += [f"{title}: {problem}" for problem in problems]
    return Compared(tuple(rows), tuple(dict.fromkeys(notes)))


def _of_reading(reading: str, audits: Sequence[Audit]) -> tuple[list[dict[str, object]], list[str]]:
    from ....macros.families import holm

    found, problems = [], []
    for first, second in combinations(audits, 2):
        try:
            found.append({"reading": reading, **_pair(first, second, reading)})
        except ValueError as error:
            problems.append(f"{first.file} and {second.file} are not compared: {error}")
    for row, p in zip(found, holm([row["p"] for row in found]) if found else (), strict=True):
        row |= {"p_holm": round(float(p), 6), "is_distinguishable": bool(p < SIGNIFICANT), "p": round(row["p"], 6)}
    return found, problems


def _pair(first: Audit, second: Audit, reading: str) -> dict[str, object]:
    """ValueError, in words, where the two have no problem in common, or n that differs from problem to problem."""
    from ....macros.boards import compare_board

    passes = [_by_task(audit.verdicts[reading]) for audit in (first, second)]
    tasks = sorted(set(passes[0]) & set(passes[1]))
    if not tasks:
        raise ValueError("they have no problem in common")
    n = math.lcm(*{len(of[task]) for of in passes for task in tasks})
    if n > _MAX_COMMON:
        raise ValueError("their problems have too many different numbers of samples")
    import numpy as np

    # a share of 1 in 1 is one of 3 in 3: differences of problem means, which p and limits are made of, stay
    counts = np.array([[sum(of[task]) * n // len(of[task]) for task in tasks] for of in passes], dtype=np.int64)
    pairs = compare_board(["0", "1"], counts, n, 1).pairs
    sign = 1 if pairs.first[0] == 0 else -1
    low, high = sorted(100 * sign * float(limit) for limit in (pairs.low[0], pairs.high[0]))
    return {
        "first": first.file,
        "second": second.file,
        "num_problems": len(tasks),
        "difference": round(100 * sign * float(pairs.difference[0]), 4),
        "low": round(low, 2),
        "high": round(high, 2),
        "p": float(pairs.p[0]),
    }


def _by_task(verdicts: Verdicts) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for (task_id, _), passed in verdicts.items():
        found.setdefault(task_id, []).append(passed)
    return found


def labels(paths: Sequence[str]) -> Iterator[str]:
    """The shortest tails of the paths that tell them apart."""
    parts = [path.replace("\\", "/").split("/") for path in paths]
    for own in parts:
        tails = ["/".join(own[-length:]) for length in range(1, len(own) + 1)]
        others = ["/" + "/".join(other) for other in parts if other is not own]
        yield next((tail for tail in tails if not any(other.endswith("/" + tail) for other in others)), tails[-1])
