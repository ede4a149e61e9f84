"""Before an engine starts: the node against what the shard was begun on and what the engine was tried on."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.manifest import Run
from benchforge.runners.cluster.ledger import attempts, record_end, tries_by_shard
from benchforge.runners.cluster.right_node import WrongNode, refuse_wrong_node
from benchforge.runners.generate import job as jobs
from benchforge.runners.generate.job import Job
from planned_run import planned

A40, PRO = "NVIDIA A40", "NVIDIA RTX PRO 6000 Blackwell Server Edition"
NOW = datetime.datetime(2026, 11, 22, 1, 0)
TASK = Job("7", array_task="3", array_id="4", node="n1", num_gpus=1)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return planned(tmp_path)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node with an A40; the folder of its programs, which write down how they are called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    _program(programs / "nvidia-smi", f"echo '{A40}, 550.54.15, 8.6'")
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return programs


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def refused(run: Run, tmp_path: Path, job: Job = TASK, **values: Any) -> str:
    shards = list(run.manifest.shards().values())
    given = {name.replace("__", "."): value for name, value in values.items()}
    settings: Settings = load_settings({"run.scratch": str(tmp_path), **given}, None, {"HOME": str(tmp_path)})
    try:
        refuse_wrong_node(run, shards, settings, job, attempts(run.lake))
    except WrongNode as error:
        return error.message
    return ""


def smoke_of(tmp_path: Path, gpu: str, driver: str = "550.54.15") -> None:
    (tmp_path / "smoke").mkdir(exist_ok=True)
    fact = {"image": "0.13", "gpu": gpu, "models": {"lab__one": {"is_ready": True, "driver": driver}}}
    (tmp_path / "smoke" / f"{len(list((tmp_path / 'smoke').iterdir()))}.json").write_text(json.dumps(fact))


def test_where_nothing_speaks_against_the_node_it_is_right(run: Run, node: Path, tmp_path: Path):
    assert refused(run, tmp_path) == ""
    assert refused(run, tmp_path, engine__name="vllm") == ""
    smoke_of(tmp_path, A40)
    assert refused(run, tmp_path, engine__name="vllm") == ""
    assert refused(run, tmp_path, Job("7"), compute__constraint="sm120") == "", "a job without a GPU"
    assert attempts(run.lake) == []


def test_another_gpu_than_the_engine_was_tried_on_is_refused_and_written_down(run: Run, node: Path, tmp_path: Path):
    smoke_of(tmp_path, PRO)
    assert f"n1 is the wrong node: it has {A40}, and {PRO} is wanted" == refused(run, tmp_path, engine__name="vllm")
    (row,) = attempts(run.lake)
    assert (row["cause"], row["node"], row["job_id"], row["gpu_seconds"]) == ("wrong_node", "n1", "7_3.0", 0.0)
    (tries,) = tries_by_shard(attempts(run.lake), "generate").values()
    assert tries.num_unfinished == 1, "nothing runs in circles"
    smoke_of(tmp_path, A40)
    assert refused(run, tmp_path, engine__name="vllm") == "", "tried on both"
    assert "older than the 570.1" in _with_newer_driver(run, tmp_path)


def _with_newer_driver(run: Run, tmp_path: Path) -> str:
    for path in (tmp_path / "smoke").iterdir():
        path.unlink()
    smoke_of(tmp_path, A40, "570.1")
    return refused(run, tmp_path, engine__name="vllm")


def test_a_shard_goes_on_where_it_was_begun(run: Run, node: Path, tmp_path: Path):
    (shard,) = run.manifest.shards().values()
    measured = {"cause": "notice", "gpu": PRO, "started_at": NOW, "ended_at": NOW}
    record_end(run, shard, **measured, num_rows=0)
    assert refused(run, tmp_path) == "", "no row was asked for there"
    record_end(run, shard, **measured, num_rows=5)
    assert f"{PRO} is wanted" in refused(run, tmp_path)


def test_a_broken_driver_is_no_place_for_any_engine(run: Run, node: Path, tmp_path: Path):
    _program(node / "nvidia-smi", "echo 'No devices were found'; exit 6")
    assert "its driver does not work (nvidia-smi: No devices were found)" in refused(run, tmp_path)


def test_the_node_is_excluded_after_the_requeue_beside_those_avoided_before(
    node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shown = "JobId=7 JobState=RUNNING ExcNodeList=n5 Nice=0"
    said = f'echo "$@" >> {tmp_path}/called; [ "$1" != -o ] || echo "{shown}"'
    _program(node / "scontrol", said)
    monkeypatch.setattr(jobs, "_await_kill", lambda: None)
    TASK.requeue_elsewhere()
    show, update = ("-o show job {}", "update JobId={} ExcNodeList=n1,n5")
    expected = [
        "-o show job 4_3",
        "requeue 4_3",
        *(text.format(job) for job in ("4_3", "4") for text in (show, update)),
    ]
    assert (tmp_path / "called").read_text().splitlines() == expected
