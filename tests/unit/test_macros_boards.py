"""A whole board: against its definition pair by pair, whatever the order of the input, and in SQL."""

from __future__ import annotations

import importlib
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pytest
from benchforge.macros import boards, estimators, families, paired, udfs
from benchforge.macros.boards import Board, compare_board


def _passes(seed: int, num_models: int, num_problems: int, num_planned: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    difficulty = rng.beta(0.8, 0.8, num_problems)
    return rng.binomial(num_planned, difficulty ** rng.uniform(0.4, 2.5, num_models)[:, None])


def _names(number: int) -> list[str]:
    return [f"model-{place:03d}" for place in range(number)]


def _rows(board: Board) -> dict[tuple[str, str], dict[str, object]]:
    pairs = board.pairs
    columns = {
        name: getattr(pairs, name).tolist()
        for name in Board.__annotations__ and pairs.__annotations__
        if name not in ("noise", "first", "second")
    }
    for name, values in zip(("se_total", "se_prediction", "se_data"), pairs.noise.standard_errors, strict=True):
        columns[name] = values.tolist()
    keys = [(board.models[one], board.models[other]) for one, other in zip(pairs.first, pairs.second, strict=True)]
    return {key: {name: values[at] for name, values in columns.items()} for at, key in enumerate(keys)}


@pytest.mark.parametrize(("num_planned", "k"), [(1, 1), (10, 1), (10, 5), (4, 3), (100, 10)])
def test_pairs_are_what_their_definition_says(num_planned: int, k: int) -> None:
    passes, names = _passes(1, 6, 90, num_planned), _names(6)
    scores = [[estimators.pass_at_k(num_planned, int(c), k) for c in row] for row in passes]
    rows = _rows(compare_board(names, passes, num_planned, k))
    assert len(rows) == 15
    for (one, other), row in rows.items():
        gaps = [a - b for a, b in zip(scores[names.index(one)], scores[names.index(other)], strict=True)]
        mean = sum(gaps, Fraction(0)) / 90
        variance = sum((gap - mean) ** 2 for gap in gaps) / (90 * 89)
        assert row["difference"] == float(mean) >= 0
        assert row["num_discordant"] == sum(gap != 0 for gap in gaps)
        assert row["se_total"] == pytest.approx(math.sqrt(variance), rel=1e-12)
        assert row["low"] <= row["difference"] <= row["high"]


def test_one_sample_is_mcnemar_and_several_are_flips_on_small_boards() -> None:
    one = compare_board(_names(4), _passes(2, 4, 60, 1), 1, 1)
    assert set(one.pairs.p_method.tolist()) == {"mcnemar_mid_p"}
    assert np.isnan(one.pairs.noise.prediction).all()
    several = compare_board(_names(4), _passes(2, 4, 60, 5), 5, 1)
    assert set(several.pairs.p_method.tolist()) <= {"sign_flip", "sign_flip_saddlepoint"}
    assert not np.isnan(several.pairs.noise.prediction).any()


def test_large_boards_screen_pairs_that_nobody_asked_about() -> None:
    board = compare_board(_names(30), _passes(3, 30, 80, 5), 5, 1, baseline="model-007")
    is_asked = ~np.isnan([board.pairs.p_best, board.pairs.p_adjacent, board.pairs.p_baseline]).all(axis=0)
    assert np.array_equal(board.pairs.p_method == "score", ~is_asked)
    assert is_asked.sum() < len(is_asked) / 2


def test_families_hold_the_pairs_they_are_named_after() -> None:
    names = _names(8)
    board = compare_board(names, _passes(4, 8, 100, 1), 1, 1, baseline="model-003")
    rows = _rows(board)
    order = [*dict.fromkeys(one for one, _ in rows), next(reversed(rows))[1]]
    totals = _passes(4, 8, 100, 1).sum(axis=1)
    assert [totals[names.index(name)] for name in order] == sorted(totals, reverse=True)
    for (one, other), row in rows.items():
        assert math.isnan(row["p_best"]) == (one != order[0])
        assert math.isnan(row["p_adjacent"]) == (order.index(other) - order.index(one) != 1)
        assert math.isnan(row["p_baseline"]) == ("model-003" not in (one, other))
        assert row["q_all_pairs"] >= row["p"]
    plain = [row["p"] for key, row in rows.items() if "model-003" in key]
    assert [row["p_baseline"] for key, row in rows.items() if "model-003" in key] == families.holm(plain).tolist()


def test_adjusted_p_says_what_rank_intervals_say() -> None:
    board = compare_board(_names(9), _passes(5, 9, 60, 1), 1, 1)
    pairs, is_best = board.pairs, ~np.isnan(board.pairs.p_best)
    is_said = pairs.p_best[is_best] < 0.05
    best = pairs.first[is_best][0]
    assert is_said.any() and not is_said.all()
    assert board.ranks.high[best] == 9 - is_said.sum(), is_said


def test_neither_order_of_the_input_changes_a_bit() -> None:
    rng = np.random.default_rng(6)
    passes, names = _passes(6, 12, 160, 10), _names(12)
    passes[3] = passes[5]
    clusters = [f"contest {place // 4}" for place in range(160)]
    for k, labels in ((1, None), (5, None), (1, clusters)):
        board = compare_board(names, passes, 10, k, labels, "model-002")
        for _ in range(3):
            models, problems = rng.permutation(12), rng.permutation(160)
            turned = compare_board(
                [names[place] for place in models],
                passes[models][:, problems],
                10,
                k,
                None if labels is None else [labels[place] for place in problems],
                "model-002",
            )
            assert repr(_rows(turned)) == repr(_rows(board))
            assert (turned.v_data, turned.v_prediction) == (board.v_data, board.v_prediction)
            for name in ("rank", "low", "high", "could_be_first"):
                assert np.array_equal(getattr(turned.ranks, name), getattr(board.ranks, name))


HASHED = """
import hashlib
import numpy as np
from benchforge.macros import boards

made, rng = hashlib.sha256(), np.random.default_rng(3)
for n, k, num_models, num_problems in ((1, 1, 22, 164), (10, 1, 22, 164), (10, 5, 8, 300), (10, 1, 6, 1055)):
    chance = rng.beta(0.8, 0.8, num_problems) ** rng.uniform(0.7, 1.4, num_models)[:, None]
    passes, names = rng.binomial(n, chance), [str(place) for place in range(num_models)]
    for clusters in (None, [str(place // 4) for place in range(num_problems)]):
        board = boards.compare_board(names, passes, n, k, clusters, "3")
        for name in ("difference", "low", "high", "p", "p_best", "p_adjacent", "p_baseline", "q_all_pairs"):
            made.update(getattr(board.pairs, name).tobytes())
        for errors in board.pairs.noise.standard_errors:
            made.update(errors.tobytes())
        made.update(repr((board.v_data, board.v_prediction, board.ranks.low.tolist())).encode())
print(made.hexdigest())
"""


def test_an_older_processor_gives_the_same_bytes() -> None:
    """numpy told to use no vector instructions beyond its baseline, and OpenBLAS the kernels of an old core."""
    numpy_core: Any = importlib.import_module("numpy._core._multiarray_umath")
    known = [name for name in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__.get(name)]
    if not known:
        pytest.skip("numpy has no vector instructions here that could be turned off")
    older = {"NPY_DISABLE_CPU_FEATURES": " ".join(known), "OPENBLAS_CORETYPE": "Nehalem", "OMP_NUM_THREADS": "1"}
    found = [
        subprocess.run([sys.executable, "-c", HASHED], env={**os.environ, **extra}, capture_output=True, check=True)
        for extra in ({}, older)
    ]
    here, there = (run.stdout for run in found)
    assert here == there and here


def test_ties_are_in_name_order_and_identical_models_are_never_apart() -> None:
    board = compare_board(["b", "a", "c"], np.array([[1, 0, 1, 1]] * 2 + [[0, 0, 0, 1]]), 1, 1)
    row = _rows(board)["a", "b"]
    assert (row["difference"], row["p"], row["num_discordant"], row["se_total"]) == (0.0, 1.0, 0, 0.0)
    assert row["low"] < 0 < row["high"]
    assert list(_rows(board)) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert board.ranks.rank.tolist() == [1, 1, 3]


def test_one_problem_and_all_or_none_pass() -> None:
    board = compare_board(["a", "b"], np.array([[1], [0]]), 1, 1)
    row = _rows(board)["a", "b"]
    assert row["p"] == 0.5 and math.isnan(row["se_total"])
    assert board.ranks.high.tolist() == [2, 2]
    apart = compare_board(["a", "b"], np.array([[3] * 50, [0] * 50]), 3, 1)
    row = _rows(apart)["a", "b"]
    assert row["difference"] == 1.0 and row["p"] == pytest.approx(2.0**-50, rel=1e-12)
    assert row["interval_method"] == boards.FEW and 0.85 < row["low"] < row["high"] == 1.0
    assert apart.ranks.high.tolist() == [1, 2]


def test_clusters_act_from_twenty_on_and_widen_where_contests_differ() -> None:
    rng = np.random.default_rng(7)
    effect = rng.normal(0, 2, (4, 40))
    passes = rng.binomial(1, 1 / (1 + np.exp(-np.repeat(effect, 5, axis=1))))
    labels = [f"contest {place // 5}" for place in range(200)]
    plain, clustered = (compare_board(_names(4), passes, 1, 1, given) for given in (None, labels))
    assert np.all(clustered.pairs.noise.total > plain.pairs.noise.total)
    assert np.array_equal(clustered.pairs.difference, plain.pairs.difference)
    assert set(clustered.pairs.interval_method.tolist()) == {"score_clustered"}
    few = compare_board(_names(4), passes, 1, 1, [f"half {place // 100}" for place in range(200)])
    assert repr(_rows(few)) == repr(_rows(plain))


def test_few_discordant_problems_get_likelihood_intervals() -> None:
    passes = np.ones((3, 164), dtype=np.int64)
    passes[1, :4], passes[2, :20] = 0, 0
    rows = _rows(compare_board(["a", "b", "c"], passes, 1, 1))
    assert rows["a", "b"]["interval_method"] == boards.FEW
    assert rows["a", "c"]["interval_method"] == "score"
    low, high = paired.few_discordant_limits(np.array([0.0, 1.0]), np.array([[160, 4]]))
    assert (rows["a", "b"]["low"], rows["a", "b"]["high"]) == (low[0], high[0])


def test_the_baseline_need_not_be_on_the_board() -> None:
    assert np.isnan(compare_board(["a", "b"], np.array([[1, 0], [0, 0]]), 1, 1, None, "c").pairs.p_baseline).all()


@pytest.mark.parametrize(
    ("models", "passes", "num_planned", "k", "clusters", "message"),
    [
        (["a"], [[1]], 1, 1, None, "two or more"),
        (["a", "a"], [[1], [0]], 1, 1, None, "distinct"),
        (["a", "b"], [[1]], 1, 1, None, "do not fit 2 models"),
        (["a", "b"], [[], []], 1, 1, None, "one or more problems"),
        (["a", "b"], [[1], [0]], 1, 5, None, "pass@5 cannot"),
        (["a", "b"], [[2], [0]], 1, 1, None, "0 to 2 of 1"),
        (["a", "b"], [[1], [0]], 1, 1, ["x", "y"], "2 cluster labels"),
    ],
)
def test_what_is_no_board_is_refused(
    models: list[str], passes: list[list[int]], num_planned: int, k: int, clusters: list[str] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        compare_board(models, np.array(passes, dtype=np.int64), num_planned, k, clusters)


# ---- in SQL -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    opened = duckdb.connect()
    udfs.register(opened)
    yield opened
    opened.close()


def test_the_function_of_sql_gives_the_same_board(connection: duckdb.DuckDBPyConnection) -> None:
    passes, names = _passes(10, 5, 70, 10), _names(5)
    board = compare_board(names, passes, 10, 1, None, "model-001")
    query = "select compare_board_udf($models, $passes, 10, 1, null, 'model-001')"
    found = connection.execute(query, {"models": names, "passes": passes.ravel().tolist()}).fetchall()[0][0]
    for pair in found["pairs"]:
        row = _rows(board)[pair["model"], pair["other"]]
        for sql_name, name in (("p_value", "p"), ("difference_low", "low"), ("difference_high", "high")):
            assert pair[sql_name] == row[name]
        for name in ("difference", "difference_numerator", "num_discordant", "se_total", "se_prediction", "se_data"):
            assert pair[name] == row[name]
        for name in ("p_best", "p_adjacent", "p_baseline"):
            assert (pair[name] is None) == math.isnan(row[name]) and pair[name] in (None, row[name])
    assert [rank["rank_low"] for rank in found["ranks"]] == board.ranks.low.tolist()
    assert (found["num_models"], found["tukey_constant"]) == (5, board.tukey_constant)
    assert (found["v_data"], found["v_prediction"]) == (board.v_data, board.v_prediction)


def test_what_says_nothing_is_null_in_sql(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        select compare_board_udf(models, passes, n, k, null, null) is null
        from (values
            (['a'], [1], 1, 1), (null, [1, 1], 1, 1), (['a', 'b'], null, 1, 1), (['a', 'b'], [], 1, 1),
            (['a', 'b'], [1, 0], 1, 5), (['a', 'b'], [1, 0], null, 1), (['a', 'b'], [1, 0], 1, 1)
        ) as rows(models, passes, n, k)
    """
    assert connection.execute(query).fetchall() == [(True,)] * 6 + [(False,)]


def test_boards_of_one_query_stay_apart(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        select board, len(found.pairs), len(found.ranks), found.pairs[1].difference
        from (
            select board, compare_board_udf(models, passes, 1, 1, null, null) as found
            from (values
                (1, ['a', 'b', 'c'], [1, 1, 1, 0, 0, 0]), (2, ['a'], [1]), (3, ['x', 'y'], [1, 1, 1, 0])
            ) as rows(board, models, passes)
        )
        order by board
    """
    assert connection.execute(query).fetchall() == [(1, 3, 3, 0.5), (2, None, None, None), (3, 1, 2, 0.5)]
