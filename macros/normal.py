"""Exponential, logarithm and the normal law from correctly rounded operations only: the same bits on every machine.

Library versions of these functions differ in the last bits between processors and builds. A p-value that is published
must not, so each function here is a fixed sequence of + - * / and powers of two, which IEEE 754 rounds exactly.

Shapes: arrays of any shape in and out, float64.
Source: Cody 1969, Rational Chebyshev approximations for the error function, Math. Comp. 23 (relative error < 1e-15).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ROOT_HALF, _ROOT_TWO_PI = 0.7071067811865476, 2.5066282746310002
_INVERSE_FACTORIALS = [1 / math.factorial(order) for order in range(14)]
_MIDDLE, _TAIL = 0.46875, 4.0
_CENTRE_TOP = (0.185777706184603153, 3.16112374387056560, 113.864154151050156, 377.485237685302021, 3209.37758913846947)
_CENTRE_BOTTOM = (1.0, 23.6012909523441209, 244.024637934444173, 1282.61652607737228, 2844.23683343917062)
_MIDDLE_TOP = (
    *(2.15311535474403846e-8, 0.564188496988670089, 8.88314979438837594, 66.1191906371416295, 298.635138197400131),
    *(881.952221241769090, 1712.04761263407058, 2051.07837782607147, 1230.33935479799725),
)
_MIDDLE_BOTTOM = (
    *(1.0, 15.7449261107098347, 117.693950891312499, 537.181101862009858, 1621.38957456669019),
    *(3290.79923573345963, 4362.61909014324716, 3439.36767414372164, 1230.33935480374942),
)
_TAIL_TOP = (
    *(1.63153871373020978e-2, 0.305326634961232344, 0.360344899949804439, 0.125781726111229246),
    *(1.60837851487422766e-2, 6.58749161529837803e-4),
)
_TAIL_BOTTOM = (
    *(1.0, 2.56852019228982242, 1.87295284992346725, 0.527905102951428412),
    *(6.05183413124413191e-2, 2.33520497626869185e-3),
)
_ONE_OVER_ROOT_PI = 0.5641895835477563


def exponential(x: ArrayLike) -> Floats:
    """e^x for x <= 700; 0 below -745."""
    x = np.maximum(np.asarray(x, dtype=np.float64), -746.0)
    power = np.rint(x / (_LN2_HIGH + _LN2_LOW))
    rest = (x - power * _LN2_HIGH) - power * _LN2_LOW
    return np.ldexp(_polynomial(_INVERSE_FACTORIALS[::-1], rest), power.astype(np.int64))


def logarithm(x: ArrayLike) -> Floats:
    """ln x for x > 0: 2 artanh((m - 1) / (m + 1)) of the mantissa m in [1/sqrt 2, sqrt 2), plus its power of two."""
    mantissa, power = np.frexp(np.asarray(x, dtype=np.float64))
    is_small = mantissa < _ROOT_HALF
    mantissa, power = np.where(is_small, 2 * mantissa, mantissa), power - is_small
    ratio = (mantissa - 1) / (mantissa + 1)
    series = _polynomial([2 / (2 * order + 1) for order in range(12, -1, -1)], ratio * ratio)
    return (power * _LN2_LOW + ratio * series) + power * _LN2_HIGH


def density(x: ArrayLike) -> Floats:
    """phi(x) of the standard normal law."""
    x = np.asarray(x, dtype=np.float64)
    return exponential(-0.5 * x * x) / _ROOT_TWO_PI


def distribution(x: ArrayLike) -> Floats:
    """Phi(x) of the standard normal law, with full relative accuracy in the lower tail."""
    scaled = np.asarray(x, dtype=np.float64) * _ROOT_HALF
    size = np.abs(scaled)
    upper = 0.5 * _complement(size)
    return np.where(scaled < 0, upper, 1 - upper)


def two_sided(statistic: ArrayLike) -> Floats:
    """2 Phi(-|z|)."""
    return _complement(np.abs(np.asarray(statistic, dtype=np.float64)) * _ROOT_HALF)


def _complement(y: Floats) -> Floats:
    """erfc(y) for y >= 0."""
    square = y * y
    centre = 1 - y * _polynomial(_CENTRE_TOP, square) / _polynomial(_CENTRE_BOTTOM, square)
    scale = _gaussian(y)
    inner = np.minimum(y, _TAIL)
    middle = scale * _polynomial(_MIDDLE_TOP, inner) / _polynomial(_MIDDLE_BOTTOM, inner)
    inverse = 1 / np.maximum(square, 1.0)
    ratio = inverse * _polynomial(_TAIL_TOP, inverse) / _polynomial(_TAIL_BOTTOM, inverse)
    tail = scale * (_ONE_OVER_ROOT_PI - ratio) / np.maximum(y, 1.0)
    return np.where(y <= _MIDDLE, centre, np.where(y <= _TAIL, middle, tail))


def _gaussian(y: Floats) -> Floats:
    """e^(-y^2), with y split at sixteenths so that squaring loses nothing (Cody)."""
    coarse = np.trunc(np.minimum(y, 30.0) * 16) / 16
    rest = (np.minimum(y, 30.0) - coarse) * (np.minimum(y, 30.0) + coarse)
    return exponential(-coarse * coarse) * exponential(-rest)


def _polynomial(coefficients: Sequence[float], x: Floats) -> Floats:
    """Horner, highest power first."""
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value
