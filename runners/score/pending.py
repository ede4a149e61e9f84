"""Score the pending shards of a run: chosen from manifest and markers, grouped so that a judge is warmed up once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ...ingest.benchmarks import registry
from ...ingest.benchmarks.declaration import Benchmark
from ...ingest.errors import BenchforgeError, Incomplete, UsageError
from ...ingest.manifest import Run, Shard
from ...ingest.staging import staged
from ...ingest.tasks import record_tasks
from .judge import Judge
from .shard import Scored, ShardScorer


@dataclass(frozen=True)
class Selection:
    """Which shards: empty fields select all."""

    shard_ids: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    is_forced: bool = False


@dataclass(frozen=True)
class Means:
    """What grading runs with: where problems lie, which sandbox, how many side by side."""

    datasets_root: Path
    sandbox_mode: str | None
    num_workers: int
    is_unsafe: bool


Progress = Callable[[Shard], AbstractContextManager[Callable[[int], None]]]


def pending_shards(run: Run, selection: Selection) -> list[Shard]:
    """Generated, not scored yet (or all generated ones under --force), in an order that groups equal task sets.

    Raises UsageError for a shard id that the manifest does not hold.
    """
    shards = run.manifest.shards()
    unknown = sorted(set(selection.shard_ids) - set(shards))
    if unknown:
        raise UsageError(f"the manifest of {run.root} holds no shard {unknown[0]}", "benchforge status")
    chosen = [shard for shard in shards.values() if _is_selected(run, shard, selection)]
    return sorted(chosen, key=lambda shard: (*_task_set(shard), shard.shard_id))


def score_pending(
    run: Run, shards: Sequence[Shard], means: Means, is_forced: bool, progress: Progress
) -> Iterator[Scored]:
    """Grade shard after shard; one that fails for its infrastructure is reported at the end, the others go on.

    Raises Incomplete (exit 3) after the last shard when some could not be finished.
    """
    failures: list[BenchforgeError] = []
    for (name, version, scenario), group in groupby(shards, key=_task_set):
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


def _is_selected(run: Run, shard: Shard, selection: Selection) -> bool:
    if not run.is_done("generate", shard.shard_id) or registry()[shard.benchmark].load is None:
        return False
    if run.is_done("score", shard.shard_id) and not selection.is_forced:
        return False
    return (
        (not selection.shard_ids or shard.shard_id in selection.shard_ids)
        and (not selection.benchmarks or shard.benchmark in selection.benchmarks)
        and (not selection.models or shard.model in selection.models)
    )


def _task_set(shard: Shard) -> tuple[str, str, str]:
    return shard.benchmark, shard.dataset_version, shard.scenario
