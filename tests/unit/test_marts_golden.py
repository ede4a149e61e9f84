"""The marts that people read are those committed as CSV, byte for byte; what moved is shown row by row."""

from __future__ import annotations

import csv
from pathlib import Path

import golden_marts

MAX_BYTES = 300_000


def test_marts_of_the_bundled_lake_are_the_committed_ones(recorded_marts: Path, tmp_path: Path) -> None:
    offenders = golden_marts.moved(recorded_marts, "recorded", tmp_path)
    assert not offenders, golden_marts.table(offenders)


def test_committed_files_are_those_declared_and_their_keys_name_one_row() -> None:
    declared = {(name, golden.mart) for name, marts in golden_marts.MARTS.items() for golden in marts}
    found = {(path.parent.name, path.stem): path for path in golden_marts.FOLDER.rglob("*.csv")}
    assert set(found) == declared
    assert sum(path.stat().st_size for path in found.values()) < MAX_BYTES
    for name, marts in golden_marts.MARTS.items():
        for golden in marts:
            with found[name, golden.mart].open(newline="") as file:
                keys = [tuple(row[column] for column in golden.key_names) for row in csv.DictReader(file)]
            assert len(keys) == len(set(keys)) > 0, golden.mart


def test_a_moved_number_and_a_lost_row_are_named() -> None:
    before = {"a": {"model": "a", "score": "0.5"}, "b": {"model": "b", "score": "0.25"}}
    now = {"a": {"model": "a", "score": "0.75"}, "c": {"model": "c", "score": "1.0"}}
    found = [golden_marts.Moved("x.csv", *row) for row in golden_marts._moved_rows(before, now)]
    assert found == [
        ("x.csv", "a", "score", "0.5", "0.75"),
        ("x.csv", "b", "", "one row", "none"),
        ("x.csv", "c", "", "none", "one row"),
    ]
    told = golden_marts.table(found, num_shown=2)
    assert "make golden" in told and "x.csv | a | score | 0.5 | 0.75" in told and told.endswith("and 1 more")
