"""Score the pending shards of a run: chosen from manifest and markers, grouped so that a judge is warmed up once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ...ingest.benchmarks import registry
from ...ingest.benchmarks.declaration import Benchmark, Task
from ...ingest.errors import BenchforgeError, Incomplete, NotStaged
from ...ingest.manifest import Run, Shard
from ...ingest.staging import staged
from ...ingest.tasks import record_tasks
from ..selection import Selection, pending_shards, task_set_of
from .judge import OFFICIAL, Judge, Rules
from .shard import Scored, ShardScorer, everything_known, grader_id, lane
from .suites import open_places


@dataclass(frozen=True)
class Means:
    """What grading runs with: where problems lie, which sandbox, how many side by side, which limits."""

    datasets_root: Path
    sandbox_mode: str | None
    num_workers: int
    is_unsafe: bool
    rules: Rules = OFFICIAL
    scratch: Path | None = None
    """Below which environments of suites lie; None: beside the staged problems."""

    @property
    def suites_root(self) -> Path:
        return self.scratch or self.datasets_root.parent

    def judge(self, benchmark: Benchmark, tasks: Mapping[str, Task], *, is_gated: bool = True) -> Judge:
        """A judge over these tasks; close it after use. NotStaged for a suite whose gate is not open (``is_gated``)."""
        return Judge(
            tasks,
            self.sandbox_mode,
            num_workers=self.num_workers,
            is_unsafe=self.is_unsafe,
            cache_directory=self.datasets_root / benchmark.name / "expected",
            rules=self.rules,
            places=open_places(benchmark, tasks.values(), self.suites_root, is_gated=is_gated),
        )


Progress = Callable[[Shard], AbstractContextManager[Callable[[int], None]]]


def to_score(run: Run, selection: Selection, limit_factor: float = 1.0) -> list[Shard]:
    """Generated, of a benchmark that we can grade, and not scored yet under these limits."""
    return pending_shards(
        run,
        "score",
        selection,
        lambda shard: _is_gradable(run, shard),
        lambda shard_id: lane(shard_id, limit_factor),
    )


def score_pending(
    run: Run, shards: Sequence[Shard], means: Means, is_forced: bool, progress: Progress
) -> Iterator[Scored]:
    """Grade shard after shard; one that fails for its infrastructure is reported at the end, the others go on.

    Raises Incomplete (exit 3) after the last shard when some could not be finished; NotStaged for a benchmark whose
    tests are not on this machine, after the others are graded.
    """
    unstaged: list[NotStaged] = []
    failures: list[BenchforgeError] = []
    for (name, version, scenario), group in groupby(shards, key=task_set_of):
        benchmark = registry()[name]
        members = list(group)
        try:
            tasks = staged.load_tasks(benchmark, version, scenario, means.datasets_root)
            if lacking := benchmark.why_not_judged(tasks):
                raise _unstaged(benchmark, version, lacking)
            open_places(benchmark, tasks, means.suites_root)
        except NotStaged as error:
            unstaged.append(error)
            continue
        record_tasks(run.lake, tasks, version, members[0].dataset_digest)
        with ExitStack() as stack:
            judge = stack.enter_context(means.judge(benchmark, {task.task_id: task for task in tasks}))
            known = everything_known(run, benchmark, scenario, grader_id(benchmark, judge))
            stack.enter_context(known)
            for shard in members:
                scorer = ShardScorer(run, shard, benchmark, judge.tasks, judge, known)
                try:
                    with progress(shard) as advance:
                        yield scorer.score(is_forced=is_forced, advance=advance)
                except Incomplete as error:
                    failures.append(error)
    if failures:
        raise Incomplete(
            f"{len(failures)} shards are not finished: {failures[0].message}", "run the same command again"
        )
    if unstaged:
        raise unstaged[0]


def _unstaged(benchmark: Benchmark, version: str, lacking: str) -> NotStaged:
    return NotStaged(
        f"{benchmark.name} {version} cannot be scored yet: {lacking}",
        f"benchforge stage {benchmark.name} --version {version} --from DIR; the samples need not be asked again",
    )


def _is_gradable(run: Run, shard: Shard) -> bool:
    return run.is_done("generate", shard.shard_id) and registry()[shard.benchmark].grades(shard.scenario)
