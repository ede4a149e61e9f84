"""The lake: atomic parts, derived paths, liveness, refusals before anything is written."""

from __future__ import annotations

import datetime
import errno
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchforge.ingest import schemas
from benchforge.ingest.errors import LakeError
from benchforge.ingest.lake import EMPTY_PARTS, Lake, append_line, arrow_schema, write_empty_parts


def timing(sample: int, **more: object) -> dict:
    row = {"benchmark": "forge_mini", "model": "forge__a", "sample_id": bytes([sample] * 16), "grader_id": "g"}
    return {**row, "shard_id": "s1", "wall_seconds": 0.5, **more}


def test_part_lies_on_its_hive_path_and_holds_the_partition_columns(tmp_path: Path):
    [part] = Lake(tmp_path).write_part("timings", [timing(1)], "s1")
    assert part.parent == tmp_path / "timings" / "benchmark=forge_mini" / "model=forge__a"
    assert pq.read_table(part, partitioning=None)["model"].to_pylist() == ["forge__a"]


def test_same_rows_in_any_order_give_the_same_file(tmp_path: Path):
    lake = Lake(tmp_path)
    rows = [timing(n) for n in range(5)]
    assert lake.write_part("timings", rows, "s1") == lake.write_part("timings", rows[::-1], "s1")
    assert len(list(tmp_path.rglob("*.parquet"))) == 1


def test_redone_shard_replaces_its_live_parts_and_deletes_nothing(tmp_path: Path):
    lake = Lake(tmp_path)
    old = lake.write_part("timings", [timing(1)], "s1")
    lake.commit("s1", "score", old)
    new = lake.write_part("timings", [timing(1, wall_seconds=9.0)], "s1")
    lake.commit("s1", "score", new)
    assert lake.live_parts("timings") == new
    assert lake.read("timings", ["wall_seconds"])["wall_seconds"].to_pylist() == [9.0]
    assert old[0].exists()


def test_part_without_a_commit_is_not_read(tmp_path: Path):
    lake = Lake(tmp_path)
    lake.write_part("timings", [timing(1)], "s1")
    assert lake.read("timings").num_rows == 0


def test_torn_liveness_line_is_as_if_never_written(tmp_path: Path):
    lake = Lake(tmp_path)
    parts = lake.write_part("timings", [timing(1)], "s1")
    lake.commit("s1", "score", parts)
    entry = next((tmp_path / "_live" / "timings").iterdir())
    with entry.open("ab") as stream:
        stream.write(b'{"shard": "s1", "par')
    assert lake.live_parts("timings") == parts


def test_missing_live_part_is_named(tmp_path: Path):
    lake = Lake(tmp_path)
    [part] = lake.write_part("timings", [timing(1)], "s1")
    lake.commit("s1", "score", [part])
    part.unlink()
    with pytest.raises(LakeError, match=part.name):
        lake.read("timings")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nonsense": 1}, "declares no column nonsense"),
        ({"grader_id": None}, "needs grader_id"),
        ({"wall_seconds": "fast"}, "does not fit"),
    ],
)
def test_bad_row_is_refused_before_anything_is_written(tmp_path: Path, change: dict, words: str):
    with pytest.raises(LakeError, match=words):
        Lake(tmp_path).write_part("timings", [timing(1), timing(2, **change)], "s1")
    assert not list(tmp_path.rglob("*"))


def test_rows_without_an_optional_key_column_are_written(tmp_path: Path):
    moment = datetime.datetime(2026, 1, 1)
    row = {"run_id": "r", "shard_id": "s", "stage": "score", "attempt": 1, "cause": "done"}
    rows = [
        {**row, "started_at": moment, "ended_at": moment},
        {**row, "started_at": moment, "ended_at": moment, "scenario": "x"},
    ]
    [part] = Lake(tmp_path).write_part("runs", rows, "s")
    assert set(pq.read_table(part)["scenario"].to_pylist()) == {"x", None}


def test_word_outside_its_vocabulary_is_refused(tmp_path: Path):
    row = {"run_id": "r", "shard_id": "s", "stage": "score", "attempt": 1, "cause": "bored"}
    with pytest.raises(LakeError, match="cause of table runs cannot be 'bored'"):
        Lake(tmp_path).write_part("runs", [row], "s")


def test_part_with_a_missing_required_column_is_named(tmp_path: Path):
    lake = Lake(tmp_path)
    [part] = lake.write_part("timings", [timing(1)], "s1")
    lake.commit("s1", "score", [part])
    pq.write_table(pq.read_table(part, partitioning=None).drop_columns(["grader_id"]), part)
    with pytest.raises(LakeError, match=rf"{part.name} lacks the column grader_id"):
        lake.read("timings")


def test_part_with_another_type_is_named(tmp_path: Path):
    lake = Lake(tmp_path)
    [part] = lake.write_part("timings", [timing(1)], "s1")
    lake.commit("s1", "score", [part])
    table = pq.read_table(part, partitioning=None)
    pq.write_table(table.set_column(0, "benchmark", pa.array([7])), part)
    with pytest.raises(LakeError, match="holds benchmark as int64"):
        lake.read("timings")


def test_older_part_without_an_optional_column_reads_as_null(tmp_path: Path):
    lake = Lake(tmp_path)
    [part] = lake.write_part("timings", [timing(1)], "s1")
    lake.commit("s1", "score", [part])
    pq.write_table(pq.read_table(part, partitioning=None).drop_columns(["wall_seconds"]), part)
    assert lake.read("timings", ["wall_seconds"])["wall_seconds"].to_pylist() == [None]


@pytest.mark.parametrize("value", ["a/b", "", "..", ".x"])
def test_partition_value_cannot_leave_its_folder(tmp_path: Path, value: str):
    with pytest.raises(LakeError, match="cannot be a partition value"):
        Lake(tmp_path).write_part("timings", [timing(1, model=value)], "s1")


def test_append_closes_a_torn_line_first(tmp_path: Path):
    path = tmp_path / "lines"
    path.write_bytes(b'{"a": 1}\n{"b"')
    append_line(path, json.dumps({"c": 3}))
    assert path.read_text().splitlines() == ['{"a": 1}', '{"b"', '{"c": 3}']


def test_a_line_that_the_disk_takes_half_of_is_an_error_and_no_later_one_suffers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, write = tmp_path / "lines", os.write

    def full(descriptor: int, content: bytes) -> int:
        if not content.startswith(b"one"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, content[:-3])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            append_line(path, "one half")
    append_line(path, "two")
    assert path.read_text().splitlines()[-1] == "two"


def test_shipped_empty_parts_follow_the_declared_schemas(tmp_path: Path):
    for path in write_empty_parts(tmp_path):
        shipped = pq.read_schema(EMPTY_PARTS / path.name)
        assert shipped.equals(pq.read_schema(path)), f"run python -m benchforge.ingest.lake ({path.stem})"


def test_every_declared_type_has_both_halves():
    for name, table in schemas.TABLES.items():
        assert arrow_schema(name).names == list(table.column_names())
        assert {column.type for column in table.columns} <= set(schemas.TYPES)
        assert set(table.key) | set(table.partitions) <= set(table.column_names())
