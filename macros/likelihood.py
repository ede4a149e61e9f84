"""Endpoints of the EL-half interval: where the profile deviance of the mean reaches a height.

With scores x_i of weight w_i, plus half a pseudo problem at 0 and half at 1, W = sum w and log-odds tilt y::

    r_i(y) = 1 - x_i + x_i e^y
    D(y)   = W ln(sum_i (w_i / r_i) / W) + sum_i w_i ln r_i          0 at y = 0, growing on both sides
    t(y)   = sum_i (w_i x_i / r_i) / sum_i (w_i / r_i)               mean under the tilted weights
    low    = t(y1), y1 > 0, D(y1) = h;    high = t(y2), y2 < 0, D(y2) = h

Newton on sqrt(D) - sqrt(h), bracketed. An endpoint that falls within 1e-4 of a grid point is decided in decimals.
Sources: Owen 1988; Chen, Variyath, Abraham 2008; the half pseudo problems are the half counts of the Jeffreys prior.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

_STEPS = 60
_BATCH_STEPS = 8
_NEAR_GRID = 1e-4
Floats = NDArray[np.float64]


def solve(scores: Floats, weights: Floats, height: float, grid: int | None) -> tuple[float, float]:
    """(low, high) for scores (m,) of weight (m,); on multiples of 1/grid, outwards, where a grid is given."""
    used = weights > 0
    order = np.argsort(scores[used], kind="stable")
    x = np.concatenate(([0.0], scores[used][order], [1.0]))
    w = np.concatenate(([0.5], weights[used][order], [0.5]))
    low, high = (_tilted_mean(x, w, _root(x, w, height, side)) for side in (1.0, -1.0))
    if grid is None:
        return low, high
    return _rounded(x, w, height, low, grid, is_low=True), _rounded(x, w, height, high, grid, is_low=False)


def solve_many(scores: Floats, weights: Floats, heights: Floats, grid: int) -> tuple[Floats, Floats]:
    """(low, high), shape (M,) each, for cells on the same scores (U,) with weights (M, U), on multiples of 1/grid.

    Newton takes all cells a fixed number of steps; a cell that has not arrived by then, or ends near a grid point, is
    handed to ``solve``, so the limits are those of ``solve`` whatever else stands in the batch.
    """
    x = np.concatenate(([0.0], scores, [1.0]))
    half = np.full((len(weights), 1), 0.5)
    w = np.hstack((half, weights, half))
    low, low_arrived = _limits(x, w, heights, 1.0)
    high, high_arrived = _limits(x, w, heights, -1.0)
    is_plain = low_arrived & high_arrived & _is_clear(low * grid) & _is_clear(high * grid)
    low, high = np.floor(low * grid) / grid, np.ceil(high * grid) / grid
    for cell in np.flatnonzero(~is_plain):
        low[cell], high[cell] = solve(scores, weights[cell], float(heights[cell]), grid)
    return low, high


def _limits(x: Floats, w: Floats, heights: Floats, side: float) -> tuple[Floats, NDArray[np.bool_]]:
    """(tilted means where D = height, whether Newton arrived); no bracket: who leaves does not arrive."""
    total = w.sum(axis=1)
    mean = w @ x / total
    variance = w @ (x * x) / total - mean * mean
    y = side * np.sqrt(2 * heights * np.maximum(variance, 0.0) / total) / (mean * (1 - mean))
    step = np.full_like(y, np.inf)
    with np.errstate(all="ignore"):  # a cell that leaves the road ends in NaN
        for _ in range(_BATCH_STEPS):
            step = _newton_step(x, w, total, heights, y)
            y = y - step
        odds = np.exp(y)
        inverse = w / (1 - x + odds[:, None] * x)
        limits = inverse @ x / inverse.sum(axis=1)
        return limits, (np.abs(step) < 1e-12 * np.maximum(1.0, np.abs(y))) & (side * y > 0)


def _newton_step(x: Floats, w: Floats, total: Floats, heights: Floats, y: Floats) -> Floats:
    """Of sqrt(D) - sqrt(height)."""
    rise = np.exp(y)[:, None] * x
    ratio = 1 - x + rise
    inverse = w / ratio
    sums = inverse.sum(axis=1)
    deviance = np.maximum(total * np.log(sums / total) + (w * np.log(ratio)).sum(axis=1), 0.0)
    slope = (inverse * rise).sum(axis=1) - total * (inverse * rise / ratio).sum(axis=1) / sums
    return (deviance - np.sqrt(heights * deviance)) * 2 / slope


def _is_clear(limits: Floats) -> NDArray[np.bool_]:
    return np.abs(limits - np.rint(limits)) > _NEAR_GRID


def _root(x: Floats, w: Floats, height: float, side: float) -> float:
    """Tilt y of the given sign with D(y) = height."""
    total = math.fsum(w)
    mean = math.fsum(w * x) / total
    variance = math.fsum(w * (x - mean) ** 2) / total
    y = side * math.sqrt(2 * height * variance / total) / (mean * (1 - mean))
    near, far = 0.0, math.inf
    for _ in range(_STEPS):
        deviance, slope = _deviance(x, w, y)
        near, far = (max(near, abs(y)), far) if deviance < height else (near, min(far, abs(y)))
        step = (deviance - math.sqrt(height * deviance)) * 2 / slope if slope else 0.0
        if abs(step) < 1e-13 * max(1.0, abs(y)):
            break
        y = side * _inside(abs(y - step) if side * (y - step) > 0 else 0.0, near, far)
    return y


def _inside(proposed: float, near: float, far: float) -> float:
    """The proposal, or the middle of the bracket where Newton leaves it."""
    if near < proposed < far:
        return proposed
    return 2 * near + 1 if math.isinf(far) else (near + far) / 2


def _deviance(x: Floats, w: Floats, y: float) -> tuple[float, float]:
    """D(y) and D'(y) = sum w_i r'_i / r_i - W sum w_i r'_i / r_i^2 / sum w_i / r_i, r' = x e^y."""
    odds = math.exp(y)
    ratio = 1 - x + x * odds
    total, inverse = math.fsum(w), math.fsum(w / ratio)
    deviance = total * math.log(inverse / total) + math.fsum(w * np.log(ratio))
    slope = math.fsum(w * x * odds / ratio) - total * math.fsum(w * x * odds / ratio**2) / inverse
    return max(deviance, 0.0), slope


def _tilted_mean(x: Floats, w: Floats, y: float) -> float:
    ratio = 1 - x + x * math.exp(y)
    return math.fsum(w * x / ratio) / math.fsum(w / ratio)


def _rounded(x: Floats, w: Floats, height: float, limit: float, grid: int, *, is_low: bool) -> float:
    """The endpoint moved outwards to the grid; a near tie is decided by the deviance at that very grid point."""
    nearest = round(limit * grid)
    if abs(limit * grid - nearest) > _NEAR_GRID:
        return (math.floor(limit * grid) if is_low else math.ceil(limit * grid)) / grid
    if nearest <= 0 or nearest >= grid or _is_outside(x, w, height, nearest, grid):
        return nearest / grid
    return (nearest - 1 if is_low else nearest + 1) / grid


def _is_outside(x: Floats, w: Floats, height: float, point: int, grid: int) -> bool:
    """Whether the deviance of the mean point/grid is at least the height, in 60 digits."""
    with localcontext() as context:
        context.prec = 60
        xs = [Decimal(float(value)) for value in x]
        ws = [Decimal(float(value)) for value in w]
        y = _decimal_tilt(xs, ws, Decimal(point) / Decimal(grid))
        odds = y.exp()
        ratio = [1 - value + value * odds for value in xs]
        total = sum(ws, Decimal(0))
        inverse = sum((weight / r for weight, r in zip(ws, ratio, strict=True)), Decimal(0))
        logs = sum((weight * r.ln() for weight, r in zip(ws, ratio, strict=True)), Decimal(0))
        return total * (inverse / total).ln() + logs >= Decimal(height)


def _decimal_tilt(xs: list[Decimal], ws: list[Decimal], mean: Decimal) -> Decimal:
    """The y with t(y) = mean, by bisection: t falls from 1 to 0 as y grows."""
    low, high = Decimal(-60), Decimal(60)
    for _ in range(190):
        middle = (low + high) / 2
        odds = middle.exp()
        ratio = [1 - value + value * odds for value in xs]
        top = sum((weight * value / r for weight, value, r in zip(ws, xs, ratio, strict=True)), Decimal(0))
        bottom = sum((weight / r for weight, r in zip(ws, ratio, strict=True)), Decimal(0))
        low, high = (middle, high) if top / bottom > mean else (low, middle)
    return (low + high) / 2
