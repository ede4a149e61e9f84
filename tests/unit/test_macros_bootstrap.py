"""The bootstrap against every resample, against integers, against itself in company, and against scipy."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from benchforge.macros import estimators, lattice, resampling, spectrum
from benchforge.macros.bootstrap import bootstraps
from benchforge.macros.intervals import shown_intervals
from benchforge.macros.metrics import Metric
from hypothesis import given, settings
from hypothesis import strategies as st

GPT35 = [23, 5, 5, 0, 2, 2, 2, 6, 5, 5, 109]


def _cells(num_cells: int, num_planned: int, num_problems: int, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    means, spread = rng.uniform(0.01, 0.99, num_cells), rng.uniform(0.1, 8, num_cells)
    shares = rng.beta((means * spread)[:, None], ((1 - means) * spread)[:, None], (num_cells, num_problems))
    passes = rng.binomial(num_planned, shares)
    return np.stack([(passes == c).sum(axis=1) for c in range(num_planned + 1)], axis=1)


def _limits(passes: list[int], num_planned: int, k: int) -> tuple[float, float]:
    found = estimators.bootstrap(passes, num_planned, k)
    assert found is not None and found.seed is None
    return found.low, found.high


# ---- the exact law ----------------------------------------------------------------------------------------------


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
    assert _limits(passes, num_planned, k) == (float(low), float(high))


@given(st.integers(1, 8), st.data())
@settings(max_examples=80, deadline=None)
def test_bootstrap_of_any_five_problems_equals_all_resamples(num_planned: int, data: st.DataObject) -> None:
    passes = data.draw(st.lists(st.integers(0, num_planned), min_size=1, max_size=5))
    k = data.draw(st.integers(1, num_planned))
    low, high = _brute_force(passes, num_planned, k)
    assert _limits(passes, num_planned, k) == (float(low), float(high))


@pytest.mark.parametrize("passed", [1, 40, 82, 150, 163])
def test_bootstrap_of_zero_one_scores_is_a_binomial_quantile(passed: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = tuple(stats.binom.ppf(level, 164, passed / 164) / 164 for level in (0.025, 0.975))
    assert _limits([1] * passed + [0] * (164 - passed), 1, 1) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(("num_planned", "k"), [(1, 1), (10, 1), (10, 5), (12, 4)])
@pytest.mark.parametrize("num_problems", [2, 20, 164, 1055])
def test_many_laws_are_those_of_one_transform_each(num_planned: int, k: int, num_problems: int) -> None:
    """Few terms of the spectrum and the whole convolution name the same points."""
    cells, values = _cells(25, num_planned, num_problems), estimators.numerators(num_planned, k)
    found = spectrum.quantiles_of_sums(values, cells)
    assert [tuple(pair) for pair in found] == [lattice.quantiles_of_sum(values, list(cell)) for cell in cells]


def test_limits_do_not_depend_on_the_company() -> None:
    cells, scores = _cells(40, 10, 164), Metric("@", 5).lattice(10)
    together = bootstraps(scores, cells)
    for size in (1, 9):
        parts = [bootstraps(scores, cells[begin : begin + size]) for begin in range(0, len(cells), size)]
        assert list(np.concatenate([part.low for part in parts])) == list(together.low)
        assert list(np.concatenate([part.high for part in parts])) == list(together.high)


def test_all_of_k_mirrors_any_of_k() -> None:
    cells = _cells(20, 10, 60)
    some = bootstraps(Metric("@", 1).lattice(10), cells)
    whole = bootstraps(Metric("^", 1).lattice(10), cells)
    assert list(some.low) == list(whole.low) and list(some.high) == list(whole.high)


@given(st.integers(2, 10), st.data())
@settings(max_examples=60, deadline=None)
def test_limits_of_both_kinds_move_with_k_as_scores_do(num_planned: int, data: st.DataObject) -> None:
    passes = data.draw(st.lists(st.integers(0, num_planned), min_size=1, max_size=60))
    cell = estimators.histogram(passes, num_planned)[None, :]
    for sign, towards in (("@", 1), ("^", -1)):
        lattices = [Metric(sign, k).lattice(num_planned) for k in range(1, num_planned + 1)]
        drawn = [bootstraps(scores, cell) for scores in lattices]
        shown = [shown_intervals(scores, cell, is_one_sample=False) for scores in lattices]
        shown = [limits for limits in shown if limits.one(0).method == "el_half"]
        for found in (drawn, shown):
            for side in ("low", "high"):
                limits = [float(getattr(limit, side)[0]) * towards for limit in found]
                assert limits == sorted(limits)


# ---- ties with a level ------------------------------------------------------------------------------------------


def test_integers_decide_like_the_transform_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a margin that calls every point near, the integer route alone must find the same quantiles."""
    passes = [0, 3, 10, 7, 5, 5, 2, 9, 10, 10, 0, 1]
    plain = estimators.bootstrap(passes, 10, 1)
    monkeypatch.setattr(lattice, "margin", lambda number: 0.02)
    assert estimators.bootstrap(passes, 10, 1) == plain


