"""Many comparisons at once: one constant per board, adjusted p-values, and the screen over all pairs.

The constant of a board of M models is Tukey's studentized range at infinite degrees of freedom over sqrt 2: all pairs
of M equal models stay below it in 95 % of boards, so it also holds for pairs chosen after looking (the best model,
neighbours in the ranking). A baseline named in advance needs less: Holm.

Sources: Tukey 1953 and Kramer 1956 (range of means; paired standard errors); Holm 1979; Benjamini, Hochberg 1995.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import normal

CONFIDENCE = 0.95
SQUARE_SCALE = 10**12
"""Squared constants are integers over this, so that ranks are decided in integers."""

_STEP, _REACH = 0.1, 9.0  # the integrand is analytic: the trapezoid's error is below 1e-12 up to 5,000 models
_ROOT2 = 1.4142135623730951
_ROWS_AT_ONCE = 256
Floats = NDArray[np.float64]


@lru_cache(maxsize=4096)
def tukey_constant(num_models: int) -> float:
    """c_M = q / sqrt 2 with  M Int phi(u) [Phi(u) - Phi(u - q)]^(M-1) du = .95;  ValueError below two models."""
    if num_models < 2:
        raise ValueError(f"a board of {num_models} models has nothing to compare")
    low, high = 1.9, 12.0
    constant = 2.0 + 0.48 * float(normal.logarithm(num_models))
    for _ in range(60):
        mass, slope = _mass_and_slope(num_models, constant)
        low, high = (constant, high) if mass < CONFIDENCE else (low, constant)
        proposed = constant - (mass - CONFIDENCE) / slope if slope else constant
        following = proposed if low <= proposed <= high else (low + high) / 2
        if abs(following - constant) < 1e-13:
            return following
        constant = following
    return constant


def tukey_constant_squared(num_models: int) -> int:
    """c_M squared as an integer over 10^12."""
    constant = tukey_constant(num_models)
    return round(constant * constant * SQUARE_SCALE)


def is_above_constant(squared: float, num_models: int) -> bool:
    """Whether ``squared`` > c_m^2, for the squared statistic rounded once.

    The constant grows with the number of models: those of powers of two on either side decide most questions, so
    dropping models one by one costs a handful of integrals instead of one for each.
    """
    above = 1 << (num_models - 1).bit_length()
    if squared > tukey_constant_squared(above) / SQUARE_SCALE:
        return True
    if squared <= tukey_constant_squared(max(above // 2, 2)) / SQUARE_SCALE:
        return False
    return squared > tukey_constant_squared(num_models) / SQUARE_SCALE


def tukey_p(statistics: ArrayLike, num_models: int) -> Floats:
    """Familywise p of |D| / sqrt Q among all pairs of M models: 1 - M Int phi [Phi(u) - Phi(u - sqrt2 t)]^(M-1).

    ``statistics`` (m,) >= 0 in, (m,) out; never below the p of the pair alone, which holds where 1 - x has no digits.
    """
    values = np.asarray(statistics, dtype=np.float64)
    points = np.arange(round(2 * _REACH / _STEP) + 1) * _STEP - _REACH
    weights, below = normal.density(points) * _STEP, normal.distribution(points)
    found = np.empty_like(values)
    for start in range(0, len(values), _ROWS_AT_ONCE):
        part = values[start : start + _ROWS_AT_ONCE]
        gaps = below - normal.distribution(points - _ROOT2 * part[:, None])
        found[start : start + len(part)] = 1 - num_models * _in_order(weights * integer_power(gaps, num_models - 1))
    return np.clip(found, normal.two_sided(values), 1.0)


def holm(p_values: Sequence[float] | Floats) -> Floats:
    """Holm's step-down p-values (m,), familywise for hypotheses named in advance; equal p stay equal."""
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    raised = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return _unsorted(np.minimum(raised, 1.0), order)


def benjamini_hochberg(p_values: Sequence[float] | Floats) -> Floats:
    """q-values (m,): false discovery rate when every pair up to this one is called different. A screen."""
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    number = len(values)
    raised = values[order] * number / np.arange(1, number + 1)
    return _unsorted(np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0), order)


def _mass_and_slope(num_models: int, constant: float) -> tuple[float, float]:
    """Probability that the range stays below c sqrt 2, and its derivative in c."""
    points = np.arange(round(2 * _REACH / _STEP) + 1) * _STEP - _REACH
    weights = normal.density(points) * _STEP
    shifted = points - _ROOT2 * constant
    gaps = normal.distribution(points) - normal.distribution(shifted)
    rest = integer_power(gaps, num_models - 2)
    mass = num_models * float(_in_order(weights * rest * gaps))
    inner = weights * rest * normal.density(shifted) * _ROOT2
    return mass, num_models * (num_models - 1) * float(_in_order(inner))


def _in_order(terms: Floats) -> Floats:
    """Sum over the last axis from left to right: one order of additions on every machine."""
    return np.cumsum(terms, axis=-1)[..., -1]


def integer_power(base: Floats, exponent: int) -> Floats:
    """By squaring: only multiplications."""
    result = np.ones_like(base)
    while exponent:
        if exponent & 1:
            result = result * base
        exponent >>= 1
        base = base * base if exponent else base
    return result


def _unsorted(values: Floats, order: NDArray[np.int64]) -> Floats:
    result = np.empty_like(values)
    result[order] = values
    return result
