"""A good run, made in seconds: planned, asked of a server on the loopback, graded by a judge that needs no sandbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchforge.ingest.benchmarks import registry
from benchforge.ingest.manifest import Run
from benchforge.ingest.recorded.transaction import Imported, Wanted, import_file
from benchforge.ingest.staging.staged import load_tasks
from benchforge.ingest.tasks import record_tasks
from benchforge.runners.score.judge import OFFICIAL, Graded, Job, Outcome, PartOutcome
from benchforge.runners.score.shard import ShardScorer
from planned_run import Server, generate, planned, serving

BENCHMARK = registry()["forge_mini"]
NUM_TASKS = 42
MODELS = """\
  - {model: qwen__qwen2.5-coder-7b-instruct}
  - {model: bigcode__starcoder2-15b-instruct-v0.1}
  - {model: lab__sampler, num_samples: 2, temperature: 0.5}
"""
"""One whose licence the OSI has approved, one whose it has not, and one that the seeds do not know, asked twice."""


class Talker(Server):
    """Answers with its model's name, so that two models never have the same program."""

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, document = super().answer(body)
        message = document.get("choices", [{}])[0].get("message")
        if message and message["content"].startswith("answer "):
            message["content"] = f"{body['model']} {message['content']}"
        return status, document


class StubJudge:
    """A verdict is a function of problem and program; half a program's letters decide."""

    mode, layers, is_unsafe, rules = "inner-only", ("seccomp",), False, OFFICIAL

    def __init__(self, version: str = "1") -> None:
        self.version = version
        self.num_graded = 0

    def grader_id(self, oracles: Any) -> str:
        return f"stub {self.version}"

    def extract_all(self, wanted: Sequence[tuple[str, str, Mapping[str, str]]]) -> list[str]:
        """The corrected extraction says something else for one text in four."""
        is_official = (extractor == BENCHMARK.extraction.official for extractor, _, _ in wanted)
        return [
            text if one or _luck(text) % 4 else f"{text}!"
            for one, (_, text, _) in zip(is_official, wanted, strict=True)
        ]

    def grade(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Graded]]:
        for job in jobs:
            self.num_graded += 1
            base, plus = _part(f"{job.task_id} {job.program}", 3), _part(f"{job.program} {job.task_id}", 4)
            outcome = Outcome(base, plus if base.verdict == "pass" else PartOutcome("fail", "wrong_answer", 0, 1, 0))
            yield job, Graded(dict.fromkeys(job.oracles, outcome), 0.25, 0.5, 1 << 20, (0.125,), 1, (0.5, 0.25))


def _luck(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0]


def _part(text: str, rarity: int) -> PartOutcome:
    is_passed = _luck(text) % rarity > 0
    return PartOutcome("pass", "ok", None, 3, 3) if is_passed else PartOutcome("fail", "wrong_answer", 1, 2, 1)


def asked(scratch: Path, models: str = MODELS, **means: Any) -> Run:
    """Planned and generated."""
    scratch.mkdir(parents=True, exist_ok=True)
    run = planned(scratch, models)
    with serving(Talker()) as server:
        generate(run, server, **means)
    return run


def score(run: Run, judge: StubJudge | None = None, *, is_forced: bool = False) -> Run:
    """Grade every generated shard that is not graded yet (or all of them again)."""
    tasks = load_tasks(BENCHMARK, None, "default", Path("unused"))
    by_id = {task.task_id: task for task in tasks}
    for shard in run.manifest.shards().values():
        is_asked = shard.stage == "generate" and run.is_done("generate", shard.shard_id)
        if is_asked and (is_forced or not run.is_done("score", shard.shard_id)):
            record_tasks(run.lake, tasks, shard.dataset_version, shard.dataset_digest)
            scorer = ShardScorer(run, shard, BENCHMARK, by_id, judge or StubJudge())  # type: ignore[arg-type]
            scorer.score(is_forced=is_forced)
    return run


def imported(run: Run, folder: Path, model: str = "others__model", passes: int = 60) -> Imported:
    """Somebody else's verdicts on HumanEval."""
    path = folder / f"{model}.jsonl"
    rows = ({"task_id": f"HumanEval/{number}", "passed": number % 164 < passes} for number in range(164))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = "somebody/results@0123456789abcdef0123456789abcdef01234567"
    wanted = Wanted("benchforge", "humaneval", model=model, temperature=0.0, source=source, licence="MIT")
    return import_file(run, path, wanted, folder / "datasets")


def good_run(scratch: Path) -> Run:
    """Three models asked and graded, one imported."""
    run = score(asked(scratch))
    imported(run, scratch)
    return run
