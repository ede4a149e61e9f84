"""Two models on the same problems: McNemar's test, the interval of a difference, and the noise in it.

Integers go in, and what comes out is the same on every machine: moments of pairs are exact, endpoints need only
+ - * / and square roots, and the law behind McNemar's test is built by halving and adding.
The test on problem means (several samples a problem) is :mod:`benchforge.macros.sign_flips`.

Sources: Fagerland, Lydersen, Laake 2013 (McNemar mid-p); Wilson 1927 (score interval); Owen 1988 and Chen, Variyath,
Abraham 2008 (empirical likelihood); Miller, arXiv 2411.00640 and arXiv 2512.21326 (total, prediction and data noise);
Liang, Zeger 1986 (clusters).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import likelihood
from .estimators import GRID, HALF_CHI95, Z95
from .ranks import Floats, Integers, fitting, pairwise, product, quotients

FEW_FOR_SCORE = 10
"""With fewer problems than this apart from the commonest difference, the score interval gives way to likelihood.

Problems count by their weight: Q^2 / sum d^4 of them, which is the number of discordant ones where n = 1.
"""

_CELLS_AT_ONCE, _FEW_VALUES = 1 << 18, 1 << 10
_FEW_TO_SORT = 3  # values of a histogram: rows are sorted to find equal ones
_FINEST_UNIT = 250  # of the scores that problems are weighed by


@dataclass(frozen=True)
class Moments:
    """Integer moments of the differences of many pairs, scores being integers over ``unit``.

    D = sum d, Q = sum d^2, R = sum n_g d_g over units g (problems, or clusters with their sums) of sizes n_g:
    ``totals``, ``squares``, ``weighted`` of shape (pairs,); ``sizes`` (G,) adds up to N problems.
    """

    totals: Integers
    squares: Integers
    weighted: Integers
    sizes: NDArray[np.int64]
    unit: int

    @property
    def num_problems(self) -> int:
        return int(self.sizes.sum())

    @property
    def size_squares(self) -> int:
        return int((self.sizes * self.sizes).sum())

    @property
    def centred(self) -> Integers:
        """N^2 sum_g (d_g - n_g d)^2 with d = D / N; for single problems N (N Q - D^2)."""
        number = self.num_problems
        crossed = 2 * number * (self.totals * self.weighted)
        return number * number * self.squares - crossed + self.size_squares * (self.totals * self.totals)


@dataclass(frozen=True)
class Noise:
    """Variances of a difference of means, shape (pairs,); NaN where they cannot be estimated.

    ``data`` may be below 0, which only means that it cannot be seen: its standard error is shown as 0.
    """

    total: Floats
    prediction: Floats

    @property
    def data(self) -> Floats:
        return self.total - self.prediction

    @property
    def standard_errors(self) -> tuple[Floats, Floats, Floats]:
        """(total, prediction, data)."""
        return np.sqrt(self.total), np.sqrt(self.prediction), np.sqrt(np.maximum(self.data, 0.0))


def mcnemar_mid_p(only_first: ArrayLike, only_second: ArrayLike) -> Floats:
    """Two-sided mid-p of McNemar's test, 2 F(k; m, 1/2) - f(k; m, 1/2), k = min(b, c), m = b + c; 1 where b = c.

    ``only_first`` b and ``only_second`` c, of one shape, give that shape. Exact up to 53 discordant problems, then to
    1e-13: the rows of Pascal's triangle are halved one after the other.
    """
    first, second = np.broadcast_arrays(np.asarray(only_first, np.int64), np.asarray(only_second, np.int64))
    total, smaller = (first + second).ravel(), np.minimum(first, second).ravel()
    order = np.argsort(total, kind="stable")
    rows, starts = np.unique(total[order], return_index=True)
    wanted = dict(zip(rows.tolist(), np.split(order, starts[1:]), strict=True))
    largest = int(total.max(initial=0))
    found, law = np.ones(total.shape), np.zeros(largest + 1)
    law[0] = 1.0
    for row in range(1, largest + 1):
        law[1 : row + 1] += law[:row]
        law[: row + 1] *= 0.5
        if row in wanted:
            least = smaller[wanted[row]]
            found[wanted[row]] = (2 * np.cumsum(law[: row // 2 + 1]) - law[: row // 2 + 1])[least]
    return np.where(first == second, 1.0, np.minimum(found.reshape(first.shape), 1.0))


def score_limits(moments: Moments) -> tuple[Floats, Floats]:
    """95 % limits of d = D / N, shape (pairs,): all d with (D - N d)^2 <= z^2 sum_g (d_g - n_g d)^2, within [-1, 1].

    For single problems d -+ z sqrt(v / (N - z^2)), v = Q/N - d^2. They exclude 0 exactly where D^2 > z^2 Q. [-1, 1]
    where N^2 <= z^2 sum n_g^2: too few units to say anything.
    """
    number, square = moments.num_problems, Z95 * Z95
    leading = number * number - square * moments.size_squares
    if leading <= 0:
        return np.full(len(moments.totals), -1.0), np.full(len(moments.totals), 1.0)
    centre = _floats(moments.totals) * number - square * _floats(moments.weighted)
    uneven = moments.size_squares * moments.squares - moments.weighted * moments.weighted
    inner = square * _floats(moments.centred) - square * square * _floats(uneven)
    reach, scale = np.sqrt(np.maximum(inner, 0.0)), leading * float(moments.unit)
    return np.maximum((centre - reach) / scale, -1.0), np.minimum((centre + reach) / scale, 1.0)


def few_discordant_limits(values: Floats, counts: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """95 % limits of a mean difference by empirical likelihood on (d + 1) / 2 with a quarter of a problem at each end.

    ``values`` (U,) distinct differences in [-1, 1], ``counts`` (pairs, U) how many problems have each, zeros included;
    (pairs,) out, on a grid of 2e-6, rounded outwards.
    """
    distinct, place = counts, np.arange(len(counts))
    if len(values) <= _FEW_TO_SORT:
        distinct, place = np.unique(counts, axis=0, return_inverse=True)
    # the deviance is linear in the weights: doubled weights with half pseudo problems are weights with quarters
    heights = np.full(len(distinct), 2 * HALF_CHI95)
    low, high = likelihood.solve_many((values + 1) / 2, 2 * _floats(distinct), heights, GRID)
    return _differences(low)[place.ravel()], _differences(high)[place.ravel()]


def is_few(problems: Integers, unit: int) -> NDArray[np.bool_]:
    """(M, M): whether few problems carry the difference of two models, Q^2 < 10 sum d^4.

    ``problems`` (M, N) scores over ``unit``; on lattices finer than 250 steps they are rounded down for this question.
    Without it the score interval covers .89 at n = 10, N = 80 and means of .98 and .96 (bench: .93 and more with it).
    """
    coarse = problems.astype(np.int64) if unit <= _FINEST_UNIT else (problems * _FINEST_UNIT // unit).astype(np.int64)
    square = coarse * coarse
    own, crossed = (square * square).sum(axis=1), product(square * coarse, coarse)
    fourth = own[:, None] + own[None, :] - 4 * (crossed + crossed.T) + 6 * product(square, square)
    second = _floats(pairwise(coarse).squares)
    return second * second < FEW_FOR_SCORE * _floats(fourth)


def noise_of_pairs(moments: Moments, predictions: tuple[Integers, int] | None) -> Noise:
    """Total and prediction variance of each pair's difference.

    Total: G/(G-1) sum_g (d_g - n_g d)^2 / N^2, with single problems sum (d_i - d)^2 / (N (N-1)); NaN for one unit.
    ``predictions``: per pair, the sum over problems and both models of :func:`prediction_numerators`, and its
    denominator; None where samples are too few.
    """
    number, units = moments.num_problems, len(moments.sizes)
    total = np.full(len(moments.totals), np.nan)
    if units > 1:
        total = quotients(moments.centred, (units - 1) * number**4 * moments.unit**2) * float(units)
    if predictions is None:
        return Noise(total, np.full_like(total, np.nan))
    return Noise(total, quotients(predictions[0], predictions[1] * number * number))


def prediction_numerators(num_planned: int, k: int) -> tuple[Integers, int] | None:
    """Unbiased Var(score | problem) for c = 0 … n, shape (n + 1,), as integers over one denominator.

    f^2 - C(n-c, 2k) / C(n, 2k), f = C(n-c, k) / C(n, k); for k = 1 it is q (1 - q) / (n - 1). None below n = 2k.
    """
    if num_planned < 2 * k:
        return None
    chosen, twice = math.comb(num_planned, k), math.comb(num_planned, 2 * k)
    exact = [
        Fraction(math.comb(failed, k), chosen) ** 2 - Fraction(math.comb(failed, 2 * k), twice)
        for failed in range(num_planned, -1, -1)
    ]
    denominator = math.lcm(*(value.denominator for value in exact))
    numerators = [value.numerator * (denominator // value.denominator) for value in exact]
    return fitting(np.array(numerators, dtype=object), max(numerators) << 24), denominator


def count_discordant(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Problems on which two models score differently, for all pairs of rows in the order of ``triu_indices``.

    ``classes`` (M, N): equal numbers stand for equal scores. Bits are compared 64 problems at a time.
    """
    rows, columns = classes.shape
    padded = np.zeros((rows, -(-columns // 64) * 64), dtype=np.int64)
    padded[:, :columns] = classes
    num_planes = max(int(classes.max(initial=0)).bit_length(), 1)
    planes = [np.packbits((padded >> bit & 1).astype(bool), axis=1).view(np.uint64) for bit in range(num_planes)]
    found = [np.zeros(0, dtype=np.int64)]
    for row in range(rows - 1):
        differs = planes[0][row + 1 :] ^ planes[0][row]
        for plane in planes[1:]:
            differs |= plane[row + 1 :] ^ plane[row]
        found.append(np.bitwise_count(differs).sum(axis=1, dtype=np.int64))
    return np.concatenate(found)


def in_parts(num_rows: int, width: int) -> Iterator[slice]:
    """Slices of the rows of a matrix, so that work on them stays in the cache."""
    step = max(_CELLS_AT_ONCE // max(width, 1), 1)
    return (slice(start, min(start + step, num_rows)) for start in range(0, num_rows, step))


def histograms(rows: Integers) -> tuple[Integers, NDArray[np.int64]]:
    """Values that may occur in (pairs, m), growing, shape (U,), and how often each does in each row (pairs, U)."""
    smallest, largest = int(rows.min()), int(rows.max())
    if largest - smallest < _FEW_VALUES:
        values: Integers = np.arange(smallest, largest + 1)
        places = (rows - smallest).astype(np.int64)
    else:
        values, places = np.unique(rows, return_inverse=True)
    keys = places.reshape(rows.shape) + len(values) * np.arange(len(rows))[:, None]
    return values, np.bincount(keys.ravel(), minlength=len(values) * len(rows)).reshape(len(rows), -1)


def _differences(limits: Floats) -> Floats:
    """2 x - 1 of limits on the grid, from integers."""
    return (2 * np.rint(limits * GRID) - GRID).astype(np.float64) / GRID


def _floats(values: Integers) -> Floats:
    return values.astype(np.float64)
