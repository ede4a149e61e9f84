"""McNemar's test, sign flips, and the interval and noise of a difference."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from benchforge.macros import paired, sign_flips
from benchforge.macros.estimators import Z95

HISTOGRAM = {1: 3, 2: 2, 4: 1, 10: 2}


def _sizes(histogram: dict[int, int]) -> list[int]:
    return [size for size, count in histogram.items() for _ in range(count)]


def _all_flips(sizes: list[int], total: int) -> Fraction:
    """Mid-p from every choice of signs."""
    sums = [abs(sum(signed)) for signed in itertools.product(*((size, -size) for size in sizes))]
    hits = 2 * sum(value > abs(total) for value in sums) + sum(value == abs(total) for value in sums)
    return Fraction(hits, 2 * len(sums)) if total else Fraction(1)


def _moments(differences: np.ndarray, unit: int = 1, clusters: list[int] | None = None) -> paired.Moments:
    labels = np.arange(len(differences)) if clusters is None else np.array(clusters)
    sums, sizes = np.bincount(labels, weights=differences).astype(np.int64), np.bincount(labels)
    values = (sums.sum(), (sums * sums).sum(), (sums * sizes).sum())
    return paired.Moments(*(np.array([value]) for value in values), sizes, unit)


# ---- McNemar --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [(8, 2, 0.0654296875), (10, 0, 0.0009765625), (25, 12, 0.033552439680), (5, 5, 1.0), (1, 0, 0.5), (0, 0, 1.0)],
)
def test_mid_p_gives_reference_values(only_first: int, only_second: int, p: float) -> None:
    assert float(paired.mcnemar_mid_p(only_first, only_second)) == pytest.approx(p, abs=1e-12)
    assert float(paired.mcnemar_mid_p(only_second, only_first)) == float(paired.mcnemar_mid_p(only_first, only_second))


def test_mid_p_of_many_pairs_is_the_binomial_sum() -> None:
    first, second = np.array([[0, 3, 40], [200, 700, 1]]), np.array([[4, 2, 61], [231, 651, 0]])
    found = paired.mcnemar_mid_p(first, second)
    for at in np.ndindex(first.shape):
        total, least = int(first[at] + second[at]), int(min(first[at], second[at]))
        mass = 2 * sum(math.comb(total, i) for i in range(least + 1)) - math.comb(total, least)
        assert found[at] == pytest.approx(float(Fraction(mass, 2**total)), rel=1e-11)


def test_mid_p_is_exact_up_to_fifty_three_discordant_problems() -> None:
    mass = 2 * sum(math.comb(53, i) for i in range(21)) - math.comb(53, 20)
    assert float(paired.mcnemar_mid_p(33, 20)) == mass / 2**53


# ---- sign flips -----------------------------------------------------------------------------------------------------


def test_flips_give_reference_values() -> None:
    assert sign_flips.flip_mid_p(_sizes(HISTOGRAM), 15) == 103 / 256
    assert sign_flips.flip_mid_p(_sizes(HISTOGRAM), 31) == 1 / 256
    assert sign_flips.flip_mid_p([3, 3, 3, 3, 5], -11) == 0.1875


def test_flips_are_all_choices_of_signs() -> None:
    rng = np.random.default_rng(1)
    for number in range(1, 11):
        sizes = [int(size) for size in rng.integers(0, 7, number)]
        total = int(sum(size * sign for size, sign in zip(sizes, rng.choice([-1, 1], number), strict=True)))
        assert sign_flips.flip_mid_p(sizes, total) == float(_all_flips(sizes, total)), (sizes, total)


def test_fine_lattices_are_enumerated_and_coarse_multiples_change_nothing() -> None:
    sizes = [3 * 10**6 + 1, 10**6, 7 * 10**5 + 3, 5, 5, 10**6]
    total = 3 * 10**6 + 1 - 10**6 + 7 * 10**5 + 3
    assert sign_flips.flip_mid_p(sizes, total) == float(_all_flips(sizes, total))
    assert sign_flips.flip_mid_p([size * 10**20 for size in sizes], total * 10**20) == float(_all_flips(sizes, total))


@pytest.mark.parametrize(("only_first", "only_second"), [(8, 2), (10, 0), (25, 12), (230, 190), (5, 5), (0, 0)])
def test_flips_of_one_sample_are_mcnemar(only_first: int, only_second: int) -> None:
    sizes = [1] * (only_first + only_second) + [0] * 7
    expected = float(paired.mcnemar_mid_p(only_first, only_second))
    assert sign_flips.flip_mid_p(sizes, only_first - only_second) == pytest.approx(expected, abs=1e-9)


def test_transform_and_halving_agree_and_doubts_are_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    sizes = rng.integers(0, 9, 200)
    for total in (4, 60, 150, 400):
        plain = sign_flips.flip_mid_p(sizes, total)
        assert plain == pytest.approx(sign_flips._halved(*sign_flips._reduced(sizes, total)), abs=6e-10)
        with monkeypatch.context() as patched:
            patched.setattr(sign_flips, "_TRANSFORM_ERROR", 1.0)
            assert sign_flips.flip_mid_p(sizes, total) == plain


def test_transform_is_far_better_than_the_grid() -> None:
    """What decides doubts is the distance to a boundary: the transform's error must stay well below it."""
    rng = np.random.default_rng(3)
    for number in (30, 164, 1055):
        sizes, total = rng.integers(0, 11, number), int(12 * math.sqrt(number))
        values = sign_flips._reduced(sizes, total)
        error = abs(sign_flips._transformed(*values) - sign_flips._halved(*values))
        assert error * sign_flips.P_GRID < sign_flips._TRANSFORM_ERROR / 10


