"""pass@k and pass^k against counting, and the integers behind them."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from benchforge.macros import estimators
from benchforge.macros.metrics import Metric
from hypothesis import given
from hypothesis import strategies as st


def test_scores_count_subsets() -> None:
    """Of all subsets of k samples, the share that holds a passing one, and the share that passes whole."""
    for n in range(1, 7):
        for c, k in itertools.product(range(n + 1), range(1, n + 1)):
            subsets = list(itertools.combinations(range(n), k))
            some = sum(any(i < c for i in chosen) for chosen in subsets)
            whole = sum(all(i < c for i in chosen) for chosen in subsets)
            assert estimators.pass_at_k(n, c, k) == Fraction(some, len(subsets))
            assert estimators.pass_hat_k(n, c, k) == Fraction(whole, len(subsets))


def test_below_k_samples_there_is_no_number() -> None:
    assert estimators.pass_at_k(4, 0, 5) is None
    assert estimators.pass_hat_k(4, 4, 5) is None
    assert estimators.pass_at_k(4, 4, 0) is None
    assert estimators.mean_pass_at_k([], 4, 1) is None
    assert estimators.mean_pass_at_k([1], 4, 5) is None
    with pytest.raises(ValueError, match="4 samples have no score at k = 5"):
        Metric("@", 5).lattice(4)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="6 of 5"):
        estimators.pass_at_k(5, 6, 1)
    with pytest.raises(ValueError, match="-1 to 2"):
        estimators.histogram([-1, 2], 5)


def test_means_are_exact() -> None:
    assert estimators.mean_pass_at_k([0, 3, 10, 7], 10, 1) == Fraction(1, 2)
    assert float(estimators.mean_pass_at_k([0, 3, 10, 7], 10, 5) or 0) == pytest.approx(0.729166666667, abs=1e-12)


@pytest.mark.parametrize("name", ["pass@1", "pass@100", "pass^5"])
def test_a_metric_is_known_by_its_name(name: str) -> None:
    metric = Metric.parse(name)
    assert f"pass{metric.sign}{metric.k}" == name


@pytest.mark.parametrize("name", ["pass@0", "pass", "pass#2", "maj@5", "pass@5 "])
def test_no_other_name_is_a_metric(name: str) -> None:
    with pytest.raises(ValueError, match="is not a metric"):
        Metric.parse(name)


@given(st.integers(1, 40), st.data())
def test_pass_at_k_grows_and_pass_hat_k_falls_with_k(n: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, n))
    some = [estimators.pass_at_k(n, passed, k) or Fraction(0) for k in range(1, n + 1)]
    whole = [estimators.pass_hat_k(n, passed, k) or Fraction(0) for k in range(1, n + 1)]
    assert some == sorted(some)
    assert whole == sorted(whole, reverse=True)
    assert some[0] == whole[0] == Fraction(passed, n)


@given(st.integers(1, 30), st.integers(1, 30))
def test_failing_mirrors_passing(n: int, k: int) -> None:
    """All of k pass exactly where, with passes and failures exchanged, not any of k does."""
    if k > n:
        return
    some, whole = Metric("@", k), Metric("^", k)
    total = math.comb(n, k)
    assert list(whole.lattice(n).values) == [total - value for value in reversed(some.lattice(n).values)]
    found, mirrored = some.noise(n), whole.noise(n)
    assert (found is None) == (mirrored is None) == (n < 2 * k)
    if found and mirrored:
        assert mirrored == (found[0][::-1], found[1])


@pytest.mark.parametrize(
    ("n", "k", "c", "noise"),
    [
        (10, 1, 1, 0.01),
        (10, 1, 5, 0.027777777778),
        (2, 1, 1, 0.25),
        (10, 5, 1, 0.25),
        (10, 5, 2, 0.049382716049),
        (10, 5, 5, 0.000015747040),
        (10, 5, 6, 0.0),
    ],
)
def test_noise_of_one_problem_gives_reference_values(n: int, k: int, c: int, noise: float) -> None:
    found = Metric("@", k).noise(n)
    assert found is not None
    assert found[0][c] / found[1] == pytest.approx(noise, abs=1e-12)
