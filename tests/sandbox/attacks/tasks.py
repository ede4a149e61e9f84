"""The problems that attacks are graded on, one per kind and oracle that a forger may aim at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchforge.ingest.benchmarks import livecodebench
from benchforge.ingest.benchmarks.declaration import Task

MARKER = "bf-secret-marker-" + "7f3c9a"
"""Stands in the environment, in a token file, in an expected answer and in a reference; nothing may ever say it."""
LIMIT_SECONDS = 0.3


def make_task(task_id: str, kind: str, payload: Mapping[str, Any], benchmark: str = "forge_mini") -> Task:
    return Task(benchmark, "default", task_id, kind, "", payload, ("base",), task_id)


def calls_task(task_id: str, entry_point: str, inputs: list[Any], wanted: list[Any] | None, **more: Any) -> Task:
    benchmark = more.pop("benchmark", "forge_mini")
    payload = {
        "entry_point": entry_point, "base_inputs": inputs, "plus_inputs": [], "atol": 0, "limit_seconds": LIMIT_SECONDS,
        "expected": None if wanted is None else {"base": wanted, "plus": []}, **more,
    }  # fmt: skip
    return make_task(task_id, "calls", payload, benchmark)


def lcb_task(task_id: str, inputs: list[str], outputs: list[str], name: str | None) -> Task:
    tests = json.dumps({"inputs": inputs, "outputs": outputs, "fn_name": name})
    task = livecodebench.task_of({"question_id": task_id, "input_output": tests})
    return make_task(task_id, task.kind, {**task.payload, "limit_seconds": LIMIT_SECONDS}, "livecodebench")


HALVES_REFERENCE = f"def halves(xs):\n    return [x / 2 for x in xs]  # {MARKER}\n"
_ORDERED_TEST = (
    "def check(candidate):\n    assert candidate([1, 2]) is True\n    assert candidate([2, 1]) is False\n"
    "    assert candidate([3]) is True\n"
)
_F = {
    "code": "def f(s, n):\n    return s.upper() * n\n",
    "input": "'ab', 2",
    "output": "'ABAB'",
    "limit_seconds": LIMIT_SECONDS,
}
_CASES = {"cases": [{"stdin": "4\n", "stdout": "8\n"}, {"stdin": "-1", "stdout": "-2"}], "limit_seconds": LIMIT_SECONDS}

TASKS: Mapping[str, Task] = {
    task.task_id: task
    for task in (
        calls_task("once", "total", [[[1, 2, 3]]], [6]),
        calls_task("total", "total", [[[1, 2, 3]], [[10]], [[]], [[2**70, 1]]], [6, 10, 0, 2**70 + 1]),
        calls_task("halves", "halves", [[[1, 2]], [[5]]], None, reference=HALVES_REFERENCE),
        calls_task("share", "share", [[[4]], [[7]]], [[1.0], [1.75]]),
        calls_task("shares", "shares", [[[[4], [7]]]], [[[1.0], [1.75]]]),
        calls_task("vault", "open_vault", [[1]], [MARKER]),
        calls_task("same_items", "similar_elements", [[[1, 2, 3], [2, 3, 4]]], [(2, 3)], benchmark="mbppplus"),
        calls_task("differing", "Diff", [[[1, 2, 3], [2]]], [[1, 3]], benchmark="mbppplus"),
        calls_task("area", "surface_Area", [[3, 4]], [33], benchmark="mbppplus"),
        calls_task("root", "find_zero", [[[-6, 11, -6, 1]]], [1.0], atol=1e-6, benchmark="humanevalplus"),
        make_task("ordered", "check", {"entry_point": "ordered", "limit_seconds": LIMIT_SECONDS, "test": _ORDERED_TEST,
                                       "prompt": "def ordered(xs):\n    '''Whether xs ascends.'''\n"}),
        make_task("doubled", "stdin", _CASES),
        make_task("output", "expression", {**_F, "direction": "output"}),
        make_task("input", "expression", {**_F, "direction": "input"}),
        lcb_task("lcb_doubled", ["4\n", "-1\n"], ["8\n", "-2\n"], None),
        lcb_task("lcb_total", ["[1, 2, 3]", "[10]"], ["6", "10"], "total"),
    )
}  # fmt: skip

HONEST: Mapping[str, str] = {
    "total": "def total(xs):\n    return sum(xs)\n",
    "once": "def total(xs):\n    return sum(xs)\n",
    "halves": "def halves(xs):\n    return [x * 0.5 for x in xs]\n",
    "share": "def share(xs):\n    return [x / 4 for x in xs]\n",
    "shares": "def shares(xss):\n    return [[x / 4 for x in xs] for xs in xss]\n",
    "vault": f"def open_vault(n):\n    return {MARKER!r}\n",
    "same_items": "def similar_elements(a, b):\n    return tuple(set(a) & set(b))\n",
    "differing": "def Diff(a, b):\n    return (x for x in a if x not in b)\n",
    "area": "def surface_Area(b, s):\n    return 2 * b * s + b * b\n",
    "root": "def find_zero(xs):\n    return 2.0\n",
    "ordered": "def ordered(xs):\n    return xs == sorted(xs)\n",
    "doubled": "print(2 * int(input()))\n",
    "output": "'ABAB'",
    "input": "f('aB', 2)",
    "lcb_doubled": "print(2 * int(input()))\n",
    "lcb_total": "class Solution:\n    def total(self, xs):\n        return sum(xs)\n",
}
"""A right program per task: an attack that no judge would let pass at all proves nothing."""
