"""Damaged lakes and full disks: named in one sentence, and what was built before stays."""

from __future__ import annotations

import datetime
import errno
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchforge.ingest import schemas
from benchforge.ingest.errors import BadInput, Interrupted, LakeError
from benchforge.ingest.lake import Lake
from benchforge.runners import aggregate
from benchforge.runners.lake_check import ADDED_LATER, check_parts

_VALUES = {
    "text": "x",
    "text_list": ["base"],
    "int": 0,
    "float": 0.0,
    "bool": False,
    "digest": b"d" * 16,
    "timestamp": datetime.datetime(2026, 1, 1),
}


def _row(table: str) -> dict[str, Any]:
    """The least that a row of ``table`` may hold."""
    columns = [column for column in schemas.TABLES[table].columns if not column.nullable]
    return {column.name: schemas.VOCABULARIES.get(column.name, [_VALUES[column.type]])[0] for column in columns}


def _write(root: Path) -> Path:
    """One row of every table."""
    lake = Lake(root)
    for table in schemas.TABLES:
        lake.commit("s", "generate", lake.write_part(table, [_row(table)], "s"))
    return root


def _write_published(root: Path) -> Path:
    part = root / "data" / "benchmark=x" / "model=x" / "part-0.parquet"
    part.parent.mkdir(parents=True)
    row = {**_row("samples"), **_row("results"), "official_base_verdict": "pass"}
    pq.write_table(pa.Table.from_pylist([row]), part)
    return root


def test_a_part_without_a_required_column_is_named_and_nothing_is_built(tmp_path: Path) -> None:
    lake = _write(tmp_path / "lake")
    part = next((lake / "samples").rglob("*.parquet"))
    pq.write_table(pq.read_table(part, partitioning=None).drop_columns(["num_planned"]), part)
    with pytest.raises(LakeError, match=rf"{part.name} lacks the column num_planned"):
        aggregate.build(lake, tmp_path / "out" / "benchforge.duckdb")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("table", "column"), [("results", "official_base_verdict"), ("tasks", "task_digest")])
def test_a_part_that_lost_a_column_is_named_although_the_column_may_be_null(
    tmp_path: Path, table: str, column: str
) -> None:
    lake = _write(tmp_path / "lake")
    part = next((lake / table).rglob("*.parquet"))
    pq.write_table(pq.read_table(part, partitioning=None).drop_columns([column]), part)
    with pytest.raises(LakeError, match=rf"{part.name} lacks the column {column} of table {table}"):
        check_parts(lake)


def test_a_part_from_before_a_column_was_added_is_whole(tmp_path: Path) -> None:
    lake = _write(tmp_path / "lake")
    for table, columns in ADDED_LATER.items():
        for part in (lake / table).rglob("*.parquet"):
            rows = pq.read_table(part, partitioning=None)
            pq.write_table(rows.drop_columns([name for name in columns if name in rows.column_names]), part)
    check_parts(lake)


@pytest.mark.parametrize("damage", ["deleted", "torn"])
def test_parts_without_any_live_one_are_no_empty_leaderboard(tmp_path: Path, damage: str) -> None:
    lake = _write(tmp_path / "lake")
    for entry in (lake / "_live").rglob("*.jsonl"):
        if damage == "torn":
            entry.write_text(entry.read_text()[:20])
    if damage == "deleted":
        shutil.rmtree(lake / "_live")
    with pytest.raises(LakeError, match="none of them counts") as caught:
        aggregate.build(lake, tmp_path / "out" / "benchforge.duckdb")
    assert "_live" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_a_published_part_without_a_required_column_is_named(tmp_path: Path) -> None:
    lake = _write_published(tmp_path / "lake")
    part = next((lake / "data").rglob("*.parquet"))
    pq.write_table(pq.read_table(part, partitioning=None).drop_columns(["origin"]), part)
    with pytest.raises(LakeError, match=r"part-0.parquet lacks the column origin"):
        check_parts(lake)


class _FullDisk:
    """dbtRunner on a disk without a free block."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome

    def __call__(self, *given: object, **named: object) -> _FullDisk:
        return self

    def invoke(self, words: object) -> Any:
        return self.outcome


@pytest.mark.parametrize(
    "outcome",
    [
        SimpleNamespace(success=False, result=None, exception=OSError(errno.ENOSPC, "No space left on device")),
        SimpleNamespace(
            success=False,
            exception=None,
            result=SimpleNamespace(
                results=[SimpleNamespace(status="error", message="IO Error: Could not write: No space left on device")]
            ),
        ),
    ],
)
def test_a_full_disk_is_said_as_the_disk_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: object
) -> None:
    monkeypatch.setattr("dbt.cli.main.dbtRunner", _FullDisk(outcome))
    with pytest.raises(OSError, match="No space left") as caught:
        aggregate.build(None, tmp_path / "out" / "benchforge.duckdb")
    assert caught.value.errno == errno.ENOSPC
    assert list((tmp_path / "out").iterdir()) == []


def test_a_failed_build_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "kept" / "benchforge.duckdb"
    output.parent.mkdir()
    output.write_bytes(b"old")

    def fail(*given: object, **named: object) -> None:
        raise BadInput("a model failed")

    monkeypatch.setattr(aggregate, "run_dbt", fail)
    with pytest.raises(BadInput):
        aggregate.build(None, output)
    assert output.read_bytes() == b"old"
    assert [path.name for path in output.parent.iterdir()] == ["benchforge.duckdb"]


@pytest.mark.parametrize("moment", ["Flags", "setup_event_logger"])
def test_an_interrupt_before_dbt_has_read_its_flags_prints_no_traceback(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """dbt logs to standard output until it is told not to: a pipe would take the traceback for data."""
    import dbt.cli.requires

    def stop(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dbt.cli.requires, moment, stop)
    with pytest.raises(Interrupted, match="the marts are as they were"):
        aggregate.build(None, tmp_path / "benchforge.duckdb")
    assert capfd.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_build_on_spark_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dbt.cli.main
    from benchforge.runners import aggregate_spark

    class Stopped:
        def invoke(self, words: list[str]) -> Any:
            return SimpleNamespace(exception=KeyboardInterrupt(), success=False)

    monkeypatch.setattr(dbt.cli.main, "dbtRunner", Stopped)
    with pytest.raises(Interrupted, match="the marts are as they were"):
        aggregate_spark._run_dbt(tmp_path, "own", tmp_path)
