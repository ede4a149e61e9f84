"""The gold self-test: reference solutions on the road of every sample; each one passes, or is a row of the errata.

Judge, sandbox, limits and both oracles are those of scoring; only extraction is left out, since a reference is given
in the form in which it is graded. Nothing is written to the lake. Of a suite, whose tests run in the program's own
process, a stub is graded as well: a test that it passes says nothing of any program. One that publishes no references
(MultiPL-E) has its stubs graded where it is named: a task is passed whose tests fail the stub.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...ingest.benchmarks import registry
from ...ingest.benchmarks.declaration import Benchmark, Task
from ...ingest.benchmarks.errata import errata
from ...ingest.errors import NotStaged
from ...ingest.staging import staged
from .judge import Graded, Job, PartOutcome
from .pending import Means
from .verdicts import oracles_of

Advance = Callable[[int], None]
STUB = "stub"


@dataclass(frozen=True)
class GoldSet:
    """Tasks of one benchmark, version and scenario."""

    benchmark: Benchmark
    version: str
    scenario: str
    tasks: Sequence[Task]


@dataclass(frozen=True)
class Miss:
    """A part that a reference does not pass; ``errata`` is the reason where that is known, None where it is not."""

    benchmark: str
    version: str
    scenario: str
    task_id: str
    oracle: str
    part: str
    verdict: str
    reason: str
    first_failing_case: int | None
    errata: str | None


@dataclass
class GoldResult:
    """Counts of one set. ``failed`` are those that no row of the errata explains."""

    benchmark: str
    version: str
    scenario: str
    tasks: int
    passed: int = 0
    errata: int = 0
    failed: int = 0
    misses: list[Miss] = field(default_factory=list)


def staged_sets(cells: frozenset[tuple[str, str]], datasets_root: Path) -> Iterator[GoldSet]:
    """Every version of the selected (benchmark, scenario) cells that is on this machine; empty ``cells``: of all.

    Raises NotStaged when a benchmark that was named has none.
    """
    for benchmark in registry().values():
        if cells and benchmark.name not in {name for name, _ in cells}:
            continue
        scenarios = [name for name in benchmark.scenarios if not cells or (benchmark.name, name) in cells]
        found = list(_sets_of(benchmark, scenarios, datasets_root, has_stubs=bool(cells)))
        if cells and not found:
            staged.load_tasks(benchmark, None, scenarios[0], datasets_root)  # says what is missing
            raise NotStaged(f"{benchmark.name} publishes no reference solutions to test with", "leave it out")
        yield from found


def _sets_of(
    benchmark: Benchmark, scenarios: Sequence[str], datasets_root: Path, *, has_stubs: bool
) -> Iterator[GoldSet]:
    for version in benchmark.versions if benchmark.is_gradable else ():
        for scenario in scenarios:
            try:
                tasks = staged.load_tasks(benchmark, version.name, scenario, datasets_root)
            except NotStaged:
                continue
            if known := [one for one in tasks if one.reference is not None or (has_stubs and one.payload.get("stub"))]:
                yield GoldSet(benchmark, version.name, scenario, known)


def grade_gold(gold: GoldSet, means: Means, advance: Advance = lambda number: None) -> GoldResult:
    """Grade the references of one set; Incomplete when the sandbox failed for some."""
    result = GoldResult(gold.benchmark.name, gold.version, gold.scenario, len(gold.tasks))
    tasks = {task.task_id: task for task in gold.tasks}
    found: dict[str, list[Miss]] = {}
    with means.judge(gold.benchmark, tasks, is_gated=False) as judge:
        for job, graded in judge.grade(_jobs(gold)):
            misses = _passed_stubs(gold, job.task_id, graded) if job.key == STUB else _misses(gold, job.task_id, graded)
            found.setdefault(job.task_id, []).extend(misses)
            advance(job.key != STUB or tasks[job.task_id].reference is None)
    for misses in found.values():
        _count(result, misses)
    result.misses.sort(key=lambda miss: list(tasks).index(miss.task_id))
    return result


def _jobs(gold: GoldSet) -> Iterator[Job]:
    names = oracles_of(gold.benchmark.oracles)
    for task in gold.tasks:
        if task.reference is not None:
            yield Job("", task.task_id, task.reference, names)
        if stub := task.payload.get("stub"):
            yield Job(STUB, task.task_id, stub, names)


def _passed_stubs(gold: GoldSet, task_id: str, graded: Graded) -> Iterator[Miss]:
    """A stub that passes, as a miss of the task: oracle ``stub``."""
    if graded.outcomes[gold.benchmark.oracles.official].base.verdict == "pass":
        reason = errata().get((gold.benchmark.name, gold.version, task_id))
        where = (gold.benchmark.name, gold.version, gold.scenario, task_id)
        yield Miss(*where, STUB, "base", "pass", "ok", None, reason)


def _count(result: GoldResult, misses: list[Miss]) -> None:
    result.misses += misses
    if not misses:
        result.passed += 1
    elif misses[0].errata is not None:
        result.errata += 1
    else:
        result.failed += 1


def _misses(gold: GoldSet, task_id: str, graded: Graded) -> Iterator[Miss]:
    reason = errata().get((gold.benchmark.name, gold.version, task_id))
    for oracle, outcome in graded.outcomes.items():
        parts: Mapping[str, PartOutcome | None] = {"base": outcome.base, "plus": outcome.plus}
        for part, judged in parts.items():
            if judged is not None and judged.verdict != "pass":
                yield Miss(
                    gold.benchmark.name,
                    gold.version,
                    gold.scenario,
                    task_id,
                    oracle,
                    part,
                    judged.verdict,
                    judged.reason,
                    judged.first_failing_case,
                    reason,
                )
