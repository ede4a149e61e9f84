"""The official harness beside the judge: the same programs, both words, every difference listed.

What is compared are the officially extracted programs of scored shards, each distinct program of a task once. The judge
grades them again under the rules of the release that is run (``Rules``), the harness runs in the outer sandbox
(``beside``), and verdicts are compared part by part. A difference that a row of ``seeds/deviations.csv`` announces is
named; any other is a defect of ours, or the clock's. Nothing is written to the lake.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from ...ingest import errors
from ...ingest.benchmarks import registry
from ...ingest.benchmarks.declaration import Benchmark, Task
from ...ingest.benchmarks.versions import SEED
from ...ingest.manifest import Run, Shard
from ...ingest.staging import staged
from ..selection import Selection, covered_shards, task_set_of
from . import beside
from .harnesses import Harness, Installed, Sample, harness_of
from .judge import Graded, Job, Judge, Outcome

DEVIATIONS = SEED.with_name("deviations.csv")
_NEAR_LIMIT = 0.5
"""From this share of a limit on, the load of the machine decides in a harness that counts wall seconds."""
BY_REASON: Mapping[tuple[str, str], str] = {
    ("humanevalplus", "opaque_type"): "always_equal_object",
    ("mbppplus", "opaque_type"): "opaque_answers_mbpp",
}
BY_TASK: Mapping[str, str] = {
    "HumanEval/32": "pristine_inputs",
    "HumanEval/100": "huge_answers_humaneval",
    "Mbpp/255": "huge_answers",
    "Mbpp/558": "pristine_inputs_mbpp",
    "Mbpp/581": "pristine_inputs_mbpp",
}
NEAR_LIMIT = "near its time limit"


@dataclass(frozen=True)
class Difference:
    """One part on which the two do not say the same. ``known`` names the deviation, or is empty."""

    benchmark: str
    scenario: str
    task_id: str
    part: str
    ours: str
    theirs: str
    reason: str
    known: str
    program: str


@dataclass(frozen=True)
class CrossCheck:
    """Of one task set: programs compared, those on which every part agreed, and the rest in words."""

    harness: str
    benchmark: str
    scenario: str
    num_compared: int
    num_agreed: int
    num_not_compared: int
    differences: tuple[Difference, ...]

    @property
    def num_unexplained(self) -> int:
        return sum(not difference.known for difference in self.differences)


@dataclass(frozen=True)
class Beside:
    """Where the harness and the problems are, and what ours runs with."""

    found: Mapping[str, Installed]
    """Harness name -> what is installed."""
    datasets_root: Path
    sandbox_mode: str | None
    jobs: int


def to_cross_check(run: Run, selection: Selection) -> list[Shard]:
    """Scored shards of the selection that a harness exists for; Incomplete names one that is not scored."""
    chosen = [shard for shard in covered_shards(run, selection) if harness_of(shard.benchmark) is not None]
    waiting = [shard for shard in chosen if not run.is_done("score", shard.shard_id)]
    if waiting:
        raise errors.Incomplete(
            f"{len(waiting)} of the shards to cross-check are not scored yet, e.g. {waiting[0].shard_id}.",
            f"benchforge score --shard-id {waiting[0].shard_id}",
        )
    return sorted(chosen, key=task_set_of)


def cross_check(run: Run, shards: Sequence[Shard], means: Beside) -> Iterator[CrossCheck]:
    """One result per task set. Raises what ``beside.run`` and the judge raise."""
    for (name, version, scenario), group in groupby(shards, key=task_set_of):
        benchmark, harness = registry()[name], harness_of(name)
        assert harness is not None, "chosen by to_cross_check"
        tasks = {task.task_id: task for task in staged.load_tasks(benchmark, version, scenario, means.datasets_root)}
        samples = list(dict.fromkeys(sample for shard in group for sample in programs_of(run, shard)))
        yield compare(harness, tasks, samples, means, _problem_file(benchmark, version, means.datasets_root))


def programs_of(run: Run, shard: Shard) -> Iterator[Sample]:
    """The officially extracted program of every graded sample of a shard."""
    columns = ["task_id", "program_id"]
    rows = run.lake.read("results", columns, shard_id=shard.shard_id).to_pylist()
    wanted = sorted({row["program_id"] for row in rows if row["program_id"] is not None})
    filters = [("benchmark", "=", shard.benchmark), ("program_id", "in", wanted)]
    found = run.lake.read("programs", ["program_id", "program"], filters) if wanted else None
    texts = {row["program_id"]: row["program"] for row in found.to_pylist()} if found is not None else {}
    for row in rows:
        if row["program_id"] in texts:
            yield Sample(row["task_id"], texts[row["program_id"]])


def compare(
    harness: Harness, tasks: Mapping[str, Task], samples: Sequence[Sample], means: Beside, problems: Path
) -> CrossCheck:
    """Both on the same programs; those that the harness cannot judge are counted apart."""
    judged = [one for one in samples if one.program.strip() and one.task_id not in harness.not_compared]
    found = means.found[harness.name]
    ours = _grade(judged, tasks, means, found) if judged else []
    theirs = _ask(harness, found, tasks, judged, means.jobs, problems) if judged else []
    differences: list[Difference] = []
    num_agreed = 0
    for sample, graded, statuses in zip(judged, ours, theirs, strict=True):
        found_here = list(_differences(harness, tasks[sample.task_id], sample, graded, statuses))
        num_agreed += not found_here
        differences += found_here
    task = next(iter(tasks.values()))
    num_apart = len(samples) - len(judged)
    return CrossCheck(
        harness.name, task.benchmark, task.scenario, len(judged), num_agreed, num_apart, tuple(differences)
    )


def _ask(
    harness: Harness, found: Installed, tasks: Mapping[str, Task], samples: Sequence[Sample], jobs: int, problems: Path
) -> list[tuple[str, str | None]]:
    """What the harness says of each sample."""
    asked = [tasks[task_id] for task_id in dict.fromkeys(sample.task_id for sample in samples)]
    with beside.own_folder() as folder:
        beside.run(harness.prepare(found, asked, samples, problems, jobs, folder))
        return harness.read(folder, samples)


def _grade(samples: Sequence[Sample], tasks: Mapping[str, Task], means: Beside, found: Installed) -> list[Graded]:
    """What the judge says under the rules of that release, in the order of the samples."""
    benchmark = registry()[tasks[samples[0].task_id].benchmark]
    cache_directory = means.datasets_root / benchmark.name / "expected"
    with Judge(
        tasks, means.sandbox_mode, num_workers=means.jobs, cache_directory=cache_directory, rules=found.rules
    ) as judge:
        asked = (benchmark.oracles.official,)
        jobs = (Job(number, one.task_id, one.program, asked) for number, one in enumerate(samples))
        graded = {job.key: result for job, result in judge.grade(jobs)}
    return [graded[number] for number in range(len(samples))]


def _differences(
    harness: Harness, task: Task, sample: Sample, graded: Graded, statuses: tuple[str, str | None]
) -> Iterator[Difference]:
    (outcome,) = graded.outcomes.values()
    for number, (part, theirs) in enumerate(zip(("base", "plus"), statuses, strict=True)):
        ours, reason = _word(outcome, part, harness.words)
        # upstream judges an empty list of extra cases as passed; ours has no plus verdict there
        if ours == theirs or ours is None or theirs is None:
            continue
        share = graded.limit_shares[number] or 0.0
        known = _known(task, reason, theirs, share)
        yield Difference(task.benchmark, task.scenario, task.task_id, part, ours, theirs, reason, known, sample.program)


def _word(outcome: Outcome, part: str, words: frozenset[str]) -> tuple[str | None, str]:
    """Our verdict in the words that the harness tells apart."""
    judged = getattr(outcome, part)
    if judged is None:
        return None, ""
    return (judged.verdict if judged.verdict in words else "fail"), judged.reason


def _known(task: Task, reason: str, theirs: str, limit_share: float) -> str:
    """The announced deviation that explains a difference, or nothing."""
    announced = BY_REASON.get((task.benchmark, reason)) or BY_TASK.get(task.task_id)
    if announced in deviation_ids():
        return announced or ""
    is_late = limit_share >= _NEAR_LIMIT or reason == "timeout" or theirs == "timeout"
    return NEAR_LIMIT if is_late else ""


@cache
def deviation_ids(seed: Path = DEVIATIONS) -> frozenset[str]:
    with seed.open(encoding="utf-8", newline="") as stream:
        return frozenset(row["deviation_id"] for row in csv.DictReader(stream))


def _problem_file(benchmark: Benchmark, version_name: str, datasets_root: Path) -> Path:
    version = staged.pinned_version(benchmark, version_name)
    return staged.staged_directory(datasets_root, benchmark, version) / version.artifacts[0].name
