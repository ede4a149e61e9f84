"""Scoring of one shard around a judge that needs no sandbox: what is looked up, what is refused, what is sealed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest import keys
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.errors import Incomplete, LakeError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.staging.staged import load_tasks
from benchforge.runners.score.judge import OFFICIAL, Graded, Job, Outcome, PartOutcome
from benchforge.runners.score.shard import ShardScorer

BENCHMARK = registry()["forge_mini"]


class StubJudge:
    """Passes every program that says ``right``; fails in its infrastructure on one that says ``broken``."""

    mode, layers, is_unsafe, rules = "inner-only", ("seccomp",), False, OFFICIAL

    def __init__(self) -> None:
        self.graded: list[str] = []
        self.asked: dict[str, list[str]] = {}

    def grader_id(self, oracles: Any) -> str:
        return "stub"

    def extract(self, extractor: str, text: str, context: Mapping[str, str]) -> str:
        return text if extractor == BENCHMARK.extraction.official else text.replace("wrapped ", "")

    def extract_all(self, wanted: Sequence[tuple[str, str, Mapping[str, str]]]) -> list[str]:
        return [self.extract(*item) for item in wanted]

    def grade(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Graded]]:
        broken = False
        for job in jobs:
            if "broken" in job.program:
                broken = True
                continue
            self.graded.append(job.program)
            self.asked.setdefault(job.program, []).append(" ".join(job.oracles))
            verdict = ("pass", "ok") if job.program.startswith("right") else ("fail", "wrong_answer")
            part = PartOutcome(*verdict, None, 1, 1)
            yield job, Graded(dict.fromkeys(job.oracles, Outcome(part, None)), 0.1, 0.1, 1, (0.1,), 1)
        if broken:
            raise Incomplete("The sandbox failed for 1 program(s).", "run the same command again")


@pytest.fixture(scope="module")
def tasks() -> dict[str, Task]:
    return {task.task_id: task for task in load_tasks(BENCHMARK, None, "default", Path("unused"))}


def shard_of(run: Run, texts: Mapping[str, str], shard_id: str = "s1", missing: int = 0) -> Shard:
    """A generated shard with one sample per task id; ``missing`` rows are planned and not there."""
    shard = Shard(
        shard_id, "generate", "forge_mini", "default", "v1", None, "lab__x", "official", {}, "r" + shard_id, "c",
        0, 1, 1, len(texts) + missing,
    )  # fmt: skip
    run.manifest.add([shard])
    rows = [
        {
            "benchmark": "forge_mini", "model": "lab__x", "scenario": "default", "task_id": task_id, "sample_index": 0,
            "sample_id": keys.sample_id("forge_mini", "default", task_id, shard.request_digest, 0),
            "request_digest": shard.request_digest, "comparability_digest": "c", "dataset_version": "v1",
            "shard_id": shard_id, "num_planned": 1, "protocol": "official", "text_form": "raw", "raw_text": text,
        }
        for task_id, text in texts.items()
    ]  # fmt: skip
    run.seal("generate", shard_id, {"samples": rows}, len(rows))
    return shard


def scorer(run: Run, shard: Shard, tasks: dict[str, Task], judge: StubJudge) -> ShardScorer:
    return ShardScorer(run, shard, BENCHMARK, tasks, judge)  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run", Lake(tmp_path / "lake"))


def some(tasks: Mapping[str, Task], *texts: str) -> dict[str, str]:
    return dict(zip(tasks, texts, strict=False))


def test_every_sample_gets_its_verdicts_and_the_third_only_where_extractions_differ(run: Run, tasks: dict[str, Task]):
    texts = some(tasks, "right", "wrong", "wrapped right", "")
    done = scorer(run, shard_of(run, texts), tasks, StubJudge()).score()
    assert (done.num_rows, done.num_graded) == (4, 4)
    rows = {row["task_id"]: row for row in run.lake.read("results").to_pylist()}
    first, second, third, fourth = (rows[task_id] for task_id in texts)
    kinds = ("official_base_verdict", "strict_base_verdict", "corrected_extraction_base_verdict")
    assert [first[name] for name in kinds] == ["pass", "pass", None]
    assert [second[name] for name in kinds] == ["fail", "fail", None]
    assert [third[name] for name in kinds] == ["fail", "pass", "pass"]
    assert fourth["official_base_reason"] == "empty"
    assert run.lake.read("programs").num_rows == 4


def test_samples_that_are_not_in_the_lake_are_an_error_and_nothing_is_sealed(run: Run, tasks: dict[str, Task]):
    shard = shard_of(run, some(tasks, "right"), missing=3)
    with pytest.raises(LakeError, match="holds 1 of the 4 samples"):
        scorer(run, shard, tasks, StubJudge()).score()
    assert not run.is_done("score", "s1")
    elsewhere = Run(run.root, Lake(run.root / "another"))
    with pytest.raises(LakeError, match="holds 0 of the 4 samples"):
        scorer(elsewhere, shard, tasks, StubJudge()).score()


def test_equal_programs_are_graded_once_across_shards(run: Run, tasks: dict[str, Task]):
    judge = StubJudge()
    texts = some(tasks, "right", "wrong")
    scorer(run, shard_of(run, texts), tasks, judge).score()
    again = scorer(run, shard_of(run, {**texts, list(tasks)[2]: "right"}, "s2"), tasks, judge).score()
    assert (again.num_rows, again.num_graded, again.num_reused) == (3, 1, 2)
    assert run.lake.read("results").num_rows == 5
    assert (
        sorted(row["is_reused"] for row in run.lake.read("timings", ["is_reused"]).to_pylist())
        == [False] * 3 + [True] * 2
    )


def test_nothing_is_graded_again_for_another_model_where_the_extractions_differ(run: Run, tasks: dict[str, Task]):
    judge = StubJudge()
    texts = some(tasks, "wrapped right", "wrapped wrong", "right")
    first = scorer(run, shard_of(run, texts), tasks, judge).score()
    second = scorer(run, shard_of(run, texts, "s2"), tasks, judge).score()
    assert (first.num_graded, second.num_graded, second.num_reused) == (5, 0, 5)
    assert len(judge.graded) == 5


def test_only_the_oracles_that_a_column_holds_are_asked(run: Run, tasks: dict[str, Task]):
    judge = StubJudge()
    scorer(run, shard_of(run, some(tasks, "wrapped right", "right")), tasks, judge).score()
    assert judge.asked == {"wrapped right": ["official"], "right": ["official strict"] * 2}


def test_what_a_later_sample_asks_of_a_known_program_is_all_that_is_asked(run: Run, tasks: dict[str, Task]):
    judge, [task_id] = StubJudge(), list(tasks)[:1]
    inner = {task_id: "wrapped wrapped right"}
    judge.extract = lambda extractor, text, _: (  # type: ignore[method-assign]
        text if extractor == BENCHMARK.extraction.official else text.removeprefix("wrapped ")
    )
    scorer(run, shard_of(run, inner), tasks, judge).score()
    done = scorer(run, shard_of(run, {task_id: "wrapped wrapped wrapped right"}, "s2"), tasks, judge).score()
    assert judge.asked["wrapped wrapped right"] == ["official", "strict"]
    assert (done.num_graded, done.num_reused) == (2, 0)
    rows = run.lake.read("results", ["strict_base_verdict", "corrected_extraction_base_verdict"]).to_pylist()
    assert all(verdict is not None for row in rows for verdict in row.values())


def test_broken_infrastructure_is_no_verdict_and_the_rest_is_kept(run: Run, tasks: dict[str, Task]):
    shard = shard_of(run, some(tasks, "right", "broken"))
    with pytest.raises(Incomplete):
        scorer(run, shard, tasks, StubJudge()).score()
    assert not run.is_done("score", "s1")
    assert run.lake.read("results").num_rows == 0
    assert len(list(run.journal("score", "s1").rows())) == 1
    [attempt] = run.lake.read("runs").to_pylist()
    assert attempt["cause"] == "crashed"


def test_force_grades_again_and_replaces(run: Run, tasks: dict[str, Task]):
    judge = StubJudge()
    shard = shard_of(run, some(tasks, "right", "wrong"))
    scorer(run, shard, tasks, judge).score()
    done = scorer(run, shard, tasks, judge).score(is_forced=True)
    assert done.num_graded == 2 and len(judge.graded) == 4
    assert run.lake.read("results").num_rows == 2


def test_shard_that_is_not_generated_is_refused(run: Run, tasks: dict[str, Task]):
    shard = shard_of(run, some(tasks, "right"))
    run.clear_done("generate", "s1")
    with pytest.raises(Incomplete, match="not generated yet"):
        scorer(run, shard, tasks, StubJudge()).score()