@pytest.mark.parametrize("above", [0, 1])
def test_a_level_that_doubles_cannot_tell_from_the_law_is_decided_in_integers(
    monkeypatch: pytest.MonkeyPatch, above: int
) -> None:
    """The level is the distribution function at 150 itself, then 1e-30 more: the quantile is 150, then 151."""
    counts = {0: 30, 3: 10, 10: 20}
    level = lattice.cumulative_exactly(counts, 250) + above * Fraction(1, 10**30)
    monkeypatch.setattr(lattice, "LEVELS", (level, level))
    values, cell = list(counts), list(counts.values())
    following = 251
    while lattice.cumulative_exactly(counts, following) < level:
        following += 1
    expected = following if above else 250
    assert lattice.quantiles_of_sum(values, cell) == (expected, expected)
    assert spectrum.quantiles_of_sums(values, np.array([cell, cell])).tolist() == [[expected, expected]] * 2


def test_window_of_the_law_holds_all_mass() -> None:
    for number, weights in ((1, {0: 1.0, 3: 1.0}), (800, {0: 700.0, 252: 100.0}), (1055, {0: 1.0, 1: 1054.0})):
        first, law = lattice.law_of_sum(weights, number)
        assert first >= 0
        assert law.sum() == pytest.approx(1.0, abs=1e-11)


# ---- drawn ------------------------------------------------------------------------------------------------------


def test_generator_gives_reference_values() -> None:
    found = resampling.splitmix64(np.array([1, 2, 3], dtype=np.uint64))
    assert [int(value) for value in found] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_weights_give_the_reference_draw_and_do_not_depend_on_the_portion() -> None:
    assert resampling.weights(1, 10, 0, 1).tolist() == [[2, 0, 3, 0, 1, 0, 1, 2, 1, 0]]
    whole = resampling.weights(1, 164, 0, 50)
    assert (whole.sum(axis=1) == 164).all()
    assert (np.vstack([resampling.weights(1, 164, 0, 7), resampling.weights(1, 164, 7, 50)]) == whole).all()
    assert (resampling.weights(2, 164, 0, 50) != whole).any()


@pytest.mark.parametrize("k", [5, 10, 50])
def test_drawn_sums_are_those_of_python_integers(k: int) -> None:
    """One piece, two in one integer, and 97 bits: pieces, carries and order give what integers of any size give."""
    values = list(Metric("@", k).lattice(100).values)
    passes = sorted([0, 1, 1, 2, 3, 40, 0, 1])
    cell = estimators.histogram(passes, 100)[None, :]
    draws = resampling.weights(5, len(passes), 0, 400)
    sums = sorted(sum(int(w) * values[c] for w, c in zip(draw, passes, strict=True)) for draw in draws)
    assert resampling.quantiles_of_sums(values, cell, seed=5, num_resamples=400) == [(sums[9], sums[389])]


