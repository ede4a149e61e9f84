"""Two lakes beside each other: one of the bundled files, and copies of it with known differences."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from benchforge.ingest.bundled import RECORDED_LAKE
from benchforge.ingest.errors import UsageError
from benchforge.runners.ask.diff import diff
from benchforge.runners.cli.main import cli
from click.testing import CliRunner

NUM_ROWS = 400


@pytest.fixture
def first(tmp_path: Path) -> Path:
    source = next(iter(sorted(RECORDED_LAKE.rglob("data/**/*.parquet"))))
    return _lake(tmp_path / "first", pq.read_table(source).slice(0, NUM_ROWS))


def _lake(root: Path, table: pa.Table) -> Path:
    model, benchmark = (table[name][0].as_py() for name in ("model", "benchmark"))
    folder = root / "data" / f"benchmark={benchmark}" / f"model={model}"
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "part-0.parquet")
    return root


def _rows(lake: Path) -> pa.Table:
    return pq.read_table(next(lake.rglob("*.parquet")))


def test_a_lake_is_equal_to_itself_in_another_order(first: Path, tmp_path: Path) -> None:
    shuffled = _rows(first).take(pa.array(range(NUM_ROWS - 1, -1, -1)))
    found = diff(first, _lake(tmp_path / "second", shuffled))
    assert found.are_equal and not (found.tables or found.fields or found.verdicts)


def test_lost_rows_are_counted_on_the_side_that_lacks_them(first: Path, tmp_path: Path) -> None:
    second = _lake(tmp_path / "second", _rows(first).slice(0, NUM_ROWS - 7))
    found = {row["table"]: row for row in diff(first, second).tables}
    for table in ("samples", "results"):
        assert (found[table]["only_first"], found[table]["only_second"], found[table]["changed"]) == (7, 0, 0)
        assert (found[table]["rows_first"], found[table]["rows_second"]) == (NUM_ROWS, NUM_ROWS - 7)
    assert {row["only_second"] for row in diff(second, first).tables} == {7}


def test_moved_verdicts_are_told_with_an_example(first: Path, tmp_path: Path) -> None:
    table = _rows(first)
    verdicts = table["official_base_verdict"].to_pylist()
    flipped = [("fail" if verdict == "pass" else "pass") if at < 5 else verdict for at, verdict in enumerate(verdicts)]
    at = table.schema.get_field_index("official_base_verdict")
    second = _lake(tmp_path / "second", table.set_column(at, "official_base_verdict", pa.array(flipped)))
    found = diff(first, second)
    assert [(row["table"], row["field"], row["changed"]) for row in found.fields] == [
        ("results", "official_base_verdict", 5)
    ]
    assert sum(row["num_results"] for row in found.verdicts) == 5
    assert {(row["first"], row["second"]) for row in found.verdicts} == {
        (verdict, after) for verdict, after in zip(verdicts, flipped, strict=True) if verdict != after
    }
    assert all(row["example"].split(" #")[0] in table["task_id"].to_pylist() for row in found.verdicts)


def test_a_row_that_stands_twice_is_a_difference(first: Path, tmp_path: Path) -> None:
    table = _rows(first)
    second = _lake(tmp_path / "second", pa.concat_tables([table, table.slice(3, 1)]))
    assert {row["table"] for row in diff(first, second).tables if row["changed"] == 1} >= {"results"}


def test_what_was_measured_is_no_difference(first: Path, tmp_path: Path) -> None:
    table = _rows(first)
    measured = table.append_column("latency_seconds", pc.cast(pa.array(range(NUM_ROWS)), pa.float64()))
    assert diff(first, _lake(tmp_path / "second", measured)).are_equal


def test_the_command_ends_with_one_where_something_differs(first: Path, tmp_path: Path) -> None:
    second = _lake(tmp_path / "second", _rows(first).slice(0, NUM_ROWS - 7))
    same = CliRunner().invoke(cli, ["diff", str(first), str(first), "--format", "json"])
    assert same.exit_code == 0 and json.loads(same.stdout)["are_equal"]
    other = CliRunner().invoke(cli, ["diff", str(first), str(second), "--format", "json"])
    assert other.exit_code == 1 and not json.loads(other.stdout)["are_equal"]


def test_what_is_no_lake_is_one_sentence(first: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no lake"):
        diff(first, tmp_path / "nothing")
    run = tmp_path / "run"
    (run / "lake").mkdir(parents=True)
    with pytest.raises(UsageError, match="is no lake: it holds no table of one") as refused:
        diff(first, run)
    assert str(run / "lake") in refused.value.hint
    assert diff(first, run / "lake").tables, "an empty folder is a lake without rows"
    next(first.rglob("*.parquet")).write_bytes(b"PAR1 no more")
    with pytest.raises(UsageError, match="cannot be read"):
        diff(first, first)
