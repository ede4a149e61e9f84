"""A board of scores by problem: who can be told from the next, and which ranks are possible.

Before correction: the difference of two neighbours exceeds 1.96 of its paired standard error (Miller, arXiv
2411.00640), as a reader of one pair would ask. After: it exceeds Tukey's constant for a board of this size, so that all
pairs hold at once with 95 % (Tukey 1953, Kramer 1956), and rank intervals follow from the same pairs. Problems made
from one source problem are one cluster and are added up first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

UNIT = 2520 * 1000
"""Scores of a problem are integers over this, exact for n of 1 to 10 and pass@5 of 10: equal data give equal ranks."""
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Standing:
    """One row of a board, best first. ``*_next`` are None for the last row."""

    name: str
    score: float
    low: float
    high: float
    rank: int
    rank_low: int
    rank_high: int
    is_told_before: bool | None
    is_told_after: bool | None
    permutation_p: float | None


def standings(scores: Mapping[str, Mapping[str, float]], clusters: Mapping[str, str] | None = None) -> list[Standing]:
    """Rows of a board from (row -> problem -> score in [0, 1]); every row has the same problems. Scores in percent."""
    import numpy as np

    from ....macros.ranks import pairwise, ranks

    tasks = sorted(next(iter(scores.values())))
    names = sorted(scores)
    by_task = np.array([[round(scores[name][task] * UNIT) for task in tasks] for name in names], dtype=np.int64)
    order = np.argsort(-by_task.sum(axis=1), kind="stable")
    names, by_task = [names[place] for place in order], by_task[order]
    units = _summed(by_task, [clusters[task] for task in tasks] if clusters else tasks)
    found = ranks(pairwise(units))
    told = _told(by_task, units, len(names))
    rows = []
    for place, name in enumerate(names):
        low, high = _interval(by_task[place] / UNIT, tasks, clusters)
        before, after, p = told[place] if place < len(told) else (None, None, None)
        limits = int(found.rank[place]), int(found.low[place]), int(found.high[place])
        mean = 100 * int(by_task[place].sum()) / UNIT / len(tasks)
        rows.append(Standing(name, mean, low, high, *limits, before, after, p))
    return rows


def _summed(by_task, labels: Sequence[str]):
    """(rows, clusters): the problems of a cluster added up, clusters in the order of their names."""
    import numpy as np

    places = {label: place for place, label in enumerate(sorted(set(labels)))}
    summed = np.zeros((by_task.shape[0], len(places)), dtype=np.int64)
    np.add.at(summed.T, [places[label] for label in labels], by_task.T)
    return summed


def _told(by_task, units, number: int) -> list[tuple[bool, bool, float]]:
    """Of each row but the last: told from the next before and after correction, and the permutation mid-p."""
    import numpy as np

    from ....macros import families
    from ....macros.sign_flips import flip_p_values

    differences = units[:-1] - units[1:]
    totals = differences.sum(axis=1)
    squares = (differences.astype(np.float64) ** 2).sum(axis=1)
    groups = units.shape[1]
    mean = totals / groups
    spread = np.sqrt(np.maximum(squares - groups * mean**2, 0) * groups / (groups - 1))
    before = np.abs(totals) > Z95 * spread
    after = totals.astype(np.float64) ** 2 > families.tukey_constant(number) ** 2 * squares
    p_values, _ = flip_p_values(np.abs(differences), totals)
    found = zip(before, after, p_values, totals, strict=True)
    return [(bool(one and total), bool(other and total), float(p)) for one, other, p, total in found]


def _interval(scores, tasks: Sequence[str], clusters: Mapping[str, str] | None) -> tuple[float, float]:
    """95 % for problems like these, in percent: as the marts give it for means."""
    from ....macros.estimators import interval_of_means

    labels = [clusters[task] for task in tasks] if clusters else None
    found = interval_of_means([float(score) for score in scores], labels)
    return (100 * found.low, 100 * found.high) if found else (0.0, 100.0)


def num_told(rows: Sequence[Standing]) -> tuple[int, int, int]:
    """Adjacent pairs, how many are told apart before correction, how many after."""
    pairs = rows[:-1]
    return len(pairs), sum(bool(row.is_told_before) for row in pairs), sum(bool(row.is_told_after) for row in pairs)