@given(st.data())
@settings(max_examples=60)
def test_no_frequency_that_matters_is_left_out(data: st.DataObject) -> None:
    """The grid of frequencies against all of them, on lattices whose waves come back far from zero, too."""
    steps = np.array([0, *sorted(data.draw(st.sets(st.integers(1, 60), min_size=1, max_size=6)))])
    counts = np.array([data.draw(st.lists(st.integers(1, 40), min_size=len(steps), max_size=len(steps)))])
    number = int(counts.sum())
    circle = spectrum.Circle(2 * 60 * number + 1, np.zeros(1, dtype=np.int64))
    smallest = 1e-14 ** (2 / number)
    every = np.arange(1, 60 * number + 1)
    real, imaginary = (counts / number @ wave for wave in circle.waves(steps, every))
    matter = every[(real * real + imaginary * imaginary >= smallest)[0]]
    found = spectrum.frequencies_to_look_at(steps, counts, smallest, circle)
    assert set(matter.tolist()) <= set(found.tolist())
    assert (np.diff(found) > 0).all()


def test_a_lattice_too_fine_is_drawn_and_says_so() -> None:
    passes = [0, 3, 20, 14, 10, 9, 5, 19, 20, 20, 0, 1, 2] * 10
    found, again, other = (estimators.bootstrap(passes, 20, 10, seed=seed) for seed in (1, 1, 2))
    assert found is not None and other is not None and found == again
    assert (found.seed, found.num_resamples) == (1, 10_000)
    assert (found.low, found.high) != (other.low, other.high)
    exact = estimators.bootstrap(passes, 20, 1)
    assert exact is not None and exact.seed is None and exact.num_resamples is None


def test_order_and_company_do_not_change_draws() -> None:
    cells, scores = _cells(12, 20, 50), Metric("@", 10).lattice(20)
    together = bootstraps(scores, cells)
    assert not together.is_exact.all()
    for cell in range(len(cells)):
        alone = bootstraps(scores, cells[cell : cell + 1])
        assert (alone.low[0], alone.high[0]) == (together.low[cell], together.high[cell])


def test_drawn_limits_come_close_to_the_exact_ones() -> None:
    scores, cell = Metric("@", 5).lattice(10), np.array([GPT35])
    exact = spectrum.quantiles_of_sums(scores.values, cell)[0]
    drawn = resampling.quantiles_of_sums(scores.values, cell, num_resamples=100_000)[0]
    values = np.repeat(scores.values, GPT35)
    error = values.std() * math.sqrt(len(values))
    assert np.abs(np.array(drawn) - exact).max() < 0.03 * error


def test_scipy_with_many_resamples_agrees() -> None:
    stats = pytest.importorskip("scipy.stats")
    for num_planned, k, counts in ((10, 1, GPT35), (10, 5, GPT35)):
        scores = np.repeat(Metric("@", k).lattice(num_planned).scores, counts)
        theirs = stats.bootstrap(
            (scores,), np.mean, n_resamples=100_000, method="percentile", batch=2_000, rng=np.random.default_rng(4)
        ).confidence_interval
        ours = _limits([c for c, count in enumerate(counts) for _ in range(count)], num_planned, k)
        error = scores.std() / math.sqrt(len(scores))
        assert ours == pytest.approx((theirs.low, theirs.high), abs=0.03 * error)


def test_means_that_others_recorded_have_a_bootstrap() -> None:
    """Tenths are exact where doubles are: what lies on a lattice has a law, what does not is drawn."""
    halves, thirds = estimators.bootstrap_of_means([0, 0.5, 1, 1]), estimators.bootstrap_of_means([0, 1 / 3, 0.7, 1])
    assert halves is not None and halves.seed is None
    assert thirds is not None and thirds.seed == resampling.SEED
    assert (halves.low, halves.high) == _limits([0, 1, 2, 2], 2, 1)
    assert estimators.bootstrap_of_means([]) is None
    with pytest.raises(ValueError, match="outside"):
        estimators.bootstrap_of_means([1.5])


def test_bootstrap_without_enough_samples_is_no_interval() -> None:
    assert estimators.bootstrap([1, 0], 1, 5) is None
    assert estimators.bootstrap([], 1, 1) is None
