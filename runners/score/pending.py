"""Score the pending shards of a run: chosen from manifest and markers, grouped so that a judge is warmed up once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ...ingest.benchmarks import registry
from ...ingest.benchmarks.declaration import Benchmark
from ...ingest.errors import BenchforgeError, Incomplete
from ...ingest.manifest import Run, Shard
from ...ingest.staging import staged
from ...ingest.tasks import record_tasks
from ..selection import Selection, pending_shards, task_set_of
from .judge import Judge
from .shard import Scored, ShardScorer


@dataclass(frozen=True)
class Means:
    """What grading runs with: where problems lie, which sandbox, how many side by side."""

    datasets_root: Path
    sandbox_mode: str | None
    num_workers: int
    is_unsafe: bool


Progress = Callable[[Shard], AbstractContextManager[Callable[[int], None]]]


def to_score(run: Run, selection: Selection) -> list[Shard]:
    """Generated, of a benchmark that we can grade, and not scored yet."""
    return pending_shards(run, "score", selection, lambda shard: _is_gradable(run, shard))


def score_pending(
    run: Run, shards: Sequence[Shard], means: Means, is_forced: bool, progress: Progress
) -> Iterator[Scored]:
    """Grade shard after shard; one that fails for its infrastructure is reported at the end, the others go on.

    Raises Incomplete (exit 3) after the last shard when some could not be finished.
    """
    failures: list[BenchforgeError] = []
    for (name, version, scenario), group in groupby(shards, key=task_set_of):
        benchmark = registry()[name]
        members = list(group)
        tasks = staged.load_tasks(benchmark, version, scenario, means.datasets_root)
        record_tasks(run.lake, tasks, version, members[0].dataset_digest)
        with _judge(run, benchmark, {task.task_id: task for task in tasks}, means) as judge:
            for shard in members:
                scorer = ShardScorer(run, shard, benchmark, judge.tasks, judge)
                try:
                    with progress(shard) as advance:
                        yield scorer.score(is_forced=is_forced, advance=advance)
                except Incomplete as error:
                    failures.append(error)
    if failures:
        raise Incomplete(
            f"{len(failures)} shards are not finished: {failures[0].message}", "run the same command again"
        )


def _judge(run: Run, benchmark: Benchmark, tasks: Mapping, means: Means) -> Judge:
    return Judge(
        tasks,
        means.sandbox_mode,
        num_workers=means.num_workers,
        is_unsafe=means.is_unsafe,
        cache_directory=means.datasets_root / benchmark.name / "expected",
    )


def _is_gradable(run: Run, shard: Shard) -> bool:
    return run.is_done("generate", shard.shard_id) and registry()[shard.benchmark].load is not None
