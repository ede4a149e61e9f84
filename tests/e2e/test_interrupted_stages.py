"""Ctrl-C in every stage, then the same command again: the end is that of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchforge.ingest.lake import Lake

ROOT = Path(__file__).resolve().parents[2]
DEMO = str(ROOT / "ingest" / "bundled" / "demo.yaml")
MODEL = "forge__sampler"


def start(scratch: Path, *arguments: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "benchforge", *arguments, "--config", DEMO, "--scratch", str(scratch)]
    environment = {**os.environ, "HOME": str(scratch)}
    return subprocess.Popen(words, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(scratch: Path, *arguments: str) -> None:
    process = start(scratch, *arguments)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said


def interrupt(process: subprocess.Popen[str], journal: str, scratch: Path, lines: int, number: int) -> int:
    """Send the signal once the journal holds so many lines; the exit code of a process that obeyed."""
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if sum(path.read_bytes().count(b"\n") for path in scratch.glob(journal)) >= lines:
            process.send_signal(number)
            break
        time.sleep(0.005)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said, said
    return process.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL])
def test_generate_and_score_go_on_after_a_signal(road, tmp_path: Path, number: int):
    finish(tmp_path, "plan", "--model", MODEL)
    expected = -signal.SIGKILL if number == signal.SIGKILL else 75
    generate = start(tmp_path, "generate", "--model", MODEL, "--concurrency", "2")
    assert interrupt(generate, "demo/gen/*/samples.jsonl", tmp_path, 40, number) == expected
    assert not list(tmp_path.glob("demo/manifests/generate-*.done"))
    finish(tmp_path, "generate", "--model", MODEL)

    score = start(tmp_path, "score", "--model", MODEL)
    assert interrupt(score, "demo/score/*/results.jsonl", tmp_path, 10, number) == expected
    assert not list(tmp_path.glob("demo/manifests/score-*.done"))
    finish(tmp_path, "score", "--model", MODEL, "--jobs", "1")

    lake = Lake(tmp_path / "demo" / "lake")
    keys = [
        (row["task_id"], row["sample_index"]) for row in lake.read("samples", ["task_id", "sample_index"]).to_pylist()
    ]
    assert len(keys) == 420 and len(set(keys)) == 420
    assert lake.read("results").num_rows == 420
    assert results_of(lake) == results_of(Lake(road.lake)), "not the bytes of an undisturbed run on all cores"


def results_of(lake: Lake) -> dict[str, bytes]:
    parts = lake.live_parts("results")
    return {part.name: part.read_bytes() for part in parts if part.parent.name == f"model={MODEL}"}


def test_interrupted_build_leaves_the_old_marts(road, tmp_path: Path):
    before = road.marts.read_bytes()
    words = [sys.executable, "-m", "benchforge", "aggregate", "--lake", str(road.lake), "--output", str(road.marts)]
    entries = set(road.marts.parent.iterdir())
    process = subprocess.Popen(words, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and set(road.marts.parent.iterdir()) == entries:
        time.sleep(0.01)  # until the build has a place of its own to write to
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (75, -signal.SIGINT), said  # the second: Python re-raises what dbt swallowed at exit
    assert "Traceback" not in said
    assert road.marts.read_bytes() == before
    assert set(road.marts.parent.iterdir()) == entries, "the interrupted build left something behind"


def test_a_demo_goes_on_after_ctrl_c(road, tmp_path: Path):
    words = [sys.executable, "-m", "benchforge", "demo", "--scratch", str(tmp_path)]
    environment = {**os.environ, "HOME": str(tmp_path)}
    demo = subprocess.Popen(words, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert interrupt(demo, "demo/score/*/results.jsonl", tmp_path, 10, signal.SIGINT) == 75
    again = subprocess.run(words, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=240, check=False)
    assert again.returncode == 0, again.stderr
    board = "benchmark   scenario"
    assert again.stdout.rpartition(board)[2] == road.stdout.rpartition(board)[2]
    assert "forge__perfect" in again.stdout.rpartition(board)[2]


def test_an_interrupted_plan_to_publish_leaves_nothing(road, tmp_path: Path):
    words = ["publish", "--dry-run", "--namespace", "nobody", "--scratch", str(tmp_path), "--lake", str(road.lake)]
    environment = {**os.environ, "HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"}
    words = [sys.executable, "-m", "benchforge", *words]
    process = subprocess.Popen(
        words, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("building every mart"):
            process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) in (75, -signal.SIGINT), said  # the second: see above
    assert not [line for line in said if "Traceback" in line], said
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
