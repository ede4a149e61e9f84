"""The bench of the board measures what it says; with ``make bench``: its bars."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import marts

IS_BENCH = bool(os.environ.get("BENCHFORGE_BENCH"))


def test_synthetic_boards_are_boards_and_come_again():
    passes = marts.passes_of(30, 164, 10, 1)
    assert passes.shape == (30, 164) and passes.min() >= 0 and passes.max() <= 10
    assert (marts.passes_of(30, 164, 10, 1) == passes).all()
    assert 0.1 < passes.mean() / 10 < 0.9 and passes.mean(axis=1).std() > 1


def test_both_sides_run_on_a_small_board():
    benchmarks = [marts.passes_of(6, 40, 10, place) for place in range(2)]
    marts.cells_of_board(benchmarks, 10, 5)
    marts.pairs_of_board(benchmarks, 10, 5)
    scores = np.linspace(0, 1, 40)
    marts.list_loop(scores, 3)
    marts.array_loop(scores, 3)


def test_a_missed_bar_is_said(capsys: pytest.CaptureFixture[str]):
    fast, slow = (marts.Board(1, 1, 0.1, 0.1, seconds, 1.0, 1.0) for seconds in (100.0, 10.0))
    assert marts.report(fast) and not marts.report(slow)
    assert "met" in (said := capsys.readouterr().out) and "MISSED" in said


@pytest.mark.skipif(not IS_BENCH, reason="a minute long: make bench")
@pytest.mark.slow
def test_the_board_is_faster_than_its_bars():
    assert marts.main(["--quick"]) == 0
