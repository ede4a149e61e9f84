"""The simulation of coverage is what it says, and a corner of its grid is inside its bands."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import coverage

IS_BENCH = bool(os.environ.get("BENCHFORGE_BENCH"))


@pytest.mark.parametrize("mean", coverage.MEANS)
@pytest.mark.parametrize("k", [1, 5])
def test_populations_have_the_mean_they_are_asked_for(mean: float, k: int) -> None:
    rng = np.random.default_rng(1)
    for name, parts in coverage.populations(mean, k):
        assert sum(weight for weight, _, _ in parts) == pytest.approx(1), name
        law = coverage.law_of_passes(parts, 10)
        scores = coverage.Metric("@", k).lattice(10).scores
        assert law @ scores == pytest.approx(mean, abs=1e-9), name
        assert rng.choice(scores, 20_000, p=law).mean() == pytest.approx(mean, abs=0.02), name


def test_eighty_percent_of_problems_are_at_the_ends() -> None:
    parts = dict(coverage.populations(0.5, 1))["80 % at 0 or 1"]
    assert sum(weight for weight, a, b in parts if not a or not b) == pytest.approx(0.8)


def test_one_sample_is_inside_its_band_and_the_bootstrap_is_not() -> None:
    """Exact: Wilson over the thirteen means; the percentile bootstrap falls to .80 at N = 80."""
    cells = coverage.enumerated(80) + coverage.enumerated(164)
    assert all(cell.is_inside for cell in cells)
    assert min(cell.shown for cell in cells) == pytest.approx(0.937, abs=0.001)
    assert min(cell.bootstrap for cell in cells) < 0.85
    assert min(cell.stderr for cell in cells) == pytest.approx(0.800, abs=0.001)


@pytest.mark.parametrize(("mean", "num_planned", "k"), [(0.05, 10, 1), (0.5, 5, 1), (0.95, 10, 5)])
def test_several_samples_are_inside_their_bands(mean: float, num_planned: int, k: int) -> None:
    cells = coverage.sampled(mean, num_planned, k, 164, 2_000)
    assert len(cells) == 7
    assert [cell for cell in cells if not cell.is_inside] == []
    again = coverage.sampled(mean, num_planned, k, 164, 2_000)
    assert [cell.shown for cell in again] == [cell.shown for cell in cells]


def test_an_interval_that_is_too_narrow_is_seen() -> None:
    cells = coverage.sampled(0.98, 10, 1, 80, 2_000)
    assert any(cell.stderr < coverage.LEAST - 0.05 for cell in cells)


@pytest.mark.skipif(not IS_BENCH, reason="minutes long: make bench")
@pytest.mark.slow
def test_the_whole_grid_is_inside_its_bands() -> None:
    assert coverage.main(["--quick"]) == 0
