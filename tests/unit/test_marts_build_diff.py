"""Two builds beside each other: what moved is listed with the rows that moved it, and what no row explains is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchforge.ingest.bundled import RECORDED_LAKE
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.runners import aggregate, previous_build
from benchforge.runners.cli.main import cli

KEPT, CHANGED, DROPPED = "made__kept", "made__changed", "made__dropped"
RECORDED = {KEPT: "unknown__phi-1", CHANGED: "unknown__phi-2", DROPPED: "unknown__starcoder-16b"}
"""Whose verdicts the made-up models have: under their own names the published figures would have to come out."""

Rows = list[dict[str, Any]]


def _lake(root: Path, models: tuple[str, ...], change: Callable[[Rows], None] = lambda rows: None) -> Path:
    """Recorded LiveCodeBench verdicts of some models; ``change`` has its way with the rows of ``CHANGED``."""
    shutil.copytree(RECORDED_LAKE / "tasks" / "benchmark=livecodebench", root / "tasks" / "benchmark=livecodebench")
    for model in models:
        [part] = (RECORDED_LAKE / "data" / "benchmark=livecodebench" / f"model={RECORDED[model]}").glob("*.parquet")
        table = pq.ParquetFile(part).read()  # by name alone the folder would become a column
        rows = [{**row, "model": model} for row in table.to_pylist()]
        if model == CHANGED:
            change(rows)
        target = root / "data" / "benchmark=livecodebench" / f"model={model}"
        target.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), target / "part-0.parquet")
    return root


def _pass_one(rows: Rows) -> None:
    first = next(row for row in rows if row["official_base_verdict"] == "fail")
    first.update(official_base_verdict="pass", official_base_reason="ok")


def _edited(path: Path, statement: str) -> Path:
    connection = duckdb.connect(str(path))
    connection.execute(statement).fetchall()
    connection.close()
    return path


@pytest.fixture(scope="module")
def diff(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Older: three models, an interval of ``KEPT`` by other code. Newer: one verdict changed, one model gone."""
    folder = tmp_path_factory.mktemp("diff")
    older = aggregate.build(_lake(folder / "lake", (KEPT, CHANGED, DROPPED)), folder / "older" / "marts.duckdb").path
    low = "update leaderboard set interval_low = interval_low - 1e-6"
    _edited(older, f"{low} where model = '{KEPT}' and metric = 'pass@1'")
    lake = _lake(folder / "changed", (KEPT, CHANGED), _pass_one)
    return aggregate.build(lake, folder / "newer" / "marts.duckdb", against=older).path


def _asked(path: Path, query: str) -> list[tuple[Any, ...]]:
    with aggregate.opened(path) as connection:
        return connection.execute(query).fetchall()


def test_one_changed_verdict_moves_its_cell_and_nothing_else_of_the_model(diff: Path) -> None:
    where = f"from fct_build_diff where model = '{CHANGED}'"
    problems = _asked(diff, f"select change, num_passed_after - num_passed_before {where} and task_id is not null")
    assert problems == [("problem_moved", 1)]
    scores = _asked(
        diff, f"select distinct change, cause, num_problems_changed, difference > 0 {where} and metric <> 'all'"
    )
    assert scores == [("score_moved", "problems", 1, True)]
    [(before, after)] = _asked(diff, f"select score_before, score_after {where} and metric = 'pass@1'")
    [(score, passed, denominator)] = _asked(
        diff,
        "select score, score_numerator, score_denominator from leaderboard"
        f" where model = '{CHANGED}' and metric = 'pass@1'",
    )
    assert after == score and before == float(passed - 1) / float(denominator)


def test_a_number_that_moved_while_no_row_did_is_unexplained(diff: Path) -> None:
    rows = _asked(diff, f"select change, metric, task_id, cause, difference from fct_build_diff where model = '{KEPT}'")
    assert rows == [("score_moved", "pass@1", None, "unexplained", 0.0)]


def test_a_model_that_is_gone_takes_its_numbers_problems_and_refusals(diff: Path) -> None:
    counts = dict(
        _asked(diff, f"select change, count(*) from fct_build_diff where model = '{DROPPED}' group by change")
    )
    [(num_problems,)] = _asked(
        diff, f"select num_problems from leaderboard where model = '{KEPT}' and metric = 'pass@1'"
    )
    assert counts["problem_dropped"] == num_problems
    assert (
        counts["score_gone"]
        and counts["refusal_gone"]
        and set(counts)
        == {
            "problem_dropped",
            "score_gone",
            "refusal_gone",
        }
    )
    causes = _asked(
        diff, f"select distinct cause from fct_build_diff where model = '{DROPPED}' and change = 'score_gone'"
    )
    assert causes == [("problems",)]


def test_the_findings_are_one_sentence(diff: Path) -> None:
    found = previous_build.found(diff)
    assert found["problem_moved"] == 1 and found["unexplained"] == 1
    assert previous_build.sentence(found).endswith("1 unexplained")
    assert previous_build.sentence({"unexplained": 0}) == "nothing moved"


def test_what_is_no_file_of_marts_is_refused(diff: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file of marts"):
        previous_build.checked(tmp_path / "none.duckdb")
    (tmp_path / "text.duckdb").write_text("not a database\n" * 100)
    with pytest.raises(BadInput, match="cannot be read"):
        previous_build.checked(tmp_path / "text.duckdb")
    other = _edited(tmp_path / "other.duckdb", "create table t as select 1 as x")
    with pytest.raises(BadInput, match="holds no fct_refusals"):
        previous_build.checked(other)
    assert previous_build.checked(diff) == diff


def test_a_misspelt_older_file_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file of marts"):
        cli.main(["aggregate", "--recorded", "--against", str(tmp_path / "none.duckdb")], standalone_mode=False)
