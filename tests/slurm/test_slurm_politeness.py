"""Capacity that others give back is used, capacity that others want is returned; accounting agrees with the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.slurm import commands
from on_the_login_node import MODELS, Operator
from queue_storm import Storm, hurry, slow_answers, wait_for_work
from virtual_cluster import GRACE_SECONDS, VirtualCluster

HELD = ("-p", "gpu", "-t", "30")
SIX = (*MODELS, "forge__sampler", "forge__repeater", "forge__short")
NO_HEADROOM = "BENCHFORGE_COMPUTE_HEADROOM_GPUS=0\n"


def test_the_throttle_follows_what_is_idle_while_the_array_runs(cluster: VirtualCluster, tmp_path: Path):
    operator = Operator.at(cluster, tmp_path / "home", MODELS, NO_HEADROOM, concurrency=1)
    storm = Storm(operator)
    others = [cluster.submit("sleep 900", *HELD, f"--gres=gpu:pro6000:{number}") for number in (4, 3)]
    for job in others:
        cluster.wait_for_state(job, "RUNNING")
    operator.do("plan")
    (made,) = operator.rows("submit", "generate", **slow_answers(tmp_path / "slow", 5.0))
    assert (made["tasks"], made["throttle"]) == (3, 1)
    wait_for_work(storm)
    assert [task.is_running for task in storm.tasks()].count(True) == 1
    cluster.run("scancel", others[0])
    cluster.wait_for(lambda: "throttle 3" in operator.try_out("monitor", "--once").stderr, "a higher throttle")
    cluster.wait_for(lambda: sum(task.is_running for task in storm.tasks()) == 3, "the idle GPUs to be used")
    cluster.submit("sleep 900", *HELD, "--gres=gpu:pro6000:4")
    cluster.wait_for(lambda: "4 wanted by others" in operator.try_out("monitor", "--once").stderr, "another's wish")
    operator.do("cancel")
    (row,) = operator.rows("monitor", "--once")
    assert row["harvested_gpu_hours"] > 0 and 0 <= row["idle_share"] <= 1 and row["accounted_gpu_hours"] is None
    assert len((operator.run_root / "jobs" / "looks.jsonl").read_text().splitlines()) >= 3


def test_without_preemption_another_waits_for_what_runs_and_for_nothing_that_begins_later(
    cluster: VirtualCluster, tmp_path: Path
):
    """As on the first cluster: within one partition nothing is taken back, so the throttle and ``--time`` decide."""
    operator = Operator.at(cluster, tmp_path / "home", SIX, NO_HEADROOM, concurrency=1)
    storm = Storm(operator)
    cluster.wait_for_state(cluster.submit("sleep 900", *HELD, "--gres=gpu:pro6000:4", "-w", "n1"), "RUNNING")
    operator.do("plan")
    (made,) = operator.rows("submit", "generate", **slow_answers(tmp_path / "slow", 4.0))
    assert (made["tasks"], made["throttle"]) == (6, 4)
    ours = {task.raw_id for task in wait_for_work(storm, 4)}
    other = cluster.submit("sleep 1", *HELD, "--gres=gpu:pro6000:4", "-w", "n2")
    cluster.wait_for(lambda: "throttle 1" in operator.try_out("monitor", "--once").stderr, "a lower throttle")
    hurry(tmp_path / "slow")
    cluster.wait_for_state(other, "RUNNING", "COMPLETED", timeout_seconds=180)
    (theirs,) = [task for task in commands.queued() if task.raw_id == other]
    assert theirs.submitted and theirs.started
    later = [task for task in storm.tasks() if task.raw_id not in ours and task.started]
    assert all(task.started and task.started >= theirs.started for task in later if not task.is_pending)
    freed = max(task.ends for task in storm.tasks() if task.raw_id in ours and task.ends)
    waited = (theirs.started - theirs.submitted).total_seconds()
    idle = (theirs.started - freed).total_seconds()
    print(f"\nwait without preemption: {waited:.0f} s, of which {idle:.0f} s after the last of our tasks had ended")
    cluster.wait_for(lambda: "throttle 1" not in operator.try_out("monitor", "--once").stderr, "a higher throttle")
    storm.await_end(240)
    storm.assert_nothing_lost()


@pytest.mark.slow
def test_a_job_of_higher_priority_gets_our_gpus_within_the_notice(accounting: VirtualCluster, tmp_path: Path):
    operator = Operator.at(accounting, tmp_path / "home", MODELS, f"{NO_HEADROOM}BENCHFORGE_GPU_QOS=long\n", 1)
    storm = Storm(operator)
    operator.do("plan")
    (made,) = operator.rows("submit", "generate", **slow_answers(tmp_path / "slow", 4.0))
    ours = wait_for_work(storm, 3)
    node = ours[0].node
    urgent = accounting.submit(
        "sleep 3", "-p", "gpu", "-q", "urgent", "--gres=gpu:pro6000:4", "-w", str(node), "-t", "5"
    )
    accounting.wait_for_state(urgent, "RUNNING", "COMPLETED", timeout_seconds=GRACE_SECONDS + 60)
    (task,) = [task for task in commands.queued() if task.raw_id == urgent]
    assert task.started and task.submitted
    print(
        f"\nwait of the urgent job: {(task.started - task.submitted).total_seconds():.0f} s, notice {GRACE_SECONDS} s"
    )
    hurry(tmp_path / "slow")
    storm.await_end(300)
    storm.assert_nothing_lost()
    causes = storm.causes()
    assert causes["done"] == 3 and causes["preempted"] == sum(one.node == node for one in ours), causes
    accounting.wait_for(lambda: _is_accounted(operator, made["job_id"]), "accounting to know every attempt")
    (row,) = operator.rows("monitor", "--once")
    assert 0 < row["ledger_gpu_hours"] <= row["accounted_gpu_hours"]
    done = operator.try_out("resubmit", BENCHFORGE_RUN_GPU_HOUR_BUDGET=str(row["accounted_gpu_hours"]))
    assert done.returncode == 3 and "the budget is" in done.stderr


def _is_accounted(operator: Operator, job_id: str) -> bool:
    attempts = commands.ended_attempts([job_id])
    ended = [attempt for attempt in attempts if attempt.state == "COMPLETED"]
    return len(ended) == 3 and len(attempts) == 3 + Storm(operator).causes()["preempted"]
