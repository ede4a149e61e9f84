"""Standard errors of mean scores and the design effect of clusters, in integers until the last division and root.

Rows of ``counts`` (M, U) are cells, columns the scores of a :class:`ScoreLattice`. Each figure is one quotient of
integers, rounded once, and at most one square root, so no order of rows and no library can move a bit.
Sources: Miller, arXiv 2411.00640 (standard errors, clusters); arXiv 2512.21326 (the split in two sources);
Hoeffding 1948 (unbiasedness); Liang, Zeger 1986 (clusters).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .metrics import Metric, ScoreLattice

Z95 = 1.959963984540054
"""97.5 % quantile of the standard normal law."""
MIXED_PROBLEMS = 20
"""Problems with 0 < c < n from which on new samples of the same problems have an interval (coverage .937-.970)."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Integers = NDArray[np.object_]
"""Integers of Python: no overflow."""


@dataclass(frozen=True)
class Errors:
    """Per cell, shape (M,), NaN where it cannot be estimated. ``data_variance`` may be negative, ``data`` is 0 then."""

    total: Floats
    prediction: Floats
    data: Floats
    data_variance: Floats


def mean_scores(lattice: ScoreLattice, counts: Ints) -> Floats:
    """Mean score of every cell, rounded once, shape (M,); NaN without problems."""
    return _quotients(_sums(counts, lattice.values), counts.sum(axis=1).astype(object) * lattice.denominator)


def standard_errors(metric: Metric, num_planned: int, counts: Ints) -> Errors:
    """Noise of mean scores, ``counts`` (M, n + 1).

    total^2      = sum (x_i - m)^2 / (N (N-1))           new problems and new samples; NaN for one problem
    prediction^2 = sum p_i / N^2, p_i of Metric.noise    new samples of these problems; NaN unless n >= 2k
    data^2       = total^2 - prediction^2                new problems alone
    """
    lattice, number = metric.lattice(num_planned), counts.sum(axis=1).astype(object)
    squares, scale = _squares(lattice, counts)
    total = np.sqrt(_quotients(squares, scale))
    found = metric.noise(num_planned)
    if found is None:
        missing = np.full(len(counts), np.nan)
        return Errors(total, missing, missing, missing)
    noise, denominator = _sums(counts, found[0]), found[1]
    prediction = np.sqrt(_quotients(noise, number**2 * denominator))
    pairs = denominator // lattice.denominator**2
    data = _quotients(squares * pairs - noise * (number - 1), scale * pairs)
    return Errors(total, prediction, np.sqrt(np.maximum(data, 0.0)), data)


def squared_error(lattice: ScoreLattice, counts: Ints) -> Floats:
    """Squared standard error of every mean for problems that stand alone, shape (M,); NaN for one problem."""
    return _quotients(*_squares(lattice, counts))


def new_samples(metric: Metric, num_planned: int, counts: Ints, prediction: Floats) -> tuple[Floats, Floats]:
    """95 % limits for these problems and new samples: score -+ z se_prediction; NaN where they would not cover.

    Only k = 1 and 20 problems with 0 < c < n: with fewer, or k > 1, no such interval held its level in simulation.
    """
    score = mean_scores(metric.lattice(num_planned), counts)
    is_known = counts[:, 1:-1].sum(axis=1) >= (MIXED_PROBLEMS if metric.k == 1 else np.inf)
    reach = Z95 * np.where(is_known, prediction, np.nan)
    return np.maximum(score - reach, 0.0), np.minimum(score + reach, 1.0)


def design_effect(values: Sequence[int], clusters: Ints) -> float:
    """Var_cluster / Var_iid of one mean, Var_cluster = G/(G-1) sum_g (sum_{i in g} (x_i - m))^2 / N^2.

    ``values`` (N,) integer scores, ``clusters`` (N,) integers 0 … G - 1; 1.0 where the scores do not vary or G < 2.
    """
    number, groups = len(values), int(clusters.max(initial=-1)) + 1
    is_small = max(values, default=0) * number**2 < 1 << 31  # squares of what is below are sums of N such terms
    whole = np.array(values, dtype=np.int64 if is_small else object)
    sums, sizes = np.zeros(groups, dtype=whole.dtype), np.bincount(clusters, minlength=groups).astype(whole.dtype)
    np.add.at(sums, clusters, whole)
    within = int(number * (whole * whole).sum() - whole.sum() ** 2)
    if not within or groups < 2:
        return 1.0
    between = int(((number * sums - sizes * whole.sum()) ** 2).sum())
    return between * groups * (number - 1) / (number**2 * within * (groups - 1))


def stratified_variance(values: Sequence[int], strata: Ints, denominator: int) -> float | None:
    """Variance of one mean within fixed strata: sum_s (N_s/N)^2 s_s^2 / N_s; None where a stratum has one problem.

    ``values`` (N,) integer scores over ``denominator``; ``strata`` (N,) integers. It tells of problems of the same mix.
    """
    whole, number = np.array(values, dtype=object), len(values)
    total = Fraction(0)
    for stratum in np.unique(strata):
        members = whole[strata == stratum]
        if len(members) < 2:
            return None
        within = len(members) * (members * members).sum() - members.sum() ** 2
        total += Fraction(int(within), len(members) - 1)
    return float(total / (number**2 * denominator**2))


def _squares(lattice: ScoreLattice, counts: Ints) -> tuple[Integers, Integers]:
    """N sum X^2 - (sum X)^2 and N^2 (N - 1) times the denominator squared: their quotient is the squared error."""
    number = counts.sum(axis=1).astype(object)
    first = _sums(counts, lattice.values)
    second = _sums(counts, [value * value for value in lattice.values])
    return number * second - first * first, number**2 * (number - 1) * lattice.denominator**2


def _sums(counts: Ints, weights: Sequence[int]) -> Integers:
    """counts @ weights in integers that cannot overflow, shape (M,)."""
    largest = max(map(abs, weights)) * int(counts.sum(axis=1).max(initial=0))
    kind = np.int64 if largest < 1 << 62 else object
    return (counts.astype(kind) @ np.array(weights, dtype=kind)).astype(object)


def _quotients(tops: Integers, bottoms: Integers) -> Floats:
    """Each rounded once, as integers of Python divide; NaN over 0."""
    pairs = zip(tops, bottoms, strict=True)
    return np.array([top / bottom if bottom else math.nan for top, bottom in pairs], dtype=float)
