"""Reference times are shipped for every pinned EvalPlus task, and limits are made of them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from benchforge.ingest import reference_times
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.reference_times import ReferenceTimes, shipped
from benchforge.runners.score.judge import OFFICIAL
from benchforge.runners.score.judge.execution import Bench
from benchforge.runners.score.judge.expected import Expected, ExpectedStore


def test_a_table_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [ReferenceTimes("mbppplus", "v9", f"Mbpp/{n}", f"{n:064x}", "plus", 3, {1: 2.5}, 0.25) for n in (2, 1)]
    reference_times.write(rows, tmp_path / "times.csv")
    monkeypatch.setattr(reference_times, "FILE", tmp_path / "times.csv")
    assert list(shipped.__wrapped__().values()) == rows[::-1]
    assert rows[0].seconds == [0.0, 2.5, 0.0]


def test_shipped_times_make_the_limits_whatever_this_machine_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task(
        "mbppplus",
        "default",
        "Mbpp/0",
        "calls",
        "",
        {"entry_point": "f", "base_inputs": [[1], [2]]},
        ("base",),
        "Mbpp/0",
    )
    known = ReferenceTimes("mbppplus", "v9", "Mbpp/0", task.task_digest, "base", 2, {1: 2.0}, 0.5)
    monkeypatch.setattr(reference_times, "shipped", lambda: {(task.task_digest, "base"): known})
    store = ExpectedStore(tmp_path, Bench(lambda: pytest.fail("nothing runs"), OFFICIAL, lambda seconds: None))
    measured = Expected([b"=1", b"=2"], [30.0, 40.0], 9.0)
    timed = store._timed(task, "base", measured)
    assert (timed.seconds, timed.encode_seconds, timed.lines) == ([0.0, 2.0], 0.5, measured.lines)
    assert OFFICIAL.case_limits(timed.seconds, task.payload) == [4.0, 8.0]
    assert store._timed(task, "plus", measured) is measured


@pytest.mark.parametrize("name", ["humanevalplus", "mbppplus"])
def test_every_pinned_task_has_times(name: str, shared_data: Path, tmp_path: Path) -> None:
    benchmark = registry()[name]
    assert benchmark.load is not None
    for version in benchmark.versions:
        artifact = version.artifacts[0].name
        packed = (shared_data / "evalplus" / f"{artifact}.gz").read_bytes()
        (tmp_path / artifact).write_bytes(gzip.decompress(packed))
        for task in benchmark.load(tmp_path, version, "default"):
            for part, number in (("base", task.num_base_cases), ("plus", task.num_plus_cases)):
                assert not number or shipped()[task.task_digest, part].num_cases == number, (version.name, task.task_id)
