"""The whole road on bundled data: what the demo's made-up models were made to show must be what the marts say."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import duckdb
import golden_marts
import pytest
from benchforge.ingest.lake import Lake
from benchforge.runners.aggregate import mart_hashes
from benchforge.runners.cli.demo import NEXT_COMMANDS

ROOT = Path(__file__).resolve().parents[2]

HEADLINE = {
    "forge__perfect": 42,
    "forge__twin-a": 35,
    "forge__twin-b": 35,
    "forge__sleeper": 32,
    "forge__chatty": 19,
    "forge__careless": 11,
}
"""Problems of 42 solved (base and plus) by the models that answer once."""


def rows(marts: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(marts), read_only=True) as connection:
        return connection.sql(query).fetchall()


def test_demo_prints_the_leaderboard_and_the_next_three_commands(road):
    assert "forge__perfect" in road.stdout and "interval_low" in road.stdout
    assert road.stderr.count("\n   $ benchforge ") == 4
    assert len(re.findall(r"\n  \S*benchforge ", road.stderr.split("Worth trying next:")[1])) == 3
    assert "Traceback" not in road.stderr


def test_scores_are_those_the_models_were_written_for(road):
    found = rows(road.marts, "select model, score from headline where num_planned = 1")
    assert {model: round(score * 42) for model, score in found} == HEADLINE


def test_twins_tie_to_the_bit(road):
    ties = rows(
        road.marts, "select distinct score, interval_low, interval_high from headline where model like '%twin%'"
    )
    assert len(ties) == 1


def test_unfinished_model_has_no_number_and_a_reason(road):
    assert rows(road.marts, "select * from leaderboard where model = 'forge__unfinished'") == []
    assert "forge__unfinished" in road.stderr


def test_pass_at_5_is_refused_where_n_is_3_and_given_where_n_is_10(road):
    given = rows(road.marts, "select distinct model from leaderboard where metric = 'pass@5' order by 1")
    assert given == [("forge__repeater",), ("forge__sampler",)]
    refused = rows(
        road.marts, "select distinct model from fct_refusals where metric = 'pass@5' and model like '%short'"
    )
    assert refused == [("forge__short",)]


def test_better_extraction_saves_the_models_that_wrap_their_programs_in_prose(road):
    query = """
        select model from leaderboard
        where metric = 'pass@1' and test_set = 'plus' and verdict in ('official', 'strict')
        group by model having max(score) > min(score)
        order by model
    """
    assert [model for (model,) in rows(road.marts, query)] == ["forge__chatty", "forge__sampler"]


def test_where_official_and_strict_verdicts_part_there_is_a_row_that_says_why(road, benchforge):
    """``usage_last`` ends in a block of usage, which the official extraction takes for the program."""
    query = """
        select part, axis, official_verdict, official_reason, strict_verdict, corrected_extraction_verdict
        from fct_verdict_disagreements
        where model = 'forge__chatty' and task_id = 'forge/unique_in_order'
        order by part
    """
    done = benchforge("sql", "--file", str(road.marts), "--format", "json", query)
    assert done.returncode == 0, done.stderr
    assert [tuple(row.values()) for row in json.loads(done.stdout)] == [
        (part, "extraction", "fail", "exception", "pass", "pass") for part in ("base", "plus")
    ]
    # where words are spaced otherwise only the official oracle says wrong
    loose = "select distinct model, part, strict_verdict from fct_verdict_disagreements where axis = 'oracle'"
    assert ("forge__sampler", "plus", "pass") in rows(road.marts, loose)
    counts = "select sum(num_samples) from fct_verdict_disagreement_counts where part = 'base' and model = '{}'"
    assert rows(road.marts, counts.format("forge__chatty")) == [(37 - HEADLINE["forge__chatty"],)]
    assert rows(road.marts, counts.format("forge__perfect")) == [(None,)]


def test_sleeper_times_out_and_is_not_called_wrong(road):
    table = Lake(road.lake).read("results", ["model", "official_base_verdict"]).to_pylist()
    timeouts = {row["model"] for row in table if row["official_base_verdict"] == "timeout"}
    assert timeouts == {"forge__sleeper"}


def test_equal_programs_were_graded_once(road):
    timings = Lake(road.lake).read("timings", ["model", "is_reused"]).to_pylist()
    repeated = [row["is_reused"] for row in timings if row["model"] == "forge__repeater"]
    assert len(repeated) == 420 and sum(repeated) > 300


def test_no_answer_stands_in_the_tasks_table(road):
    table = Lake(road.lake).read("tasks")
    assert table.num_rows == 42
    assert not {"expected", "reference", "payload", "answer"} & set(table.column_names)


def test_grading_again_writes_the_same_bytes(road, benchforge):
    parts = {path: path.stat().st_mtime_ns for path in Lake(road.lake).live_parts("results")}
    words = ["score", "--config", "ingest/bundled/demo.yaml", "--scratch", str(road.scratch), "--force"]
    done = benchforge(*words, "--model", "forge__twin-a", "--model", "forge__careless")
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in Lake(road.lake).live_parts("results")} == parts


def test_build_is_the_same_on_another_number_of_threads(road, benchforge, tmp_path: Path):
    output = tmp_path / "again.duckdb"
    done = benchforge("aggregate", "--lake", str(road.lake), "--output", str(output), "--threads", "1")
    assert done.returncode == 0, done.stderr
    assert mart_hashes(output) == mart_hashes(road.marts)


@pytest.mark.parametrize("format_", ["json", "csv", "table"])
def test_sql_answers_from_the_built_file(road, benchforge, format_: str):
    done = benchforge("sql", "--file", str(road.marts), "--format", format_, "select count(*) as n from dim_tasks")
    assert done.returncode == 0, done.stderr
    assert "42" in done.stdout and "n" in done.stdout


def test_sql_refuses_to_write(road, benchforge):
    done = benchforge("sql", "--file", str(road.marts), "drop table leaderboard")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert rows(road.marts, "select count(*) > 0 from leaderboard") == [(True,)]


def test_readme_shows_what_the_demo_prints(road):
    readme = (ROOT / "README.md").read_text()
    shown = readme.split("```\nLeaderboard (pass@1")[1].split("```")[0].strip().splitlines()
    printed = road.stdout.split("Leaderboard (pass@1")[1].strip().splitlines()
    assert [line.rstrip() for line in shown] == [line.rstrip() for line in printed]


def test_marts_at_the_end_of_the_road_are_the_committed_ones(road, tmp_path: Path):
    offenders = golden_marts.moved(road.marts, "demo", tmp_path)
    assert not offenders, golden_marts.table(offenders)


@pytest.mark.parametrize("words", [words for _, words in NEXT_COMMANDS if words.startswith("sql")])
def test_commands_offered_by_the_demo_answer(road, benchforge, words: str):
    done = benchforge(*shlex.split(words), "--scratch", str(road.scratch))
    assert done.returncode == 0, done.stderr
    assert "forge__" in done.stdout
