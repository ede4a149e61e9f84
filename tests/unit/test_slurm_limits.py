"""Budget and number of attempts: what stops a task before it works, and what it may still take."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import Incomplete
from benchforge.ingest.manifest import Run, run_id
from benchforge.runners.cluster.budget import Spent
from benchforge.runners.cluster.ledger import attempts, gpu_hours, tries_by_shard
from benchforge.runners.cluster.limits import failed_marker, forgive, reason_of, within_limits
from benchforge.runners.generate.job import Job
from planned_run import planned

NOW = datetime.datetime(2026, 11, 21, 20, 0)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return planned(tmp_path)


def settings_with(tmp_path: Path, **values: Any) -> Settings:
    return load_settings(
        {name.replace("__", "."): value for name, value in values.items()}, None, {"HOME": str(tmp_path)}
    )


def attempt(run: Run, cause: str, gpu_seconds: float = 0.0) -> None:
    (shard_id,) = run.manifest.shards()
    number = run.next_attempt("generate", shard_id)
    row = {"run_id": run_id(shard_id, "generate", number), "shard_id": shard_id, "stage": "generate", "attempt": number}
    run.record_attempt({**row, "cause": cause, "gpu_seconds": gpu_seconds, "started_at": NOW, "ended_at": NOW})


def shards_of(run: Run) -> list:
    return list(run.manifest.shards().values())


def test_a_spent_budget_stops_a_task_before_it_works(run: Run, tmp_path: Path):
    attempt(run, "notice", 7200.0)
    assert gpu_hours(attempts(run.lake)) == 2.0
    with pytest.raises(Incomplete, match=r"2\.0 GPU hours are used, the budget is 2"):
        within_limits(run, shards_of(run), settings_with(tmp_path, run__gpu_hour_budget=2.0), Job("7", num_gpus=1))


def test_a_task_takes_no_more_than_its_share_of_what_is_left(run: Run, tmp_path: Path):
    attempt(run, "notice", 3600.0)
    (run.root / "gen" / "another").mkdir(parents=True)
    (run.root / "gen" / "another" / "lease").write_text("{}")
    settings = settings_with(tmp_path, run__gpu_hour_budget=5.0)
    job = within_limits(run, shards_of(run), settings, Job("7", num_gpus=2))
    assert job.end is not None  # 4 hours left, 2 GPUs each, 2 tasks
    assert job.end - time.monotonic() == pytest.approx(3600.0, abs=60)
    short = Job("7", end=time.monotonic() + 10, num_gpus=1)
    assert within_limits(run, shards_of(run), settings, short).end == short.end
    assert within_limits(run, shards_of(run), settings, Job("7")).end is None


def test_a_shard_is_given_up_when_it_was_requeued_too_often(run: Run, tmp_path: Path):
    settings = settings_with(tmp_path, run__max_requeue_per_shard=2)
    (shard_id,) = run.manifest.shards()
    for cause in ("notice", "preempted"):
        attempt(run, cause)
    within_limits(run, shards_of(run), settings, Job("7", array_task="0"))
    attempt(run, "node_fail")
    with pytest.raises(Incomplete, match="is given up: 3 attempts, last: node_fail"):
        within_limits(run, shards_of(run), settings, Job("7", array_task="0"))
    within_limits(run, shards_of(run), settings, Job("7"))  # an interactive job
    assert reason_of(failed_marker(run, "generate", shard_id)) == "3 attempts, last: node_fail"
    forgive(run, "generate", [shard_id], attempts(run.lake))
    assert failed_marker(run, "generate", shard_id) == {}
    within_limits(run, shards_of(run), settings, Job("7", array_task="0"))
    assert tries_by_shard(attempts(run.lake), "generate")[shard_id].num_unfinished == 3


def test_the_larger_of_ledger_and_accounting_counts():
    assert Spent(3.0, None).hours == 3.0
    assert Spent(3.0, 5.0).hours == 5.0 and Spent(5.0, 3.0).hours == 5.0
