"""95 % percentile bootstrap of mean scores, for many cells at once: exact where the law exists, else sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import lattice, resampling, spectrum
from .metrics import ScoreLattice

_PORTION = 256  # cells sampled at a time: their sums are held together

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Bootstraps:
    """Limits (M,), whether they are exact (M,); the seed and the number of resamples of those that are not."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    is_exact: NDArray[np.bool_]
    seed: int
    num_resamples: int = resampling.NUM_RESAMPLES


def bootstraps(scores: ScoreLattice, counts: Ints, *, seed: int = resampling.SEED) -> Bootstraps:
    """Percentile bootstrap over problems (Efron 1979) of every cell.

    ``counts`` (M, U): problems of a cell with each score; every row has at least one. A limit is the smallest mean
    whose distribution function under resampling reaches 2.5 % or 97.5 %: of all resamples where the scores lie on a
    lattice of at most 2^14 steps, else of ``num_resamples`` drawn ones.
    """
    order = np.argsort(np.array(scores.values, dtype=object), kind="stable")
    values, sorted_counts = [scores.values[place] for place in order], counts[:, order]
    distinct, where = np.unique(sorted_counts, axis=0, return_inverse=True)
    is_exact = _has_law(values, distinct)
    sums = np.empty((len(distinct), 2), dtype=object)
    if is_exact.any():
        sums[is_exact] = _exact(values, distinct[is_exact])
    for cells in _sampled_together(distinct, ~is_exact):
        sums[cells] = resampling.quantiles_of_sums(values, distinct[cells], seed=seed)
    scale = distinct.sum(axis=1).astype(object) * scores.denominator
    limits = (sums / scale[:, None]).astype(np.float64)[where.reshape(-1)]  # integers of Python: rounded once
    return Bootstraps(limits[:, 0], limits[:, 1], is_exact[where.reshape(-1)], seed)


def _has_law(values: list[int], counts: Ints) -> NDArray[np.bool_]:
    patterns, where = np.unique(counts > 0, axis=0, return_inverse=True)
    spans = [spectrum.steps_of(values, pattern)[2] for pattern in patterns]
    return np.array([span <= lattice.LONGEST_SPAN for span in spans])[where.reshape(-1)]


def _exact(values: list[int], counts: Ints) -> Ints:
    """Scores that no cell has are put aside: what is left may be small integers."""
    used = np.flatnonzero(counts.any(axis=0))
    return spectrum.quantiles_of_sums([values[place] for place in used], counts[:, used])


def _sampled_together(counts: Ints, chosen: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Cells with the same number of problems, in portions."""
    numbers = counts.sum(axis=1)
    found = []
    for number in np.unique(numbers[chosen]):
        cells = np.flatnonzero(chosen & (numbers == number))
        found += [cells[begin : begin + _PORTION] for begin in range(0, len(cells), _PORTION)]
    return found
