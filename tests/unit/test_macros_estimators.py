"""The estimators against reference values, brute force, and each other."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from benchforge.macros import estimators, lattice

CODELLAMA = [307, 64, 47, 35, 29, 23, 32, 29, 24, 35, 175]
GPT35 = [23, 5, 5, 0, 2, 2, 2, 6, 5, 5, 109]


def _passes(histogram: list[int]) -> np.ndarray:
    return np.repeat(np.arange(len(histogram)), histogram)


def _scores(num_planned: int, k: int) -> list[float]:
    return [value / math.comb(num_planned, k) for value in estimators.numerators(num_planned, k)]


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


def test_el_half_with_clusters_gives_the_reference_value() -> None:
    limits = estimators.el_half(_scores(10, 1), GPT35, deff=1.5, num_clusters=41)
    assert limits == pytest.approx((0.687739752890, 0.834514869304), abs=2e-12)


def test_el_half_of_zero_one_scores_is_the_likelihood_ratio_interval_at_half_counts() -> None:
    low, high = estimators.el_half([0, 1], [1, 1])
    for limit in (low, high):
        ratio = 1.5 * math.log(0.5 / limit) + 1.5 * math.log(0.5 / (1 - limit))
        assert ratio == pytest.approx(estimators.HALF_CHI95, abs=1e-10)


def test_el_half_on_the_grid_moves_outwards_by_less_than_one_step() -> None:
    exact = estimators.el_half(_scores(10, 1), GPT35)
    low, high = estimators.el_half(_scores(10, 1), GPT35, is_on_grid=True)
    assert 0 <= exact[0] - low < 1e-6
    assert 0 <= high - exact[1] < 1e-6
    assert round(low * estimators.GRID) / estimators.GRID == low


def test_el_half_decides_a_near_tie_in_decimals(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every endpoint declared near, the decimal route alone must give the same limits."""
    from benchforge.macros import likelihood

    plain = [estimators.el_half(_scores(10, k), GPT35, is_on_grid=True) for k in (1, 5)]
    monkeypatch.setattr(likelihood, "_NEAR_GRID", 1.0)
    decided = [estimators.el_half(_scores(10, k), GPT35, is_on_grid=True) for k in (1, 5)]
    assert decided == plain


def test_order_of_problems_changes_nothing() -> None:
    passes = _passes(GPT35)
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


