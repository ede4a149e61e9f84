"""Overall score of a model: a weighted mean over benchmark cells, clustered by source problem.

Cells over one problem set (CRUXEval-I and -O, base and plus, translations) share problems, so their errors are
correlated: the influence of every problem is summed inside its source problem before it is squared::

    m   = sum_b w_b m_b                                        m_b: mean pass@1 of cell b over its N_b problems
    u_g = sum_b sum_{i in b, source g} w_b (x_i - m_b) / N_b   x_i = c_i / n_b
    Var = G / (G - 1) sum_g u_g^2                              G source problems

Exact in integers until the last division and square root. With one cell and every problem its own source this is
the squared standard error of that cell. Sources: Liang, Zeger 1986; Miller, arXiv 2411.00640. The interval is
empirical likelihood with half a pseudo problem at each end (see :mod:`benchforge.macros.likelihood`), the weights
scaled so that they carry this variance: the effective sample size of Korn, Graubard 1998.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from . import estimators

MAX_GAIN = 20
"""Clustering may divide the variance by this much at most, as the floor of 0.05 on a design effect elsewhere."""


@dataclass(frozen=True)
class Cell:
    """One benchmark cell of a model: passes (N,) of ``num_planned`` samples and the source (N,) of each problem.

    ``weight`` is a positive integer; shares are weights over their sum.
    """

    weight: int
    num_planned: int
    passes: Sequence[int]
    source_problems: Sequence[str]


@dataclass(frozen=True)
class Overall:
    """A score in [0, 1], its standard error (None for a single source problem), 95 % limits and their method."""

    score: float
    standard_error: float | None
    low: float
    high: float
    method: str
    num_problems: int
    num_source_problems: int


def overall(cells: Sequence[Cell]) -> Overall:
    """Weighted mean pass@1 over ``cells`` with its interval; the order of cells and of their problems is free.

    Raises ValueError for no cell, a cell without problems or with unequal lengths, a weight below 1, or counts
    outside 0 … n.
    """
    _check(cells)
    num_sources = len({source for cell in cells for source in cell.source_problems})
    score, variance = mean(cells), variance_of_mean(cells)
    low, high, method = _limits(cells, score, variance, num_sources)
    error = None if variance is None else math.sqrt(float(variance))
    return Overall(float(score), error, low, high, method, sum(len(cell.passes) for cell in cells), num_sources)


def mean(cells: Sequence[Cell]) -> Fraction:
    """sum_b w_b m_b, exactly."""
    total = sum(cell.weight for cell in cells)
    return sum((Fraction(cell.weight * sum(cell.passes), total * _size(cell)) for cell in cells), Fraction(0))


def variance_of_mean(cells: Sequence[Cell]) -> Fraction | None:
    """G / (G - 1) sum_g u_g^2, exactly; None for one source problem.

    Influences are integers over one denominator: w_b (c_i N_b - S_b) / (n_b N_b^2), S_b the passes of the cell.
    """
    denominators = [_size(cell) * len(cell.passes) for cell in cells]
    common = math.lcm(*denominators)
    influence: defaultdict[str, int] = defaultdict(int)
    for cell, denominator in zip(cells, denominators, strict=True):
        factor = cell.weight * (common // denominator)
        number, passed = len(cell.passes), sum(cell.passes)
        for count, source in zip(cell.passes, cell.source_problems, strict=True):
            influence[source] += factor * (count * number - passed)
    groups = len(influence)
    if groups < 2:
        return None
    squares = sum(value * value for value in influence.values())
    total = sum(cell.weight for cell in cells)
    return Fraction(groups * squares, (groups - 1) * (common * total) ** 2)


def _limits(
    cells: Sequence[Cell], score: Fraction, variance: Fraction | None, num_sources: int
) -> tuple[float, float, str]:
    """Clopper-Pearson over source problems at 0 and 1, else EL-half on the effective sample size."""
    if score in (0, 1):
        limits = estimators.all_or_none(num_sources, is_all=score == 1)
        return *estimators.on_grid(*limits), "clopper_pearson"
    if variance is None:
        return 0.0, 1.0, "not_estimable"
    values, shares = _scores_by_share(cells)
    spread = sum((share * (value - score) ** 2 for value, share in zip(values, shares, strict=True)), Fraction(0))
    effective = min(spread / variance, Fraction(MAX_GAIN * num_sources)) if variance else MAX_GAIN * num_sources
    weights = [float(share * effective) for share in shares]
    limits = estimators.el_half([float(value) for value in values], weights, num_clusters=num_sources, is_on_grid=True)
    return *limits, "el_half_clustered"


def _scores_by_share(cells: Sequence[Cell]) -> tuple[list[Fraction], list[Fraction]]:
    """Distinct problem scores and the share of the total weight that each carries, both ascending by score."""
    total = sum(cell.weight for cell in cells)
    shares: defaultdict[Fraction, Fraction] = defaultdict(Fraction)
    for cell in cells:
        counts = estimators.histogram(cell.passes, cell.num_planned)
        for passed, number in enumerate(counts.tolist()):
            if number:
                shares[Fraction(passed, cell.num_planned)] += Fraction(cell.weight * number, total * len(cell.passes))
    values = sorted(shares)
    return values, [shares[value] for value in values]


def _size(cell: Cell) -> int:
    return cell.num_planned * len(cell.passes)


def _check(cells: Sequence[Cell]) -> None:
    if not cells:
        raise ValueError("an overall score needs a cell")
    for cell in cells:
        if cell.weight < 1:
            raise ValueError(f"the weight {cell.weight} is below 1")
        if not cell.passes or len(cell.passes) != len(cell.source_problems):
            raise ValueError(f"{len(cell.passes)} problems and {len(cell.source_problems)} source problems")
        estimators.histogram(cell.passes, cell.num_planned)
