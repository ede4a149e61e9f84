# ruff: noqa: E501 - tasks are data
"""Judges and tasks for the tests that execute programs. They need Linux with seccomp; elsewhere they are skipped by name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.runners.score.judge import Graded, Job, Judge, Outcome
from benchforge.runners.score.sandbox import Sandbox

Grade = Callable[..., Outcome]


def make_task(task_id: str, kind: str, payload: Mapping[str, Any], benchmark: str = "forge_mini") -> Task:
    return Task(benchmark, "default", task_id, kind, "", payload, ("base",), task_id)


def total_task(**changes: Any) -> Task:
    """Sum of a list; answers that no hostile program can know without summing."""
    payload = {
        "entry_point": "total", "base_inputs": [[[1, 2, 3]], [[10]], [[]]], "plus_inputs": [[[5, -5, 7]], [[2**70, 1]]],
        "atol": 0, "expected": {"base": [6, 10, 0], "plus": [7, 2**70 + 1]}, "limit_seconds": 0.5, **changes,
    }  # fmt: skip
    return make_task("total", "calls", payload)


SAME_ITEMS = make_task(
    "same_items", "calls",
    {
        "entry_point": "similar_elements", "base_inputs": [[(1, 2, 3), (2, 3, 4)]], "plus_inputs": [], "atol": 0,
        "expected": {"base": [(2, 3)], "plus": []}, "limit_seconds": 1.0,
    },
    "mbppplus",
)  # fmt: skip
HALVES = make_task(
    "halves", "calls",
    {
        "entry_point": "halves", "base_inputs": [[[1, 2]]], "plus_inputs": [], "atol": 0,
        "reference": "def halves(xs):\n    return [x / 2 for x in xs]\n", "expected": None, "limit_seconds": 1.0,
    },
)  # fmt: skip
ORDERED = make_task(
    "ordered", "check",
    {
        "entry_point": "ordered", "prompt": "def ordered(xs):\n    \'\'\'Say whether xs ascends.\'\'\'\n", "limit_seconds": 1.0,
        "test": "def check(candidate):\n    assert candidate([1, 2]) is True\n    assert candidate([2, 1]) is False\n",
    },
)  # fmt: skip
DOUBLED = make_task(
    "doubled", "stdin",
    {"cases": [{"stdin": "4\n", "stdout": "8\n"}, {"stdin": "-1", "stdout": "-2"}],
     "plus_cases": [{"stdin": "0", "stdout": "0"}], "limit_seconds": 1.0},
)  # fmt: skip
_F = {"code": "def f(s, n):\n    return s.upper() * n\n", "input": "'ab', 2", "output": "'ABAB'", "limit_seconds": 1.0}
OUTPUT = make_task("output", "expression", {**_F, "direction": "output"})
INPUT = make_task("input", "expression", {**_F, "direction": "input"})
TASKS = {task.task_id: task for task in (total_task(), SAME_ITEMS, HALVES, ORDERED, DOUBLED, OUTPUT, INPUT)}
BOTH = ("official", "strict")


@pytest.fixture(scope="session", autouse=True)
def _needs_a_sandbox() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("programs are executed on Linux only")
    try:
        Sandbox.open().close()
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox here: {error.message}")


@pytest.fixture(scope="session")
def judge(_needs_a_sandbox: None) -> Iterator[Judge]:
    with Judge(TASKS, num_workers=2) as judge:
        yield judge


@pytest.fixture(scope="session")
def grade(judge: Judge) -> Callable[..., Graded]:
    """Grade one program and give what came back."""

    def graded(task_id: str, program: str) -> Graded:
        ((_, result),) = judge.grade([Job(None, task_id, program, BOTH)])
        return result

    return graded
