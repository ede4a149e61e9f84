"""RESULTS.md says what the marts say, and nothing is on it that they do not hold."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
from benchforge.runners.publish import results_page


def test_the_page_is_what_the_marts_say(recorded_marts: Path) -> None:
    assert results_page.PAGE.read_text(encoding="utf-8") == results_page.page(recorded_marts), "make results"


def test_every_headline_number_is_on_the_page_once_with_its_interval(recorded_marts: Path) -> None:
    number = r"([\d.]+)"
    text = results_page.PAGE.read_text(encoding="utf-8")
    lines = re.findall(rf"^\| (\S+) \| {number} \[{number}, {number}\] †? *\|", text, re.MULTILINE)
    with duckdb.connect(str(recorded_marts), read_only=True) as connection:
        found = connection.sql("select model, score, interval_low, interval_high from headline").fetchall()
    expected = [
        (model.removeprefix("unknown__"), *(f"{100 * number:.1f}" for number in numbers)) for model, *numbers in found
    ]
    assert sorted((name.strip("*"), *rest) for name, *rest in lines) == sorted(expected)
