"""Planning curves against reference values, and boards of recorded sets."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from benchforge.macros import planning
from benchforge.macros.boards import compare_board


def _names(number: int) -> list[str]:
    return [f"model-{place:03d}" for place in range(number)]


@pytest.mark.parametrize(
    ("num_problems", "gaps"),
    [
        (164, [10.5, 16.4, 21.7, 9.1, 14.3, 18.8, 10.8, 16.9, 22.3, 7.0, 11.0, 14.6, 6.4, 10.1, 13.3]),
        (378, [6.9, 10.8, 14.3, 6.0, 9.4, 12.4, 7.1, 11.1, 14.7, 4.6, 7.3, 9.6, 4.2, 6.6, 8.8]),
        (800, [4.8, 7.4, 9.8, 4.1, 6.5, 8.5, 4.9, 7.6, 10.1, 3.2, 5.0, 6.6, 2.9, 4.6, 6.0]),
        (1055, [4.1, 6.5, 8.6, 3.6, 5.6, 7.4, 4.3, 6.7, 8.8, 2.8, 4.3, 5.7, 2.5, 4.0, 5.2]),
    ],
)
def test_planning_gives_reference_values(num_problems: int, gaps: list[float]) -> None:
    noise = ((0.167, 0.063, 1), (0.167, 0.063, 10), (0.069, 0.174, 1), (0.069, 0.174, 5), (0.069, 0.174, 10))
    found = [
        planning.gap(num_problems, num_samples, data, prediction, size)
        for data, prediction, num_samples in noise
        for size in (2, 20, 500)
    ]
    assert [round(100 * gap, 1) for gap in found if gap is not None] == gaps


def test_planning_from_one_sample_has_no_curve() -> None:
    board = compare_board(_names(5), np.random.default_rng(8).binomial(1, 0.6, (5, 100)), 1, 1)
    assert board.v_data is None and board.v_prediction is None
    assert planning.gap(100, 10, board.v_data, board.v_prediction) is None
    assert planning.gap_of_one_sample(400, board.share_discordant) == pytest.approx(
        planning.gap_of_one_sample(100, board.share_discordant) / 2
    )


def test_variances_of_a_board_are_those_that_made_it() -> None:
    """V(n) = V_data + V_prediction / n of 4 models that are equal but for what is drawn."""
    rng = np.random.default_rng(9)
    chance = rng.beta(2, 2, (4, 20_000))
    board = compare_board(_names(4), rng.binomial(5, chance), 5, 1)
    assert board.v_data == pytest.approx(2 * 0.05, rel=0.05)
    assert board.v_prediction == pytest.approx(2 * (0.25 - 0.05), rel=0.05)


# ---- recorded sets --------------------------------------------------------------------------------------------------


def _recorded(shared_data: Path, name: str) -> dict[str, int]:
    with gzip.open(shared_data / "cruxeval" / "generations" / name, "rt") as file:
        return {task: sum(graded) for task, graded in json.load(file)["raw_scored_generations"].items()}


def test_recorded_pair_gives_reference_values(shared_data: Path) -> None:
    one = _recorded(shared_data, "codellama-34b_temp0.8_output.json.gz")
    other = _recorded(shared_data, "deepseek-base-6.7b_temp0.8_output.json.gz")
    passes = np.array([[model[task] for task in sorted(one)] for model in (one, other)])
    pairs = compare_board(["codellama", "deepseek"], passes, 10, 1).pairs
    found = [pairs.difference[0], *(errors[0] for errors in pairs.noise.standard_errors)]
    assert found == pytest.approx([0.0105, 0.009541408995, 0.004342538300, 0.008495931186], abs=1e-12)


@pytest.mark.parametrize(
    ("temperature", "scenario", "k", "shares", "variances"),
    [
        ("0.2", "input", 1, (4.5, 1.6, 7.5), (0.178, 0.076)),
        ("0.2", "output", 1, (3.3, 1.3, 4.9), (0.157, 0.051)),
        ("0.8", "input", 1, (22.9, 6.3, 42.0), (0.066, 0.201)),
        ("0.8", "output", 1, (17.2, 5.7, 28.3), (0.071, 0.147)),
        ("0.8", "input", 5, (41.7, 17.4, 68.5), None),
        ("0.8", "output", 5, (31.7, 15.4, 48.1), None),
    ],
)
def test_recorded_boards_give_reference_shares_of_sampling_noise(
    shared_data: Path,
    temperature: str,
    scenario: str,
    k: int,
    shares: tuple[float, float, float],
    variances: tuple[float, float] | None,
) -> None:
    """Share of a difference's variance that is sampling, in percent over 66 pairs without chain of thought."""
    pattern = f"*_temp{temperature}_{scenario}.json.gz"
    files = [path.name for path in sorted((shared_data / "cruxeval" / "generations").glob(pattern))]
    models = [name for name in files if "+cot" not in name and not name.startswith(("claude-3", "gpt-4o"))]
    recorded = [_recorded(shared_data, name) for name in models]
    passes = np.array([[model[task] for task in sorted(model)] for model in recorded])
    board = compare_board(models, passes, 10, k)
    share = 100 * board.pairs.noise.prediction / board.pairs.noise.total
    assert len(share) == 66 and np.all(board.pairs.noise.data > 0)
    assert (np.median(share), share.min(), share.max()) == pytest.approx(shares, abs=0.051)
    found = None if board.v_data is None else (board.v_data, board.v_prediction)
    assert found == (variances if variances is None else pytest.approx(variances, abs=0.0006))
