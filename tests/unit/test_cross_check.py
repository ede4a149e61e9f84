"""Which programs a cross-check takes from the lake, and the names it gives to announced differences."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest import keys
from benchforge.ingest.errors import Incomplete, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run, Shard
from benchforge.runners.score import cross_check
from benchforge.runners.score.harnesses import HARNESSES, Sample
from benchforge.runners.selection import Selection


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run", Lake(tmp_path / "lake"))


def planned(run: Run, shard_id: str, benchmark: str) -> Shard:
    shard = Shard(
        shard_id, "generate", benchmark, "default", "v0.1.10", None, "lab__x", "official", {}, "r", "c", 0, 1, 1, 2
    )
    run.manifest.add([shard])
    return shard


def scored(run: Run, shard: Shard, programs: dict[str, str]) -> None:
    results = [
        {
            "benchmark": shard.benchmark, "model": shard.model, "scenario": "default", "task_id": task_id,
            "sample_index": 0, "sample_id": keys.sample_id(shard.benchmark, "default", task_id, shard.shard_id, 0),
            "grader_id": "g", "origin": "self", "trust_tier": "values", "is_unsafe": False,
            "program_id": keys.program_id(program), "shard_id": shard.shard_id,
        }
        for task_id, program in programs.items()
    ]  # fmt: skip
    texts = [
        {"benchmark": shard.benchmark, "program_id": keys.program_id(text), "program": text}
        for text in set(programs.values())
    ]
    run.seal("score", shard.shard_id, {"results": results, "programs": texts}, len(results))


def test_the_programs_of_a_shard_are_those_that_its_results_name(run: Run):
    first, second = (planned(run, name, "humanevalplus") for name in ("s1", "s2"))
    scored(run, first, {"HumanEval/0": "a = 1\n", "HumanEval/1": "b = 2\n"})
    scored(run, second, {"HumanEval/0": "c = 3\n"})
    assert set(cross_check.programs_of(run, first)) == {
        Sample("HumanEval/0", "a = 1\n"),
        Sample("HumanEval/1", "b = 2\n"),
    }


def test_only_scored_shards_of_benchmarks_with_a_harness_are_taken(run: Run):
    first = planned(run, "s1", "humanevalplus")
    planned(run, "s2", "forge_mini")
    with pytest.raises(Incomplete, match="not scored yet"):
        cross_check.to_cross_check(run, Selection())
    scored(run, first, {"HumanEval/0": "a = 1\n"})
    assert cross_check.to_cross_check(run, Selection()) == [first]
    with pytest.raises(UsageError, match="no shard of lab__y is planned"):
        cross_check.to_cross_check(run, Selection(models=("lab__y",)))


def test_every_deviation_that_a_difference_is_named_by_stands_in_the_seed():
    named = set(cross_check.BY_REASON.values()) | set(cross_check.BY_TASK.values())
    assert named <= cross_check.deviation_ids()


def test_a_benchmark_has_one_harness():
    names = [name for harness in HARNESSES for name in harness.benchmarks]
    assert len(names) == len(set(names))


def test_shards_are_selected_by_benchmark_model_and_id(run: Run):
    first, second = planned(run, "s1", "humanevalplus"), planned(run, "s2", "mbppplus")
    for shard in (first, second):
        scored(run, shard, {"t": "a = 1\n"})
    assert cross_check.to_cross_check(run, Selection(cells=frozenset({("mbppplus", "default")}))) == [second]
    assert cross_check.to_cross_check(run, Selection(shard_ids=("s1",))) == [first]
    assert cross_check.to_cross_check(run, Selection(models=("lab__x",))) == [first, second]
    with pytest.raises(UsageError, match="holds no shard s3"):
        cross_check.to_cross_check(run, Selection(shard_ids=("s1", "s3")))
