"""The rules as data: ids, words, the page that lists them, and what Great Expectations makes of counts."""

from __future__ import annotations

import pandas as pd
import pytest
from benchforge.expectations import checks_page
from benchforge.expectations.artifacts import artifacts
from benchforge.expectations.catalogue import artifact_names, catalogue
from benchforge.expectations.findings import Finding, Findings
from benchforge.expectations.judge import Facts, judged
from benchforge.expectations.rules import Rule
from benchforge.ingest import schemas
from benchforge.runners.aggregate import PROJECT
from benchforge.runners.gate import check_page


def test_every_lake_table_seed_and_mart_is_an_artifact_with_rules() -> None:
    marts = {path.stem for path in (PROJECT / "models" / "marts").glob("*.sql")}
    seeds = {f"seed_{path.stem}" for path in (PROJECT / "seeds").glob("*.csv")}
    assert {*schemas.TABLES, *marts, *seeds} == set(artifacts())
    assert set(artifacts()) <= set(artifact_names())


def test_every_rule_says_what_it_sees_in_one_sentence_and_what_to_do() -> None:
    offenders = [
        rule.id
        for rule in catalogue().values()
        if not rule.sees.endswith(".") or not rule.sees[0].isupper() or not rule.remedy or not rule.shows
    ]
    assert offenders == []


def test_the_page_of_checks_is_generated() -> None:
    assert checks_page.PAGE.read_text(encoding="utf-8") == checks_page.page(), (
        "python -m benchforge.expectations.checks_page"
    )


@pytest.fixture(scope="module")
def results() -> list[dict[str, object]]:
    """Two tables of facts about one artifact, one of them with an offender, and an empty one about another."""
    first = _rule("first"), _rule("second")
    frame = pd.DataFrame({"model": ["a", "b"], "num_rows": [3, 4], "first": [0, 0], "second": [0, 2]})
    other = pd.DataFrame({"benchmark": ["x"], "num_rows": [9], "third": [0]})
    empty = pd.DataFrame({"model": pd.Series([], dtype=str), "num_rows": pd.Series([], dtype="int64"),
                          "fourth": pd.Series([], dtype="int64")})  # fmt: skip
    return judged(
        [
            Facts("tasks", first, frame, ("model",)),
            Facts("tasks", (_rule("third"),), other, ("benchmark",)),
            Facts("runs", (_rule("fourth"),), empty, ("model",)),
        ]
    )


def _rule(name: str) -> Rule:
    return Rule(name, "tasks", "critical", "Something.", "gate_lake.tasks", "true", ("task_id",))


def test_a_count_above_zero_is_an_offence_and_nothing_else_is(results: list[dict[str, object]]) -> None:
    assert {str(one["rule"]): one["success"] for one in results} == {
        "first": True,
        "second": False,
        "third": True,
        "fourth": True,
    }
    by_rule = {str(one["rule"]): (one["num_cells"], one["num_rows"], one["num_offenders"]) for one in results}
    assert by_rule == {"first": (2, 7, 0), "second": (2, 7, 2), "third": (1, 9, 0), "fourth": (0, 0, 0)}


def test_the_page_holds_every_result_and_loads_nothing() -> None:
    asked = [{"artifact": "samples", "rule": "index_below_n", "success": False, "num_cells": 2, "num_rows": 8,
              "num_offenders": 3}]  # fmt: skip
    offender = {"task_id": "<b>x</b>", "sample_id": b"\x01\x02", "sample_index": None}
    finding = Finding("index_below_n", "critical", "samples", "An index & more.", 3, (offender,))
    text = check_page.page(Findings((finding,), 1, tuple(asked)))
    assert "&lt;b&gt;x&lt;/b&gt;" in text and "<b>x" not in text and "0102" in text and "The first 1 of 3" in text
    assert "Nothing may be published" in text and catalogue()["samples.index_below_n"].sees in text
    assert not [word for word in ("http://", "https://", "<script", "@import", "src=") if word in text]
    assert 'lang="en"' in text and "prefers-color-scheme: dark" in text and 'scope="col"' in text


def test_findings_are_rows_of_plain_values() -> None:
    found = Findings(
        (Finding("a", "critical", "x", "m", 2, ({"id": b"\xff", "n": None},)), Finding("b", "warning", "y", "m", 0))
    )
    assert [one.rule for one in found.critical] == ["a"] and [one.rule for one in found.warnings] == ["b"]
    assert found.as_rows()[0]["example"] == "id=ff" and found.as_rows()[1]["example"] == ""
