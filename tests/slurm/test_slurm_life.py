"""The life of a shard under trouble: noticed, preempted, cancelled, its node lost; nothing lost, nothing twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from on_the_login_node import Operator
from queue_storm import Storm, board, slow_answers, wait_for_work
from virtual_cluster import VirtualCluster


@pytest.fixture
def operator(cluster: VirtualCluster, tmp_path: Path) -> Operator:
    return Operator.at(cluster, tmp_path / "home", ("forge__perfect", "forge__careless"), concurrency=1)


def test_troubles_of_every_kind_end_in_the_same_marts(operator: Operator, tmp_path: Path):
    """One shard is noticed and preempted, the other loses its node; a task killed by scancel is resubmitted."""
    storm = Storm(operator)
    slow = slow_answers(tmp_path / "slow", 0.8)
    operator.do("plan")
    operator.do("submit", "generate", **slow)
    first = wait_for_work(storm, 2)
    storm.notice(first[0])
    storm.preempt(wait_for_work(storm)[0])
    storm.lose_node(str(wait_for_work(storm)[0].node))
    wait_for_work(storm, 1)
    storm.await_end(300)
    storm.assert_nothing_lost()
    causes = storm.causes()
    assert causes["notice"] >= 1 and causes["notice"] + causes["preempted"] >= 2 and causes["done"] == 2, causes
    assert causes["crashed"] + causes["node_fail"] >= 1, causes
    assert set(causes) <= {"notice", "preempted", "done", "crashed", "node_fail"}, causes
    operator.do("score")
    calm = Operator.at(operator.cluster, tmp_path / "calm", ("forge__perfect", "forge__careless"))
    for words in (("plan",), ("generate",), ("score",)):
        calm.do(*words)
    assert board(operator) == board(calm)


def test_cancel_is_clean_and_resubmit_goes_on(operator: Operator, tmp_path: Path):
    storm = Storm(operator)
    slow = slow_answers(tmp_path / "slow", 0.8)
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
    limited = {**slow_answers(tmp_path / "slow", 0.8), "BENCHFORGE_RUN_MAX_REQUEUE_PER_SHARD": "1"}
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
