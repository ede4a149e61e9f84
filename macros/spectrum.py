"""Quantiles of many sums at once: the exact bootstrap laws of a whole board.

Theory. The sum S of N draws from a histogram on 0 … m has the characteristic function phi(w)^N. On a circle of L points
that holds all of S but 3e-14 (Hoeffding 1963), its distribution function is a finite sum over w_j = 2 pi j / L::

    F(x) = (x - a + 1) / L + sum_j rho_j (sin(t_j + w_j (x + 1/2)) - sin(t_j + w_j (a - 1/2))) / (L sin(w_j / 2))

with rho_j e^{i t_j} = phi(w_j)^N, j = 1 … (L - 1) / 2, a the first point. |phi|^N falls so fast that few of all the
terms are above 1e-14. |phi|^2 is a trigonometric polynomial of degree m between 0 and 1, so arccos(2 |phi|^2 - 1) moves
by at most m times the way: a grid of some 8 m frequencies tells where those terms can be, and only there one matrix
product looks for all cells of a lattice. Newton's steps over the points start from the quantile of Cornish and Fisher.
Where F and the level come closer than the error of this sum, the cell is decided by :mod:`benchforge.macros.lattice`,
in integers.
Sources: Efron 1979 (bootstrap); Gil-Pelaez 1951 (distribution function from the characteristic function); Szegö 1928
(the bound); Cornish, Fisher 1938 (the start).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from . import lattice
from .noise import Z95 as _Z95

_NEGLIGIBLE = 1e-14
_WAY = 0.2  # m times the way from a frequency of the grid to the farthest that it speaks for
_NEWTON_STEPS = 4
_ELEMENTS = 1 << 16
"""Of one block of the matrix product: it stays in the cache."""
_TERMS = 1 << 22

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Circle:
    """L points from ``first`` (one per cell) on."""

    length: int
    first: Ints

    def waves(self, steps: Ints, index: Ints) -> tuple[Floats, Floats]:
        """Real and imaginary part of e^{-2 pi i steps index / L}, shape (U, frequencies) each."""
        angles = np.outer(steps, index) % self.length * (2 * np.pi / self.length)
        return np.cos(angles), -np.sin(angles)

    def of(self, cells: Ints) -> Circle:
        return replace(self, first=self.first[cells])


@dataclass(frozen=True)
class Terms:
    """The terms of F that matter, cell after cell: ``starts[i]`` is where those of cell i begin.

    ``base`` (M,) is their sum at the point before the first, where F is 0.
    """

    starts: Ints
    cell: Ints
    frequency: Floats
    amplitude: Floats
    phase: Floats
    base: Floats

    def cumulative(self, circle: Circle, point: Ints) -> Floats:
        """F at one point per cell, shape (M,)."""
        rising = (point - circle.first + 1) / circle.length
        return rising + self.waves(point) - self.base

    def of(self, cells: Ints) -> Terms:
        """Those of some cells, which stand in growing order."""
        place = np.full(len(self.starts), -1)
        place[cells] = np.arange(len(cells))
        kept = place[self.cell] >= 0
        columns = (column[kept] for column in (self.frequency, self.amplitude, self.phase))
        cell = place[self.cell[kept]]
        return Terms(np.searchsorted(cell, np.arange(len(cells))), cell, *columns, base=self.base[cells])

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
    for chosen, lowest, step, span in _alike(values, distinct):
        number = int(distinct[chosen[0]].sum())
        reduced = np.array([(value - lowest) // step for value in values], dtype=np.int64)
        for block in _blocks(chosen, _length(span, number)):
            found[block] = number * lowest + step * _lattice_quantiles(reduced, distinct[block], number)
    return found[where.reshape(-1)]


def steps_of(values: Sequence[int], present: NDArray[np.bool_]) -> tuple[int, int, int]:
    """(smallest value present, step of the lattice, number of steps): 0 steps where one value stands alone."""
    used = [value for value, is_used in zip(values, present, strict=True) if is_used]
    step = math.gcd(*(value - used[0] for value in used)) or 1
    return used[0], step, (used[-1] - used[0]) // step


def _alike(values: Sequence[int], counts: Ints) -> Iterator[tuple[Ints, int, int, int]]:
    """(cells, smallest value, step, steps of a draw) of cells with equal N, lattice and span."""
    patterns, where = np.unique(counts > 0, axis=0, return_inverse=True)
    shapes = [steps_of(values, pattern) for pattern in patterns]
    groups: dict[tuple[int, int, int, int], list[int]] = {}
    for cell, (pattern, number) in enumerate(zip(where.reshape(-1), counts.sum(axis=1), strict=True)):
        groups.setdefault((int(number), *shapes[pattern]), []).append(cell)
    for (_, lowest, step, span), cells in groups.items():
        if span > lattice.LONGEST_SPAN:
            raise ValueError(f"a lattice of {span} steps per draw is too fine")
        yield np.array(cells), lowest, step, span


def _blocks(cells: Ints, length: int) -> Iterator[Ints]:
    """Cells in portions whose terms fit into some hundred megabytes, however many matter."""
    size = max(8, 2 * _TERMS // length)
    yield from (cells[begin : begin + size] for begin in range(0, len(cells), size))


def _lattice_quantiles(values: Ints, counts: Ints, number: int) -> Ints:
    """For cells on one lattice 0 … m: the points where F first reaches each level, shape (M, 2)."""
    used = counts.any(axis=0)
    steps, counts = values[used], counts[:, used]
    if not steps.any():
        return np.zeros((len(counts), 2), dtype=np.int64)
    circle = _circle(steps, counts, number)
    terms = _terms(steps, counts, number, circle)
    middle, spread, skewness = _shapes(steps, counts, number)
    points = np.empty((len(counts), 2), dtype=np.int64)
    for side, level in enumerate(lattice.LEVELS):
        margin = lattice.margin(number)
        normal = _Z95 * (2 * side - 1)
        guess = middle + spread * (normal + skewness * (normal * normal - 1) / 6)
        points[:, side], reached = _quantiles(terms, circle, float(level) - margin, np.rint(guess).astype(np.int64))
        for cell in np.flatnonzero(np.abs(reached - float(level)) <= margin):
            points[cell, side] = _decided(steps, counts[cell])[side]
    return points


def _decided(steps: Ints, counts: Ints) -> tuple[int, int]:
    """Both quantiles of one cell by the transform, near ties in integers."""
    low, high = lattice.quantiles_of_sum([int(step) for step in steps], [int(count) for count in counts])
    return int(low), int(high)


def _reach(span: int, number: int) -> int:
    """Points that a sum may stray from its mean."""
    return math.ceil(span * math.sqrt(number * lattice.TAIL_NATS / 2)) + 1


def _length(span: int, number: int) -> int:
    return min(2 * _reach(span, number), number * span) + 1 | 1  # odd: no frequency is its own mirror


def _circle(steps: Ints, counts: Ints, number: int) -> Circle:
    span, centres = int(steps[-1]), (counts @ steps).astype(np.int64)
    reach = _reach(span, number)
    return Circle(_length(span, number), centres - reach if 2 * reach < number * span else np.zeros_like(centres))


def _shapes(steps: Ints, counts: Ints, number: int) -> tuple[Floats, Floats, Floats]:
    """Mean, standard deviation and skewness of the sums, shape (M,) each."""
    shares = counts / number
    mean = shares @ steps
    away = steps - mean[:, None]
    variance, third = (shares * away**2).sum(axis=1), (shares * away**3).sum(axis=1)
    return number * mean, np.sqrt(number * variance), third / np.sqrt(number * variance**3)


def _terms(steps: Ints, counts: Ints, number: int, circle: Circle) -> Terms:
    """Every (cell, frequency) whose |phi|^N is not negligible."""
    smallest = _NEGLIGIBLE ** (2 / number)
    shares, asked = counts / number, frequencies_to_look_at(steps, counts, smallest, circle)
    block = max(1, _ELEMENTS // len(counts))
    cells, indices, values = [], [], []
    for begin in range(0, len(asked), block):
        index = asked[begin : begin + block]
        real, imaginary = (shares @ wave for wave in circle.waves(steps, index))
        cell, place = np.nonzero(real * real + imaginary * imaginary >= smallest)
        cells.append(cell)
        indices.append(index[place])
        values.append(real[cell, place] + 1j * imaginary[cell, place])
    return _sorted_terms(np.concatenate(cells), np.concatenate(indices), np.concatenate(values), number, circle, counts)


def frequencies_to_look_at(steps: Ints, counts: Ints, smallest: float, circle: Circle) -> Ints:
    """All frequencies, growing, where |phi|^2 of a cell may be ``smallest`` or more: the first one always."""
    last, span, shares = (circle.length - 1) // 2, int(steps[-1]), counts / counts.sum(axis=1, keepdims=True)
    reach = int(_WAY * circle.length / (2 * np.pi * span))
    if not reach:
        return np.arange(1, last + 1)
    grid = np.arange(1 + reach, last + 1 + reach, 2 * reach + 1)
    angle = np.arccos(2 * smallest - 1) + span * reach * 2 * np.pi / circle.length
    least = (1 + np.cos(min(angle, np.pi))) / 2 - 1e-9
    block, found = max(1, _ELEMENTS // len(counts)), []
    for begin in range(0, len(grid), block):
        real, imaginary = (shares @ wave for wave in circle.waves(steps, grid[begin : begin + block]))
        found.append((real * real + imaginary * imaginary >= least).any(axis=0))
    near = grid[np.concatenate(found)][:, None] + np.arange(-reach, reach + 1)
    return near[near <= last]


def _sorted_terms(
    cell: Ints, index: Ints, phi: NDArray[np.complex128], number: int, circle: Circle, counts: Ints
) -> Terms:
    order = np.argsort(cell, kind="stable")
    cell, index, phi = cell[order], index[order], phi[order]
    frequency = 2 * np.pi * index / circle.length
    amplitude = np.exp(number * np.log(np.abs(phi))) / (circle.length * np.sin(frequency / 2))
    starts = np.searchsorted(cell, np.arange(len(counts)))
    terms = Terms(starts, cell, frequency, amplitude, number * np.angle(phi), base=np.zeros(len(counts)))
    return replace(terms, base=terms.waves(circle.first - 1))


def _quantiles(terms: Terms, circle: Circle, target: float, guess: Ints) -> tuple[Ints, Floats]:
    """(smallest point with F >= target, F there) per cell: Newton from the guess, who does not arrive is bisected."""
    below, above, reached = circle.first - 1, circle.first + circle.length - 1, np.ones(len(guess))
    point = np.clip(guess, below + 1, above)
    for _ in range(_NEWTON_STEPS):
        upper, lower = terms.cumulative(circle, point), terms.cumulative(circle, point - 1)
        is_low, is_high = upper < target, lower >= target
        below = np.where(is_low, point, np.where(is_high, below, point - 1))
        reached = np.where(is_low, reached, np.where(is_high, lower, upper))
        above = np.where(is_low, above, np.where(is_high, point - 1, point))
        if (above - below <= 1).all():
            return above, reached
        steps = np.ceil((target - upper) / np.maximum(upper - lower, 1 / circle.length**2))
        point = np.clip(point + steps.astype(np.int64), below + 1, above)
    open_cells = np.flatnonzero(above - below > 1)
    above[open_cells], reached[open_cells] = _bisected(
        terms.of(open_cells), circle.of(open_cells), target, below[open_cells], above[open_cells], reached[open_cells]
    )
    return above, reached


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