def test_clusters_act_from_twenty_on() -> None:
    passes = [0, 1] * 30
    twenty = [str(i // 3) for i in range(60)]
    few = [str(i // 12) for i in range(60)]
    clustered, flagged = estimators.interval(passes, 1, 1, twenty), estimators.interval(passes, 1, 1, few)
    assert clustered is not None and clustered.method == "el_half_clustered"
    assert flagged is not None and flagged.method == "wilson" and "few_clusters" in flagged.flags


def test_flags_tell_few_failures_and_few_problems() -> None:
    many, few = estimators.interval([1] * 98 + [0] * 2, 1, 1), estimators.interval([1, 0] * 5, 1, 1)
    assert many is not None and many.flags == ("few_failures",)
    assert few is not None and few.flags == ("small_n",)


def test_design_effect_of_identical_clusters_is_about_their_size() -> None:
    scores = [0.0, 0.0, 1.0, 1.0] * 25
    clusters = [index // 2 for index in range(100)]
    assert estimators.design_effect(scores, clusters) == pytest.approx(2 * (50 / 49) * (99 / 100))


@pytest.mark.parametrize("degrees", [1, 2, 19, 40, 263])
def test_student_quantile_agrees_with_scipy(degrees: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert estimators._half_t_squared(degrees) == pytest.approx(stats.t.ppf(0.975, degrees) ** 2 / 2, rel=1e-11)


# ---- pass@k -----------------------------------------------------------------------------------------------------


def test_pass_at_k_counts_subsets() -> None:
    """Of all subsets of k samples, the share that holds a passing one."""
    for n in range(1, 7):
        for c, k in itertools.product(range(n + 1), range(1, n + 1)):
            hits = sum(any(i < c for i in chosen) for chosen in itertools.combinations(range(n), k))
            assert estimators.pass_at_k(n, c, k) == Fraction(hits, math.comb(n, k))


def test_pass_at_k_below_k_samples_is_no_number() -> None:
    assert estimators.pass_at_k(4, 0, 5) is None
    assert estimators.pass_hat_k(4, 4, 5) is None
    assert estimators.pass_at_k(4, 4, 0) is None
    assert estimators.mean_pass_at_k([], 4, 1) is None


def test_pass_at_k_refuses_impossible_counts() -> None:
    with pytest.raises(ValueError, match="6 of 5"):
        estimators.pass_at_k(5, 6, 1)
    with pytest.raises(ValueError, match="-1 to 2"):
        estimators.histogram([-1, 2], 5)


def test_pass_hat_k_is_the_chance_that_all_pass() -> None:
    assert estimators.pass_hat_k(10, 5, 2) == Fraction(10, 45)


def test_standard_errors_give_reference_values() -> None:
    one, five = (estimators.standard_errors([0, 3, 10, 7], 10, k) for k in (1, 5))
    assert one.total is not None and one.prediction is not None and one.data is not None
    assert (one.total**2, one.prediction**2, one.data**2) == pytest.approx(
        (0.048333333333, 0.002916666667, 0.045416666667), abs=1e-12
    )
    assert five.total is not None and five.prediction is not None
    assert (five.total**2, five.prediction**2) == pytest.approx((0.059461805556, 0.000434027778), abs=1e-12)


def test_standard_errors_say_what_cannot_be_estimated() -> None:
    assert estimators.standard_errors([1, 0], 1, 1).prediction is None
    assert estimators.standard_errors([3], 10, 1).total is None
    assert estimators.standard_errors([3, 4], 9, 5).prediction is None


def test_negative_data_noise_is_zero_and_flagged() -> None:
    errors = estimators.standard_errors([5, 5, 5], 10, 1)
    assert errors.data == 0.0 and errors.is_data_below_zero


# ---- bootstrap --------------------------------------------------------------------------------------------------


def _brute_force(passes: list[int], num_planned: int, k: int) -> tuple[Fraction, Fraction]:
    values = [estimators.numerators(num_planned, k)[c] for c in passes]
    sums = sorted(sum(draw) for draw in itertools.product(values, repeat=len(values)))
    total, scale = len(sums), len(values) * math.comb(num_planned, k)
    picks = (math.ceil(level * total) - 1 for level in lattice.LEVELS)
    low, high = (Fraction(sums[index], scale) for index in picks)
    return low, high


@pytest.mark.parametrize(
    ("passes", "num_planned", "k"),
    [
        ([0, 1, 1, 0, 1], 1, 1),
        ([0, 3, 10, 7, 5], 10, 1),
        ([0, 1, 2, 2, 4, 1], 4, 2),
        ([1, 1, 1, 1], 1, 1),
        ([2], 5, 3),
        ([0, 10, 3, 10, 1, 7], 10, 5),
    ],
)
def test_bootstrap_equals_all_resamples(passes: list[int], num_planned: int, k: int) -> None:
    low, high = _brute_force(passes, num_planned, k)
    assert estimators.bootstrap(passes, num_planned, k) == (float(low), float(high))


@pytest.mark.parametrize("passed", [1, 40, 82, 150, 163])
def test_bootstrap_of_zero_one_scores_is_a_binomial_quantile(passed: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    limits = estimators.bootstrap([1] * passed + [0] * (164 - passed), 1, 1)
    expected = tuple(stats.binom.ppf(level, 164, passed / 164) / 164 for level in (0.025, 0.975))
    assert limits == pytest.approx(expected, abs=1e-15)


def test_integers_decide_like_the_transform_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a margin that calls every point near, the integer route alone must find the same quantiles."""
    passes = [0, 3, 10, 7, 5, 5, 2, 9, 10, 10, 0, 1]
    plain = estimators.bootstrap(passes, 10, 1)
    monkeypatch.setattr(lattice, "_MARGIN", 0.02)
    assert estimators.bootstrap(passes, 10, 1) == plain


def test_a_lattice_too_fine_keeps_the_mean_and_comes_close() -> None:
    passes = [0, 3, 20, 14, 10, 10, 5, 19, 20, 20, 0, 1] * 10
    limits = estimators.bootstrap(passes, 20, 10)
    assert limits is not None
    rng = np.random.default_rng(7)
    scores = np.array(_scores(20, 10))[np.array(passes)]
    draws = scores[rng.integers(0, len(scores), (20_000, len(scores)))].mean(axis=1)
    error = scores.std() / math.sqrt(len(scores))
    assert limits == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.15 * error)


def test_bootstrap_without_enough_samples_is_no_interval() -> None:
    assert estimators.bootstrap([1, 0], 1, 5) is None
    assert estimators.bootstrap([], 1, 1) is None
    assert estimators.interval([1, 0], 1, 5) is None


def test_window_of_the_law_holds_all_mass() -> None:
    for number, weights in ((1, {0: 1.0, 3: 1.0}), (800, {0: 700.0, 252: 100.0}), (1055, {0: 1.0, 1: 1054.0})):
        first, law = lattice.law_of_sum(weights, number)
        assert first >= 0
        assert law.sum() == pytest.approx(1.0, abs=1e-11)