def test_saddlepoint_comes_close_to_the_law_from_twenty_discordant_problems() -> None:
    rng = np.random.default_rng(4)
    for number, bound in ((40, 0.05), (164, 0.016), (1055, 0.004)):
        sizes = rng.integers(1, 11, number)
        values, counts = np.unique(sizes, return_counts=True)
        for z in (1.0, 1.5, 2.0, 2.5, 3.0):
            total = int(z * math.sqrt((sizes**2).sum()))
            exact = sign_flips.flip_mid_p(sizes, total)
            found = sign_flips.flip_saddlepoint(values, counts[None], [total])[0]
            assert exact is not None and abs(math.log(found / exact)) < bound


def test_saddlepoint_of_the_largest_possible_sum_is_its_probability() -> None:
    """All m problems speak for one model: P(|T| = S) / 2 = 2^-m, as the exact law says."""
    assert sign_flips.flip_saddlepoint([2, 5], [[20, 10]], [90])[0] == pytest.approx(2.0**-30)
    assert sign_flips.flip_saddlepoint([2, 5], [[20, 10]], [88])[0] < 1e-6


def test_saddlepoint_of_sizes_of_every_scale_stays_a_probability() -> None:
    """Near the largest possible sum only small sizes still move the slope: no step may lose its way."""
    sizes = np.array([10.0 ** (place / 2) for place in range(30)])
    largest = sizes.sum()
    with np.errstate(all="raise", under="ignore"):
        p = sign_flips.flip_saddlepoint(
            sizes, np.ones((6, 30)), largest * np.array([0.3, 0.9, 0.999, 1 - 1e-9, 1 - 1e-14, 1])
        )
    assert np.all(np.diff(p) <= 0) and p[-1] == pytest.approx(2.0**-30)
    assert np.all((p > 0) & (p < 1))


def test_pairs_do_not_depend_on_their_company() -> None:
    rng = np.random.default_rng(5)
    gaps = rng.integers(-3, 5, (60, 164)) * (rng.random((60, 164)) < 0.4)
    totals = gaps.sum(axis=1)
    p, method = sign_flips.flip_p_values(np.abs(gaps), totals)
    alone = [sign_flips.flip_p_values(np.abs(gaps[[row]]), totals[[row]]) for row in range(60)]
    assert p.tolist() == [float(one[0]) for one, _ in alone]
    assert method.tolist() == [str(one[0]) for _, one in alone]


def test_the_law_is_computed_where_few_differ_or_a_level_is_near() -> None:
    few = [1] * 19 + [0] * 5
    many = [1] * 24
    near = next(c for c in range(150, 200) if abs(float(paired.mcnemar_mid_p(200, c)) - 0.05) < 0.0025)
    _, method = sign_flips.flip_p_values(np.array([few, many]), np.array([5, 6]))
    assert method.tolist() == [sign_flips.EXACT, sign_flips.SADDLEPOINT]
    p, method = sign_flips.flip_p_values(np.ones((1, 200 + near), dtype=np.int64), np.array([200 - near]))
    assert method.tolist() == [sign_flips.EXACT]
    assert p[0] == pytest.approx(float(paired.mcnemar_mid_p(200, near)), abs=1e-9)


