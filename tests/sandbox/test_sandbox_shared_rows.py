"""The shared development set of hostile and tricky samples, where it stands beside the checkout."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import livecodebench
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.runners.score.judge import Graded, Job, Judge

from . import effects
from .attacks.attack import RIGHT
from .conftest import BOTH, TASKS, make_task


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


PROBE = "total"
"""An honest program graded after every row, by the same worker."""


def test_no_attack_passes_every_honest_row_does_and_nothing_is_left(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    marker = "bf-secret-marker"
    monkeypatch.setenv("CANARY_TOKEN", marker)
    (Path.home() / ".token").write_text(marker)
    given = list(rows(shared_data / "hostile"))
    tasks = {row["id"]: task_of(row) for row in given} | {PROBE: TASKS[PROBE]}
    folders = [Path(name) for name in ("/tmp", "/dev/shm", Path.cwd(), Path.home(), Path(__file__).parents[2])]
    with socket.create_server(("127.0.0.1", 47011)) as server, Judge(tasks) as judge:
        server.settimeout(0)
        assert [outcome.base.verdict for outcome in graded(judge, PROBE, RIGHT).outcomes.values()] == ["pass", "pass"]
        graded(judge, PROBE, f"import numpy\n{RIGHT}")
        for row in (row for row in given if "pass" in row["expect"]["verdict"]):
            graded(judge, row["id"], solution_of(row))  # every server that programs ask for is there: guarded ones, too
        usual = set(effects.descendants(os.getpid()))
        for row in given:
            with effects.Peak() as peak:
                result = graded(judge, row["id"], solution_of(row))
            check_verdict(row, result)
            for token in row["expect"].get("must_not", ()):
                assert not was_seen(token, result, peak), (row["id"], token)
            assert marker not in repr(result), row["id"]
            assert not effects.strays(usual), row["id"]
            probe = graded(judge, PROBE, RIGHT)
            assert {outcome.plus.reason for outcome in probe.outcomes.values() if outcome.plus} == {"ok"}, row["id"]
            assert result.attempt == probe.attempt == 1, row["id"]
        with pytest.raises(BlockingIOError):
            server.accept()
    assert not effects.canary_files(folders)
    assert not effects.is_canary_alive()


def graded(judge: Judge, task_id: str, program: str) -> Graded:
    ((_, result),) = judge.grade([Job(None, task_id, program, BOTH)])
    return result


def check_verdict(row: dict[str, Any], result: Graded) -> None:
    for outcome in result.outcomes.values():
        parts = [outcome.base.verdict] + ([outcome.plus.verdict] if outcome.plus else [])
        assert (set(parts) == {"pass"}) is ("pass" in row["expect"]["verdict"]), (row["id"], outcome)


def was_seen(token: str, result: Graded, peak: effects.Peak) -> bool:
    """The effects that have a number; those without one are looked for after every row."""
    name, _, number = token.partition(":")
    if name == "rss_over_mb":
        return max(peak.bytes, result.peak_memory_bytes) > int(number) << 20
    if name == "wall_over":
        return result.wall_seconds > float(number)
    return False
