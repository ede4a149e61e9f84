"""Quantiles of many sums at once: the exact bootstrap laws of a whole board.

Theory. The sum S of N draws from a histogram on 0 … m has the characteristic function phi(w)^N. On a circle of L points
that holds all of S but 3e-14 (Hoeffding 1963), its distribution function is a finite sum over w_j = 2 pi j / L::

    F(x) = (x - a + 1) / L + sum_j rho_j (sin(t_j + w_j (x + 1/2)) - sin(t_j + w_j (a - 1/2))) / (L sin(w_j / 2))

with rho_j e^{i t_j} = phi(w_j)^N, j = 1 … (L - 1) / 2, a the first point. |phi|^N falls so fast that few of all the
terms are above 1e-14: one matrix product finds them for all cells of a lattice, and bisection over the points needs
only them, the last steps all, the first ones those above 1e-4. Where F and the level come closer than the error of
this sum, the cell is decided by :mod:`benchforge.macros.lattice`, in integers.
Sources: Efron 1979 (bootstrap); Gil-Pelaez 1951 (distribution function from the characteristic function).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import lattice

_NEGLIGIBLE = 1e-14
_LARGE = 1e-4
_ELEMENTS = 1 << 16
"""Of one block of the matrix product: it stays in the cache."""
_TERMS = 1 << 22

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Circle:
    """L points from ``first`` (one per cell) on; ``table[r]`` is e^{-2 pi i r / L}."""

    length: int
    first: Ints
    table: NDArray[np.complex128]


@dataclass(frozen=True)
class Terms:
    """The terms of F that matter, cell after cell: ``starts[i]`` is where those of cell i begin.

    ``base`` (M,) is their sum at the point before the first, where F is 0.
    """

    starts: Ints
    cell: Ints
    frequency: Floats
    size: Floats
    amplitude: Floats
    phase: Floats
    base: Floats

    def cumulative(self, circle: Circle, point: Ints) -> Floats:
        """F at one point per cell, shape (M,)."""
        rising = (point - circle.first + 1) / circle.length
        return rising + self.waves(point) - self.base

    def larger_than(self, size: float, circle: Circle) -> Terms:
        """Without the small ones; the first term of a cell always stays."""
        kept = self.size >= size
        kept[self.starts] = True
        columns = (column[kept] for column in (self.cell, self.frequency, self.size, self.amplitude, self.phase))
        return _based(circle, np.cumsum(kept)[self.starts] - 1, *columns)

    def waves(self, point: Ints) -> Floats:
        angle = self.phase + self.frequency * (point[self.cell] + 0.5)
        return np.add.reduceat(self.amplitude * np.sin(angle), self.starts)


def quantiles_of_sums(values: Sequence[int], counts: Ints) -> Ints:
    """2.5 % and 97.5 % quantiles of the sums of N_i = counts[i].sum() draws, shape (M, 2), exact.

    ``values`` (U,) integers that grow, ``counts`` (M, U) how often each stands in cell i. A quantile is the smallest
    sum whose distribution function reaches the level. ValueError for a lattice that is too fine (lattice.LONGEST_SPAN).
    """
    distinct, where = np.unique(counts, axis=0, return_inverse=True)
    found = np.empty((len(distinct), 2), dtype=np.int64)
    for chosen, lowest, step in _alike(values, distinct):
        number = int(distinct[chosen[0]].sum())
        reduced = np.array([(value - lowest) // step for value in values], dtype=np.int64)
        for block in _blocks(chosen, number * int(reduced[-1])):
            found[block] = number * lowest + step * _lattice_quantiles(reduced, distinct[block], number)
    return found[where.reshape(-1)]


def steps_of(values: Sequence[int], present: NDArray[np.bool_]) -> tuple[int, int, int]:
    """(smallest value present, step of the lattice, number of steps): 0 steps where one value stands alone."""
    used = [value for value, is_used in zip(values, present, strict=True) if is_used]
    step = math.gcd(*(value - used[0] for value in used)) or 1
    return used[0], step, (used[-1] - used[0]) // step


def _alike(values: Sequence[int], counts: Ints) -> Iterator[tuple[Ints, int, int]]:
    """(cells, smallest value, step) of cells with equal N, lattice and span."""
    patterns, where = np.unique(counts > 0, axis=0, return_inverse=True)
    shapes = [steps_of(values, pattern) for pattern in patterns]
    groups: dict[tuple[int, int, int, int], list[int]] = {}
    for cell, (pattern, number) in enumerate(zip(where.reshape(-1), counts.sum(axis=1), strict=True)):
        groups.setdefault((int(number), *shapes[pattern]), []).append(cell)
    for (_, lowest, step, span), cells in groups.items():
        if span > lattice.LONGEST_SPAN:
            raise ValueError(f"a lattice of {span} steps per draw is too fine")
        yield np.array(cells), lowest, step


def _blocks(cells: Ints, longest: int) -> Iterator[Ints]:
    """Cells in portions whose terms fit into some hundred megabytes, however many matter."""
    size = max(8, _TERMS // (longest + 1))
    yield from (cells[begin : begin + size] for begin in range(0, len(cells), size))


def _lattice_quantiles(values: Ints, counts: Ints, number: int) -> Ints:
    """For cells on one lattice 0 … m: the points where F first reaches each level, shape (M, 2)."""
    used = counts.any(axis=0)
    steps, counts = values[used], counts[:, used]
    if not steps.any():
        return np.zeros((len(counts), 2), dtype=np.int64)
    circle = _circle(steps, counts, number)
    terms = _terms(steps, counts, number, circle)
    points = np.empty((len(counts), 2), dtype=np.int64)
    for side, level in enumerate(lattice.LEVELS):
        margin = lattice.margin(number)
        points[:, side], reached = _quantiles(terms, circle, float(level) - margin)
        for cell in np.flatnonzero(np.abs(reached - float(level)) <= margin):
            points[cell, side] = _decided(steps, counts[cell])[side]
    return points


def _decided(steps: Ints, counts: Ints) -> tuple[int, int]:
    """Both quantiles of one cell by the transform, near ties in integers."""
    low, high = lattice.quantiles_of_sum([int(step) for step in steps], [int(count) for count in counts])
    return int(low), int(high)


def _circle(steps: Ints, counts: Ints, number: int) -> Circle:
    span = int(steps[-1])
    reach = math.ceil(span * math.sqrt(number * lattice.TAIL_NATS / 2)) + 1
    length = min(2 * reach, number * span) + 1 | 1  # odd: no frequency is its own mirror
    centres = (counts @ steps).astype(np.int64)
    first = centres - reach if 2 * reach < number * span else np.zeros_like(centres)
    return Circle(length, first, np.exp(-2j * np.pi * np.arange(length) / length))


def _terms(steps: Ints, counts: Ints, number: int, circle: Circle) -> Terms:
    """Every (cell, frequency) whose |phi|^N is not negligible."""
    smallest = _NEGLIGIBLE ** (2 / number)
    shares = counts / number
    last, block = (circle.length - 1) // 2, max(1, _ELEMENTS // len(counts))
    cells, indices, values = [], [], []
    for begin in range(1, last + 1, block):
        index = np.arange(begin, min(begin + block, last + 1))
        waves = circle.table[np.outer(steps, index) % circle.length]
        real, imaginary = shares @ waves.real, shares @ waves.imag
        cell, place = np.nonzero(real * real + imaginary * imaginary >= smallest)
        cells.append(cell)
        indices.append(index[place])
        values.append(real[cell, place] + 1j * imaginary[cell, place])
    return _sorted_terms(np.concatenate(cells), np.concatenate(indices), np.concatenate(values), number, circle, counts)


def _sorted_terms(
    cell: Ints, index: Ints, phi: NDArray[np.complex128], number: int, circle: Circle, counts: Ints
) -> Terms:
    order = np.argsort(cell, kind="stable")
    cell, index, phi = cell[order], index[order], phi[order]
    frequency = 2 * np.pi * index / circle.length
    size = np.exp(number * np.log(np.abs(phi)))
    amplitude = size / (circle.length * np.sin(frequency / 2))
    phase = number * np.angle(phi)
    starts = np.searchsorted(cell, np.arange(len(counts)))
    return _based(circle, starts, cell, frequency, size, amplitude, phase)


def _based(circle: Circle, *columns: Any) -> Terms:
    """Terms with their base."""
    terms = Terms(*columns, base=np.zeros(len(circle.first)))
    return replace(terms, base=terms.waves(circle.first - 1))


def _quantiles(terms: Terms, circle: Circle, target: float) -> tuple[Ints, Floats]:
    """(smallest point with F >= target, F there) per cell: found with the large terms, settled with all."""
    lowest, highest = circle.first - 1, circle.first + circle.length - 1
    guess, _ = _bisected(terms.larger_than(_LARGE, circle), circle, target, lowest, highest, np.ones(len(lowest)))
    below, above, reached = _bracketed(terms, circle, target, guess)
    return _bisected(terms, circle, target, below, above, reached)


def _bracketed(terms: Terms, circle: Circle, target: float, guess: Ints) -> tuple[Ints, Ints, Floats]:
    """(below, above, F at above) with F(below) < target <= F(above), in steps that grow from the guess."""
    below, above, step = guess - 1, guess, 1
    lower, upper = terms.cumulative(circle, below), terms.cumulative(circle, above)
    while (is_low := upper < target).any() or (lower >= target).any():
        is_high = lower >= target
        above, upper = np.where(is_high, below, above), np.where(is_high, lower, upper)
        below, lower = np.where(is_low, above, below), np.where(is_low, upper, lower)
        below = np.where(is_high, np.maximum(below - step, circle.first - 1), below)
        above = np.where(is_low, np.minimum(above + step, circle.first + circle.length - 1), above)
        lower = np.where(is_high, terms.cumulative(circle, below), lower)
        upper = np.where(is_low, terms.cumulative(circle, above), upper)
        step *= 4
    return below, above, upper


def _bisected(
    terms: Terms, circle: Circle, target: float, below: Ints, above: Ints, reached: Floats
) -> tuple[Ints, Floats]:
    """(smallest point with F >= target, F there), F(below) < target <= F(above) = reached."""
    while (above - below > 1).any():
        middle = (below + above) // 2
        height = terms.cumulative(circle, middle)
        is_high = height >= target
        above, below = np.where(is_high, middle, above), np.where(is_high, below, middle)
        reached = np.where(is_high, height, reached)
    return above, reached
