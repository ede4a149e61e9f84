"""Difference in differences: does a model lose against another where problems appeared after its training data ended?

The raw fall of a score after a cutoff also happens because problems get harder. The fall of the difference to a model
whose own cutoff does not lie among the problems does not, within a level of difficulty.

Sources: Card, Krueger 1994 (the design); Liang, Zeger 1986 (variance from sums of influences by cluster).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .estimators import FEW_CLUSTERS

MIN_PROBLEMS = 2
"""Problems that a stratum needs in each period."""

Row = tuple[float, bool, str]
"""Difference of scores, whether after the cutoff, stratum."""
Cell = tuple[str, bool]
Cells = dict[Cell, list[float]]


@dataclass(frozen=True)
class DifferenceInDifferences:
    """Estimate (minus: the first model loses after its cutoff) and standard error, or why there is none."""

    estimate: float | None
    se: float | None
    num_before: int
    num_after: int
    refused: str | None = None


def difference_in_differences(
    scores: Sequence[float],
    is_after: Sequence[bool],
    strata: Sequence[str | None] | None = None,
    clusters: Sequence[str | None] | None = None,
) -> DifferenceInDifferences:
    """sum_s w_s (mean d after, s - mean d before, s), w_s = share of stratum s among the problems after.

    ``scores`` (N,) d_i = score of the suspected model minus score of the other; ``is_after`` (N,) whether the problem
    appeared after the cutoff; ``strata`` (N,) difficulty or None for one stratum; ``clusters`` (N,) contests or None.
    Variance: G/(G-1) sum_g (sum_{i in g} w_s (d_i - mean) / N_{period, s}, signed by period)^2; below 20 clusters, or
    without, problems count as independent: sum w_s^2 s^2 / N over strata and periods. Refused where a stratum has
    fewer than 2 problems in a period. ValueError for unequal lengths.
    """
    levels = [level if level is not None else "" for level in strata] if strata is not None else [""] * len(scores)
    rows = list(zip(scores, map(bool, is_after), levels, strict=True))
    num_after = sum(after for _, after, _ in rows)
    num_before = len(rows) - num_after
    lacking = _lacking(rows)
    if lacking is not None:
        return DifferenceInDifferences(None, None, num_before, num_after, lacking)
    cells = _cells(rows)
    means = {cell: math.fsum(values) / len(values) for cell, values in cells.items()}
    shares = {level: len(cells[level, True]) / num_after for level in {level for level, _ in cells}}
    estimate = math.fsum(share * means[level, True] for level, share in shares.items()) - math.fsum(
        share * means[level, False] for level, share in shares.items()
    )
    num_clusters = len(set(clusters)) if clusters is not None and None not in clusters else 0
    if clusters is None or num_clusters < FEW_CLUSTERS:
        error = _plain_error(cells, means, shares)
    else:
        error = _clustered_error(_influences(rows, cells, means, shares), clusters)
    return DifferenceInDifferences(estimate, error, num_before, num_after)


def _lacking(rows: list[Row]) -> str | None:
    """Which stratum has too few problems in which period; the first by name."""
    cells = _cells(rows)
    for level in sorted({level for level, _ in cells}) or [""]:
        for after, name in ((False, "before"), (True, "after")):
            number = len(cells.get((level, after), ()))
            if number < MIN_PROBLEMS:
                where = f"stratum {level} has" if level else "there are"
                return f"{where} {number} problems {name} the cutoff"
    return None


def _cells(rows: list[Row]) -> Cells:
    """Differences by stratum and period."""
    cells: Cells = {}
    for score, after, level in rows:
        cells.setdefault((level, after), []).append(score)
    return cells


def _plain_error(cells: Cells, means: Mapping[Cell, float], shares: Mapping[str, float]) -> float:
    """sqrt(sum over strata and periods of w_s^2 s^2 / N)."""
    variances = [
        shares[level] ** 2
        * math.fsum((value - means[level, after]) ** 2 for value in values)
        / (len(values) * (len(values) - 1))
        for (level, after), values in cells.items()
    ]
    return math.sqrt(math.fsum(variances))


def _influences(rows: list[Row], cells: Cells, means: Mapping[Cell, float], shares: Mapping[str, float]) -> list[float]:
    """What each problem adds to the estimate: w_s (d_i - mean) / N of its stratum and period, minus before."""
    return [
        (1 if after else -1) * shares[level] * (score - means[level, after]) / len(cells[level, after])
        for score, after, level in rows
    ]


def _clustered_error(influences: list[float], clusters: Sequence[str | None]) -> float:
    """sqrt(G/(G-1) sum_g (sum of influences in g)^2); sums are rounded once, so order changes nothing."""
    groups: dict[str | None, list[float]] = {}
    for label, influence in zip(clusters, influences, strict=True):
        groups.setdefault(label, []).append(influence)
    squares = math.fsum(math.fsum(members) ** 2 for members in groups.values())
    return math.sqrt(len(groups) / (len(groups) - 1) * squares)
