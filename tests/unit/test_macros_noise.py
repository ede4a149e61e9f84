"""Standard errors, clusters, strata and new samples: reference values and what cannot be estimated."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from benchforge.macros import estimators, noise
from benchforge.macros.metrics import Metric

CODELLAMA = [307, 64, 47, 35, 29, 23, 32, 29, 24, 35, 175]
GPT35 = [23, 5, 5, 0, 2, 2, 2, 6, 5, 5, 109]


def _squared(passes: list[int], num_planned: int, k: int) -> tuple[float, float, float]:
    found = estimators.standard_errors(passes, num_planned, k)
    assert found.total is not None and found.prediction is not None and found.data_variance is not None
    return found.total**2, found.prediction**2, found.data_variance


def test_standard_errors_give_reference_values() -> None:
    one, five = (_squared([0, 3, 10, 7], 10, k) for k in (1, 5))
    assert one == pytest.approx((0.048333333333, 0.002916666667, 0.045416666667), abs=1e-12)
    assert five == pytest.approx((0.059461805556, 0.000434027778, 0.059027777778), abs=1e-12)


@pytest.mark.parametrize(
    ("k", "mean", "total", "prediction", "data"),
    [
        (1, 0.39325, 0.014628458108, 0.003064695925, 0.014303825555),
        (5, 0.558571428571, 0.016293493751, 0.005388188080, 0.015376780152),
    ],
)
def test_standard_errors_of_a_recorded_model_give_reference_values(
    k: int, mean: float, total: float, prediction: float, data: float
) -> None:
    """codellama-34b on CRUXEval-O at T = 0.8; its histogram of passes."""
    metric, cell = Metric("@", k), np.array([CODELLAMA])
    found = noise.standard_errors(metric, 10, cell)
    assert noise.mean_scores(metric.lattice(10), cell)[0] == pytest.approx(mean, abs=1e-12)
    assert (found.total[0], found.prediction[0], found.data[0]) == pytest.approx((total, prediction, data), abs=1e-12)


def test_standard_errors_say_what_cannot_be_estimated() -> None:
    assert estimators.standard_errors([1, 0], 1, 1).prediction is None
    assert estimators.standard_errors([3], 10, 1).total is None
    assert estimators.standard_errors([3, 4], 9, 5).prediction is None
    assert estimators.standard_errors([], 9, 5) == estimators.StandardErrors(None, None, None, None)


def test_negative_data_noise_is_kept_and_shown_as_zero() -> None:
    errors = estimators.standard_errors([5, 5, 5], 10, 1)
    assert errors.data == 0.0
    assert errors.data_variance == pytest.approx(-(3 * 0.25 / 9) / 9)


def test_all_of_k_has_the_noise_of_any_of_k_with_passes_and_failures_exchanged() -> None:
    cell = np.array([GPT35])
    some = noise.standard_errors(Metric("@", 3), 10, cell)
    whole = noise.standard_errors(Metric("^", 3), 10, cell[:, ::-1])
    assert (some.total[0], some.prediction[0], some.data[0]) == (whole.total[0], whole.prediction[0], whole.data[0])


def test_a_simulated_population_has_the_noise_that_is_estimated() -> None:
    """Means of the three estimates over 4,000 data sets, against the truth they estimate."""
    rng = np.random.default_rng(8)
    shares = rng.beta(0.6, 0.5, (4000, 60))
    passes = rng.binomial(4, shares)
    cells = np.stack([(passes == c).sum(axis=1) for c in range(5)], axis=1)
    metric = Metric("@", 2)
    found = noise.standard_errors(metric, 4, cells)
    scores = metric.lattice(4).scores[passes].mean(axis=1)
    assert np.mean(found.total**2) / scores.var() == pytest.approx(1, abs=0.08)
    conditional = 1 - (1 - shares) ** 2
    assert np.mean(found.data_variance) / conditional.mean(axis=1).var() == pytest.approx(1, abs=0.08)


def test_integers_beyond_64_bits_change_nothing() -> None:
    """C(100, 10)^2 has 88 bits: the sums must not wrap."""
    cell = estimators.histogram([0, 1, 3, 50, 100, 7], 100)[None, :]
    found = noise.standard_errors(Metric("@", 10), 100, cell)
    scores = [float(estimators.pass_at_k(100, c, 10) or 0) for c in (0, 1, 3, 50, 100, 7)]
    assert found.total[0] == pytest.approx(np.std(scores, ddof=1) / math.sqrt(6), rel=1e-12)


# ---- new samples of these problems ------------------------------------------------------------------------------


@pytest.mark.parametrize(("num_mixed", "is_known"), [(19, False), (20, True)])
def test_new_samples_have_an_interval_from_twenty_mixed_problems_on(num_mixed: int, is_known: bool) -> None:
    cell = np.array([[10, num_mixed, 10]])
    for sign in ("@", "^"):
        metric = Metric(sign, 1)
        errors = noise.standard_errors(metric, 2, cell)
        low, high = noise.new_samples(metric, 2, cell, errors.prediction)
        assert math.isnan(low[0]) == math.isnan(high[0]) == (not is_known)
        if is_known:
            assert (low[0], high[0]) == pytest.approx(
                (0.5 - noise.Z95 * errors.prediction[0], 0.5 + noise.Z95 * errors.prediction[0]), abs=1e-15
            )


def test_new_samples_have_no_interval_beyond_k_of_one_or_at_one_sample() -> None:
    errors = noise.standard_errors(Metric("@", 5), 10, np.array([GPT35]))
    assert np.isnan(noise.new_samples(Metric("@", 5), 10, np.array([GPT35]), errors.prediction)).all()
    single = noise.standard_errors(Metric("@", 1), 1, np.array([[50, 50]]))
    assert np.isnan(noise.new_samples(Metric("@", 1), 1, np.array([[50, 50]]), single.prediction)).all()


def test_new_samples_stay_on_the_scale() -> None:
    cell = np.array([[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]])
    cell[0, 1] = 20
    errors = noise.standard_errors(Metric("@", 1), 10, cell)
    low, high = noise.new_samples(Metric("@", 1), 10, cell, errors.prediction * 100)
    assert (low[0], high[0]) == (0.0, 1.0)


# ---- design -----------------------------------------------------------------------------------------------------


def test_design_effect_of_identical_clusters_is_about_their_size() -> None:
    scores = [0.0, 0.0, 1.0, 1.0] * 25
    clusters = [index // 2 for index in range(100)]
    assert estimators.design_effect(scores, clusters) == pytest.approx(2 * (50 / 49) * (99 / 100))


def test_design_effect_follows_its_formula() -> None:
    rng = np.random.default_rng(2)
    values, clusters = rng.integers(0, 253, 300), rng.integers(0, 40, 300)
    clusters = estimators.numbered(clusters.tolist())
    sums = np.bincount(clusters, weights=values - values.mean())
    expected = len(sums) / (len(sums) - 1) * (sums**2).sum() / 300**2 / (values.var(ddof=1) / 300)
    assert noise.design_effect(values.tolist(), clusters) == pytest.approx(expected, rel=1e-12)
    large = [int(value) * 10**25 for value in values]
    assert noise.design_effect(large, clusters) == noise.design_effect(values.tolist(), clusters)


def test_scores_that_do_not_vary_or_one_cluster_have_no_design_effect() -> None:
    assert noise.design_effect([3, 3, 3], np.array([0, 1, 1])) == 1.0
    assert noise.design_effect([3, 4, 5], np.array([0, 0, 0])) == 1.0


def test_strata_take_the_variance_between_them_out() -> None:
    values, strata = [0, 1, 0, 1, 3, 4, 4, 3], np.array([0, 0, 0, 0, 1, 1, 1, 1])
    within = np.var([0, 1, 0, 1], ddof=1)
    assert noise.stratified_variance(values, strata, 4) == pytest.approx(2 * 0.25 * within / 4 / 16)
    assert noise.stratified_variance(values, np.array([0] * 7 + [1]), 4) is None


@pytest.mark.parametrize(
    ("model", "mean", "alone", "strata", "contests"),
    [
        ("O1-Mini-2024-09-12", 0.684090909091, 0.015679908856, 0.013428682840, 0.016821294100),
        ("Qwen2.5-Ins-7B", 0.238862559242, 0.013133645144, 0.011318368615, 0.013660540886),
    ],
)
def test_designs_of_recorded_sets_give_reference_values(
    shared_data: Path, model: str, mean: float, alone: float, strata: float, contests: float
) -> None:
    """LiveCodeBench, one graded sample a problem: standard errors of lone problems, of difficulties, of contests."""
    folder = shared_data / "livecodebench" / "codegen"
    with gzip.open(folder / f"{model}.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    scores = [float(np.mean(row["graded_list"])) for row in rows]
    lattice, counts, whole = estimators.lattice_of_means(scores)
    errors = noise.squared_error(lattice, counts[None, :])
    within = noise.stratified_variance(whole, estimators.numbered([row["difficulty"] for row in rows]), 1 << 53)
    deff = noise.design_effect(whole, estimators.numbered([row["contest_id"] for row in rows]))
    assert within is not None
    assert noise.mean_scores(lattice, counts[None, :])[0] == pytest.approx(mean, abs=1e-12)
    found = (math.sqrt(errors[0]), math.sqrt(within), math.sqrt(errors[0] * deff))
    assert found == pytest.approx((alone, strata, contests), abs=1e-12)
