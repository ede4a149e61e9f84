"""Submitting to real daemons: what is queued, what is kept, and that the whole road is walked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from on_the_login_node import MODELS, Operator
from virtual_cluster import VirtualCluster


@pytest.fixture
def operator(cluster: VirtualCluster, tmp_path: Path) -> Operator:
    return Operator.at(cluster, tmp_path / "home")


def test_generate_and_score_walk_the_road_by_themselves(operator: Operator):
    operator.do("plan")
    made = operator.rows("submit", "generate", "--with-score")
    assert [(row["stage"], row["tasks"], row["throttle"]) for row in made] == [("generate", 3, 3), ("score", 3, 3)]
    assert made[1]["after"] == made[0]["job_id"]
    cluster = operator.cluster
    cluster.wait_for_state(made[0]["job_id"], "COMPLETED", timeout_seconds=180)
    cluster.wait_for_state(made[1]["job_id"], "COMPLETED", timeout_seconds=180)
    assert (operator.num_done("generate"), operator.num_done("score")) == (3, 3), operator.logs()
    folder = operator.run_root / "jobs" / "generate-001"
    spooled = cluster.text("scontrol", "write", "batch_script", made[0]["job_id"], "-")
    assert spooled.strip() == (folder / "script.sbatch").read_text().strip()
    assert json.loads((folder / "submission.json").read_text())["job_id"] == made[0]["job_id"]
    board = json.loads(operator.do("aggregate", "--format", "json"))
    assert {row["model"] for row in board} == set(MODELS)


def test_what_is_in_the_queue_is_not_submitted_twice(operator: Operator):
    operator.do("plan")
    cluster = operator.cluster
    blocker = cluster.submit("sleep 600", "-p", "gpu-hi", "--gres=gpu:pro6000:4", "-t", "20", "--array=0-1")
    cluster.wait_for_state(blocker, "RUNNING")
    assert operator.rows("submit", "generate")[0]["throttle"] == 1
    again = operator.try_out("submit", "generate")
    assert "3 shards are in the queue already" in again.stderr and "nothing to submit" in again.stderr
    score = operator.rows("submit", "score")
    assert score[0]["after"] and score[0]["tasks"] == 3
    assert "nothing to submit" in operator.try_out("submit", "score").stderr


def test_dry_run_prints_the_script_and_submits_nothing(operator: Operator):
    operator.do("plan")
    text = operator.do("submit", "generate", "--dry-run")
    assert "#SBATCH --array=0-2%3" in text and "#SBATCH --gres=gpu:pro6000:1" in text
    assert text.splitlines()[0] == "#!/bin/bash" and "exec " in text
    assert not (operator.run_root / "jobs").exists()
    assert operator.cluster.text("squeue", "-h") == ""


def test_the_throttle_is_what_is_idle_less_the_headroom(operator: Operator):
    operator.do("plan")
    cluster = operator.cluster
    for gpus in (1, 4):
        job = cluster.submit("sleep 600", "-p", "gpu", f"--gres=gpu:pro6000:{gpus}", "-t", "20")
        cluster.wait_for_state(job, "RUNNING")
    text = operator.do("submit", "generate", "--dry-run")
    assert "#SBATCH --array=0-2%1" in text  # 8 - 5 held by others - 2 left to others
    text = operator.do("submit", "generate", "--dry-run", BENCHFORGE_COMPUTE_HEADROOM_GPUS="0")
    assert "#SBATCH --array=0-2%3" in text


def test_placeholders_are_refused_before_anything_is_written(cluster: VirtualCluster, tmp_path: Path):
    operator = Operator.at(cluster, tmp_path / "home", facts="BENCHFORGE_GRES=PLACEHOLDER_GRES\n")
    operator.do("plan")
    done = operator.try_out("submit", "generate")
    assert done.returncode == 2 and "BENCHFORGE_GRES is not known for this cluster yet" in done.stderr
    assert "benchforge probe" in done.stderr and not (operator.run_root / "jobs").exists()


def test_a_spent_budget_stops_submission(operator: Operator):
    operator.do("plan")
    done = operator.try_out("submit", "generate", BENCHFORGE_RUN_GPU_HOUR_BUDGET="0")
    assert done.returncode == 3 and "0.0 GPU hours are used, the budget is 0" in done.stderr


def test_what_sbatch_refuses_is_its_own_sentence(cluster: VirtualCluster, tmp_path: Path):
    operator = Operator.at(cluster, tmp_path / "home", facts="BENCHFORGE_CONSTRAINT=sm999\n")
    operator.do("plan")
    done = operator.try_out("submit", "generate")
    assert done.returncode == 1 and "sbatch refused" in done.stderr and "Invalid feature specification" in done.stderr
    assert operator.do("plan", "--dry-run") is not None  # the run goes on


def test_without_slurm_submit_says_what_to_run_here(cluster: VirtualCluster, tmp_path: Path):
    operator = Operator.at(cluster, tmp_path / "home")
    operator.do("plan")
    done = operator.try_out("submit", "generate", PATH=str(tmp_path))
    assert done.returncode == 1 and "run the stage here: benchforge generate" in done.stderr