def test_no_approximation_moves_a_p_over_a_level() -> None:
    """Scores of one to three sizes lie on a coarse lattice: the saddlepoint says .0092 where the law says .0101."""
    rng = np.random.default_rng(1)
    rows = rng.integers(-3, 4, (3000, 40)) * (rng.random((3000, 40)) < 0.8)
    rows[::2] = np.sign(rows[::2])
    rows = np.abs(rows) * np.where(rng.random(rows.shape) < 0.3, -1, 1)
    totals = rows.sum(axis=1)
    p, method = sign_flips.flip_p_values(np.abs(rows), totals)
    checked = np.flatnonzero((p > 5e-4) & (p < 0.08) & (method == sign_flips.SADDLEPOINT))[:300]
    law = np.array([sign_flips.flip_mid_p(np.abs(rows[row]), int(totals[row])) for row in checked])
    assert len(checked) == 300
    assert np.abs(np.log(p[checked] / law)).max() > sign_flips.NEAR_LEVEL / 5
    for level in sign_flips.LEVELS:
        assert ((p[checked] <= level) == (law <= level)).all()


def test_no_difference_is_no_evidence() -> None:
    p, _ = sign_flips.flip_p_values(np.array([[1, 1, 2], [0, 0, 0]]), np.array([0, 0]))
    assert p.tolist() == [1.0, 1.0]


# ---- interval -------------------------------------------------------------------------------------------------------


def test_score_interval_gives_reference_values() -> None:
    differences = np.array([1] * 25 + [-1] * 19 + [0] * 120)
    low, high = paired.score_limits(_moments(differences))
    assert (low[0], high[0]) == pytest.approx((-0.043433319676, 0.116604051383), abs=1e-12)


def test_score_interval_excludes_zero_exactly_with_the_statistic() -> None:
    rng = np.random.default_rng(6)
    seen = set()
    for _ in range(400):
        clusters = rng.integers(0, 25, 120).tolist() if rng.random() < 0.5 else None
        moments = _moments(rng.integers(-3, 5, 120), 10, clusters)
        low, high = paired.score_limits(moments)
        is_significant = moments.totals[0] ** 2 > Z95**2 * moments.squares[0]
        assert is_significant == (low[0] > 0 or high[0] < 0)
        seen.add(bool(is_significant))
    assert seen == {True, False}


def test_clusters_of_one_problem_change_nothing_and_copies_inside_one_add_nothing() -> None:
    differences = np.array([1, -1, 1, 0, 0, 1] * 40)
    alone = paired.score_limits(_moments(differences, 1, list(range(240))))
    assert alone == paired.score_limits(_moments(differences))
    doubled = paired.score_limits(_moments(np.repeat(differences, 2), 1, np.repeat(np.arange(240), 2).tolist()))
    assert doubled[0][0] == pytest.approx(alone[0][0]) and doubled[1][0] == pytest.approx(alone[1][0])


def test_too_few_problems_say_nothing() -> None:
    low, high = paired.score_limits(_moments(np.array([1, 1, 0])))
    assert (low[0], high[0]) == (-1.0, 1.0)


def test_few_discordant_problems_get_likelihood_limits_around_the_difference() -> None:
    counts = np.array([[2, 159, 3], [3, 159, 2], [0, 164, 0], [2, 159, 3]])
    low, high = paired.few_discordant_limits(np.array([-1.0, 0.0, 1.0]), counts)
    assert -0.03 < low[0] < 1 / 164 < high[0] < 0.05
    assert (low[1], high[1]) == pytest.approx((-high[0], -low[0]), abs=2e-6)
    assert low[2] == -high[2] and 0 < high[2] < 0.03
    assert (low[3], high[3]) == (low[0], high[0])
    assert np.all(np.abs(low * 500_000 - np.rint(low * 500_000)) < 1e-6), "on the grid"
    wide = paired.few_discordant_limits(np.array([-1.0, -0.5, 0.0, 1.0]), np.array([[2, 0, 159, 3]]))
    assert (wide[0][0], wide[1][0]) == (low[0], high[0]), "values that do not occur change nothing"


