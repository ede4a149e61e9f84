"""From a server's answer with thinking to a verdict: row, journal, lake, extraction; and again under a new rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest import thinking
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.benchmarks.declaration import Prompt, Task
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.planning.models import ServedModel
from benchforge.ingest.staging.staged import load_tasks
from benchforge.runners.generate.client import Endpoint, Reply
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.request import request_of
from benchforge.runners.generate.rows import restored, sample_rows
from benchforge.runners.score.judge import OFFICIAL, Graded, Job, Outcome, PartOutcome
from benchforge.runners.score.shard import ShardScorer

BENCHMARK = registry()["forge_mini"]
RIGHT = "```python\nright\n```"
ANSWERS = {
    f"<seed:think>r</seed:think>{RIGHT}": "pass",
    f"<seed:think>r {RIGHT}": "fail",
    f"<seed:think>r {RIGHT}</seed:think>I do not know.": "fail",
    f"<seed:think>{RIGHT}</seed:think>```python\nwrong\n```": "fail",
    f"<seed:think>half \ud800</seed:think>{RIGHT}": "pass",
}
"""What the model wrote -> its verdict. The third one has no fence of its own: the official rule takes nothing else."""


class Judge:
    """Extracts as the benchmark does; passes what says ``right``."""

    mode, layers, is_unsafe, rules = "inner-only", ("seccomp",), False, OFFICIAL

    def grader_id(self, oracles: Any) -> str:
        return "stub"

    def extract_all(self, wanted: Sequence[tuple[str, str, Mapping[str, str]]]) -> list[str]:
        from benchforge.runners.score.extract import extractor

        return [extractor(name)(text, context) for name, text, context in wanted]

    def grade(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Graded]]:
        for job in jobs:
            verdict = ("pass", "ok") if job.program.startswith("right") else ("fail", "wrong_answer")
            outcome = Outcome(PartOutcome(*verdict, None, 1, 1), None)
            yield job, Graded(dict.fromkeys(job.oracles, outcome), 0.1, 0.1, 1, (0.1,), 1)


@pytest.fixture(scope="module")
def tasks() -> dict[str, Task]:
    return {task.task_id: task for task in load_tasks(BENCHMARK, None, "default", Path("unused"))}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run", Lake(tmp_path / "lake"))


def generated(run: Run, tasks: Mapping[str, Task]) -> Shard:
    """One sample per answer, on the first tasks, through the journal into the lake."""
    asked = {"templating_mode": "chat", "temperature": 0.6, "top_p": 1.0, "max_tokens": 99, "protocol": "card"}
    request = {**asked, "thinking": True, "strip_rule": "seed", "stop_acts": "answer"}
    shard = Shard(
        "s1", "generate", "forge_mini", "default", "v1", None, "lab__x", "card", request, "r", "c",
        0, 1, 1, len(ANSWERS), seed=1,
    )  # fmt: skip
    run.manifest.add([shard])
    prompt, served = Prompt(messages=(("user", "q"),)), ServedModel("lab__x", "x")
    for task, text in zip(tasks.values(), ANSWERS, strict=False):
        sent = request_of(shard, prompt, 0, served)
        reply = Reply({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}, 1, 0.1)
        for row in sample_rows(shard, task, [0], prompt, sent, reply, Engine("vllm", Endpoint("", ""))):
            run.journal("generate", "s1").append(row)
    rows = [restored(row) for row in run.journal("generate", "s1").rows()]
    run.seal("generate", "s1", {"samples": rows}, len(rows))
    return shard


def verdicts(run: Run, shard: Shard, tasks: dict[str, Task], is_forced: bool = False) -> list[str]:
    """Official verdicts in the order of the answers."""
    scorer = ShardScorer(run, shard, BENCHMARK, tasks, Judge())  # type: ignore[arg-type]
    scorer.score(is_forced=is_forced)
    found = {row["task_id"]: row["official_base_verdict"] for row in run.lake.read("results").to_pylist()}
    return [found[task_id] for task_id, _ in zip(tasks, ANSWERS, strict=False)]


def test_only_what_follows_the_thinking_is_graded(run: Run, tasks: dict[str, Task]):
    shard = generated(run, tasks)
    assert verdicts(run, shard, tasks) == list(ANSWERS.values())
    states = [row["think_state"] for row in run.lake.read("samples", ["think_state"]).to_pylist()]
    assert sorted(states) == ["closed"] * 4 + ["open"]


def test_a_corrected_rule_is_a_new_score_and_no_new_answer(
    run: Run, tasks: dict[str, Task], monkeypatch: pytest.MonkeyPatch
):
    right = thinking.STRIP_RULES["seed"]
    mistaken = dataclasses.replace(right, tags=(("<seed>", "</seed>"),))
    with monkeypatch.context() as patch:
        patch.setattr(thinking, "STRIP_RULES", {**thinking.STRIP_RULES, "seed": mistaken})
        shard = generated(run, tasks)
        assert verdicts(run, shard, tasks) != list(ANSWERS.values())
    before = run.lake.read("samples").to_pylist()
    assert verdicts(run, shard, tasks, is_forced=True) == list(ANSWERS.values())
    assert run.lake.read("samples").to_pylist() == before
