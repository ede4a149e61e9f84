"""Every input of one number, and the number again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from benchforge.ingest.errors import UsageError
from benchforge.runners.ask.explain import LINEAGE, explain
from benchforge.runners.ask.sql import ask
from benchforge.runners.cli.main import cli
from click.testing import CliRunner

MODEL = "unknown__codellama-7b"


def test_each_number_is_recomputed_from_problems_and_samples(recorded_marts: Path) -> None:
    narrowed = {"metric": "pass*", "scope": "*", "verdict": "official"}
    found = explain(recorded_marts, MODEL, "cruxeval", narrowed)
    assert {one.number["metric"] for one in found} >= {"pass@1", "pass@5"}
    for one in found:
        for again in one.recomputed:
            assert again["score"] == pytest.approx(one.number["score"], abs=1e-12), again["query"]
            assert again["num_problems"] == one.number["num_problems"]
            assert again["num_passed"] == one.number["num_passed"]
        assert len(one.recomputed) == (2 if one.number["metric"] == "pass@1" and one.number["scope"] == "all" else 1)


def test_its_queries_can_be_asked_by_anybody(recorded_marts: Path) -> None:
    (one, *_) = explain(recorded_marts, MODEL, "livecodebench")
    for again in one.recomputed:
        assert ask(recorded_marts, again["query"]).rows[0]["score"] == again["score"]


def test_what_is_asked_and_graded_adds_up_to_the_number(recorded_marts: Path) -> None:
    for one in explain(recorded_marts, MODEL, "cruxeval"):
        assert sum(row["num_samples"] for row in one.requests) == one.number["num_samples"]
        assert sum(row["num_results"] for row in one.gradings) == one.number["num_samples"]
        assert {row["licence"] for row in one.gradings} == {"MIT"}
        seeds = {(row["seed"], row["field"]): row["value"] for row in one.seeds}
        assert seeds["seeds.benchmarks", "hub_id"] == "cruxeval-org/cruxeval"
        assert {row["table"] for row in one.files} == {"samples", "results"} and not one.deviations


def test_the_lineage_names_columns_that_the_lake_has(recorded_marts: Path) -> None:
    (one, *_) = explain(recorded_marts, MODEL, "livecodebench")
    assert {row["column"] for row in one.lineage} == {
        "leaderboard.score",
        "leaderboard.interval_low",
        "leaderboard.interval_high",
    }
    assert all("lake.results" in row["made_of"] for row in one.lineage)
    with LINEAGE.open(newline="") as file:
        assert "score" in {row["column"] for row in csv.DictReader(file) if row["mart"] == "leaderboard"}


@pytest.mark.parametrize(
    ("model", "benchmark", "narrowed", "sentence"),
    [
        ("codellama-7x", "cruxeval", {}, "no model codellama-7x"),
        ("codellama-7b", "cruxevil", {}, "no benchmark cruxevil"),
        ("codellama-7b", "cruxeval", {"metric": "pass@99"}, "the marts have no metric"),
    ],
)
def test_what_is_not_there_is_one_sentence(recorded_marts: Path, model, benchmark, narrowed, sentence) -> None:
    with pytest.raises(UsageError, match=sentence):
        explain(recorded_marts, model, benchmark, narrowed)


@pytest.mark.parametrize("format_", ["table", "markdown"])
def test_people_read_that_it_is_the_same(recorded_marts: Path, format_: str) -> None:
    done = CliRunner().invoke(
        cli, ["explain", MODEL, "livecodebench", "--file", str(recorded_marts), "--format", format_]
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.count(", the same") == 2 and "NOT" not in done.stdout
    assert "request_digest" in done.stdout and "Problems that are known to be wrong" in done.stdout


def test_machines_get_all_of_it(recorded_marts: Path) -> None:
    done = CliRunner().invoke(cli, ["explain", MODEL, "cruxeval", "--file", str(recorded_marts), "--format", "json"])
    assert done.exit_code == 0, done.output
    assert {one["number"]["scenario"] for one in json.loads(done.stdout)} == {"cruxeval_i", "cruxeval_o"}
