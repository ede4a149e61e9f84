"""Student's law without special functions: the finite sums of Abramowitz, Stegun 1964, 26.7.3 and 26.7.4."""

from __future__ import annotations

import math
from functools import lru_cache


@lru_cache(maxsize=1024)
def half_square(freedom: int) -> float:
    """t_{freedom}(.975)^2 / 2, by bisection on the distribution function; 15 digits."""
    low, high = 1.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _central_mass(middle, freedom) < 0.95 else (low, middle)
    return low * low / 2


def _central_mass(t: float, freedom: int) -> float:
    """P(|T| <= t)."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    if freedom == 1:
        return 2 * angle / math.pi
    term, total = (cosine, cosine) if freedom % 2 else (1.0, 1.0)
    for step in range(2 + freedom % 2, freedom - 1, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    return 2 * (angle + sine * total) / math.pi if freedom % 2 else sine * total
