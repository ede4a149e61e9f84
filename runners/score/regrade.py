"""``score --regrade N``: every program of the selected shards N times again, to find verdicts that do not repeat.

Lake and journal answer no question here; where the lake holds this grader's verdict, it is the first to compare with.
What every grading said is kept in the lake table ``regrades``, beside the verdicts and never in their place: what to
do about a flaky verdict is for a person to say. A shard whose regrading is broken off leaves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ...ingest import schemas
from ...ingest.benchmarks import registry
from ...ingest.benchmarks.declaration import Benchmark, Oracles
from ...ingest.lake import Lake
from ...ingest.lake_batches import write_batches
from ...ingest.manifest import Run, Shard
from ...ingest.staging import staged
from ..selection import task_set_of
from .judge import Graded, Job, Judge, Outcome, PartOutcome
from .known import Known
from .pending import Means, Progress
from .shard import grader_id, lane
from .source import Found, ShardSource
from .verdicts import outcome_line


@dataclass(frozen=True)
class Flaky:
    """One part whose verdict or reason was another one before; ``before`` and ``after`` as ``verdict (reason)``."""

    benchmark: str
    scenario: str
    shard_id: str
    task_id: str
    program_id: str
    oracle: str
    part: str
    before: str
    after: str


@dataclass(frozen=True)
class Regraded:
    """Of one shard: distinct programs that were run, gradings made, and what did not repeat."""

    shard_id: str
    num_programs: int
    num_gradings: int
    flaky: tuple[Flaky, ...]


def regrade(run: Run, shards: Sequence[Shard], means: Means, times: int, progress: Progress) -> Iterator[Regraded]:
    """Shard after shard; Incomplete when the sandbox failed for some programs."""
    for (name, version, scenario), group in groupby(shards, key=task_set_of):
        benchmark = registry()[name]
        tasks = {task.task_id: task for task in staged.load_tasks(benchmark, version, scenario, means.datasets_root)}
        with means.judge(benchmark, tasks) as judge:
            for shard in group:
                source = ShardSource(run, shard, benchmark, tasks)
                source.check()
                with Known() as known, progress(shard) as advance:
                    known.recall(run.lake, name, scenario, grader_id(benchmark, judge), benchmark.oracles)
                    done = _regrade_shard(source, judge, known, times, advance)
                    _keep(run.lake, shard, judge, known, benchmark)
                    yield done


def _regrade_shard(
    source: ShardSource, judge: Judge, known: Known, times: int, advance: Callable[[int], None]
) -> Regraded:
    num_gradings, flaky = 0, dict[tuple[str, ...], Flaky]()
    jobs = _jobs(source.programs(judge, known, advance), times)
    for job, graded in judge.grade(jobs):
        num_gradings += 1
        _count(known, job, graded)
        for one in _changes(source.shard, job, graded, known):
            flaky.setdefault((one.task_id, one.program_id, one.oracle, one.part, one.after), one)
    return Regraded(source.shard.shard_id, num_gradings // times, num_gradings, tuple(flaky.values()))


def _jobs(programs: Iterator[Found], times: int) -> Iterator[Job]:
    for found in programs:
        if found.program.strip():
            key = (found.task.task_digest, found.program_id)
            yield from [Job(key, found.task.task_id, found.program, found.oracles)] * times


def _count(known: Known, job: Job, graded: Graded) -> None:
    for oracle, outcome in graded.outcomes.items():
        for part in schemas.PARTS:
            if (judged := getattr(outcome, part)) is not None:
                known.count_grading(job.task_id, job.key, oracle, part, judged)


def _keep(lake: Lake, shard: Shard, judge: Judge, known: Known, benchmark: Benchmark) -> None:
    """Rows of ``regrades``, live under an id of their own: regradings add up, none replaces another."""
    name = lane(shard.shard_id, judge.rules.limit_scale)
    number = 1 + sum(1 for _ in (lake.root / "_live" / "regrades").glob(f"score-{name}-regrade-*.jsonl"))
    shared = {
        "benchmark": shard.benchmark,
        "model": shard.model,
        "scenario": shard.scenario,
        "grader_id": grader_id(benchmark, judge),
        "regrade_id": f"{name}-regrade-{number}",
        "limit_factor": judge.rules.limit_scale,
        "is_unsafe": judge.is_unsafe,
        "shard_id": name,
    }
    batches = ([shared | _kept(row, benchmark.oracles) for row in rows] for rows in known.gradings())
    lake.commit(shared["regrade_id"], "score", write_batches(lake, "regrades", batches, name))


def _kept(row: tuple[Any, ...], oracles: Oracles) -> dict[str, Any]:
    names = ("task_id", "program_id", "oracle", "part", "verdict", "reason", "task_digest", "num_gradings")
    kept = dict(zip(names, row, strict=True))
    official, strict = kept["oracle"] == oracles.official, kept["oracle"] == oracles.strict
    return {**kept, "is_official_oracle": official, "is_strict_oracle": strict}


def _changes(shard: Shard, job: Job, graded: Graded, known: Known) -> Iterator[Flaky]:
    """Compare with the first verdict that was seen; without one this is the first."""
    task_digest, program_id = job.key
    for oracle, outcome in graded.outcomes.items():
        first = known.outcome(task_digest, program_id, oracle)
        if first is None:
            known.add(task_digest, program_id, {oracle: outcome_line(outcome)})
            continue
        for part, before, after in _parts(first, outcome):
            if before != after:
                names = (shard.benchmark, shard.scenario, shard.shard_id, job.task_id, program_id.hex())
                yield Flaky(*names, oracle, part, before, after)


def _parts(first: Outcome, second: Outcome) -> Iterator[tuple[str, str, str]]:
    yield "base", _words(first.base), _words(second.base)
    yield "plus", _words(first.plus), _words(second.plus)


def _words(part: PartOutcome | None) -> str:
    return f"{part.verdict} ({part.reason})" if part is not None else ""
