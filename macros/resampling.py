"""The bootstrap where its law cannot be computed: integer weights from a counter, so that a seed fixes every bit.

Theory. Draw b of N problems takes the problems ``((v >> 32) N) >> 32`` for the N positions bN … bN + N - 1, where v is
splitmix64 of the counter ``seed 2^40 + 1 + position``; a weight is how often a problem was taken. The generator is
arithmetic modulo 2^64, the same in SQL, numpy and the JVM, and belongs to no library. Problems stand in the order of
their scores, so the order of rows cannot matter, and models with the same N share their draws. Scores are integers over
one denominator; sums of them are formed in pieces of 26 bits, exactly, whatever library multiplies the matrices.
They are formed by parts (Abel): draws on the first problems times the step to the next score that a problem has.
Sources: Efron 1979 (bootstrap); Steele, Lea, Flood 2014 (splitmix64).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .lattice import LEVELS

SEED = 1
NUM_RESAMPLES = 10_000
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_PIECE_BITS = 26  # times N draws, times the scores of a cell: below 2^53
_POSITIONS = 1 << 20  # drawn at a time

Ints = NDArray[np.int64]


def splitmix64(counters: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """64 bits per counter (Steele, Lea, Flood 2014), any shape."""
    value = counters * _GOLDEN
    value ^= value >> np.uint64(30)
    value *= _MIX[0]
    value ^= value >> np.uint64(27)
    value *= _MIX[1]
    value ^= value >> np.uint64(31)
    return value


def weights(seed: int, num_problems: int, first: int, last: int) -> Ints:
    """How often draws ``first`` … ``last - 1`` take each problem, shape (last - first, N); rows sum to N."""
    begin = (seed << 40) + 1 + first * num_problems
    counters = np.arange(begin, begin + (last - first) * num_problems, dtype=np.uint64)
    taken = ((splitmix64(counters) >> np.uint64(32)) * np.uint64(num_problems)) >> np.uint64(32)
    taken = taken.astype(np.int64) + np.repeat(np.arange(last - first) * num_problems, num_problems)
    return np.bincount(taken, minlength=(last - first) * num_problems).reshape(last - first, num_problems)


def quantiles_of_sums(
    values: Sequence[int], counts: Ints, *, seed: int = SEED, num_resamples: int = NUM_RESAMPLES
) -> list[tuple[int, int]]:
    """2.5 % and 97.5 % quantiles of ``num_resamples`` resampled sums, per cell.

    ``values`` (U,) integers of any size, growing; ``counts`` (M, U), every row summing to the same N. A quantile is
    the smallest sum that at least that share of the resamples does not exceed.
    """
    pieces = _pieces(values)
    sums = np.empty((len(counts), num_resamples, pieces.shape[1]), dtype=np.int64)
    ends = np.cumsum(counts, axis=1)
    for first, last, drawn in _draws(seed, int(ends[0, -1]), num_resamples):
        for cell, end in enumerate(ends):
            used = np.flatnonzero(counts[cell])
            steps = pieces[used] - np.append(pieces[used[1:]], np.zeros((1, pieces.shape[1])), axis=0)
            sums[cell, first:last] = np.rint(steps.T @ drawn[end[used]]).T  # below 2^53: no rounding at all
    return [_ranked(cell, num_resamples) for cell in sums]


def _draws(seed: int, num_problems: int, num_resamples: int) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
    """(first, last, drawn): ``drawn[i, b]`` is how many of draw b fell on the first i problems, shape (N + 1, .)."""
    portion = max(1, _POSITIONS // num_problems)
    for first in range(0, num_resamples, portion):
        last = min(first + portion, num_resamples)
        drawn = np.zeros((num_problems + 1, last - first))
        np.cumsum(weights(seed, num_problems, first, last).T, axis=0, out=drawn[1:])
        yield first, last, drawn


def _pieces(values: Sequence[int]) -> NDArray[np.float64]:
    """The integers in base 2^26, least piece first, shape (U, P)."""
    number = max(1, -(-max(values).bit_length() // _PIECE_BITS))
    mask = (1 << _PIECE_BITS) - 1
    return np.array([[float((value >> (_PIECE_BITS * p)) & mask) for p in range(number)] for value in values])


def _ranked(sums: Ints, num_resamples: int) -> tuple[int, int]:
    """The order statistics of one cell; ``sums`` (B, P) in base 2^26, not yet carried."""
    for piece in range(sums.shape[1] - 1):
        sums[:, piece + 1] += sums[:, piece] >> _PIECE_BITS
        sums[:, piece] &= (1 << _PIECE_BITS) - 1
    order = np.lexsort(sums.T)
    ranks = (-(-level.numerator * num_resamples // level.denominator) - 1 for level in LEVELS)
    low, high = (sum(int(digit) << (_PIECE_BITS * p) for p, digit in enumerate(sums[order[rank]])) for rank in ranks)
    return low, high
