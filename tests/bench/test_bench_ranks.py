"""Rank intervals are right as often as they say: a small part of ``ranks.py`` always, the whole with ``make bench``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import ranks

IS_BENCH = bool(os.environ.get("BENCHFORGE_BENCH"))


@pytest.mark.parametrize("case", [case for case in ranks.CASES if case.num_problems == 164])
def test_every_rank_is_right_on_the_promised_share_of_boards(case: ranks.Case):
    """Seeded, so no chance is left; 300 boards have a standard error of .013 at .95, which is allowed twice."""
    found = ranks.ranks_of(case, 300, 7, num_naive=0)
    allowed = case.bar - 2 * (case.bar * (1 - case.bar) / 300) ** 0.5
    assert found.num_right / found.num_boards >= allowed
    assert found.num_first_right / found.num_boards >= allowed


def test_naive_bootstrap_ranks_are_wrong_near_ties():
    found = ranks.ranks_of(ranks.CASES[0], 25, 7, num_naive=25)
    assert found.num_naive_right / found.num_naive < 0.5 < found.num_right / found.num_boards


def test_holm_against_the_best_claims_what_is_not_there():
    best, holm, adjacent = ranks.false_leaders(200, 164, 1, 7)
    assert max(best, adjacent) <= 0.08
    assert holm > 0.12, "the best of equal models is chosen by luck, which Holm does not know"


def test_equal_models_are_seldom_called_different():
    for num_planned in (1, 10):
        assert ranks.type_one_error(400, 164, num_planned, 0.6, 7) <= 0.075


def test_paired_intervals_cover_where_few_problems_carry_the_difference():
    """The score interval alone covers .89 here."""
    assert ranks.coverage(500, 80, 10, (0.98, 0.96), 7) >= 0.95


@pytest.mark.skipif(not IS_BENCH, reason="takes minutes; make bench sets BENCHFORGE_BENCH")
def test_every_bar_of_the_bench_holds():
    assert ranks.main([]) == 0
