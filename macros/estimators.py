"""The numbers of the marts in plain numpy: pass@k, its standard errors, and the intervals that go with it.

Shapes: ``passes`` holds one integer per problem, the number c of its n samples that passed; order never matters,
because everything starts from the histogram of c. A score is an integer over a common denominator, C(n, k) per
problem, so results do not depend on summation order. Nothing here draws random numbers.

Sources: Chen et al. 2021 (pass@k); Wilson 1927; Clopper, Pearson 1934; Owen 1988 and Chen, Variyath, Abraham 2008
(empirical likelihood with pseudo observations); Efron 1979 (bootstrap); Miller, arXiv 2411.00640 (standard errors);
Hoeffding 1948, 1963 (U-statistics, tail bound); Yao et al. 2024 (pass^k).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z95 = 1.959963984540054
"""97.5 % quantile of the standard normal law."""
HALF_CHI95 = 1.920729410347062
"""Half of the 95 % quantile of chi-squared with one degree of freedom: Z95 squared over 2."""
GRID = 1_000_000
"""Likelihood endpoints are published on multiples of 1 / GRID, rounded outwards: the same bytes on every machine."""

FEW_FAILURES = 3
SMALL_N = 20
FEW_CLUSTERS = 20


@dataclass(frozen=True)
class Interval:
    """95 % limits of a score in [0, 1], the method that gave them, and what a reader should know (flags)."""

    low: float
    high: float
    method: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class StandardErrors:
    """Noise of one score; None where it cannot be estimated."""

    total: float | None
    prediction: float | None
    data: float | None
    is_data_below_zero: bool = False


# ---- point estimates --------------------------------------------------------------------------------------------


def pass_at_k(num_planned: int, num_passed: int, k: int) -> Fraction | None:
    """Unbiased pass@k of one problem: 1 - C(n-c, k) / C(n, k), exactly; None where n < k or k < 1.

    Chen et al. 2021, arXiv 2107.03374 (openai/human-eval, ``estimate_pass_at_k``); the guard for n < k is ours:
    the product form gives 1.0 there even when nothing passed.
    """
    _check_counts(num_planned, num_passed)
    if k < 1 or num_planned < k:
        return None
    total = math.comb(num_planned, k)
    return Fraction(total - math.comb(num_planned - num_passed, k), total)


def pass_hat_k(num_planned: int, num_passed: int, k: int) -> Fraction | None:
    """Probability that k of k samples pass: C(c, k) / C(n, k) (Yao et al. 2024, tau-bench); None where n < k."""
    _check_counts(num_planned, num_passed)
    if k < 1 or num_planned < k:
        return None
    return Fraction(math.comb(num_passed, k), math.comb(num_planned, k))


def numerators(num_planned: int, k: int) -> list[int]:
    """C(n,k) - C(n-c,k) for c = 0 … n: the integer score of a problem over the denominator C(n,k)."""
    total = math.comb(num_planned, k)
    return [total - math.comb(num_planned - passed, k) for passed in range(num_planned + 1)]


def mean_pass_at_k(passes: ArrayLike, num_planned: int, k: int) -> Fraction | None:
    """Mean pass@k over problems, exactly; None for no problems or n < k."""
    counts = histogram(passes, num_planned)
    if k < 1 or num_planned < k or not counts.sum():
        return None
    score = sum(int(number) * value for number, value in zip(counts, numerators(num_planned, k), strict=True))
    return Fraction(score, int(counts.sum()) * math.comb(num_planned, k))


def histogram(passes: ArrayLike, num_planned: int) -> NDArray[np.int64]:
    """Number of problems with c = 0 … n passes, shape (n + 1,); ValueError for a count outside 0 … n."""
    values = np.asarray(passes, dtype=np.int64)
    if values.size and (values.min() < 0 or values.max() > num_planned):
        raise ValueError(f"a problem passes {values.min()} to {values.max()} of {num_planned} samples")
    return np.bincount(values, minlength=num_planned + 1).astype(np.int64)


# ---- bootstrap over problems ------------------------------------------------------------------------------------


def bootstrap(passes: ArrayLike, num_planned: int, k: int) -> tuple[float, float] | None:
    """95 % percentile bootstrap of mean pass@k over problems, in the limit of infinitely many resamples.

    The sum of N draws with replacement has the N-fold convolution of the histogram as its law; the limits are the
    smallest lattice points whose distribution function reaches 2.5 % and 97.5 % (see :mod:`benchforge.macros.lattice`).
    None where n < k or there is no problem.
    """
    from .lattice import quantiles_of_sum

    counts = histogram(passes, num_planned)
    num_problems = int(counts.sum())
    if k < 1 or num_planned < k or not num_problems:
        return None
    low, high = quantiles_of_sum(numerators(num_planned, k), [int(count) for count in counts])
    denominator = num_problems * math.comb(num_planned, k)
    return float(Fraction(low) / denominator), float(Fraction(high) / denominator)


# ---- the interval shown -----------------------------------------------------------------------------------------


def interval(passes: ArrayLike, num_planned: int, k: int, clusters: Sequence[Any] | None = None) -> Interval | None:
    """The interval with the best measured coverage for problems like these; None where n < k or no problem.

    One sample, problems alike: Wilson. Several samples, or clusters: EL-half. All or none pass: Clopper-Pearson.
    ``clusters`` (one label per problem, in the order of ``passes``) act from 20 distinct labels on.
    """
    values = np.asarray(passes, dtype=np.int64)
    counts = histogram(values, num_planned)
    num_problems = len(values)
    if k < 1 or num_planned < k or not num_problems:
        return None
    num_clusters = len(set(clusters)) if clusters is not None else 0
    is_clustered = FEW_CLUSTERS <= num_clusters < num_problems
    flags = _flags(counts, num_planned, k, num_clusters)
    if counts[0] == num_problems or _is_full(counts, num_planned, k):
        low, high = all_or_none(num_clusters if is_clustered else num_problems, is_all=counts[0] == 0)
        return Interval(*on_grid(low, high), "clopper_pearson", flags)
    if num_planned == 1 and not is_clustered:
        return Interval(*wilson(int(counts[1]), num_problems), "wilson", flags)
    scores = np.array([float(Fraction(value, math.comb(num_planned, k))) for value in numerators(num_planned, k)])
    if not is_clustered:
        return Interval(*el_half(scores, counts, is_on_grid=True), "el_half", flags)
    deff = design_effect(scores[values], clusters or ())
    limits = el_half(scores, counts, deff=deff, num_clusters=num_clusters, is_on_grid=True)
    return Interval(*limits, "el_half_clustered", flags)


def wilson(num_passed: int, num_problems: int) -> tuple[float, float]:
    """Wilson 1927: (s + z^2/2 -+ z sqrt(s (1 - s/N) + z^2/4)) / (N + z^2); only + - * / sqrt, so bit-stable."""
    square = Z95 * Z95
    centre = num_passed + square / 2
    spread = Z95 * math.sqrt(num_passed * (1 - num_passed / num_problems) + square / 4)
    return (centre - spread) / (num_problems + square), (centre + spread) / (num_problems + square)


def all_or_none(num_units: int, *, is_all: bool) -> tuple[float, float]:
    """Clopper, Pearson 1934 where every problem (or none) scores in full: the far limit is 0.025^(1/N) from it."""
    with localcontext() as context:  # decimals: pow() of the C library may differ in its last bit
        context.prec = 40
        edge = (Decimal("0.025").ln() / num_units).exp()
        return (float(edge), 1.0) if is_all else (0.0, float(1 - edge))


def el_half(
    scores: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    deff: float = 1.0,
    num_clusters: int | None = None,
    is_on_grid: bool = False,
) -> tuple[float, float]:
    """Empirical likelihood with half a pseudo problem at 0 and half at 1.

    ``scores`` in [0, 1], shape (m,); ``weights`` problems per score (default 1 each). Clusters divide the weights of
    real problems by ``deff`` (floor 0.05) and take t with G - 1 degrees of freedom in place of z (Korn, Graubard 1998).
    With 0/1 scores it is the binomial likelihood-ratio interval at counts s + 1/2. ``is_on_grid`` rounds outwards to
    1e-6, deciding near ties in 60-digit decimals.
    """
    from .likelihood import solve

    values = np.asarray(scores, dtype=float)
    numbers = np.ones_like(values) if weights is None else np.asarray(weights, dtype=float)
    height = HALF_CHI95 if num_clusters is None else _half_t_squared(num_clusters - 1)
    return solve(values, numbers / max(deff, 0.05), height, GRID if is_on_grid else None)


def design_effect(scores: ArrayLike, clusters: Sequence[Any]) -> float:
    """Var_cluster / Var_iid, Var_cluster = G/(G-1) sum_g (sum_{i in g} (x_i - m))^2 / N^2 (Liang, Zeger 1986).

    ``scores`` has shape (N,); ``clusters`` gives one label per score. 1.0 where the scores do not vary.
    """
    labels = sorted(set(clusters))
    position = {label: index for index, label in enumerate(labels)}
    members: list[list[Fraction]] = [[] for _ in labels]
    values = [Fraction(float(value)) for value in np.asarray(scores, dtype=float)]
    for value, label in zip(values, clusters, strict=True):
        members[position[label]].append(value)
    mean = sum(values, Fraction(0)) / len(values)
    within = sum((value - mean) ** 2 for value in values)
    if within == 0 or len(labels) < 2:
        return 1.0
    between = sum((sum(group, Fraction(0)) - len(group) * mean) ** 2 for group in members)
    return float(between * len(labels) * (len(values) - 1) / (within * (len(labels) - 1) * len(values)))


def on_grid(low: float, high: float) -> tuple[float, float]:
    """Both limits moved outwards to multiples of 1e-6."""
    return math.floor(low * GRID) / GRID, math.ceil(high * GRID) / GRID


# ---- two sources of noise ---------------------------------------------------------------------------------------


def standard_errors(passes: ArrayLike, num_planned: int, k: int) -> StandardErrors:
    """Noise of mean pass@k, in exact rationals until the last square root (Miller, arXiv 2411.00640; 2512.21326).

    total      sqrt(sum (x_i - m)^2 / (N (N-1)))      new problems and new samples; None for one problem
    prediction sqrt(sum p_i / N^2), p_i = f_i^2 - C(n-c,2k)/C(n,2k), f_i = C(n-c,k)/C(n,k); None unless n >= 2k
    data       sqrt(total^2 - prediction^2)           new problems alone; a negative difference gives 0 and a flag
    """
    counts = [int(count) for count in histogram(passes, num_planned)]
    num_problems = sum(counts)
    if num_planned < k or not num_problems:
        return StandardErrors(None, None, None)
    total = _total_variance(counts, num_planned, k) if num_problems > 1 else None
    prediction = _prediction_variance(counts, num_planned, k) if num_planned >= 2 * k else None
    data = total - prediction if total is not None and prediction is not None else None
    return StandardErrors(_root(total), _root(prediction), _root(data), data is not None and data < 0)


def _total_variance(counts: list[int], num_planned: int, k: int) -> Fraction:
    values, num_problems = numerators(num_planned, k), sum(counts)
    first = sum(count * value for count, value in zip(counts, values, strict=True))
    second = sum(count * value * value for count, value in zip(counts, values, strict=True))
    squares = Fraction(num_problems * second - first * first, num_problems)
    return squares / (math.comb(num_planned, k) ** 2 * num_problems * (num_problems - 1))


def _prediction_variance(counts: list[int], num_planned: int, k: int) -> Fraction:
    total = Fraction(0)
    for passed, count in enumerate(counts):
        failing = Fraction(math.comb(num_planned - passed, k), math.comb(num_planned, k))
        both = Fraction(math.comb(num_planned - passed, 2 * k), math.comb(num_planned, 2 * k))
        total += count * (failing * failing - both)
    return total / sum(counts) ** 2


def _root(variance: Fraction | None) -> float | None:
    """Square root of an exact value, itself rounded once: float() of a Fraction and sqrt are both correctly rounded."""
    return None if variance is None else math.sqrt(float(max(variance, Fraction(0))))


def _flags(counts: NDArray[np.int64], num_planned: int, k: int, num_clusters: int) -> tuple[str, ...]:
    num_problems, full = int(counts.sum()), int(counts[max(num_planned - k + 1, 1) :].sum())
    few = num_problems - full < FEW_FAILURES or num_problems - int(counts[0]) < FEW_FAILURES
    named = {
        "few_failures": few,
        "small_n": num_problems < SMALL_N,
        "few_clusters": 0 < num_clusters < FEW_CLUSTERS,
    }
    return tuple(name for name, is_raised in named.items() if is_raised)


def _is_full(counts: NDArray[np.int64], num_planned: int, k: int) -> bool:
    """Every problem scores 1: it fails fewer than k of its n samples."""
    return not counts[: max(num_planned - k + 1, 1)].any()


def _half_t_squared(freedom: int) -> float:
    """t_{freedom}(.975)^2 / 2 by bisection on the distribution function; 15 digits, no special-function library."""
    low, high = 1.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _central_mass(middle, freedom) < 0.95 else (low, middle)
    return low * low / 2


def _central_mass(t: float, freedom: int) -> float:
    """P(|T| <= t) of Student's law as the finite sums of Abramowitz, Stegun 1964, 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    if freedom == 1:
        return 2 * angle / math.pi
    term, total = (cosine, cosine) if freedom % 2 else (1.0, 1.0)
    for step in range(2 + freedom % 2, freedom - 1, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    return 2 * (angle + sine * total) / math.pi if freedom % 2 else sine * total


def _check_counts(num_planned: int, num_passed: int) -> None:
    if not 0 <= num_passed <= num_planned:
        raise ValueError(f"{num_passed} of {num_planned} samples cannot pass")
