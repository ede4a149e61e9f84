"""Student's law without special functions: the finite sums of Abramowitz, Stegun 1964, 26.7.3 and 26.7.4.

Only + - * / and square roots, which every machine rounds alike; the arctangent is made of them.
"""

from __future__ import annotations

import math
from functools import lru_cache


@lru_cache(maxsize=1024)
def half_square(freedom: int) -> float:
    """t_{freedom}(.975)^2 / 2, by bisection on the distribution function; 14 digits."""
    low, high = 1.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _central_mass(middle, freedom) < 0.95 else (low, middle)
    return low * low / 2


def _central_mass(t: float, freedom: int) -> float:
    """P(|T| <= t)."""
    cosine = math.sqrt(freedom / (freedom + t * t))
    sine = t / math.sqrt(freedom + t * t)
    if freedom == 1:
        return 2 * _arctangent(t) / math.pi
    term, total = (cosine, cosine) if freedom % 2 else (1.0, 1.0)
    for step in range(2 + freedom % 2, freedom - 1, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    return 2 * (_arctangent(t / math.sqrt(freedom)) + sine * total) / math.pi if freedom % 2 else sine * total


def _arctangent(x: float) -> float:
    """Half the angle until it is small, then nine terms of the series: tan(a/2) = x / (1 + sqrt(1 + x^2))."""
    doublings = 0
    while x > 0.05:
        x, doublings = x / (1 + math.sqrt(1 + x * x)), doublings + 1
    total = 0.0
    for power in range(17, 0, -2):
        total = 1 / power - x * x * total
    return x * total * 2**doublings
