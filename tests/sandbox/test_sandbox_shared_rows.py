"""The shared development set of hostile and tricky samples, where it stands beside the checkout."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import livecodebench
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.runners.score.judge import Job, Judge

from .conftest import BOTH, make_task


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    for name in ("attacks", "honest"):
        for line in (folder / f"{name}.jsonl").read_text().split("\n"):
            if line:
                yield json.loads(line)


def task_of(row: dict[str, Any]) -> Task:
    fields, target = row["task"], row["target"]
    if target.startswith("cruxeval"):
        direction = "output" if target.endswith("_o") else "input"
        return make_task(row["id"], "expression", {**fields, "direction": direction}, "cruxeval")
    if target.startswith("livecodebench"):
        task = livecodebench.task_of({**fields, "question_id": row["id"]})
        return replace(task, payload={**task.payload, "limit_seconds": 2.0})
    payload = {
        "entry_point": fields["entry_point"], "base_inputs": fields["base_input"], "plus_inputs": fields["plus_input"],
        "atol": fields["atol"], "reference": fields["prompt"] + fields["canonical_solution"], "expected": None,
        "limit_seconds": 1.0,
    }  # fmt: skip
    return make_task(row["id"], "calls", payload, target)


def solution_of(row: dict[str, Any]) -> str:
    recipe = row.get("solution_recipe")
    return (
        row["solution"] if recipe is None else recipe["prefix"] + recipe["repeat"] * recipe["times"] + recipe["suffix"]
    )


def test_no_attack_passes_every_honest_row_does_and_nothing_is_left(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = "bf-secret-marker"
    monkeypatch.setenv("BENCHFORGE_CANARY", marker)
    given = list(rows(shared_data / "hostile"))
    tasks = {row["id"]: task_of(row) for row in given}
    with socket.create_server(("127.0.0.1", 47011)) as server, Judge(tasks, num_workers=2) as judge:
        server.settimeout(0)
        jobs = (Job(row["id"], row["id"], solution_of(row), BOTH) for row in given)
        graded = {job.key: result for job, result in judge.grade(jobs)}
        with pytest.raises(BlockingIOError):
            server.accept()
    for row in given:
        for outcome in graded[row["id"]].outcomes.values():
            parts = [outcome.base.verdict] + ([outcome.plus.verdict] if outcome.plus else [])
            has_passed = set(parts) == {"pass"}
            assert has_passed is ("pass" in row["expect"]["verdict"]), (row["id"], outcome)
    assert marker not in repr(graded)
    assert all(result.attempt == 1 for result in graded.values())
    assert not [path for folder in ("/tmp", "/dev/shm", Path.cwd()) for path in Path(folder).glob("bf_canary*")]
    assert subprocess.run(["pgrep", "-x", "bf_canary"], capture_output=True).stdout == b""
