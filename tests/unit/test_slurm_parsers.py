"""What SLURM's commands print, as dataclasses: recorded from 22.05, and written from the sources of 26.05."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.slurm import accounting, nodes, queue, records, site
from benchforge.slurm.nodes import IdleGpus, Wanted, idle_gpus, parse_gres, parse_nodes

RECORDED = Path(__file__).resolve().parents[1] / "slurm" / "recorded"
PRO6000 = Wanted("gpu", "gpu:pro6000:1", "sm120")


def recorded(name: str, version: str = "22.05") -> str:
    return (RECORDED / version / f"{name}.txt").read_text(encoding="utf-8")


def test_nodes_are_read_with_their_gpus_and_states():
    found = {node.name: node for node in parse_nodes(recorded("nodes"))}
    assert {name: (node.state, sorted(node.flags)) for name, node in found.items()} == {
        "c1": ("IDLE", []),
        "n1": ("MIXED", []),
        "n2": ("MIXED", ["DRAIN"]),
        "n3": ("DOWN", ["NOT_RESPONDING"]),
    }
    assert found["n1"].gpus == {"pro6000": 4} and found["n1"].used == {"pro6000": 4}
    assert found["n2"].idle_gpus() == 1 and not found["n2"].takes_jobs
    assert found["c1"].gpus == {} and found["c1"].idle_gpus() == 0
    assert found["n1"].partitions == {"gpu", "gpu-hi"} and found["n1"].memory_bytes == 64000 << 20


def test_drained_and_lost_nodes_have_no_idle_gpus():
    assert idle_gpus(parse_nodes(recorded("nodes")), PRO6000) == IdleGpus(free=0, planned=0, total=4)


def test_planned_gpus_are_counted_apart_and_sleeping_nodes_not_at_all():
    found = parse_nodes(recorded("nodes", "written_from_26.05"))
    assert idle_gpus(found, PRO6000) == IdleGpus(free=1, planned=4, total=6)
    assert idle_gpus(found, Wanted("all", "gpu:a40:1")) == IdleGpus(free=0, planned=0, total=2)
    assert idle_gpus(found, Wanted("gpu")).free == 1 + 3


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("gpu:pro6000:4(S:0-1)", {"pro6000": 4}),
        ("gpu:pro6000:3(IDX:0,2-3),gpu:a40:1(IDX:4)", {"pro6000": 3, "a40": 1}),
        ("gpu:4", {"": 4}),
        ("gpu", {"": 1}),
        ("gpu:a100:no_consume:2", {"a100": 2}),
        ("(null)", {}),
        ("N/A", {}),
        ("shard:8(S:0-1),nic:2", {}),
        ("gpu:pro6000:0(IDX:N/A)", {"pro6000": 0}),
    ],
)
def test_gres_in_every_spelling(text: str, gpus: dict[str, int]):
    assert parse_gres(text) == gpus


@pytest.mark.parametrize(
    ("state", "takes_jobs"),
    [
        ("IDLE", True),
        ("ALLOCATED", True),
        ("MIXED-", True),
        ("IDLE+PLANNED", True),
        ("IDLE*", False),
        ("IDLE+DRAIN", False),
        ("MIXED+MAINTENANCE+RESERVED", False),
        ("IDLE~", False),
        ("IDLE$", False),
        ("DOWN*", False),
        ("IDLE+REBOOT_REQUESTED", False),
        ("IDLE+INVALID_REG", False),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_states_that_take_jobs(state: str, takes_jobs: bool):
    (node,) = parse_nodes(f"NodeName=x State={state} Gres=gpu:1")
    assert node.takes_jobs is takes_jobs


def test_values_may_hold_blanks_and_equal_signs():
    line = "NodeName=n1 CfgTRES=cpu=16,gres/gpu=4 Reason=disk = full [user@2026] Partitions=gpu"
    assert records.fields(line) == {
        "NodeName": "n1",
        "CfgTRES": "cpu=16,gres/gpu=4",
        "Reason": "disk = full [user@2026]",
        "Partitions": "gpu",
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("4:00:00", 14400),
        ("1-02:03:04", 93784),
        ("7-0", 604800),
        ("05:30", 330),
        ("90", 5400),
        ("UNLIMITED", None),
        ("N/A", None),
        ("", None),
    ],
)
def test_durations_as_sbatch_reads_them(text: str, seconds: int | None):
    assert records.duration_seconds(text) == seconds


def test_squeue_has_one_row_per_array_task_with_the_id_that_signals_take():
    tasks = queue.parse_squeue(recorded("squeue"))
    generation = {task.index: task for task in tasks if task.name == "gen"}
    assert sorted(index for index in generation if index is not None) == list(range(8))
    running = generation[3]
    assert (running.raw_id, running.array_id, running.node) == ("19", "6", "n2")
    assert running.is_running and running.used_seconds == 91 and running.limit_seconds == 4 * 3600
    assert running.num_gpus == 1 and running.priority == 1
    assert generation[6].reason == "JobArrayTaskLimit" and generation[6].is_pending
    assert {task.state for task in tasks if task.is_ended} == {
        "CANCELLED",
        "COMPLETED",
        "FAILED",
        "NODE_FAIL",
        "TIMEOUT",
    }
    assert {task.reason for task in tasks if task.name == "score"} == {"Dependency"}
    assert any(task.reason == "ReqNodeNotAvail, UnavailableNodes:n[2-3]" for task in tasks)


def test_lines_that_are_no_rows_are_skipped():
    banner = "squeue: warning: slow\n\nabc|def\n"
    assert queue.parse_squeue(banner) == [] and accounting.parse_sacct(banner) == []
    assert nodes.parse_nodes(banner) == [] and site.parse_partitions("No partitions\n") == []


def test_accounting_counts_every_attempt_of_a_requeued_job():
    attempts = accounting.parse_sacct(recorded("sacct"))
    first = [attempt for attempt in attempts if attempt.job_id == "1"]
    assert [(attempt.state, attempt.gpu_seconds) for attempt in first] == [("PREEMPTED", 26), ("TIMEOUT", 84)]
    four = next(attempt for attempt in attempts if attempt.raw_id == "18")
    assert four.num_gpus == 4 and four.gpu_seconds == 364
    assert accounting.gpu_seconds(attempts) == sum(attempt.gpu_seconds for attempt in attempts) > 700
    causes = {accounting.cause_of_state(attempt.state) for attempt in attempts}
    assert causes == {None, "done", "crashed", "cancelled", "node_fail", "preempted", "time_limit"}


def test_gpus_of_a_job_are_counted_once():
    assert accounting.gpus_of_tres("billing=1,gres/gpu:pro6000=2,gres/gpu=2") == 2
    assert accounting.gpus_of_tres("gres/gpu:a40=1,gres/gpu:pro6000=2") == 3
    assert accounting.gpus_of_tres("cpu=4,mem=16G") == 0


def test_qos_with_preemption_and_grace_time():
    found = {qos.name: qos for qos in accounting.parse_qos(recorded("qos"))}
    assert found["urgent"].preempts == ("backfill", "long")
    assert found["long"].grace_seconds == 20 and found["long"].priority == 10
    assert found["long"].max_wall_seconds is None and found["long"].max_gpus_per_user is None


def test_partitions_and_settings_of_a_site():
    found = {partition.name: partition for partition in site.parse_partitions(recorded("partitions"))}
    assert set(found) == {"gpu", "gpu-hi", "cpu"} and found["cpu"].is_default
    assert found["gpu"].max_seconds == 7 * 86400 and found["gpu-hi"].preempt_mode == "OFF"
    settings = site.parse_config(recorded("config"))
    assert settings.version == "22.05.8" and settings.max_array_size == 1001
    assert settings.has_accounting and settings.has_preemption and settings.sends_user_signal
    assert settings.requeue_delay_seconds == 5 and settings.kill_wait_seconds == 2
    assert settings.enforces == ("associations", "limits", "qos")


def test_a_site_that_says_little_has_slurms_defaults():
    settings = site.parse_config("Configuration data as of now\nClusterName             = x\n")
    assert (settings.max_array_size, settings.requeue_delay_seconds, settings.has_accounting) == (1001, 120, False)
    newer = site.parse_config("SchedulerParameters     = bf_interval=1,requeue_delay=30\nAuthInfo = cred_expire=9\n")
    assert newer.requeue_delay_seconds == 30
