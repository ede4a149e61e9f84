"""Compaction: the same rows in fewer parts, live or not live at every instant, undone by a redone shard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from benchforge.ingest import liveness
from benchforge.ingest.errors import LakeError, UsageError
from benchforge.ingest.lake import Lake
from benchforge.runners.cli.main import cli
from benchforge.runners.compact import compact, planned
from click.testing import CliRunner

Row = dict[str, Any]


def timing(number: int, shard: str, model: str = "forge__a", **more: object) -> Row:
    row = {"benchmark": "forge_mini", "model": model, "sample_id": bytes([number] * 16), "grader_id": "g"}
    return {**row, "shard_id": shard, "wall_seconds": number / 4, **more}


def write(root: Path, shard: str, rows: list[Row]) -> Lake:
    lake = Lake(root)
    lake.commit(shard, "score", lake.write_part("timings", rows, shard))
    return lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two models, three shards; s1 and s2 have rows of both."""
    for shard, numbers in (("s1", (9, 1)), ("s2", (5, 3)), ("s3", (7,))):
        rows = [timing(number, shard, model) for number in numbers for model in ("forge__a", "forge__b")]
        write(tmp_path, shard, rows if shard != "s3" else rows[:1])
    return Lake(tmp_path)


def live_rows(lake: Lake) -> list[Row]:
    rows = lake.read("timings").to_pylist()
    return sorted(rows, key=lambda row: (row["model"], row["sample_id"], row["shard_id"]))


def compact_all(lake: Lake) -> list[Path]:
    return list(compact(lake.root, planned(lake.root)))


def test_one_sorted_part_for_each_partition_holds_the_same_rows(lake: Lake):
    before, old = live_rows(lake), lake.live_parts("timings")
    parts = compact_all(lake)
    assert lake.live_parts("timings") == sorted(parts) and len(parts) == 2
    assert live_rows(lake) == before
    assert all(part.exists() for part in old)
    ids = pq.read_table(parts[0], partitioning=None)["sample_id"].to_pylist()
    assert ids == sorted(ids) and len(ids) == 5


def test_a_second_compaction_has_nothing_to_do(lake: Lake):
    compact_all(lake)
    files = sorted(path for path in lake.root.rglob("*") if path.is_file())
    assert planned(lake.root) == []
    assert compact_all(lake) == []
    assert sorted(path for path in lake.root.rglob("*") if path.is_file()) == files


def test_a_redone_shard_counts_with_its_new_rows_and_every_other_as_before(lake: Lake):
    compact_all(lake)
    write(lake.root, "s2", [timing(5, "s2", wall_seconds=9.0)])
    rows = {(row["model"], row["sample_id"][0]): row["wall_seconds"] for row in live_rows(lake)}
    # redone with one model only: the other model's rows of s2 are dead, as without compaction
    assert rows == {
        ("forge__a", 9): 2.25, ("forge__a", 1): 0.25, ("forge__a", 5): 9.0, ("forge__a", 7): 1.75,
        ("forge__b", 9): 2.25, ("forge__b", 1): 0.25,
    }  # fmt: skip
    compact_all(lake)
    assert {(row["model"], row["sample_id"][0]): row["wall_seconds"] for row in live_rows(lake)} == rows
    assert len(lake.live_parts("timings")) == 2


def test_a_new_shard_joins_a_compacted_partition(lake: Lake):
    compact_all(lake)
    before = live_rows(lake)
    write(lake.root, "s4", [timing(11, "s4")])
    assert len(live_rows(lake)) == len(before) + 1
    [one] = planned(lake.root)
    assert len(one.parts) == 2 and set(one.replaces) == {"score-s1", "score-s2", "score-s3", "score-s4"}
    [_] = compact(lake.root, [one])
    assert len(live_rows(lake)) == len(before) + 1 and planned(lake.root) == []


def test_a_shard_is_read_from_its_own_parts(lake: Lake):
    compact_all(lake)
    assert {row["shard_id"] for row in lake.read("timings", shard_id="s1").to_pylist()} == {"s1"}


def test_a_compaction_that_was_overtaken_by_a_redone_shard_is_not_in_force(lake: Lake):
    [one, _] = planned(lake.root)
    write(lake.root, "s1", [timing(1, "s1", wall_seconds=9.0)])
    expected = live_rows(lake)
    [_] = compact(lake.root, [one])
    assert live_rows(lake) == expected


