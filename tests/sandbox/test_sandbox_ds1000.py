"""DS-1000's tests in the sandbox, on problems of our own in its format and with no library of its environment."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from benchforge.ingest.benchmarks import ds1000
from benchforge.runners.score.judge import Job, Judge
from benchforge.runners.score.sandbox.suite_box import Place

from ..ds1000_problems import STRING, problem

PLACE = Place(dataclasses.replace(ds1000.ENVIRONMENT, preload=("tokenize",), warm_up=""), sys.prefix)
PROGRAMS = {
    "reference": ("result = 2 * value", "pass", "ok", "pass"),
    "right once": ("result = 2", "fail", "wrong_answer", "fail"),
    "nothing": ("", "fail", "empty", "fail"),
    "no Python": ("result = (", "fail", "syntax", "fail"),
    "forbidden word": ("result = 0\nfor _ in (1, 2): result += value", "fail", "wrong_answer", "fail"),
    "leaves": ("import os\nos._exit(0)", "fail", "", "fail"),
    "exits": ("raise SystemExit(0)", "fail", "", "fail"),
    "equals everything": ("class E:\n    def __eq__(self, o): return True\nresult = E()", "fail", "tamper", "fail"),
    "patches what compares": ("result = 0\n__builtins__['int'] = lambda told: 1", "fail", "tamper", "fail"),
    "reads the answer": (
        "import sys\nresult = sys._getframe(1).f_locals['expected_result']",
        "fail",
        "tamper",
        "fail",
    ),
}
"""Name -> program, official verdict and reason (empty: whichever), strict verdict."""


@pytest.fixture(scope="module")
def graded() -> Iterator[dict[str, Any]]:
    task = ds1000.task_of("default", problem(string=STRING), "DS-1000/0")
    jobs = [Job(name, task.task_id, program, ("official", "strict")) for name, (program, *_) in PROGRAMS.items()]
    with Judge({task.task_id: task}, places={PLACE.environment.name: PLACE}) as judge:
        yield {job.key: result for job, result in judge.grade(jobs)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_verdicts_of_programs_honest_and_forged(graded: dict[str, Any], name: str):
    _, official, reason, strict = PROGRAMS[name]
    outcomes = graded[name].outcomes
    assert outcomes["official"].base.verdict == official
    assert outcomes["strict"].base.verdict == strict
    assert reason in ("", outcomes["official"].base.reason)


def test_every_case_and_the_text_are_counted(graded: dict[str, Any]):
    assert graded["reference"].outcomes["official"].base.num_run == 3
    assert graded["right once"].outcomes["official"].base.first_failing_case == 1
    assert graded["forbidden word"].outcomes["official"].base.first_failing_case == 2
