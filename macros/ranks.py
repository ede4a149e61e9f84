"""Who is better than whom on one board, rank intervals, and who could be first: integers, no resampling.

For models j, l on the same problems with integer scores X over one denominator, d_i = X_ij - X_il::

    D = sum d_i,   Q = sum d_i^2         (with clusters: d_g = the sum of a cluster in place of d_i)
    j better than l  iff  D > 0 and D^2 > c_M^2 Q
    rank_low(j) = 1 + #{l better than j},   rank_high(j) = M - #{l worse than j}

Q is not centred: conservative where few problems differ, and two identical results are never "better".
Sources: Mogstad, Romano, Shaikh, Wilhelm 2024 (rank intervals from simultaneous pairwise tests), with Tukey's constant
in place of their bootstrap quantile; Hansen, Lunde, Nason 2011 (the set of models that could be first).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import families

INTEGER_BITS = 62
_EXACT_BITS, _EXACT_BITS_SINGLE = 53, 24  # integers below 2^53 (2^24) and their sums are exact in float64 (float32)
_DOUBT = 1e-9  # D^2 and c^2 Q carry a relative error of about 1e-15: closer than this, integers decide

Integers = NDArray[Any]
"""int64 where everything computed from it fits, else Python integers in an object array."""
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Pairwise:
    """First and second moments of a board: ``totals`` (M,), ``squares`` (M, M) with Q of every pair, 0 on the diagonal.

    ``totals[j] - totals[l]`` is D.
    """

    totals: Integers
    squares: Integers

    @property
    def differences(self) -> Integers:
        """D of every pair, shape (M, M)."""
        return self.totals[:, None] - self.totals[None, :]

    @property
    def squared_statistics(self) -> Floats:
        """D^2 / Q of every pair, shape (M, M), one division of exact integers; 0 where both are 0."""
        squared = self.differences * self.differences
        return quotients(squared, np.where(self.squares == 0, 1, self.squares))


@dataclass(frozen=True)
class Ranks:
    """Per model, shape (M,): rank by score (ties share the lower), simultaneous 95 % limits, could it be the best."""

    rank: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    could_be_first: Flags


def pairwise(scores: Integers) -> Pairwise:
    """Moments of integer scores (M, N); a column is a problem, or the sum over a cluster."""
    squares = product(scores, scores)
    own = squares.diagonal()
    return Pairwise(scores.sum(axis=1), own[:, None] + own[None, :] - 2 * squares)


def product(left: Integers, right: Integers) -> Integers:
    """X Y^T of entries >= 0 in exact integers, shape (M, M).

    In floating point where no sum can lose a bit, else in pieces of X and Y that are narrow enough for that.
    """
    bits, spare = (_bits(left), _bits(right)), max(left.shape[1], 1).bit_length()
    if left.dtype != object and right.dtype != object and sum(bits) + spare <= _EXACT_BITS:
        kind = np.float32 if sum(bits) + spare <= _EXACT_BITS_SINGLE else np.float64
        return (left.astype(kind) @ right.astype(kind).T).astype(np.int64)
    width = (_EXACT_BITS - spare) // 2
    starts = [range(0, size, width) for size in bits]
    total: Integers = np.zeros((len(left), len(right)), dtype=object)
    for first in starts[0]:
        for second in starts[1]:
            part = _piece(left, first, width) @ _piece(right, second, width).T
            total = total + part.astype(np.int64).astype(object) * (1 << (first + second))
    return total


def ranks(moments: Pairwise) -> Ranks:
    """Rank intervals and possible winners of a board of M >= 2 models."""
    better = is_better(moments)
    totals, number = moments.totals, len(moments.totals)
    rank = 1 + (totals[None, :] > totals[:, None]).sum(axis=1)
    return Ranks(rank.astype(np.int64), 1 + better.sum(axis=0), number - better.sum(axis=1), could_be_first(moments))


def is_better(moments: Pairwise) -> Flags:
    """(M, M): row better than column with simultaneous confidence of 95 %."""
    number = len(moments.totals)
    squared = families.tukey_constant_squared(number)
    differences = moments.differences
    left = differences.astype(np.float64) ** 2
    right = moments.squares.astype(np.float64) * (squared / families.SQUARE_SCALE)
    decided = left > right
    for row, column in np.argwhere(np.abs(left - right) < _DOUBT * right):
        exact = int(differences[row, column]) ** 2 * families.SQUARE_SCALE
        decided[row, column] = exact > squared * int(moments.squares[row, column])
    return decided & (differences > 0)


def could_be_first(moments: Pairwise) -> Flags:
    """(M,): the set that holds every truly best model with 95 % confidence.

    While the largest D / sqrt Q among the m models left exceeds c_m, the model it speaks against leaves.
    """
    statistics = np.where(moments.differences > 0, moments.squared_statistics, 0.0)
    alive = np.ones(len(statistics), dtype=bool)
    worst, by = statistics.max(axis=0), statistics.argmax(axis=0)
    for remaining in range(len(statistics), 1, -1):
        loser = int(np.argmax(worst))
        if not families.is_above_constant(float(worst[loser]), remaining):
            break
        alive[loser], worst[loser], statistics[loser] = False, -1.0, 0.0
        for model in np.flatnonzero(alive & (by == loser)):
            by[model] = int(np.argmax(statistics[:, model]))
            worst[model] = statistics[by[model], model]
    return alive


def quotients(numerators: Integers, denominators: Integers | int) -> Floats:
    """Elementwise division of exact integers; at most one rounding of each side and one of the quotient."""
    if numerators.dtype == object:
        return np.asarray(numerators / denominators, dtype=np.float64)
    if isinstance(denominators, int):
        return numerators.astype(np.float64) / float(denominators)
    return numerators.astype(np.float64) / denominators.astype(np.float64)


def fitting(values: Integers, bound: int) -> Integers:
    """int64 where ``bound`` (of all that will be computed from the values) fits, else Python integers."""
    return values.astype(np.int64 if bound < 1 << INTEGER_BITS else object)


def _bits(scores: Integers) -> int:
    return int(scores.max()).bit_length() if scores.size else 0


def _piece(scores: Integers, start: int, width: int) -> Floats:
    return ((scores >> start) & ((1 << width) - 1)).astype(np.float64)
