"""Make ``ingest/bundled/reference_times.csv`` again, from every ``calls`` dataset staged here.

``python -m benchforge.runners.score.measure_references DATASETS_ROOT`` on an idle machine. Each reference runs three
times in the sandbox, each time in a fresh process; per case the least of the three counts, because whatever disturbs a
measurement makes it longer.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...ingest import reference_times
from ...ingest.benchmarks import registry
from ...ingest.benchmarks.declaration import Task
from ...ingest.errors import NotStaged
from ...ingest.reference_times import SLOW_SECONDS, ReferenceTimes
from ...ingest.staging import staged
from .judge.execution import Bench
from .judge.expected import Expected, ExpectedStore
from .judge.rules import OFFICIAL
from .sandbox import Sandbox

NUM_RUNS = 3


def main(datasets_root: str) -> None:
    """Measure and write."""
    reference_times.write([row for task_set in _task_sets(Path(datasets_root)) for row in _rows(*task_set)])


def _task_sets(datasets_root: Path) -> Iterator[tuple[str, list[Task]]]:
    for benchmark in registry().values():
        if benchmark.kind != "calls" or benchmark.load is None or not benchmark.needs_staging:
            continue
        for version in benchmark.versions:
            try:
                yield version.name, staged.load_tasks(benchmark, version.name, "default", datasets_root)
            except NotStaged as error:
                print(f"{error.message}; skipped", file=sys.stderr)


def _rows(version: str, tasks: Sequence[Task]) -> Iterator[ReferenceTimes]:
    bench = Bench(Sandbox.open, OFFICIAL, lambda seconds: None)
    try:
        for task in tasks:
            runs = [_measured(bench, task) for _ in range(NUM_RUNS)]
            for part in runs[0]:
                yield _row(version, task, part, [run[part] for run in runs])
    finally:
        bench.renew()


def _measured(bench: Bench, task: Task) -> dict[str, Expected]:
    with tempfile.TemporaryDirectory() as directory:
        store = ExpectedStore(Path(directory), bench, is_shipped=False)
        parts = [part for part in ("base", "plus") if task.payload.get(f"{part}_inputs")]
        return {part: store.part(task, part) for part in parts}


def _row(version: str, task: Task, part: str, runs: Sequence[Expected]) -> ReferenceTimes:
    seconds = [min(case) for case in zip(*(run.seconds for run in runs), strict=True)]
    slow = {case: round(value, 3) for case, value in enumerate(seconds) if value >= SLOW_SECONDS}
    encode_seconds = round(min(run.encode_seconds for run in runs), 3)
    return ReferenceTimes(
        task.benchmark, version, task.task_id, task.task_digest, part, len(seconds), slow, encode_seconds
    )


if __name__ == "__main__":
    main(sys.argv[1])
