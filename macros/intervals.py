"""The interval shown beside a score, for many cells at once: the one whose measured coverage is best.

One sample per problem: Wilson. Several samples, scores that are means, or clusters: EL-half. All or none score in full:
Clopper-Pearson. No sampling; limits other than Wilson's lie on the grid 1e-6, rounded outwards, so they are the same
bytes on every machine and in every batch (Wilson's are + - * / and a root: the same as they are).
Sources: Wilson 1927; Brown, Cai, DasGupta 2001; Clopper, Pearson 1934; Owen 1988; Chen, Variyath, Abraham 2008;
Korn, Graubard 1998 (clusters). The choice and its coverage: docs/design/intervals.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import likelihood, student
from .metrics import ScoreLattice
from .noise import Z95, mean_scores

HALF_CHI95 = 1.920729410347062
"""Half of the 95 % quantile of chi-squared with one degree of freedom: Z95 squared over 2."""
GRID = 1_000_000
"""Limits are published on multiples of 1 / GRID, rounded outwards: the same bytes on every machine."""
METHODS = ("wilson", "el_half", "el_half_clustered", "clopper_pearson")
FLAGS = ("few_clusters", "few_failures", "small_n")

FEW_FAILURES = 3
SMALL_N = 20
FEW_CLUSTERS = 20
LEAST_DEFF = 0.05

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """95 % limits of a score in [0, 1], the method that gave them, and what a reader should know (flags)."""

    low: float
    high: float
    method: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Intervals:
    """Limits (M,), the place of each method in METHODS (M,), and whether each of FLAGS is raised (M, 3)."""

    low: Floats
    high: Floats
    method: NDArray[np.int8]
    is_raised: NDArray[np.bool_]

    def one(self, cell: int) -> Interval:
        """The interval of one cell."""
        flags = tuple(flag for flag, is_raised in zip(FLAGS, self.is_raised[cell], strict=True) if is_raised)
        return Interval(float(self.low[cell]), float(self.high[cell]), METHODS[self.method[cell]], flags)


def shown_intervals(
    scores: ScoreLattice,
    counts: Ints,
    *,
    is_one_sample: bool,
    deffs: ArrayLike | None = None,
    num_clusters: ArrayLike | None = None,
) -> Intervals:
    """The interval with the best measured coverage for problems like these, per cell.

    ``counts`` (M, U): problems of a cell with each of the ``scores``; every row has at least one. ``is_one_sample``:
    n = 1, scores are 0 and 1. ``num_clusters`` (M,), 0 where problems stand alone, act from 20 on and below N, with
    the design effects ``deffs`` (M,).
    """
    number = counts.sum(axis=1)
    full = counts[:, [value == scores.denominator for value in scores.values]].sum(axis=1)
    zero = counts[:, [value == 0 for value in scores.values]].sum(axis=1)
    clusters = np.zeros_like(number) if num_clusters is None else np.asarray(num_clusters, dtype=np.int64)
    flags = _flags(number, full, zero, clusters)
    clusters = np.where((clusters >= FEW_CLUSTERS) & (clusters < number), clusters, 0)
    method = _methods(number, full, zero, clusters, is_one_sample)
    low, high = np.empty(len(counts)), np.empty(len(counts))
    for cells, limits in (
        (method == 0, lambda cells: wilson(full[cells], number[cells])),
        (method == 3, lambda cells: _edges(np.where(clusters, clusters, number)[cells], full[cells] > 0)),
        (method == 1, lambda cells: _tilted(scores, counts[cells].astype(float), np.full(cells.sum(), HALF_CHI95))),
        (method == 2, lambda cells: _tilted(scores, *_shrunk(counts[cells], deffs, clusters, cells))),
    ):
        if cells.any():
            low[cells], high[cells] = limits(cells)
    low, high = _with_score(low, high, mean_scores(scores, counts), method)
    return Intervals(low, high, method, flags)


def wilson(num_passed: ArrayLike, num_problems: ArrayLike) -> tuple[Floats, Floats]:
    """Wilson 1927: (s + z^2/2 -+ z sqrt(s (1 - s/N) + z^2/4)) / (N + z^2); only + - * / sqrt, so bit-stable."""
    passed, total = np.asarray(num_passed, dtype=float), np.asarray(num_problems, dtype=float)
    square = Z95 * Z95
    centre = passed + square / 2
    spread = Z95 * np.sqrt(passed * (1 - passed / total) + square / 4)
    return (centre - spread) / (total + square), (centre + spread) / (total + square)


@lru_cache(maxsize=4096)
def all_or_none(num_units: int, *, is_all: bool) -> tuple[float, float]:
    """Clopper, Pearson 1934 where every problem (or none) scores in full: the far limit is 0.025^(1/N) from it."""
    with localcontext() as context:  # decimals: pow() of the C library may differ in its last bit
        context.prec = 40
        edge = (Decimal("0.025").ln() / num_units).exp()
        return (float(edge), 1.0) if is_all else (0.0, float(1 - edge))


def on_grid(low: float, high: float) -> tuple[float, float]:
    """Both limits moved outwards to multiples of 1e-6."""
    return math.floor(low * GRID) / GRID, math.ceil(high * GRID) / GRID


def _methods(number: Ints, full: Ints, zero: Ints, clusters: Ints, is_one_sample: bool) -> NDArray[np.int8]:
    inside = np.where(clusters > 0, 2, 0 if is_one_sample else 1)
    return np.where((full == number) | (zero == number), 3, inside).astype(np.int8)


def _flags(number: Ints, full: Ints, zero: Ints, clusters: Ints) -> NDArray[np.bool_]:
    few_failures = (number - full < FEW_FAILURES) | (number - zero < FEW_FAILURES)
    few_clusters = (clusters > 0) & (clusters < FEW_CLUSTERS)
    return np.stack((few_clusters, few_failures, number < SMALL_N), axis=1)


def _edges(units: Ints, is_all: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    limits = [on_grid(*all_or_none(int(unit), is_all=bool(each))) for unit, each in zip(units, is_all, strict=True)]
    return np.array([low for low, _ in limits]), np.array([high for _, high in limits])


def _shrunk(counts: Ints, deffs: ArrayLike | None, clusters: Ints, cells: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """(weights divided by the design effect, heights from t with G - 1 degrees of freedom)."""
    effects = np.maximum(np.asarray(deffs, dtype=float)[cells], LEAST_DEFF)
    heights = np.array([student.half_square(int(number) - 1) for number in clusters[cells]])
    return counts / effects[:, None], heights


def _with_score(low: Floats, high: Floats, score: Floats, method: NDArray[np.int8]) -> tuple[Floats, Floats]:
    """EL-half holds the mean that its pseudo problems pull inwards; of a problem or two it may leave the score out."""
    is_tilted = (method == 1) | (method == 2)
    below, above = np.floor(score * GRID) / GRID, np.ceil(score * GRID) / GRID
    return np.where(is_tilted, np.minimum(low, below), low), np.where(is_tilted, np.maximum(high, above), high)


def _tilted(scores: ScoreLattice, weights: Floats, heights: Floats) -> tuple[Floats, Floats]:
    """EL-half, equal cells once: a board repeats cells over verdicts and metrics."""
    keyed = np.column_stack((weights, heights))
    distinct, where = np.unique(keyed, axis=0, return_inverse=True)
    low, high = likelihood.solve_many(scores.scores, distinct[:, :-1], distinct[:, -1], GRID)
    return low[where.reshape(-1)], high[where.reshape(-1)]
