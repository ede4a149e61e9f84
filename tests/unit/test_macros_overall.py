"""The overall score: its mean and variance in rationals, its limits, and the same bytes in any order."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from benchforge.macros import estimators, overall
from benchforge.macros.overall import Cell


def _cell(passes: list[int], *, weight: int = 1, num_planned: int = 1, source: str = "p") -> Cell:
    return Cell(weight, num_planned, passes, [f"{source}{number}" for number in range(len(passes))])


def test_one_cell_has_the_standard_error_of_its_leaderboard_row() -> None:
    passes = [0, 3, 10, 7, 10, 0, 1]
    found = overall.overall([_cell(passes, num_planned=10)])
    assert found.score == pytest.approx(sum(passes) / 70)
    assert found.standard_error == estimators.standard_errors(passes, 10, 1).total


def test_weights_and_source_problems_follow_the_formula() -> None:
    """m = sum w_b m_b; u_g sums w_b (x - m_b) / N_b inside a source problem; Var = G / (G-1) sum u_g^2, in floats."""
    shuffle = random.Random(1)
    cells = [
        _cell([shuffle.randint(0, n) for _ in range(size)], weight=weight, num_planned=n, source=source)
        for weight, n, size, source in ((2, 1, 30, "p"), (1, 4, 50, "p"), (3, 10, 20, "q"))
    ]
    influence: dict[str, float] = {}
    mean = 0.0
    for cell in cells:
        scores = np.array(cell.passes) / cell.num_planned
        share = cell.weight / 6
        mean += share * scores.mean()
        for score, source in zip(scores, cell.source_problems, strict=True):
            influence[source] = influence.get(source, 0.0) + share * (score - scores.mean()) / len(scores)
    variance = len(influence) / (len(influence) - 1) * sum(value**2 for value in influence.values())
    found = overall.overall(cells)
    assert found.score == pytest.approx(mean, abs=1e-14)
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=1e-12)
    assert (found.num_problems, found.num_source_problems) == (100, 70)


def test_shared_problems_widen_and_opposed_ones_cancel() -> None:
    passes, opposed = [0, 1] * 40, [1, 0] * 40
    apart = overall.overall([_cell(passes), _cell(passes, source="q")])
    shared = overall.overall([_cell(passes), _cell(passes)])
    cancelled = overall.overall([_cell(passes), _cell(opposed)])
    assert apart.standard_error is not None and shared.standard_error is not None
    assert shared.standard_error == pytest.approx(apart.standard_error * math.sqrt(2), rel=0.01)
    assert cancelled.standard_error == 0.0
    assert cancelled.low < 0.5 < cancelled.high  # no spread seen is not certainty
    assert shared.low < apart.low < cancelled.low


def test_all_and_none_and_a_single_problem() -> None:
    full, none = overall.overall([_cell([1] * 50)] * 2), overall.overall([_cell([0] * 50)])
    assert (full.low, full.high, full.method) == (0.928878, 1.0, "clopper_pearson")  # 0.025^(1/50), outwards
    assert (none.low, none.high) == (0.0, 0.071122)
    one = overall.overall([_cell([1], num_planned=2)])
    assert (one.standard_error, one.low, one.high, one.method) == (None, 0.0, 1.0, "not_estimable")


def test_no_order_moves_a_bit() -> None:
    shuffle = random.Random(2)
    cells = [_cell([shuffle.randint(0, 10) for _ in range(60)], weight=w, num_planned=10) for w in (1, 2)]
    expected = overall.overall(cells)
    for _ in range(5):
        mixed = []
        for cell in cells:
            order = shuffle.sample(range(60), 60)
            passes = [cell.passes[place] for place in order]
            mixed.append(Cell(cell.weight, 10, passes, [cell.source_problems[place] for place in order]))
        assert overall.overall(mixed[::-1]) == expected


def test_mean_is_exact() -> None:
    assert overall.mean([_cell([1, 0, 0]), _cell([1, 2], num_planned=7)]) == Fraction(1, 6) + Fraction(3, 28)


@pytest.mark.parametrize(
    "cells",
    [[], [Cell(1, 1, [], [])], [Cell(1, 1, [1], ["a", "b"])], [Cell(0, 1, [1], ["a"])], [Cell(1, 1, [2], ["a"])]],
)
def test_what_makes_no_sense_is_a_value_error(cells: list[Cell]) -> None:
    with pytest.raises(ValueError):
        overall.overall(cells)