def test_only_what_is_asked_for_is_compacted(lake: Lake):
    assert [one.partition for one in planned(lake.root, models=["forge__b"])] == [
        "timings/benchmark=forge_mini/model=forge__b"
    ]
    with pytest.raises(UsageError, match="holds no model forge__c; did you mean forge__"):
        planned(lake.root, models=["forge__c"])
    with pytest.raises(UsageError, match="holds no benchmark cruxeval"):
        planned(lake.root, benchmarks=["cruxeval"])


def test_columns_that_an_older_part_lacks_become_null(lake: Lake):
    part = lake.live_parts("timings", "s1")[0]
    pq.write_table(pq.read_table(part, partitioning=None).drop_columns(["base_limit_share"]), part)
    compact_all(lake)
    assert live_rows(lake)[0]["base_limit_share"] is None


def test_the_same_rows_give_the_same_file(lake: Lake, tmp_path: Path):
    names = {part.name for part in compact_all(lake)}
    for entry in lake.root.glob("_live/*/compacted/*.jsonl"):
        entry.unlink()
    assert {part.name for part in compact_all(lake)} == names


def test_a_torn_line_is_as_if_never_written(lake: Lake):
    before = lake.live_parts("timings")
    [one, _] = planned(lake.root)
    [_] = compact(lake.root, [one])
    entry = liveness.compaction_file(lake.root, "timings", one.partition)
    entry.write_text(entry.read_text()[:40])
    assert lake.live_parts("timings") == before


_KILLED = """
import os, signal, sys
from pathlib import Path
from benchforge.runners import compact as stage
def die(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)
def after(function):
    def run(*given, **named):
        function(*given, **named)
        die()
    return run
step, root = sys.argv[1], Path(sys.argv[2])
if step == "copying":
    stage._run = lambda connection, statement: die() if statement.startswith("copy") else connection.execute(statement)
elif step == "copied":
    stage._copy = after(stage._copy)
elif step == "renamed":
    stage.fsync_directory = die
elif step == "entered":
    stage.append_line = after(stage.append_line)
for _ in stage.compact(root, stage.planned(root)):
    pass
"""


@pytest.mark.parametrize(("step", "num_compacted"), [("copying", 0), ("copied", 0), ("renamed", 0), ("entered", 1)])
def test_a_kill_leaves_the_old_parts_live_or_the_new_one(lake: Lake, step: str, num_compacted: int):
    before = live_rows(lake)
    killed = subprocess.run([sys.executable, "-c", _KILLED, step, str(lake.root)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert live_rows(lake) == before
    assert sum(part.name.startswith("part-compacted") for part in lake.live_parts("timings")) == num_compacted
    compact_all(lake)
    assert live_rows(lake) == before and len(lake.live_parts("timings")) == 2


def test_a_part_that_is_gone_is_named(lake: Lake):
    [one, _] = planned(lake.root)
    (lake.root / one.parts[0]).unlink()
    with pytest.raises(LakeError, match="No files found"):
        [_] = compact(lake.root, [one])
    assert not list(lake.root.glob("_live/*/compacted/*"))


def test_a_part_that_lost_a_column_is_named(lake: Lake):
    part = lake.live_parts("timings", "s1")[0]
    pq.write_table(pq.read_table(part, partitioning=None).drop_columns(["grader_id"]), part)
    with pytest.raises(LakeError, match=part.name):
        compact_all(lake)


def test_a_folder_without_liveness_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="keeps no record of live parts"):
        planned(tmp_path)


def test_the_command_shows_what_it_would_do_and_does_it(lake: Lake):
    words = ["compact", "--lake", str(lake.root), "--format", "csv"]
    before = {path: path.stat().st_mtime_ns for path in lake.root.rglob("*")}
    shown = CliRunner().invoke(cli, [*words, "--dry-run"], catch_exceptions=False)
    assert {path: path.stat().st_mtime_ns for path in lake.root.rglob("*")} == before
    assert "timings,timings/benchmark=forge_mini/model=forge__a,3" in shown.stdout
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.stdout == shown.stdout
    assert len(lake.live_parts("timings")) == 2
    assert not [name for name in os.listdir(lake.root / "timings" / "benchmark=forge_mini") if name.startswith(".")]  # noqa: PTH208
