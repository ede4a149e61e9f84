"""Questions to the marts of the bundled lake, and the files that its build would write."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest.errors import NotStaged, UsageError
from benchforge.runners import aggregate
from benchforge.runners.ask import sql
from benchforge.runners.cli.aggregate import command
from click.testing import CliRunner


def test_a_question_is_answered_with_the_estimators_at_hand(recorded_marts: Path) -> None:
    question = "select 'm' as model, uncertainty_udf([4, 2], null, null, 1, 'pass@1', 1) as limits"
    answer = sql.ask(recorded_marts, question)
    assert answer.columns == ("model", "limits")
    assert answer.rows[0]["limits"]["bootstrap_low"] < 1 / 3 < answer.rows[0]["limits"]["bootstrap_high"]


def test_tables_of_every_layer_are_found_by_name(recorded_marts: Path) -> None:
    for table in ("headline", "stg_lake__samples", "int_cells_aggregated", "benchmarks"):
        assert sql.ask(recorded_marts, f"select count(*) as n from {table}").rows[0]["n"] > 0


@pytest.mark.parametrize(
    ("query", "sentence", "hint"),
    [
        ("select * from leaderbord", "no table leaderbord", "leaderboard"),
        ("select modle from headline", "no column modle", "model"),
        ("select pass_at_kk(1, 1, 1)", "no function pass_at_kk", "pass_at_k"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    recorded_marts: Path, query: str, sentence: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        sql.ask(recorded_marts, query)
    assert hint in caught.value.hint


def test_a_column_that_stands_elsewhere_is_not_called_missing(recorded_marts: Path) -> None:
    with pytest.raises(UsageError, match="not found in FROM clause") as caught:
        sql.ask(recorded_marts, "select count(*) filter (reproduced is null) from headline")
    assert "fct_published_agreement" in caught.value.hint


@pytest.mark.parametrize(
    "query",
    [
        "drop table leaderboard",
        "update leaderboard set score = 1",
        "copy headline to 'x.csv'",
        "attach 'x.duckdb'",
        "set threads = 1",
        "select 1; select 2",
        "selec",
    ],
)
def test_whatever_is_not_one_question_is_refused(recorded_marts: Path, query: str) -> None:
    with pytest.raises(UsageError):
        sql.ask(recorded_marts, query)


def test_a_question_before_any_build_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(NotStaged) as caught:
        sql.ask(tmp_path / "nothing.duckdb", "select 1")
    assert caught.value.hint == "benchforge aggregate"


def test_a_dry_run_names_the_files_of_a_build_and_writes_none(recorded_marts: Path, tmp_path: Path) -> None:
    planned = aggregate.would_write(None, recorded_marts)
    assert planned == [recorded_marts, *sorted((recorded_marts.parent / "marts").iterdir())]
    output = tmp_path / "out" / "x.duckdb"
    told = CliRunner().invoke(command, ["--recorded", "--dry-run", "--output", str(output), "--format", "json"])
    assert told.exit_code == 0, told.output
    assert str(output) in told.stdout
    assert not output.parent.exists()
