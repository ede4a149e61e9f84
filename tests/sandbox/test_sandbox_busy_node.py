"""A verdict does not depend on the load of the node: waiting for a processor is not the program's time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from benchforge.runners.score.judge import OFFICIAL, Job, Judge

from .conftest import total_task

BURN = """
import time
def total(xs):
    end = time.process_time() + 0.4
    while time.process_time() < end:
        pass
    return sum(xs)
"""
SLEEP = """
import time
def total(xs):
    time.sleep(60)
"""


@pytest.fixture
def crowded_processor() -> Iterator[None]:
    """This process, and what it starts, share one processor with two others that never rest."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    # each in a session of its own: the kernel shares a processor among sessions first
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True) for _ in range(2)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
        os.sched_setaffinity(0, before)


def test_a_starved_program_passes_and_a_sleeping_one_runs_out_of_time(crowded_processor: None):
    # 0.4 processor seconds of work; the part has 0.8 seconds, and a third of a processor gives 0.27 in that time
    rules = replace(OFFICIAL, max_part_seconds=0.2, part_grace_seconds=0.6)
    expected = {"base": [1], "plus": []}
    task = total_task(base_inputs=[[[1]]], plus_inputs=[], expected=expected, limit_seconds=30.0)
    with Judge({task.task_id: task}, rules=rules) as judge:
        burned, slept = (graded for _, graded in sorted(judge.grade(jobs(task.task_id)), key=lambda item: item[0].key))
    assert burned.outcomes["official"].base.verdict == "pass"
    assert burned.wall_seconds > 0.8, "the node was not busy enough to show anything"
    assert slept.outcomes["official"].base.verdict == "timeout"


def test_the_limit_of_one_case_counts_no_waiting_either(crowded_processor: None):
    # the part's budget is far away: only the limit of the case, 0.8 seconds, can end the one that sleeps
    rules = replace(OFFICIAL, part_grace_seconds=300.0)
    task = total_task(base_inputs=[[[1]]], plus_inputs=[], expected={"base": [1], "plus": []}, limit_seconds=0.8)
    with Judge({task.task_id: task}, rules=rules) as judge:
        burned, slept = (graded for _, graded in sorted(judge.grade(jobs(task.task_id)), key=lambda item: item[0].key))
    assert burned.outcomes["official"].base.verdict == "pass"
    assert burned.wall_seconds > 0.8, "the node was not busy enough to show anything"
    part = slept.outcomes["official"].base
    assert (part.verdict, part.reason) == ("fail", "timeout"), "officially an expired case is a failure"


def test_limits_do_not_grow_because_the_reference_had_to_wait(crowded_processor: None, tmp_path: Path):
    task = total_task(base_inputs=[[[1]]], plus_inputs=[], expected=None, reference=BURN, limit_seconds=None)
    started = time.monotonic()
    with Judge({task.task_id: task}, cache_directory=tmp_path) as judge:
        list(judge.grade(jobs(task.task_id)[:1]))
    (record,) = (json.loads(path.read_text().split("\n")[0]) for path in tmp_path.iterdir())
    (seconds,) = record["base"]["seconds"]
    assert time.monotonic() - started > 1.0, "the node was not busy enough to show anything"
    assert 0.3 < seconds < 0.8


def jobs(task_id: str) -> list[Job]:
    return [Job("a", task_id, BURN, ("official",)), Job("b", task_id, SLEEP, ("official",))]
