"""The bootstrap where its law cannot be computed: integer weights from a counter, so that a seed fixes every bit.

Theory. Draw b of N problems takes the problems ``((v >> 32) N) >> 32`` for the N positions bN … bN + N - 1, where v is
splitmix64 of the counter ``seed 2^40 + 1 + position``; a weight is how often a problem was taken. The generator is
arithmetic modulo 2^64, the same in SQL, numpy and the JVM, and belongs to no library. Problems stand in the order of
their scores, so the order of rows cannot matter, and models with the same N share their draws. Scores are integers over
one denominator; sums of them are formed in pieces of so many bits that doubles hold them, exactly, whatever library
multiplies the matrices.
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
_DOUBLE_BITS, _INTEGER_BITS = 52, 62  # what a double and an integer hold exactly, a sign apart
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
    number, largest = int(counts[0].sum()), max(values)
    bits = _DOUBLE_BITS - number.bit_length() - len(values).bit_length()  # steps to the next score change their sign
    pieces = _pieces(values, bits)
    sums = np.empty((len(counts), num_resamples, pieces.shape[1]), dtype=np.int64)
    ends = np.cumsum(counts, axis=1)
    for first, last, drawn in _draws(seed, number, num_resamples):
        for cell, end in enumerate(ends):
            used = np.flatnonzero(counts[cell])
            steps = pieces[used] - np.append(pieces[used[1:]], np.zeros((1, pieces.shape[1])), axis=0)
            sums[cell, first:last] = np.rint(steps.T @ drawn[end[used]]).T  # no rounding at all
    ranked = _ranked if (largest * number).bit_length() <= _INTEGER_BITS else _ranked_by_pieces
    return [ranked(cell, bits, _ranks(num_resamples)) for cell in sums]


def _draws(seed: int, num_problems: int, num_resamples: int) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
    """(first, last, drawn): ``drawn[i, b]`` is how many of draw b fell on the first i problems, shape (N + 1, .)."""
    portion = max(1, _POSITIONS // num_problems)
    for first in range(0, num_resamples, portion):
        last = min(first + portion, num_resamples)
        drawn = np.zeros((num_problems + 1, last - first))
        np.cumsum(weights(seed, num_problems, first, last).T, axis=0, out=drawn[1:])
        yield first, last, drawn


def _pieces(values: Sequence[int], bits: int) -> NDArray[np.float64]:
    """The integers in base 2^bits, least piece first, shape (U, P)."""
    number = max(1, -(-max(values).bit_length() // bits))
    mask = (1 << bits) - 1
    return np.array([[float((value >> (bits * p)) & mask) for p in range(number)] for value in values])


def _ranks(num_resamples: int) -> list[int]:
    return [-(-level.numerator * num_resamples // level.denominator) - 1 for level in LEVELS]


def _ranked(sums: Ints, bits: int, ranks: list[int]) -> tuple[int, int]:
    """The order statistics of one cell; ``sums`` (B, P) in base 2^bits, not yet carried, that fit into one integer."""
    whole = sums[:, 0].copy()
    for piece in range(1, sums.shape[1]):
        whole += sums[:, piece] << (bits * piece)
    low, high = np.partition(whole, ranks)[ranks]
    return int(low), int(high)


def _ranked_by_pieces(sums: Ints, bits: int, ranks: list[int]) -> tuple[int, int]:
    """The same of sums of any size."""
    for piece in range(sums.shape[1] - 1):
        sums[:, piece + 1] += sums[:, piece] >> bits
        sums[:, piece] &= (1 << bits) - 1
    order = np.lexsort(sums.T)
    low, high = (sum(int(digit) << (bits * p) for p, digit in enumerate(sums[order[rank]])) for rank in ranks)
    return low, high
