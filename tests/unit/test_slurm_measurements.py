"""What monitor's looks come to, what status shows, and attempts that ended without a word."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path

import pytest
from benchforge.ingest.manifest import run_id
from benchforge.runners.cluster.ledger import attempts
from benchforge.runners.cluster.monitoring import live_arrays
from benchforge.runners.cluster.states import QueueView, bars, note_of, record_silent_ends, state_of
from benchforge.slurm.measurements import Look, advice, append, line, read, summary
from benchforge.slurm.queue import QueuedTask, parse_squeue
from benchforge.slurm.submissions import ShardTask, Submission, Submissions, shard_tasks
from planned_run import planned

RECORDED = Path(__file__).resolve().parents[1] / "slurm" / "recorded" / "22.05"
LOOK = Look(0.0, 4, 8, 2, 0, 2, 5, 4, {"Priority": 5})


def tasks() -> list[QueuedTask]:
    return parse_squeue((RECORDED / "squeue.txt").read_text(encoding="utf-8"))


def submission(job_id: str = "6", shard_ids: tuple[str, ...] = tuple("abcdefgh")) -> Submission:
    return Submission("generate", "generate-001", job_id, shard_ids, tuple(range(len(shard_ids))), 1, 3, "2026-11-21")


def test_shares_are_of_gpu_seconds_between_looks():
    looks = [LOOK, replace(LOOK, at=1800.0, idle_gpus=0, held_gpus=6), replace(LOOK, at=3600.0)]
    found = summary(looks, [], [{"gpu_seconds": 300.0, "num_rows": 9}, {"gpu_seconds": 100.0, "num_rows": 0}])
    assert found.hours == 1.0 and found.harvested_gpu_hours == (2 * 0.5 + 6 * 0.5)
    assert found.idle_share == (4 * 0.5) / 8 and found.harvested_share == 4 / 6
    assert found.lowest_gpu_seconds_per_hour == 4 * 3600 and found.useful_share == 0.75


def test_waits_are_of_tasks_that_began():
    found = summary([], tasks(), [])
    assert (found.median_wait_seconds, found.longest_wait_seconds) == (6.0, 25.0)
    assert found.idle_share is None and found.lowest_gpu_seconds_per_hour is None


def test_looks_are_kept_and_read_again(tmp_path: Path):
    for _ in range(2):
        append(tmp_path / "jobs" / "looks.jsonl", LOOK)
    assert read(tmp_path / "jobs" / "looks.jsonl") == [LOOK, LOOK]
    assert line(LOOK).startswith("GPUs: 2 ours, 4 idle of 8, 0 wanted by others; tasks: 2 running, 5 pending (5 Prior")


@pytest.mark.parametrize(
    ("look", "sentence"),
    [
        (LOOK, "a shorter BENCHFORGE_GPU_TIME"),
        (replace(LOOK, reasons={"QOSMaxGRESPerUser": 5}), "BENCHFORGE_GPU_QOS, one of long, normal"),
        (replace(LOOK, num_running=4), None),
    ],
)
def test_advice_names_the_setting(look: Look, sentence: str | None):
    said = advice(summary([look], [], []), look, ["long", "normal"])
    assert (said == []) if sentence is None else (sentence in said[0])


def test_arrays_of_the_run_as_the_queue_has_them():
    (array,) = live_arrays([submission(), submission("999")], tasks(), {"6": 5})
    assert (array.job_id, array.num_running, array.num_pending, array.throttle) == ("6", 3, 5, 5)


def test_shards_find_their_tasks_by_index():
    found = {one.shard_id: one.task for one in shard_tasks([submission()], tasks())}
    assert set(found) == set("abcdefgh") and found["d"].raw_id == "19" and found["d"].is_running


def test_submissions_are_kept_in_folders_of_their_own(tmp_path: Path):
    submissions = Submissions(tmp_path)
    first, second = submissions.new_folder("generate"), submissions.new_folder("generate")
    assert (first.name, second.name) == ("generate-001", "generate-002")
    submissions.record(replace(submission(), folder=second.name))
    assert [one.folder for one in submissions.all()] == ["generate-002"]  # sbatch never answered for the first
    assert submissions.of_stage("score") == []


def test_states_by_marker_then_queue_then_journal(tmp_path: Path):
    run = planned(tmp_path)
    (shard_id,) = run.manifest.shards()
    mine = submission(shard_ids=(*"abc", shard_id, *"efgh"))
    view = QueueView({("generate", one.shard_id): one for one in shard_tasks([mine], tasks())})
    assert state_of(run, "generate", shard_id, view) == "running"
    assert note_of(run, shard_id, view) == "19 on n2, 1 min"
    assert state_of(run, "generate", shard_id, QueueView({})) == "pending"
    run.journal("generate", shard_id).append({})
    assert state_of(run, "generate", shard_id, QueueView({})) == "begun"
    run.mark_done("generate", shard_id, 1)
    assert state_of(run, "generate", shard_id, view) == "done"


def test_bars_say_how_far_every_stage_is():
    first, second = bars({"generate": {"done": 12, "running": 3, "failed": 0}, "score": {"done": 0, "pending": 15}})
    assert first == f"generate {'█' * 24}{'░' * 6} 12/15  3 running"
    assert second.endswith("0/15  15 pending")


@pytest.mark.parametrize(
    ("state", "cause"), [("TIMEOUT", "time_limit"), ("OUT_OF_MEMORY", "oom"), ("NODE_FAIL", "node_fail")]
)
def test_an_end_without_a_word_is_written_down_once_with_the_queues_cause(tmp_path: Path, state: str, cause: str):
    run = planned(tmp_path)
    (shard_id,) = run.manifest.shards()
    began = datetime.datetime(2026, 11, 21, 20, 0)
    task = replace(
        tasks()[0], raw_id="31", array_id="30", index=0, state=state, started=began, used_seconds=90, node="n1"
    )
    one = ShardTask(submission("30", (shard_id,)), shard_id, task)
    view = QueueView({("generate", shard_id): one})
    lease = run.journal("generate", shard_id).path.parent / "lease"
    lease.parent.mkdir(parents=True)
    lease.write_text(json.dumps({"job": "31", "token": "x"}), encoding="utf-8")
    assert record_silent_ends(run, view, attempts(run.lake)) == 1
    (row,) = attempts(run.lake)
    assert (row["cause"], row["gpu_seconds"], row["job_id"], row["node"]) == (cause, 90.0, "31_0", "n1")
    assert not lease.exists()
    assert record_silent_ends(run, view, attempts(run.lake)) == 0


def test_an_attempt_that_wrote_its_own_row_is_not_written_again(tmp_path: Path):
    run = planned(tmp_path)
    (shard_id,) = run.manifest.shards()
    began = datetime.datetime(2026, 11, 21, 20, 0)
    ended = began.astimezone(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(seconds=60)
    row = {"run_id": run_id(shard_id, "generate", 1), "shard_id": shard_id, "stage": "generate", "attempt": 1}
    row |= {"job_id": "31_0.0", "cause": "time_limit", "started_at": ended, "ended_at": ended}
    run.record_attempt(row)
    task = replace(tasks()[0], raw_id="31", index=0, state="TIMEOUT", started=began, used_seconds=90)
    view = QueueView({("generate", shard_id): ShardTask(submission("30", (shard_id,)), shard_id, task)})
    assert record_silent_ends(run, view, attempts(run.lake)) == 0
