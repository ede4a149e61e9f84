"""The interval shown: reference values, one cell against many, and what must hold of any interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchforge.macros import estimators, intervals, likelihood, student
from benchforge.macros.metrics import Metric
from hypothesis import given, settings
from hypothesis import strategies as st

CODELLAMA = [307, 64, 47, 35, 29, 23, 32, 29, 24, 35, 175]
GPT35 = [23, 5, 5, 0, 2, 2, 2, 6, 5, 5, 109]


def _scores(num_planned: int, k: int) -> np.ndarray:
    return Metric("@", k).lattice(num_planned).scores


def _cells(num_cells: int, num_planned: int, num_problems: int, seed: int = 5) -> np.ndarray:
    """Histograms from one end of the scale to the other."""
    rng = np.random.default_rng(seed)
    means, spread = rng.uniform(0.01, 0.99, num_cells), rng.uniform(0.1, 8, num_cells)
    shares = rng.beta((means * spread)[:, None], ((1 - means) * spread)[:, None], (num_cells, num_problems))
    passes = rng.binomial(num_planned, shares)
    return np.stack([(passes == c).sum(axis=1) for c in range(num_planned + 1)], axis=1)


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [
        (150, 164, 0.861819017758, 0.948469458972),
        (602, 880, 0.652632578498, 0.713949003262),
        (79, 80, 0.932537299223, 0.997790024480),
        (252, 1055, 0.214109939307, 0.265509983572),
    ],
)
def test_wilson_gives_reference_values(passed: int, total: int, low: float, high: float) -> None:
    assert estimators.wilson(passed, total) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(
    ("total", "low"), [(80, 0.954935964932), (164, 0.977757917796), (1055, 0.996509537673), (1, 0.025)]
)
def test_all_pass_gives_reference_values(total: int, low: float) -> None:
    assert estimators.all_or_none(total, is_all=True) == pytest.approx((low, 1.0), abs=1e-12)
    assert estimators.all_or_none(total, is_all=False) == pytest.approx((0.0, 1 - low), abs=1e-12)


@pytest.mark.parametrize(
    ("histogram", "k", "low", "high"),
    [
        (CODELLAMA, 1, 0.365062500433, 0.422304682277),
        (CODELLAMA, 5, 0.526425949162, 0.590157340668),
        (GPT35, 1, 0.705901467008, 0.822332294387),
        (GPT35, 5, 0.776690822698, 0.884035498409),
    ],
)
def test_el_half_gives_reference_values(histogram: list[int], k: int, low: float, high: float) -> None:
    assert estimators.el_half(_scores(10, k), histogram) == pytest.approx((low, high), abs=2e-12)
    cells = np.array([histogram, CODELLAMA], dtype=float)
    heights = np.full(2, intervals.HALF_CHI95)
    lows, highs = likelihood.solve_many(_scores(10, k), cells, heights, intervals.GRID)
    assert (lows[0], highs[0]) == estimators.on_grid(low, high)


@pytest.mark.parametrize(
    ("scores", "weights", "low", "high"),
    [
        ([1 / 3, 1 / 2, 1, 0], [1, 1, 2, 1], 0.245257847487, 0.842183814007),
        ([1, 0.9], [163, 1], 0.979096910035, 0.999759941040),
        ([0, 1], [1, 163], 0.968130902002, 0.998953470587),
        ([0.5], [1], 0.087145025494, 0.912854974506),
        ([0.5, 0.9, 1], [1, 2, 77], 0.948855197989, 0.996913661103),
    ],
)
def test_el_half_gives_reference_values_of_odd_sets(
    scores: list[float], weights: list[int], low: float, high: float
) -> None:
    assert estimators.el_half(scores, weights) == pytest.approx((low, high), abs=2e-12)
    cells, heights = np.array([weights], dtype=float), np.array([intervals.HALF_CHI95])
    lows, highs = likelihood.solve_many(np.array(scores, dtype=float), cells, heights, intervals.GRID)
    assert (lows[0], highs[0]) == estimators.on_grid(low, high)


def test_el_half_with_clusters_gives_the_reference_value() -> None:
    limits = estimators.el_half(_scores(10, 1), GPT35, deff=1.5, num_clusters=41)
    assert limits == pytest.approx((0.687739752890, 0.834514869304), abs=2e-12)
    shown = intervals.shown_intervals(
        Metric("@", 1).lattice(10), np.array([GPT35]), is_one_sample=False, deffs=[1.5], num_clusters=[41]
    ).one(0)
    assert (shown.low, shown.high) == estimators.on_grid(*limits)
    assert shown.method == "el_half_clustered"


def test_el_half_of_zero_one_scores_is_the_likelihood_ratio_interval_at_half_counts() -> None:
    low, high = estimators.el_half([0, 1], [1, 1])
    for limit in (low, high):
        ratio = 1.5 * math.log(0.5 / limit) + 1.5 * math.log(0.5 / (1 - limit))
        assert ratio == pytest.approx(estimators.HALF_CHI95, abs=1e-10)


# ---- one cell against many --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("num_planned", "k"), [(5, 1), (10, 1), (10, 5), (20, 10)])
@pytest.mark.parametrize("num_problems", [1, 3, 20, 164, 1055])
def test_many_cells_have_the_limits_each_has_alone(num_planned: int, k: int, num_problems: int) -> None:
    cells, scores = _cells(60, num_planned, num_problems), _scores(num_planned, k)
    heights = np.full(len(cells), intervals.HALF_CHI95)
    together = likelihood.solve_many(scores, cells.astype(float), heights, intervals.GRID)
    alone = [likelihood.solve(scores, cell.astype(float), intervals.HALF_CHI95, intervals.GRID) for cell in cells]
    assert list(zip(*together, strict=True)) == alone


def test_limits_do_not_depend_on_the_company() -> None:
    cells, lattice = _cells(50, 10, 164), Metric("@", 5).lattice(10)
    together = intervals.shown_intervals(lattice, cells, is_one_sample=False)
    for size in (1, 7):
        for begin in range(0, len(cells), size):
            part = intervals.shown_intervals(lattice, cells[begin : begin + size], is_one_sample=False)
            assert [part.one(i) for i in range(len(part.low))] == [
                together.one(i) for i in range(begin, min(begin + size, len(cells)))
            ]


def test_a_near_tie_is_decided_in_decimals(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every limit declared near, the decimal route alone must give the same limits."""
    cells, heights = np.array([GPT35, CODELLAMA], dtype=float), np.full(2, intervals.HALF_CHI95)
    plain = likelihood.solve_many(_scores(10, 5), cells, heights, intervals.GRID)
    monkeypatch.setattr(likelihood, "_NEAR_GRID", 1.0)
    decided = likelihood.solve_many(_scores(10, 5), cells, heights, intervals.GRID)
    assert [list(side) for side in decided] == [list(side) for side in plain]


