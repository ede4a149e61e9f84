"""What ends a shard's life in the queue before it is done: a person, or one of the run's own limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from on_the_login_node import Operator
from queue_storm import Storm, slow_answers, wait_for_work
from virtual_cluster import VirtualCluster


@pytest.fixture
def operator(cluster: VirtualCluster, tmp_path: Path) -> Operator:
    return Operator.at(cluster, tmp_path / "home", ("forge__perfect", "forge__careless"), concurrency=1)


def test_cancel_is_clean_and_resubmit_goes_on(operator: Operator, tmp_path: Path):
    storm = Storm(operator)
    slow = slow_answers(tmp_path / "slow", 4.0)
    operator.do("plan")
    operator.do("submit", "generate", "--with-score", **slow)
    wait_for_work(storm, 2)
    gone = operator.rows("cancel")
    assert [(row["stage"], row["running"]) for row in gone] == [("generate", 2), ("score", 0)]
    assert operator.cluster.text("squeue", "-h", "-t", "PD,R,CG") == ""
    assert storm.causes() == {"cancelled": 2}, operator.logs()
    states = {row["generate"] for row in operator.rows("status")}
    assert states == {"begun"}
    assert operator.rows("resubmit") == []
    storm.await_end(240)
    storm.assert_nothing_lost()
    assert {row["score"] for row in operator.rows("status")} == {"done"}, operator.logs()


def test_a_shard_tried_too_often_is_given_up_with_its_last_cause(operator: Operator, tmp_path: Path):
    storm = Storm(operator)
    limited = {**slow_answers(tmp_path / "slow", 4.0), "BENCHFORGE_RUN_MAX_REQUEUE_PER_SHARD": "1"}
    operator.do("plan", "--model", "forge__perfect")
    operator.do("submit", "generate", **limited)
    for _ in range(2):
        (task,) = wait_for_work(storm)
        storm.notice(task)
    storm.await_end(240)
    (shard_id,) = storm.run.manifest.shards()
    marker = json.loads((operator.run_root / "manifests" / f"generate-{shard_id}.failed").read_text())
    assert (marker["num_unfinished"], marker["cause"]) == (2, "notice")
    assert f"shard {shard_id} is given up: 2 attempts, last: notice" in operator.logs()
    (row,) = operator.rows("resubmit", "--dry-run", **limited)
    assert (row["shard_id"], row["cause"], row["attempts"]) == (shard_id, "notice", 2)
    assert operator.rows("resubmit", "--retry-failed", "--no-score", BENCHFORGE_RUN_MAX_REQUEUE_PER_SHARD="1") == []
    storm.await_end(240)
    storm.assert_nothing_lost()


def test_tasks_at_work_stop_when_all_of_them_together_have_spent_the_budget(operator: Operator, tmp_path: Path):
    """Each would be within it; nobody requeues himself to find it spent, and what was answered stays."""
    storm = Storm(operator)
    budget_seconds = 60.0
    limited = {**slow_answers(tmp_path / "slow", 2.0), "BENCHFORGE_RUN_GPU_HOUR_BUDGET": str(budget_seconds / 3600)}
    operator.do("plan")
    operator.do("submit", "generate", **limited)
    storm.await_end(240)
    assert {task.state for task in storm.tasks()} == {"FAILED"}, operator.logs()
    assert operator.logs().count("GPU hours are used, the budget is 0.0") == 2, operator.logs()
    rows = [row for shard_id in storm.run.manifest.shards() for row in storm.run.journal("generate", shard_id).rows()]
    assert 0 < len(rows) < 84
    (row,) = operator.rows("monitor", "--once")
    # to its end each of both would have gone on for 84 seconds and more; what is not expected to end is not begun
    assert 0.3 * budget_seconds < row["held_gpu_hours"] * 3600 < 2 * budget_seconds, operator.logs()
    less = {"BENCHFORGE_RUN_GPU_HOUR_BUDGET": str(row["held_gpu_hours"])}
    assert operator.try_out("resubmit", **less).returncode == 3
    assert operator.rows("resubmit", "--no-score") == []
    storm.await_end(240)
    storm.assert_nothing_lost()
