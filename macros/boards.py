"""One board: every pair of models on the same problems, rank intervals, and who could be first.

A board is M models with n samples on the same N problems; scores are pass@k as integers over C(n, k). Models are put in
name order first and everything is a sum over problems, so neither order of the input changes a bit of the result.
All pairs get a difference, an interval and noise shares; the pairs that people ask about (with the best, of neighbours
in the ranking, with a baseline) get the exact test, the others too where n = 1 or the board is small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import families, normal, paired, ranks, sign_flips
from .estimators import FEW_CLUSTERS, numerators
from .ranks import Floats, Integers

MAX_EXACT_PAIRS = 200
"""Up to this many pairs (20 models) each gets the sign-flip test; above, pairs outside the families the score's p."""
MCNEMAR, SCORE, FEW = "mcnemar_mid_p", "score", "el_quarter"


@dataclass(frozen=True)
class Pairs:
    """Columns of length M (M - 1) / 2. ``first`` and ``second`` are places in ``Board.models``; NaN: not estimable.

    ``first`` stands higher in the ranking (ties by name); pairs run down the ranking.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    difference_numerator: Integers
    difference: Floats
    low: Floats
    high: Floats
    interval_method: NDArray[np.str_]
    num_discordant: NDArray[np.int64]
    p: Floats
    p_method: NDArray[np.str_]
    p_best: Floats
    p_adjacent: Floats
    p_baseline: Floats
    q_all_pairs: Floats
    noise: paired.Noise


@dataclass(frozen=True)
class Board:
    """Models in name order, their pairs and ranks, and the medians a planning curve is drawn from (None: unknown)."""

    models: tuple[str, ...]
    pairs: Pairs
    ranks: ranks.Ranks
    tukey_constant: float
    v_data: float | None
    v_prediction: float | None
    share_discordant: float


@dataclass(frozen=True)
class _Scores:
    """Scores of M models in name order: classes of equal score (M, N), integers (M, N), sums of G units (M, G)."""

    passes: NDArray[np.int64]
    problems: Integers
    units: Integers
    sizes: NDArray[np.int64]
    unit: int
    num_planned: int
    k: int
    moments: ranks.Pairwise = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "moments", ranks.pairwise(self.units))

    @property
    def is_clustered(self) -> bool:
        return len(self.sizes) < self.problems.shape[1]


@dataclass(frozen=True)
class _Places:
    """Every pair by its places in the ranking (``upper`` < ``lower``) and in name order (``first``, ``second``)."""

    upper: NDArray[np.int64]
    lower: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]


@dataclass(frozen=True)
class _Asked:
    """Whether a pair is one of the best model, of neighbours in the ranking, of the baseline, shape (pairs,) each."""

    is_best: NDArray[np.bool_]
    is_adjacent: NDArray[np.bool_]
    is_baseline: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        return self.is_best | self.is_adjacent | self.is_baseline


def compare_board(
    models: Sequence[str],
    passes: NDArray[np.int64],
    num_planned: int,
    k: int,
    clusters: Sequence[str] | None = None,
    baseline: str | None = None,
    *,
    max_models_all_pairs: int | None = None,
) -> Board:
    """Compare M >= 2 models on N >= 1 problems.

    ``models`` (M,) distinct names; ``passes`` (M, N) number of the n samples that pass; ``clusters`` (N,) labels or
    None (fewer than 20 clusters are ignored: too few to estimate from); ``baseline`` a name, without effect where it
    is not on the board. Of more than ``max_models_all_pairs`` models only pairs of its families have limits, others
    NaN. ValueError for fewer than two models, doubled names, n < k, counts outside 0 … n, or shapes that do not fit.
    """
    counts = np.asarray(passes, dtype=np.int64)
    _check(models, counts, num_planned, k, clusters)
    by_name = sorted(range(len(models)), key=lambda place: models[place])
    names = tuple(models[place] for place in by_name)
    scores = _scores(counts[by_name], num_planned, k, clusters)
    standing = _standing(scores.moments.totals)
    places = _places(standing)
    moments, noise = _moments(scores, places)
    num_discordant = paired.count_discordant(_classes(scores)[standing])
    difference = ranks.quotients(moments.totals, moments.num_problems * moments.unit)
    asked = _asked(places, names.index(baseline) if baseline in names else None)
    is_shown = asked.any if len(names) > (max_models_all_pairs or len(names)) else np.ones_like(asked.any)
    low, high, method = _limits(scores, places, moments, is_shown)
    p, p_method, adjusted = _tests(scores, places, moments, asked)
    pairs = Pairs(
        *(places.first, places.second, moments.totals, difference, low, high, method, num_discordant),
        *(p, p_method, *adjusted, noise),
    )
    return Board(
        names, pairs, ranks.ranks(scores.moments), families.tukey_constant(len(names)), *_planned(scores, pairs)
    )


# ---- what goes in -------------------------------------------------------------------------------------------------


def _check(
    models: Sequence[str], passes: NDArray[np.int64], num_planned: int, k: int, clusters: Sequence[str] | None
) -> None:
    num_problems = passes.shape[1] if passes.ndim == 2 else 0
    if len(models) < 2 or len(set(models)) < len(models):
        raise ValueError("a board needs two or more models with distinct names")
    if passes.ndim != 2 or len(passes) != len(models) or not num_problems:
        raise ValueError(f"passes of shape {passes.shape} do not fit {len(models)} models on one or more problems")
    if not 1 <= k <= num_planned:
        raise ValueError(f"pass@{k} cannot be estimated from {num_planned} samples")
    if passes.min() < 0 or passes.max() > num_planned:
        raise ValueError(f"a problem passes {passes.min()} to {passes.max()} of {num_planned} samples")
    if clusters is not None and len(clusters) != num_problems:
        raise ValueError(f"{len(clusters)} cluster labels do not fit {num_problems} problems")


def _scores(passes: NDArray[np.int64], num_planned: int, k: int, clusters: Sequence[str] | None) -> _Scores:
    values = numerators(num_planned, k)
    common = math.gcd(*values)
    unit, number = math.comb(num_planned, k) // common, passes.shape[1]
    labels, place = np.unique(np.asarray(range(number) if clusters is None else clusters), return_inverse=True)
    if len(labels) < FEW_CLUSTERS:
        labels, place = np.arange(number), np.arange(number)
    sizes = np.bincount(place).astype(np.int64)
    squares = int((sizes * sizes).sum())
    table = np.array([value // common for value in values], dtype=object)
    problems = ranks.fitting(table, 4 * max(number * number, squares) * squares * unit * unit)[passes]
    units = problems
    if len(labels) < number:
        order = np.argsort(place, kind="stable")
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        units = np.add.reduceat(problems[:, order], starts, axis=1)
    return _Scores(passes, problems, units, sizes, unit, num_planned, k)


def _classes(scores: _Scores) -> NDArray[np.int64]:
    """From num_planned - k + 1 passes on, every score is 1."""
    return np.minimum(scores.passes, scores.num_planned - scores.k + 1)


def _standing(totals: Integers) -> NDArray[np.int64]:
    """Places in name order, best score first, ties by name."""
    values = totals.tolist()
    return np.array(sorted(range(len(values)), key=lambda place: (-values[place], place)))


def _places(standing: NDArray[np.int64]) -> _Places:
    upper, lower = np.triu_indices(len(standing), 1)
    return _Places(upper, lower, standing[upper], standing[lower])


# ---- differences, noise, intervals --------------------------------------------------------------------------------


def _asked(places: _Places, baseline: int | None) -> _Asked:
    is_baseline = (places.first == baseline) | (places.second == baseline)
    return _Asked(places.upper == 0, places.lower == places.upper + 1, is_baseline)


def _moments(scores: _Scores, places: _Places) -> tuple[paired.Moments, paired.Noise]:
    first, second = places.first, places.second
    totals, weighted = scores.moments.totals, (scores.units * scores.sizes).sum(axis=1)
    moments = paired.Moments(
        totals[first] - totals[second],
        scores.moments.squares[first, second],
        weighted[first] - weighted[second],
        scores.sizes,
        scores.unit,
    )
    known = paired.prediction_numerators(scores.num_planned, scores.k)
    if known is None:
        return moments, paired.noise_of_pairs(moments, None)
    own = known[0][scores.passes].sum(axis=1)
    return moments, paired.noise_of_pairs(moments, (own[first] + own[second], known[1]))


def _limits(
    scores: _Scores, places: _Places, moments: paired.Moments, is_shown: NDArray[np.bool_]
) -> tuple[Floats, Floats, NDArray[np.str_]]:
    """The score interval; empirical likelihood where few problems differ (clusters cannot be seen in so few)."""
    low, high = paired.score_limits(moments)
    method = np.full(len(low), "score_clustered" if scores.is_clustered else "score", dtype="<U15")
    is_few = paired.is_few(scores.problems, scores.unit)[places.first, places.second]
    candidates = np.flatnonzero((is_few | _may_be_constant(moments)) & is_shown)
    for rows in paired.in_parts(len(candidates), scores.problems.shape[1]):
        part = candidates[rows]
        gaps = scores.problems[places.first[part]] - scores.problems[places.second[part]]
        values, counts = paired.histograms(gaps)
        values, counts = values[counts.any(axis=0)], counts[:, counts.any(axis=0)]
        kept = is_few[part] | (gaps.shape[1] - counts.max(axis=1) < paired.FEW_FOR_SCORE)
        shares = ranks.quotients(values, scores.unit)
        low[part[kept]], high[part[kept]] = paired.few_discordant_limits(shares, counts[kept])
        method[part[kept]] = FEW
    # pseudo problems pull inwards: a difference of 1 on every problem would lie outside its own limits
    difference = ranks.quotients(moments.totals, moments.num_problems * moments.unit)
    low, high = np.minimum(low, difference), np.maximum(high, difference)
    return np.where(is_shown, low, np.nan), np.where(is_shown, high, np.nan), method


def _may_be_constant(moments: paired.Moments) -> NDArray[np.bool_]:
    """Pairs whose difference may be the same on all but fewer than 10 problems: 1, or anything."""
    limit = (moments.num_problems - 2 * paired.FEW_FOR_SCORE) * moments.unit
    return (moments.totals > limit) | (moments.centred == 0)


# ---- tests and families -------------------------------------------------------------------------------------------


def _tests(
    scores: _Scores, places: _Places, moments: paired.Moments, asked: _Asked
) -> tuple[Floats, NDArray[np.str_], tuple[Floats, Floats, Floats, Floats]]:
    """p, its method, and p adjusted for: against the best, adjacent, against a baseline, all pairs (a screen)."""
    number = scores.moments.totals.shape[0]
    statistic = _statistic(moments)
    p, method, screened = _p_values(scores, places, moments, statistic, asked.any)
    ranked = np.flatnonzero(asked.is_best | asked.is_adjacent)
    tukey = np.full(len(p), np.nan)
    tukey[ranked] = families.tukey_p(statistic[ranked], number)
    held = np.full(len(p), np.nan)
    held[asked.is_baseline] = families.holm(p[asked.is_baseline])
    best, adjacent = np.where(asked.is_best, tukey, np.nan), np.where(asked.is_adjacent, tukey, np.nan)
    return p, method, (best, adjacent, held, families.benjamini_hochberg(screened))


def _p_values(
    scores: _Scores, places: _Places, moments: paired.Moments, statistic: Floats, is_asked: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.str_], Floats]:
    """p, its method, and the p that the screen ranks: one statistic for all pairs."""
    if scores.num_planned == 1 and not scores.is_clustered:
        only_first = (moments.squares + moments.totals) // 2
        p = paired.mcnemar_mid_p(only_first, only_first - moments.totals)
        return p, np.full(len(p), MCNEMAR), p
    screened = normal.two_sided(statistic)
    p, method = screened.copy(), np.full(len(screened), SCORE, dtype="<U24")
    chosen = np.flatnonzero(is_asked | (len(p) <= MAX_EXACT_PAIRS))
    sizes = np.abs(scores.units[places.first[chosen]] - scores.units[places.second[chosen]])
    p[chosen], method[chosen] = sign_flips.flip_p_values(sizes, moments.totals[chosen])
    return p, method, screened


def _statistic(moments: paired.Moments) -> Floats:
    """|D| / sqrt Q, 0 for identical results."""
    squares = np.where(moments.squares == 0, 1, moments.squares)
    return np.sqrt(ranks.quotients(moments.totals * moments.totals, squares))


# ---- what a planning curve needs ----------------------------------------------------------------------------------


def _planned(scores: _Scores, pairs: Pairs) -> tuple[float | None, float | None, float]:
    """Medians over pairs of V_data and V_prediction (k = 1 only: V = V_data + V_prediction / n), and of discordance."""
    number = scores.problems.shape[1]
    share = float(np.median(pairs.num_discordant)) / number
    if scores.k > 1 or scores.num_planned < 2 or len(scores.sizes) < 2:
        return None, None, share
    data, prediction = (float(np.median(values)) * number for values in (pairs.noise.data, pairs.noise.prediction))
    return data, prediction * scores.num_planned, share