def test_a_limit_on_the_grid_is_known_from_one_beside_it() -> None:
    """A height whose limit is a grid point up to 1e-15: a hair higher or lower moves it by a whole step."""
    from decimal import Decimal

    x, w = np.array([0.0, 0.5, 1.0]), np.array([10.5, 10.0, 20.5])
    point = 450_000
    y = likelihood._decimal_tilt(
        [Decimal(value) for value in x], [Decimal(value) for value in w], Decimal(point) / intervals.GRID
    )
    height = likelihood._deviance(x, w, float(y))[0]
    lows = [
        likelihood.solve_many(x[1:2], w[None, 1:2], np.array([height * factor]), intervals.GRID)[0][0]
        for factor in (1 - 1e-9, 1 + 1e-9)
    ]
    assert all(low * intervals.GRID == pytest.approx(round(low * intervals.GRID), abs=1e-6) for low in lows)
    alone = [likelihood.solve(x[1:2], w[1:2], height * factor, intervals.GRID)[0] for factor in (1 - 1e-9, 1 + 1e-9)]
    assert lows == alone


@pytest.mark.parametrize("degrees", [1, 2, 19, 40, 263])
def test_student_quantile_agrees_with_scipy(degrees: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert student.half_square(degrees) == pytest.approx(stats.t.ppf(0.975, degrees) ** 2 / 2, rel=1e-11)


# ---- which interval, which flags --------------------------------------------------------------------------------


def test_order_of_problems_changes_nothing() -> None:
    passes = np.repeat(np.arange(11), GPT35)
    shuffled = np.random.default_rng(1).permutation(passes)
    for k in (1, 5, 10):
        assert estimators.interval(passes, 10, k) == estimators.interval(shuffled, 10, k)
        assert estimators.bootstrap(passes, 10, k) == estimators.bootstrap(shuffled, 10, k)
        assert estimators.standard_errors(passes, 10, k) == estimators.standard_errors(shuffled, 10, k)


def test_method_follows_the_cell() -> None:
    def method(passes: list[int], num_planned: int, k: int) -> str:
        found = estimators.interval(passes, num_planned, k)
        assert found is not None
        return found.method

    assert method([1, 0, 1], 1, 1) == "wilson"
    assert method([1, 2, 0], 2, 1) == "el_half"
    assert method([2, 2, 2], 2, 1) == "clopper_pearson"
    assert method([0, 0, 0], 2, 2) == "clopper_pearson"
    assert method([1, 1, 2], 2, 2) == "clopper_pearson", "two of two samples fail nowhere: every score is 1"


def test_all_of_k_is_none_where_no_problem_has_k_passes() -> None:
    cells = np.array([[0, 2, 0], [0, 0, 2], [1, 0, 1]])
    shown = intervals.shown_intervals(Metric("^", 2).lattice(2), cells, is_one_sample=False)
    assert [shown.one(cell).method for cell in range(3)] == ["clopper_pearson", "clopper_pearson", "el_half"]
    assert (shown.low[0], shown.high[1]) == (0.0, 1.0)


def test_clusters_act_from_twenty_on() -> None:
    passes = [0, 1] * 30
    twenty = [str(i // 3) for i in range(60)]
    few = [str(i // 12) for i in range(60)]
    clustered, flagged = estimators.interval(passes, 1, 1, twenty), estimators.interval(passes, 1, 1, few)
    assert clustered is not None and clustered.method == "el_half_clustered"
    assert flagged is not None and flagged.method == "wilson" and "few_clusters" in flagged.flags


def test_clusters_that_all_pass_count_as_the_clusters() -> None:
    found = estimators.interval([1] * 60, 1, 1, [str(i // 3) for i in range(60)])
    assert found is not None
    assert (found.low, found.high) == estimators.on_grid(*estimators.all_or_none(20, is_all=True))


def test_flags_tell_few_failures_and_few_problems() -> None:
    many, few = estimators.interval([1] * 98 + [0] * 2, 1, 1), estimators.interval([1, 0] * 5, 1, 1)
    assert many is not None and many.flags == ("few_failures",)
    assert few is not None and few.flags == ("small_n",)


def test_no_problem_or_too_few_samples_is_no_interval() -> None:
    assert estimators.interval([1, 0], 1, 5) is None
    assert estimators.interval([], 1, 1) is None


# ---- of any data ------------------------------------------------------------------------------------------------


@given(st.integers(1, 12), st.data())
@settings(max_examples=150, deadline=None)
def test_an_interval_holds_its_score_and_lies_on_the_scale(num_planned: int, data: st.DataObject) -> None:
    passes = data.draw(st.lists(st.integers(0, num_planned), min_size=1, max_size=40))
    cells = estimators.histogram(passes, num_planned)[None, :]
    for sign, k in ((sign, k) for sign in ("@", "^") for k in range(1, num_planned + 1, 3)):
        lattice = Metric(sign, k).lattice(num_planned)
        shown = intervals.shown_intervals(lattice, cells, is_one_sample=num_planned == 1).one(0)
        score = (cells[0] @ np.array(lattice.values)) / (lattice.denominator * len(passes))
        assert 0 <= shown.low <= score + 1e-12
        assert score - 1e-12 <= shown.high <= 1


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_el_half_mirrors_with_its_scores(scores: list[float]) -> None:
    low, high = estimators.el_half(scores)
    mirrored = estimators.el_half([1 - score for score in scores])
    assert (low, high) == pytest.approx((1 - mirrored[1], 1 - mirrored[0]), abs=1e-9)
