"""One cell at a time: the numbers of a mart row in plain numpy, for whoever holds the passes of its problems.

Shapes: ``passes`` holds one integer per problem, the number c of its n samples that passed; order never matters,
because everything starts from the histogram of c. A score is an integer over a common denominator, C(n, k) per
problem, so results do not depend on summation order. Whole boards call the modules this page is made of:
:mod:`metrics` (pass@k, pass^k), :mod:`intervals`, :mod:`bootstrap`, :mod:`noise`; their pages name the sources.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import noise, resampling, student
from .bootstrap import bootstraps
from .intervals import (
    FEW_CLUSTERS,
    FEW_FAILURES,
    GRID,
    HALF_CHI95,
    LEAST_DEFF,
    SMALL_N,
    Interval,
    all_or_none,
    on_grid,
    shown_intervals,
    wilson,
)
from .metrics import Metric, ScoreLattice, histogram, mean_pass_at_k, numerators, pass_at_k, pass_hat_k
from .noise import Z95

__all__ = [
    "FEW_CLUSTERS",
    "FEW_FAILURES",
    "GRID",
    "HALF_CHI95",
    "SMALL_N",
    "Z95",
    "Bootstrap",
    "Interval",
    "Metric",
    "StandardErrors",
    "all_or_none",
    "bootstrap",
    "design_effect",
    "el_half",
    "histogram",
    "interval",
    "interval_of_means",
    "mean_pass_at_k",
    "numerators",
    "on_grid",
    "pass_at_k",
    "pass_hat_k",
    "standard_errors",
    "wilson",
]

_UNIT = 1 << 53
"""Means that somebody else recorded are read as multiples of 2^-53: what a double in [0.5, 1] resolves."""


@dataclass(frozen=True)
class StandardErrors:
    """Noise of one score; None where it cannot be estimated. ``data_variance`` may be negative, ``data`` is 0 then."""

    total: float | None
    prediction: float | None
    data: float | None
    data_variance: float | None


@dataclass(frozen=True)
class Bootstrap:
    """95 % limits; ``seed`` and ``num_resamples`` are None where the limits are exact."""

    low: float
    high: float
    seed: int | None = None
    num_resamples: int | None = None


def interval(passes: ArrayLike, num_planned: int, k: int, clusters: Sequence[Any] | None = None) -> Interval | None:
    """The interval shown for mean pass@k (:func:`intervals.shown_intervals`); None where n < k or no problem.

    ``clusters`` (one label per problem, in the order of ``passes``) act from 20 distinct labels on.
    """
    counts = histogram(passes, num_planned)
    if k < 1 or num_planned < k or not counts.sum():
        return None
    scores = Metric("@", k).lattice(num_planned)
    whole = [scores.values[passed] for passed in np.asarray(passes, dtype=np.int64)]
    return _shown(scores, counts, whole, clusters, is_one_sample=num_planned == 1)


def interval_of_means(scores: ArrayLike, clusters: Sequence[Any] | None = None) -> Interval | None:
    """The interval shown for the mean of any scores in [0, 1], shape (N,): EL-half; None for no scores.

    For unequal n, or where only per-problem means were recorded. ValueError for a score outside [0, 1].
    """
    lattice, counts, whole = lattice_of_means(scores)
    return None if not whole else _shown(lattice, counts, whole, clusters, is_one_sample=False)


def lattice_of_means(scores: ArrayLike) -> tuple[ScoreLattice, NDArray[np.int64], list[int]]:
    """(distinct scores, problems with each, the score of every problem), as multiples of 2^-53."""
    values = np.asarray(scores, dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("a score lies outside 0 … 1")
    whole = [round(float(value) * _UNIT) for value in values]
    distinct = sorted(set(whole))
    place = {value: index for index, value in enumerate(distinct)}
    counts = np.bincount([place[value] for value in whole], minlength=len(distinct)).astype(np.int64)
    return ScoreLattice(tuple(distinct), _UNIT), counts, whole


def bootstrap(passes: ArrayLike, num_planned: int, k: int, *, seed: int = resampling.SEED) -> Bootstrap | None:
    """95 % percentile bootstrap of mean pass@k over problems (:func:`bootstrap.bootstraps`); None where n < k."""
    counts = histogram(passes, num_planned)
    if k < 1 or num_planned < k or not counts.sum():
        return None
    return _bootstrap(Metric("@", k).lattice(num_planned), counts, seed)


def bootstrap_of_means(scores: ArrayLike, *, seed: int = resampling.SEED) -> Bootstrap | None:
    """The same of any scores in [0, 1], shape (N,); None for no scores, ValueError for one outside [0, 1]."""
    lattice, counts, whole = lattice_of_means(scores)
    return _bootstrap(lattice, counts, seed) if whole else None


def standard_errors(passes: ArrayLike, num_planned: int, k: int) -> StandardErrors:
    """Noise of mean pass@k (:func:`noise.standard_errors`)."""
    counts = histogram(passes, num_planned)
    if k < 1 or num_planned < k or not counts.sum():
        return StandardErrors(None, None, None, None)
    found = noise.standard_errors(Metric("@", k), num_planned, counts[None, :])
    columns = (found.total, found.prediction, found.data, found.data_variance)
    return StandardErrors(*(None if math.isnan(column[0]) else float(column[0]) for column in columns))


def el_half(
    scores: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    deff: float = 1.0,
    num_clusters: int | None = None,
    is_on_grid: bool = False,
) -> tuple[float, float]:
    """Empirical likelihood with half a pseudo problem at 0 and half at 1, one cell, Newton with a bracket.

    ``scores`` in [0, 1], shape (m,); ``weights`` problems per score (default 1 each). Clusters divide the weights of
    real problems by ``deff`` (floor 0.05) and take t with G - 1 degrees of freedom in place of z (Korn, Graubard 1998).
    With 0/1 scores it is the binomial likelihood-ratio interval at counts s + 1/2. ``is_on_grid`` rounds outwards to
    1e-6, deciding near ties in 60-digit decimals. Owen 1988; Chen, Variyath, Abraham 2008.
    """
    from .likelihood import solve

    values = np.asarray(scores, dtype=float)
    numbers = np.ones_like(values) if weights is None else np.asarray(weights, dtype=float)
    height = HALF_CHI95 if num_clusters is None else student.half_square(num_clusters - 1)
    return solve(values, numbers / max(deff, LEAST_DEFF), height, GRID if is_on_grid else None)


def design_effect(scores: ArrayLike, clusters: Sequence[Any]) -> float:
    """Var_cluster / Var_iid of the mean of scores in [0, 1], shape (N,), one label each (Liang, Zeger 1986)."""
    return noise.design_effect(lattice_of_means(scores)[2], numbered(clusters))


def numbered(labels: Sequence[Any]) -> NDArray[np.int64]:
    """Labels as 0 … G - 1, in their sorted order."""
    place = {label: index for index, label in enumerate(sorted(set(labels)))}
    return np.array([place[label] for label in labels], dtype=np.int64)


def _shown(
    scores: ScoreLattice,
    counts: NDArray[np.int64],
    whole: list[int],
    clusters: Sequence[Any] | None,
    is_one_sample: bool,
) -> Interval:
    codes = numbered(clusters or ())
    deffs = [noise.design_effect(whole, codes)] if clusters else [1.0]
    num_clusters = [int(codes.max(initial=-1)) + 1]
    cells = counts[None, :]
    return shown_intervals(scores, cells, is_one_sample=is_one_sample, deffs=deffs, num_clusters=num_clusters).one(0)


def _bootstrap(scores: ScoreLattice, counts: NDArray[np.int64], seed: int) -> Bootstrap:
    found = bootstraps(scores, counts[None, :], seed=seed)
    low, high = float(found.low[0]), float(found.high[0])
    return Bootstrap(low, high) if found.is_exact[0] else Bootstrap(low, high, seed, found.num_resamples)
