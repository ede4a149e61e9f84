"""Budget and number of attempts: what stops a task before it works, and what it may still take."""

from __future__ import annotations

import datetime
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import Incomplete, Unwritable
from benchforge.ingest.manifest import Run, run_id
from benchforge.runners.cluster.budget import Spent
from benchforge.runners.cluster.ledger import attempts, gpu_hours, tries_by_shard
from benchforge.runners.cluster.limits import failed_marker, forgive, reason_of, refuse_beyond_limits
from benchforge.runners.cluster.spending import held_hours, spending
from benchforge.runners.generate.held import AllHeld, held_by, holding
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


def begin(run: Run, settings: Settings, job: Job) -> None:
    """As a task of an array does."""
    refuse_beyond_limits(run, shards_of(run), settings, job, attempts(run.lake))


def test_a_spent_budget_stops_a_task_before_it_works(run: Run, tmp_path: Path):
    attempt(run, "notice", 7200.0)
    assert gpu_hours(attempts(run.lake)) == 2.0
    with pytest.raises(Incomplete, match=r"2\.0 GPU hours are used, the budget is 2"):
        begin(run, settings_with(tmp_path, run__gpu_hour_budget=2.0), Job("7", num_gpus=1))


def test_what_all_tasks_hold_is_spent_whoever_of_them_still_lives(run: Run, tmp_path: Path):
    """One killed an hour ago after an hour of two GPUs, one at work: the sum counts, and how fast it grows."""
    attempt(run, "notice", 1800.0)
    with spending(run, settings_with(tmp_path, run__gpu_hour_budget=5.0), Job("7", num_gpus=1)) as before:
        assert before is not None and before.look() == 30.0
        assert before.seconds_left() == pytest.approx(4.5 * 3600, abs=30)  # the ledger's half an hour
    held_file(run, "5_0.0", num_gpus=2, began_ago=7200, beat_ago=3600)
    held_file(run, "6_0.1", num_gpus=3, began_ago=1200, beat_ago=0)
    with spending(run, settings_with(tmp_path, run__gpu_hour_budget=5.0), Job("8", num_gpus=1)) as budget:
        assert budget is not None
        assert budget.seconds_left() == pytest.approx(2 * 3600 / 4, abs=30)  # 2 + 1 hours held, four GPUs at work
        held_file(run, "9_0.0", num_gpus=4, began_ago=1800, beat_ago=0)
        assert budget.look() == 1.0, "the nearer the end, the more often"
        assert budget.seconds_left() == pytest.approx(0.0, abs=30)  # and that was two hours more
        assert "5.0 GPU hours are used, the budget is 5" in budget.refusal().message
    assert held_hours(run) == pytest.approx(5.0, abs=0.05)
    with pytest.raises(Incomplete, match="the budget is 4"):
        limited = settings_with(tmp_path, run__gpu_hour_budget=4.0)
        begin(run, limited, Job("10", num_gpus=1))


def test_a_job_leaves_behind_what_it_held(run: Run, tmp_path: Path):
    with holding(run.root, Job("7", array_task="3", restart=2, num_gpus=2)) as path:
        assert path is not None and path.name == "7_3.2.json"
        (held,) = AllHeld(run.root).look()
        assert held.is_alive(held.beat + 50) and not held.is_alive(held.beat + 70)
        os.utime(path, (held.began + 100,) * 2)
        assert held_by(run.root, "7_3.2").gpu_seconds == pytest.approx(200.0)  # pyright: ignore
    (held,) = AllHeld(run.root).look()
    assert held.has_ended and not held.is_alive(held.beat)
    with holding(run.root, Job("7", array_task="3", restart=2, num_gpus=2)) as again:
        assert again is not None and again.name == "7_3.2-2.json", "what is there counts on"
    (run.root / "held" / "torn.json").write_text("{")
    assert len(AllHeld(run.root).look()) == 2
    for job in (Job(), Job("7")):
        with holding(run.root, job) as nothing, spending(run, settings_with(tmp_path), job) as unbounded:
            assert nothing is None and unbounded is None


def test_a_folder_that_cannot_be_written_is_one_sentence(run: Run):
    (run.root / "held").write_text("a file, where a folder has to be")
    with pytest.raises(Unwritable, match="held"), holding(run.root, Job("7", num_gpus=1)):
        raise AssertionError("nothing may begin")


def held_file(run: Run, job: str, num_gpus: int, began_ago: float, beat_ago: float) -> None:
    path = run.root / "held" / f"{job}.json"
    now = time.time()
    path.write_text(json.dumps({"job": job, "num_gpus": num_gpus, "began": now - began_ago}))
    os.utime(path, (now - beat_ago,) * 2)


def test_a_shard_is_given_up_when_it_was_requeued_too_often(run: Run, tmp_path: Path):
    settings = settings_with(tmp_path, run__max_requeue_per_shard=2)
    (shard_id,) = run.manifest.shards()
    for cause in ("notice", "preempted"):
        attempt(run, cause)
    begin(run, settings, Job("7", array_task="0"))
    attempt(run, "node_fail")
    with pytest.raises(Incomplete, match="is given up: 3 attempts, last: node_fail"):
        begin(run, settings, Job("7", array_task="0"))
    begin(run, settings, Job("7"))  # an interactive job
    assert reason_of(failed_marker(run, "generate", shard_id)) == "3 attempts, last: node_fail"
    forgive(run, "generate", [shard_id], attempts(run.lake))
    assert failed_marker(run, "generate", shard_id) == {}
    begin(run, settings, Job("7", array_task="0"))
    assert tries_by_shard(attempts(run.lake), "generate")[shard_id].num_unfinished == 3


def test_the_larger_of_ledger_and_accounting_counts():
    assert Spent(3.0, None).hours == 3.0
    assert Spent(3.0, 5.0).hours == 5.0 and Spent(5.0, 3.0).hours == 5.0
    assert Spent(3.0, 4.0, 5.0).hours == 5.0
