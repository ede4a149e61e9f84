"""The sign-flip test on problem means: p-values of T = sum of +-a_i with fair signs, exactly or by the saddlepoint.

``sizes`` are a_i = |d_i| on the integer lattice (with clusters: of their sums), S = |sum d_i|. The law of T is computed
where few problems differ or where an approximation could change what is said at a level; many pairs at once get the
saddlepoint. Same bits on every machine: halving and adding is dyadic, the saddlepoint uses
:mod:`benchforge.macros.normal`, and what a transform gives is put on a grid of 1e-9, doubts decided by halving.

Sources: Fisher 1935 (the test); Lugannani, Rice 1980 (the saddlepoint). Mid-p as Fagerland, Lydersen, Laake 2013.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import normal
from .families import integer_power
from .paired import histograms, in_parts
from .ranks import Floats, Integers

FEW_DISCORDANT = 20
"""Below this many discordant problems the saddlepoint is off by up to 40 %: the law itself is computed."""
LEVELS = (0.05, 0.01, 0.001)
NEAR_LEVEL = 0.25
"""A saddlepoint p within 25 % of a level is computed exactly: where 20 problems differ it may be off by 20 %."""
P_GRID = 10**9
EXACT, SADDLEPOINT = "sign_flip", "sign_flip_saddlepoint"

_LN2 = 0.6931471805599453
_TRANSFORM_ERROR = 1e-4  # of a grid step: a p this close to a rounding boundary is computed by halving and adding
_LONGEST_LAW, _LONGEST_TRANSFORM = 1 << 16, 1 << 19


def flip_p_values(sizes: Integers, totals: Integers) -> tuple[Floats, NDArray[np.str_]]:
    """p and its method for many pairs: ``sizes`` (pairs, m) >= 0, ``totals`` (pairs,); both results (pairs,).

    The saddlepoint, replaced by the exact law below 20 discordant problems and within 25 % of a level. Where more than
    20 problems differ on a lattice too fine for a transform, the saddlepoint stays.
    """
    reach = np.abs(totals)
    p, is_exact = np.ones(len(reach)), reach == 0
    is_few = np.count_nonzero(sizes, axis=1) < FEW_DISCORDANT
    many = np.flatnonzero(~is_exact & ~is_few)
    p[many] = _saddlepoints(sizes[many], reach[many])
    for pair in np.flatnonzero(~is_exact & (is_few | is_near_level(p))):
        found = flip_mid_p(sizes[pair], int(reach[pair]))
        p[pair], is_exact[pair] = (p[pair], False) if found is None else (found, True)
    return p, np.where(is_exact, EXACT, SADDLEPOINT)


def flip_mid_p(sizes: ArrayLike, total: int) -> float | None:
    """P(|T| > S) + P(|T| = S) / 2, S = |total|, from the exact law; 1 where S = 0. With all sizes 1: McNemar's mid-p.

    ``sizes`` (m,) integers >= 0; zeros change nothing. None where 20 or more of them lie on a lattice too fine.
    """
    values, reach = _reduced(sizes, total)
    span = sum(values)
    if reach == 0:
        return 1.0
    if len(values) < FEW_DISCORDANT:
        return _halved(values, reach) if span <= _LONGEST_LAW else _enumerated(values, reach)
    if span > _LONGEST_TRANSFORM:
        return None
    found = _transformed(values, reach) * P_GRID
    if abs(found % 1 - 0.5) < _TRANSFORM_ERROR:
        found = _halved(values, reach) * P_GRID
    return round(found) / P_GRID


def flip_saddlepoint(values: ArrayLike, counts: ArrayLike, totals: ArrayLike) -> Floats:
    """The same p by the saddlepoint, for many pairs at once: 2 [Phi(-w) + phi(w) (1/u - 1/w)].

    ``values`` (a,) distinct sizes > 0, ``counts`` (pairs, a) how often each occurs, ``totals`` (pairs,) S > 0; (pairs,)
    out. With K(s) = sum h_a ln cosh(a s), K'(s) = S: w = sqrt(2 (sS - K)), u = s sqrt(K'').
    Error in ln p (p .001 to .2) up to .2 at 20 discordant problems, .07 at 70, .02 at 400: scores of few sizes lie on a
    coarse lattice. Where S is the largest possible, p = 2^-m is given.
    """
    sizes, weights = np.asarray(values, np.float64), np.asarray(counts, np.float64)
    target = np.abs(np.asarray(totals, np.float64))
    largest, number = _dot(weights, sizes), _dot(weights, np.ones_like(sizes))
    is_inside = target < largest
    s = _saddlepoint(sizes, weights, np.where(is_inside, target, 0.5 * largest))
    cumulant, _, curvature = _cumulants(sizes, weights, s)
    w = np.sqrt(np.maximum(2 * (s * np.where(is_inside, target, 0.5 * largest) - cumulant), 1e-300))
    u = s * np.sqrt(curvature)
    p = normal.two_sided(w) + 2 * normal.density(w) * (1 / u - 1 / w)
    return np.clip(np.where(is_inside, p, normal.exponential(-number * _LN2)), 0.0, 1.0)


def is_near_level(p_values: ArrayLike) -> NDArray[np.bool_]:
    """Whether a p lies within 25 % of .05, .01 or .001, where an approximation could change what is said."""
    values = np.asarray(p_values, np.float64)
    return np.any([np.abs(values - level) <= NEAR_LEVEL * level for level in LEVELS], axis=0)


# ---- the exact law ------------------------------------------------------------------------------------------------


def _reduced(sizes: ArrayLike, total: int) -> tuple[list[int], int]:
    """Sizes without zeros, largest first, and S, both over their common divisor."""
    values = [int(size) for size in np.sort(np.asarray(sizes))[::-1] if size]
    step = math.gcd(*values) or 1
    return [value // step for value in values], abs(int(total)) // step


def _halved(values: Sequence[int], reach: int) -> float:
    """By halving and adding: exact while there are at most 53 signs, one order of additions always."""
    span = sum(values)
    law = np.zeros(2 * span + 1)
    law[span] = 1.0
    for value in values:
        following = np.zeros_like(law)
        following[value:] += 0.5 * law[: len(law) - value]
        following[: len(law) - value] += 0.5 * law[value:]
        law = following
    beyond = np.cumsum(law[::-1])  # from the far end, so that small probabilities are added first
    at = 2 * span - (span + reach)
    return min(float(beyond[at] * 2 - law[span + reach]), 1.0)


def _transformed(values: Sequence[int], reach: int) -> float:
    """By one inverse real transform of the characteristic function prod cos(a w), real and even."""
    span = sum(values)
    length = 1 << (2 * span + 1).bit_length()
    sizes, counts = np.unique(np.array(values), return_counts=True)
    grid = np.arange(length // 2 + 1)
    law = np.fft.irfft(_characteristic(grid, sizes, counts, length), length)
    inside = law[0] + 2 * float(law[1:reach].sum()) + float(law[reach])
    return min(max(1 - inside, 0.0), 1.0)


def _characteristic(grid: Integers, sizes: Integers, counts: Integers, length: int) -> Floats:
    cosines = np.cos(2 * np.pi / length * np.arange(length))
    product = np.ones(len(grid))
    for size, count in zip(sizes, counts, strict=True):
        product *= integer_power(cosines[(grid * size) % length], int(count))
    return product


def _enumerated(values: Sequence[int], reach: int) -> float:
    """All signs but the first, which symmetry gives: for few values on a fine lattice."""
    kind = np.int64 if sum(values) < 1 << 62 else object
    sums = np.array([values[0]], dtype=kind)
    for value in values[1:]:
        sums = np.concatenate([sums + value, sums - value])
    sizes = np.abs(sums)
    beyond, equal = np.count_nonzero(sizes > reach), np.count_nonzero(sizes == reach)
    return (2 * beyond + equal) / (2 * len(sums))


# ---- the saddlepoint ------------------------------------------------------------------------------------------------


def _saddlepoints(sizes: Integers, reach: Integers) -> Floats:
    """The saddlepoint p of pairs (pairs, m), from histograms of their sizes, a few pairs at a time."""
    found = [np.ones(0)]
    for rows in in_parts(*sizes.shape):
        values, counts = histograms(sizes[rows])
        is_used = (values > 0) & counts.any(axis=0)
        found.append(flip_saddlepoint(values[is_used], counts[:, is_used], reach[rows]))
    return np.concatenate(found)


def _saddlepoint(sizes: Floats, weights: Floats, target: Floats) -> Floats:
    """s > 0 with K'(s) = target. K' is concave, so Newton from below the root stays below and needs no bracket.

    Each pair stops by itself: its result does not depend on which others are computed with it.
    """
    s = target / _dot(weights, sizes * sizes)
    moving = np.arange(len(s))
    for _ in range(100):
        _, slope, curvature = _cumulants(sizes, weights[moving], s[moving])
        lacking = target[moving] - slope
        is_far = lacking > 1e-14 * target[moving]
        moving, step = moving[is_far], (lacking / curvature)[is_far]
        s[moving] = s[moving] + step
        moving = moving[step > 1e-12 * s[moving]]
        if not len(moving):
            break
    return s


def _cumulants(sizes: Floats, weights: Floats, s: Floats) -> tuple[Floats, Floats, Floats]:
    """K, K', K'' of shape (pairs,); ln cosh x = x + ln(1 + e^(-2x)) - ln 2."""
    x = s[:, None] * sizes
    decay = normal.exponential(-2 * x)
    tangent = (1 - decay) / (1 + decay)
    cumulant = _dot(weights, x + normal.logarithm(1 + decay) - _LN2)
    return cumulant, _dot(weights, tangent * sizes), _dot(weights, 4 * decay / (1 + decay) ** 2 * sizes * sizes)


def _dot(weights: Floats, values: Floats) -> Floats:
    """Sum over the last axis from left to right: one order of additions on every machine."""
    return np.cumsum(weights * values, axis=-1)[..., -1]
