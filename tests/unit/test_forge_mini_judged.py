"""forge_mini through the real judge: references pass, answers that are wrong on purpose are judged as named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchforge.ingest.benchmarks import forge_mini
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.runners.score.judge import Graded, Job, Judge

TASKS = {task.task_id: task for task in forge_mini.load(Path(), forge_mini.BENCHMARK.version(), "default")}
ATTEMPTS = [json.loads(line) for line in (forge_mini.DIRECTORY / "attempts.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Graded]]:
    """(task, attempt) -> outcome of every program of forge_mini; references are the attempt ``reference``."""
    programs = {(task.task_id, "reference"): str(task.reference) for task in TASKS.values()}
    programs |= {(attempt["task_id"], attempt["attempt"]): attempt["text"] for attempt in ATTEMPTS}
    jobs = [Job(key, key[0], program, ("official", "strict")) for key, program in programs.items()]
    try:
        with Judge(TASKS, num_workers=2, cache_directory=tmp_path_factory.mktemp("expected")) as judge:
            yield {job.key: outcome for job, outcome in judge.grade(jobs)}
    except SandboxUnavailable as error:
        pytest.skip(error.message)


def verdicts(outcome: Graded, oracle: str) -> list[str]:
    parts = outcome.outcomes[oracle]
    return [parts.base.verdict, *([parts.plus.verdict] if parts.plus else [])]


@pytest.mark.parametrize("oracle", ["official", "strict"])
def test_references_and_alternatives_pass_everything(graded: dict[tuple[str, str], Graded], oracle: str):
    right = {key: outcome for key, outcome in graded.items() if key[1] in ("reference", "alternative")}
    assert {key: verdicts(o, oracle) for key, o in right.items() if set(verdicts(o, oracle)) != {"pass"}} == {}
    assert len(right) > len(TASKS)


def test_wrong_answers_fail_and_careless_ones_fail_only_the_extra_cases(graded: dict[tuple[str, str], Graded]):
    for (task_id, name), outcome in graded.items():
        if name == "wrong" or (name == "careless" and not TASKS[task_id].has_plus):
            assert verdicts(outcome, "official")[0] == "fail", (task_id, name)
        elif name == "careless":
            base, plus = verdicts(outcome, "official")
            assert (base, plus == "pass") == ("pass", False), (task_id, name)


def test_answers_that_never_end_are_stopped(graded: dict[tuple[str, str], Graded]):
    slow = [outcome.outcomes["official"] for (_, name), outcome in graded.items() if name == "slow"]
    reasons = [{part.reason for part in (outcome.base, outcome.plus) if part} for outcome in slow]
    assert len(reasons) == 4
    assert all("timeout" in found for found in reasons), reasons