def test_problems_count_by_their_weight_where_few_carry_a_difference() -> None:
    one_sample = np.random.default_rng(9).binomial(1, 0.95, (12, 164))
    discordant = (one_sample[:, None] != one_sample[None]).sum(axis=2)
    assert np.array_equal(paired.is_few(one_sample, 1), (discordant < 10) & (discordant > 0))
    assert (discordant < 10).sum() not in (12, 144)
    several = np.random.default_rng(10).binomial(10, 0.9 ** np.arange(8)[:, None], (8, 60))
    gaps = several[:, None] - several[None]
    expected = (gaps**2).sum(axis=2) ** 2 < 10 * (gaps**4).sum(axis=2)
    assert np.array_equal(paired.is_few(several, 10), expected)
    fine = several.astype(object) * 10**20
    assert np.array_equal(paired.is_few(fine, 10**21), expected), "25 steps of 250 for each sample"


def test_histograms_count_what_is_in_each_row() -> None:
    for factor in (1, 10**5, 10**25):
        rows = np.random.default_rng(8).integers(-3, 9, (7, 50)).astype(object if factor > 10**5 else np.int64) * factor
        values, counts = paired.histograms(rows)
        for row, counted in zip(rows, counts, strict=True):
            assert {v: int(c) for v, c in zip(values, counted, strict=True) if c} == dict(Counter(row.tolist()))


# ---- noise ----------------------------------------------------------------------------------------------------------


def test_prediction_noise_gives_reference_values() -> None:
    expected = {
        (10, 1): {1: 0.01, 5: 0.027777777778},
        (2, 1): {1: 0.25},
        (10, 5): {1: 0.25, 2: 0.049382716049, 5: 0.000015747040, 6: 0.0},
    }
    for (num_planned, k), by_passes in expected.items():
        found = paired.prediction_numerators(num_planned, k)
        assert found is not None
        for passed, value in by_passes.items():
            assert found[0][passed] / found[1] == pytest.approx(value, abs=1e-12)


def test_prediction_noise_needs_twice_k_samples() -> None:
    assert paired.prediction_numerators(9, 5) is None
    assert paired.prediction_numerators(1, 1) is None
    assert paired.prediction_numerators(2, 1) is not None


def test_noise_is_the_textbook_variance() -> None:
    differences = np.array([3, -1, 0, 4, 4, -2])
    noise = paired.noise_of_pairs(_moments(differences, 10), (np.array([18]), 100))
    total = np.var(differences / 10, ddof=1) / 6
    assert noise.total[0] == pytest.approx(total)
    assert noise.prediction[0] == pytest.approx(0.18 / 36)
    assert noise.standard_errors[2][0] == pytest.approx(math.sqrt(total - 0.18 / 36))


def test_noise_of_clusters_adds_inside_them() -> None:
    differences, clusters = np.array([3, -1, 0, 4, 4, -2]), [0, 0, 1, 1, 1, 2]
    noise = paired.noise_of_pairs(_moments(differences, 10, clusters), None)
    centred = differences / 10 - differences.mean() / 10
    sums = [sum(centred[i] for i in range(6) if clusters[i] == group) for group in range(3)]
    assert noise.total[0] == pytest.approx(3 / 2 * sum(value**2 for value in sums) / 36)
    assert math.isnan(noise.prediction[0]) and math.isnan(noise.standard_errors[2][0])


def test_one_problem_has_no_noise_and_data_noise_below_zero_is_zero() -> None:
    assert math.isnan(paired.noise_of_pairs(_moments(np.array([1])), None).total[0])
    noise = paired.noise_of_pairs(_moments(np.array([0, 0, 0]), 10), (np.array([18]), 100))
    assert noise.data[0] < 0 and noise.standard_errors[2][0] == 0.0


def test_discordant_problems_are_counted_for_every_pair() -> None:
    classes = np.random.default_rng(7).integers(0, 12, (9, 200))
    expected = [int((one != other).sum()) for one, other in itertools.combinations(classes, 2)]
    assert paired.count_discordant(classes).tolist() == expected
    assert paired.count_discordant(np.zeros((3, 1), dtype=np.int64)).tolist() == [0, 0, 0]
