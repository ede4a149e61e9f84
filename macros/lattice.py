"""Quantiles of a sum of N draws from a finite set of integers: the exact bootstrap law of a mean.

Theory. The law of the sum is the N-fold convolution of the histogram. One real FFT of the histogram, its N-th power
(by squaring) and one inverse FFT give it to about 1e-13. The transform is as long as the sum can stray from its mean
with probability above 3e-14 (Hoeffding 1963), not as long as the whole range. Where the distribution function comes
within 1e-11 of the level, that comparison is repeated in integers (the recurrence for powers of a polynomial, Euler;
Knuth 4.7, exercise 4), so the answer is the same on any machine. Whole boards go through
:mod:`benchforge.macros.spectrum`, which agrees with this page to the last point and comes here for near ties.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

LEVELS = (Fraction(25, 1000), Fraction(975, 1000))
TAIL_NATS = 32.0  # two-sided Hoeffding bound 2 exp(-32) < 3e-14, far below the margin at a level
LONGEST_SPAN = 1 << 14
"""Steps of a lattice per draw; finer ones are sampled (:mod:`benchforge.macros.resampling`)."""


def margin(number: int) -> float:
    """How near to a level a computed distribution function of ``number`` draws may come before integers decide."""
    return max(1e-11, 1e-15 * number)


def quantiles_of_sum(values: Sequence[int], counts: Sequence[int]) -> tuple[int, int]:
    """2.5 % and 97.5 % quantile of the sum of N = sum(counts) draws with replacement, exact.

    ``values`` (m,) integers, ``counts`` (m,) how often each stands in the data. A quantile is the smallest point whose
    distribution function reaches the level. ValueError for a lattice of more than LONGEST_SPAN steps per draw.
    """
    present = {value: count for value, count in _merged(values, counts).items() if count}
    number, smallest = sum(present.values()), min(present)
    if len(present) == 1:
        return number * smallest, number * smallest
    step = math.gcd(*(value - smallest for value in present))
    reduced = {(value - smallest) // step: count for value, count in present.items()}
    if max(reduced) > LONGEST_SPAN:
        raise ValueError(f"a lattice of {max(reduced)} steps per draw is too fine")
    first, law = law_of_sum(reduced, number)
    low, high = (_quantile(first, np.cumsum(law), reduced, level) for level in LEVELS)
    return number * smallest + step * low, number * smallest + step * high


def law_of_sum(weights: Mapping[int, float], number: int) -> tuple[int, NDArray[np.float64]]:
    """(first point, probabilities) of the sum of ``number`` draws; mass outside the window is below 3e-14."""
    span = max(weights)
    total = math.fsum(weights.values())
    mean = number * math.fsum(value * weight for value, weight in sorted(weights.items())) / total
    reach = math.ceil(span * math.sqrt(number * TAIL_NATS / 2)) + 1
    first = max(0, math.floor(mean) - reach)
    last = min(number * span, math.ceil(mean) + reach)
    length = _smooth(last - first + 1)
    circle = np.zeros(length)
    for value, weight in sorted(weights.items()):
        circle[value % length] += weight / total
    transform = _power(np.fft.rfft(circle), number)
    law = np.fft.irfft(transform, length)
    places = (first + np.arange(last - first + 1)) % length
    return first, np.maximum(law[places], 0.0)


def cumulative_exactly(counts: dict[int, int], point: int) -> Fraction:
    """P(sum of N draws <= point) in integers; ``counts`` must hold the value 0 (its smallest).

    Coefficients of P(x)^N, P = sum counts[v] x^v:  c_m m a_0 = sum_{v>0} ((N+1) v - m) a_v c_{m-v}.
    """
    number, base = sum(counts.values()), counts[0]
    steps = [(value, count) for value, count in sorted(counts.items()) if value]
    coefficients = [base**number]
    for m in range(1, point + 1):
        terms = (((number + 1) * value - m) * count * coefficients[m - value] for value, count in steps if value <= m)
        coefficients.append(sum(terms) // (m * base))
    return Fraction(sum(coefficients), number**number)


def _quantile(first: int, cumulative: NDArray[np.float64], counts: dict[int, int], level: Fraction) -> int:
    near, number = margin(sum(counts.values())), sum(counts.values())
    index = int(np.searchsorted(cumulative, float(level) - near))
    while index < len(cumulative) - 1 and abs(cumulative[index] - float(level)) <= near:
        if _reaches(counts, number, first + index, level):
            break
        index += 1
    return first + min(index, len(cumulative) - 1)


def _reaches(counts: dict[int, int], number: int, point: int, level: Fraction) -> bool:
    """Whether the distribution function at ``point`` is at least ``level``; computed from the nearer end."""
    span = max(counts)
    if 2 * point <= number * span:
        return cumulative_exactly(counts, point) >= level
    mirrored = {span - value: count for value, count in counts.items()}
    return 1 - cumulative_exactly(mirrored, number * span - point - 1) >= level


def _merged(values: Sequence[int], counts: Sequence[int]) -> dict[int, int]:
    merged: dict[int, int] = {}
    for value, count in zip(values, counts, strict=True):
        merged[int(value)] = merged.get(int(value), 0) + int(count)
    return merged


def _power(base: NDArray[np.complex128], exponent: int) -> NDArray[np.complex128]:
    """By squaring: only multiplications, the same on every platform."""
    result = np.ones_like(base)
    while exponent:
        if exponent & 1:
            result = result * base
        base = base * base
        exponent >>= 1
    return result


def _smooth(length: int) -> int:
    """Smallest 2^a 3^b 5^c that is at least ``length``: what the transform is fastest on."""
    best = 1 << (length - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            two = three << max(0, (-(-length // three) - 1).bit_length())
            if two >= length:
                best = min(best, two)
            three *= 3
        five *= 5
    return best
