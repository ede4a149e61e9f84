"""Rank intervals and possible winners, in integers."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from benchforge.macros import families, ranks


def _board(rng: np.random.Generator, num_models: int, num_problems: int, num_planned: int = 1) -> np.ndarray:
    difficulty = rng.beta(0.8, 0.8, num_problems)
    return rng.binomial(num_planned, difficulty ** rng.uniform(0.5, 2, num_models)[:, None])


def _brute_force(scores: np.ndarray) -> tuple[list[list[int]], list[list[int]]]:
    rows = [[int(value) for value in row] for row in scores]
    totals = [[sum(one) - sum(other) for other in rows] for one in rows]
    squares = [[sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) for other in rows] for one in rows]
    return totals, squares


@pytest.mark.parametrize("largest", [1, 10, 252, 10**7, 10**13, 10**30])
def test_moments_are_exact_however_large_scores_are(largest: int) -> None:
    rng = np.random.default_rng(1)
    shares = rng.integers(0, 1001, (6, 90))
    scores = np.array([[int(share) * largest // 1000 for share in row] for row in shares], dtype=object)
    if largest <= 252:
        scores = scores.astype(np.int64)
    found = ranks.pairwise(scores)
    totals, squares = _brute_force(scores)
    assert found.differences.tolist() == totals
    assert found.squares.tolist() == squares


def test_moments_of_large_integers_that_fit_are_exact_too() -> None:
    scores = np.random.default_rng(2).integers(0, 2**24, (5, 500))
    found = ranks.pairwise(scores)
    assert found.squares.tolist() == _brute_force(scores)[1]


def test_products_of_different_matrices_are_exact() -> None:
    rng = np.random.default_rng(3)
    for sizes in ((9, 3), (10**7, 10**9), (10**15, 7)):
        left, right = (rng.integers(0, size, (4, 70)) for size in sizes)
        expected = left.astype(object) @ right.astype(object).T
        assert ranks.product(left, right).tolist() == expected.tolist()


def test_ranks_are_what_the_definition_says() -> None:
    rng = np.random.default_rng(5)
    for num_planned in (1, 10):
        scores = _board(rng, 12, 120, num_planned)
        totals, squares = _brute_force(scores)
        constant = families.tukey_constant_squared(12)
        better = [
            [d > 0 and d * d * 10**12 > constant * q for d, q in zip(*rows, strict=True)]
            for rows in zip(totals, squares, strict=True)
        ]
        found = ranks.ranks(ranks.pairwise(scores))
        assert found.low.tolist() == [1 + sum(row[j] for row in better) for j in range(12)]
        assert found.high.tolist() == [12 - sum(better[j]) for j in range(12)]
        assert found.rank.tolist() == [1 + sum(d < 0 for d in row) for row in totals]


def test_near_ties_of_statistic_and_constant_are_decided_in_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a doubt that covers everything, the integer route alone gives the same statements."""
    moments = ranks.pairwise(_board(np.random.default_rng(6), 15, 200))
    plain = ranks.is_better(moments)
    monkeypatch.setattr(ranks, "_DOUBT", 1e9)
    assert np.array_equal(ranks.is_better(moments), plain)
    assert plain.any()


def test_integers_see_a_difference_that_floats_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """D^2 = c^2 Q exactly is no statement; one more on the left is one."""
    huge = 10**20
    monkeypatch.setattr(families, "tukey_constant_squared", lambda _: 10**12)
    for extra, is_said in ((0, False), (1, True)):
        totals = np.array([huge + extra, 0], dtype=object)
        squares = np.array([[0, huge**2], [huge**2, 0]], dtype=object)
        assert ranks.is_better(ranks.Pairwise(totals, squares))[0, 1] == is_said


def test_identical_results_share_every_rank() -> None:
    found = ranks.ranks(ranks.pairwise(np.tile(np.array([[1, 0, 1, 1]]), (4, 1))))
    assert found.rank.tolist() == [1] * 4
    assert found.low.tolist() == [1] * 4 and found.high.tolist() == [4] * 4
    assert found.could_be_first.all()


def test_one_problem_says_nothing() -> None:
    found = ranks.ranks(ranks.pairwise(np.array([[1], [0], [0]])))
    assert found.rank.tolist() == [1, 2, 2]
    assert found.low.tolist() == [1] * 3 and found.high.tolist() == [3] * 3
    assert found.could_be_first.all()


def test_all_pass_against_none_pass_is_said() -> None:
    found = ranks.ranks(ranks.pairwise(np.array([[1] * 80, [0] * 80])))
    assert found.low.tolist() == [1, 2] and found.high.tolist() == [1, 2]
    assert found.could_be_first.tolist() == [True, False]


def _eliminated(scores: np.ndarray) -> set[int]:
    """Hansen, Lunde, Nason by the book: the largest statistic among the models left, again and again."""
    totals, squares = _brute_force(scores)
    left = list(range(len(scores)))
    while len(left) > 1:
        pairs = [(one, other) for one, other in itertools.permutations(left, 2) if totals[one][other] > 0]
        if not pairs:
            break
        winner, loser = max(pairs, key=lambda pair: Fraction(totals[pair[0]][pair[1]] ** 2, squares[pair[0]][pair[1]]))
        if totals[winner][loser] ** 2 <= families.tukey_constant(len(left)) ** 2 * squares[winner][loser]:
            break
        left.remove(loser)
    return set(left)


def test_could_be_first_is_elimination_by_the_book() -> None:
    rng = np.random.default_rng(8)
    for num_problems in (40, 164, 800):
        scores = _board(rng, 14, num_problems)
        found = set(np.flatnonzero(ranks.could_be_first(ranks.pairwise(scores))).tolist())
        assert found == _eliminated(scores)
        assert int(np.argmax(scores.sum(axis=1))) in found


def test_could_be_first_is_within_rank_one() -> None:
    found = ranks.ranks(ranks.pairwise(_board(np.random.default_rng(9), 40, 300)))
    assert np.all(found.low[found.could_be_first] == 1)
    assert found.could_be_first.sum() < (found.low == 1).sum()
