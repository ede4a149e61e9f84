"""Difference in differences: against the formula, against what was recorded, and what is refused."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from benchforge.macros import udfs
from benchforge.macros.differences import DifferenceInDifferences, difference_in_differences


def _drawn(seed: int) -> tuple[list[float], list[bool], list[str], list[str]]:
    rng = np.random.default_rng(seed)
    contests = rng.integers(0, 30, 200)
    scores = (rng.integers(-10, 11, 200) / 10).tolist()
    return scores, (contests > 12).tolist(), rng.choice(["easy", "hard"], 200).tolist(), contests.astype(str).tolist()


def test_estimate_weighs_strata_by_their_share_after_the_cutoff() -> None:
    scores = [0.5, 0.5, 0.0, 0.0, 0.1, 0.1, 0.0, 0.0, 0.3, 0.3]
    is_after = [False, False, True, True, False, False, True, True, True, True]
    strata = ["easy"] * 4 + ["hard"] * 6
    found = difference_in_differences(scores, is_after, strata)
    assert found.estimate == pytest.approx(2 / 6 * -0.5 + 4 / 6 * (0.15 - 0.1))
    assert (found.num_before, found.num_after, found.refused) == (4, 6, None)


def test_independent_problems_have_the_variance_of_each_stratum_and_period() -> None:
    scores, is_after, strata, _ = _drawn(1)
    found = difference_in_differences(scores, is_after, strata)
    variance = 0.0
    for level in ("easy", "hard"):
        share = sum(after and own == level for after, own in zip(is_after, strata, strict=True)) / sum(is_after)
        for period in (False, True):
            rows = zip(scores, is_after, strata, strict=True)
            cell = [score for score, after, own in rows if after == period and own == level]
            variance += share**2 * np.var(cell, ddof=1) / len(cell)
    assert found.se == pytest.approx(math.sqrt(variance))


def test_order_of_problems_changes_no_bit() -> None:
    columns = _drawn(2)
    order = np.random.default_rng(3).permutation(200)
    turned = [[column[place] for place in order] for column in columns]
    assert difference_in_differences(*turned) == difference_in_differences(*columns)


def test_contests_below_twenty_or_unknown_are_no_clusters() -> None:
    scores, is_after, strata, contests = _drawn(4)
    plain = difference_in_differences(scores, is_after, strata)
    few = [str(int(contest) // 2) for contest in contests]
    assert difference_in_differences(scores, is_after, strata, few) == plain
    assert difference_in_differences(scores, is_after, strata, [None, *contests[1:]]) == plain
    assert difference_in_differences(scores, is_after, strata, contests) != plain


@pytest.mark.parametrize(
    ("is_after", "strata", "reason"),
    [
        ([True] * 4 + [False] * 2, ["a", "a", "b", "b", "a", "a"], "stratum b has 0 problems before the cutoff"),
        ([True, False] * 3, ["a", "a", "a", "a", "b", "b"], "stratum b has 1 problems before the cutoff"),
        ([True] * 6, None, "there are 0 problems before the cutoff"),
        ([False] * 5 + [True], None, "there are 1 problems after the cutoff"),
    ],
)
def test_a_period_without_problems_of_a_stratum_is_refused(
    is_after: list[bool], strata: list[str | None] | None, reason: str
) -> None:
    found = difference_in_differences([0.0, 0.5, 1.0, 0.0, 0.5, 1.0], is_after, strata)
    assert (found.estimate, found.se, found.refused) == (None, None, reason)


def test_no_problems_are_refused() -> None:
    assert difference_in_differences([], []) == DifferenceInDifferences(
        None, None, 0, 0, "there are 0 problems before the cutoff"
    )


def test_equal_models_differ_by_nothing() -> None:
    found = difference_in_differences([0.0] * 8, [False, True] * 4)
    assert (found.estimate, found.se) == (0.0, 0.0)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        difference_in_differences([0.0, 1.0], [True])


def test_the_function_of_sql_says_the_same() -> None:
    connection = duckdb.connect()
    udfs.register(connection)
    columns = _drawn(5)
    query = "select difference_in_differences_udf(?, ?, ?, ?), difference_in_differences_udf(null, null, null, null)"
    found, nothing = connection.execute(query, columns).fetchall()[0]
    assert DifferenceInDifferences(**found) == difference_in_differences(*columns)
    assert nothing is None


# ---- recorded scores ------------------------------------------------------------------------------------------------


def _problems(folder: Path) -> dict[str, dict[str, Any]]:
    with gzip.open(folder / "problems_v6_statements.jsonl.gz", "rt") as file:
        return {row["question_id"]: row for row in map(json.loads, file)}


def _published(folder: Path) -> dict[str, dict[str, float]]:
    scores: dict[str, dict[str, float]] = {}
    with gzip.open(folder / "performances" / "generation.json.gz", "rt") as file:
        for row in json.load(file)["performances"]:
            scores.setdefault(row["model"], {})[row["question_id"]] = row["pass@1"] / 100
    return scores


def _graded(folder: Path, model: str) -> dict[str, float]:
    with gzip.open(folder / "codegen" / f"{model}.jsonl.gz", "rt") as file:
        return {row["question_id"]: float(np.mean(row["graded_list"])) for row in map(json.loads, file)}


def _found(
    one: dict[str, float],
    other: dict[str, float],
    problems: dict[str, dict[str, Any]],
    cutoff: str,
    *,
    by_contest: bool,
) -> DifferenceInDifferences:
    rows = [(task, problems[task]) for task in one if task in other and task in problems]
    return difference_in_differences(
        [one[task] - other[task] for task, _ in rows],
        [problem["contest_date"][:10] > cutoff for _, problem in rows],
        [problem["difficulty"] for _, problem in rows],
        [problem["contest_id"] for _, problem in rows] if by_contest else None,
    )


@pytest.mark.parametrize(
    ("model", "platform", "estimate", "error"),
    [
        ("DSCoder-33b-Base", "", -0.247064299404, 0.045463345884),
        ("DSCoder-33b-Base", "leetcode", -0.505656108597, 0.059172372380),
        ("CodeQwen15-7B-Chat", "", -0.077939386281, 0.055968543754),
    ],
)
def test_published_scores_give_reference_values(
    shared_data: Path, model: str, platform: str, estimate: float, error: float
) -> None:
    folder = shared_data / "livecodebench"
    scores = _published(folder)
    problems = {task: row for task, row in _problems(folder).items() if platform in row["platform"]}
    found = _found(scores[model], scores["GPT-3.5-Turbo-0301"], problems, "2023-08-31", by_contest=True)
    assert (found.estimate, found.se) == pytest.approx((estimate, error), abs=1e-12)
    if not platform:
        assert (found.num_before, found.num_after) == (162, 238)


def test_published_scores_without_contests_give_the_reference_error(shared_data: Path) -> None:
    folder = shared_data / "livecodebench"
    scores = _published(folder)
    found = _found(
        scores["DSCoder-33b-Base"], scores["GPT-3.5-Turbo-0301"], _problems(folder), "2023-08-31", by_contest=False
    )
    assert found.se == pytest.approx(0.036520841956, abs=1e-12)


def test_a_fall_that_is_no_contamination(shared_data: Path) -> None:
    """O1-Mini falls by 16 points after 2023-10, and so does the other: problems became harder."""
    folder = shared_data / "livecodebench"
    one, other = _graded(folder, "O1-Mini-2024-09-12"), _graded(folder, "Qwen2.5-Ins-7B")
    found = _found(one, other, _problems(folder), "2023-10-31", by_contest=True)
    assert (found.estimate, found.se) == pytest.approx((-0.036891803971, 0.044520169623), abs=1e-12)
