"""Our own normal law, Tukey's constants, and p-values of many comparisons."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchforge.macros import families, normal

# ---- the normal law from correctly rounded operations ---------------------------------------------------------------


def test_normal_distribution_agrees_with_the_library_in_both_tails() -> None:
    points = np.linspace(-37, 9, 20_001)
    library = np.array([0.5 * math.erfc(-point / math.sqrt(2)) for point in points])
    assert normal.distribution(points) == pytest.approx(library, rel=1e-12)
    assert normal.two_sided(points[:-4000]) == pytest.approx(2 * np.minimum(library, 1 - library)[:-4000], rel=1e-12)


def test_exponential_and_logarithm_are_right_to_the_last_digits() -> None:
    points = np.linspace(-700, 700, 20_001)
    assert normal.exponential(points) == pytest.approx(np.exp(points), rel=1e-15)
    assert float(normal.exponential(-800.0)) == 0.0
    positive = np.exp(np.linspace(-300, 300, 20_001))
    assert normal.logarithm(positive) == pytest.approx(np.log(positive), rel=3e-16, abs=4e-16)


def test_values_do_not_depend_on_what_is_computed_beside_them() -> None:
    points = np.linspace(-6, 6, 1001)
    assert np.array_equal(normal.distribution(points), [float(normal.distribution(point)) for point in points])


# ---- Tukey's constant -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("num_models", "constant"),
    [
        (2, 1.959963984540),
        (3, 2.343700586378),
        (5, 2.727774370870),
        (20, 3.543799131518),
        (50, 3.992343290009),
        (500, 4.953687900528),
    ],
)
def test_tukey_constants_give_reference_values(num_models: int, constant: float) -> None:
    assert families.tukey_constant(num_models) == pytest.approx(constant, abs=1e-12)
    assert families.tukey_constant_squared(num_models) == pytest.approx(constant**2 * 1e12, abs=20)


@pytest.mark.parametrize("num_models", [2, 7, 30])
def test_tukey_constant_is_the_studentized_range(num_models: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    range_quantile = stats.studentized_range.ppf(0.95, num_models, np.inf)
    assert families.tukey_constant(num_models) == pytest.approx(range_quantile / math.sqrt(2), abs=1e-6)


def test_tukey_constants_grow_and_are_found_for_every_size_of_board() -> None:
    constants = [families.tukey_constant(size) for size in (*range(2, 40), 99, 256, 1000, 3000)]
    assert constants == sorted(constants)
    for size in (2, 39, 1000, 3000):
        mass, _ = families._mass_and_slope(size, families.tukey_constant(size))
        assert mass == pytest.approx(0.95, abs=1e-13)


def test_one_model_has_no_constant() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        families.tukey_constant(1)


def test_adjusted_p_is_the_level_at_the_constant_and_the_plain_p_for_two() -> None:
    for size in (2, 3, 20, 500):
        assert families.tukey_p([families.tukey_constant(size)], size)[0] == pytest.approx(0.05, abs=1e-12)
    statistics = np.linspace(0, 8, 300)
    assert families.tukey_p(statistics, 2) == pytest.approx(normal.two_sided(statistics), abs=1e-13)


def test_adjusted_p_falls_with_the_statistic_and_never_below_the_plain_p() -> None:
    statistics = np.linspace(0, 12, 700)
    p = families.tukey_p(statistics, 500)
    assert p[0] == pytest.approx(1.0)
    assert np.all(np.diff(p) <= 1e-12)
    assert np.all(p >= normal.two_sided(statistics))


def test_adjusted_p_does_not_depend_on_the_others() -> None:
    statistics = np.linspace(0, 6, 600)
    assert np.array_equal(families.tukey_p(statistics, 20)[17:18], families.tukey_p(statistics[17:18], 20))


@pytest.mark.parametrize("squared", [1.0, 3.8, 3.9, 7.5, 12.0, 12.56, 25.0])
def test_shortcuts_by_powers_of_two_decide_like_the_constant(squared: float) -> None:
    for size in range(2, 70):
        exact = squared > families.tukey_constant_squared(size) / families.SQUARE_SCALE
        assert families.is_above_constant(squared, size) == exact, size


# ---- families -------------------------------------------------------------------------------------------------------


def test_holm_multiplies_by_what_is_left_and_never_falls() -> None:
    assert families.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert families.holm([0.5, 0.9]).tolist() == [1.0, 1.0]
    assert families.holm([]).tolist() == []


def test_benjamini_hochberg_is_the_least_rate_that_admits_the_pair() -> None:
    assert families.benjamini_hochberg([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_families_agree_with_scipy_and_do_not_depend_on_order() -> None:
    stats = pytest.importorskip("scipy.stats")
    p = np.random.default_rng(3).uniform(0, 0.2, 200).round(3)
    assert families.benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    order = np.random.default_rng(4).permutation(len(p))
    for adjust in (families.holm, families.benjamini_hochberg):
        assert np.array_equal(adjust(p)[order], adjust(p[order]))
        assert len(set(adjust(p)[p == p[0]])) == 1, "equal p stay equal"
