"""What holds of every benchmark: checked on each one of the registry, so that a new one is covered by being there.

A check that needs problems, texts of a harness or the sandbox is skipped by name where those are missing; what a
declaration alone can show never is. A benchmark of one's own goes through the same checks, on problems made here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from benchforge.ingest import schemas
from benchforge.ingest.benchmarks import adopt, declared, registry
from benchforge.ingest.benchmarks.declaration import Benchmark, Prompt, Protocol, Task
from benchforge.ingest.benchmarks.errata import errata
from benchforge.ingest.benchmarks.versions import seed_rows
from benchforge.ingest.bundled.prompt_digests import official_prompts, row_of_prompt
from benchforge.ingest.errors import NotStaged
from benchforge.ingest.pins import pins_of
from benchforge.ingest.staging import strings as staged_strings
from benchforge.ingest.staging.files import (
    every_pinned_file,
    plan_staging,
    plan_what_is_there,
    wanted_files,
    write_staged,
)
from benchforge.ingest.staging.staged import load_tasks
from benchforge.runners.ingest_problems import Means, Wanted, ingest_problems
from benchforge.runners.score.extract import EXTRACTORS
from benchforge.runners.score.gold import GoldSet, grade_gold
from benchforge.runners.score.judge import ORACLE_NAMES, Job, Judge
from benchforge.runners.score.pending import Means as ScoreMeans
from benchforge.runners.score.source import extraction_context
from benchforge.runners.score.verdicts import oracles_of

from ..own_problems import FOLD, RHYME, WEIGH, written

OWN = "made_here"
BENCHMARKS = (*declared(), OWN)
STAGED = os.environ.get("BENCHFORGE_STAGED", "")
"""Folder of staged problems (``.benchforge/datasets``), for who adds a benchmark and has its file alone."""
NUM_JUDGED = 4
"""Problems of a scenario that go through the sandbox; ``benchforge score --gold`` takes all."""
PROGRAM = "import sys\n\nprint(sys.stdin.read())\n"
"""Of a benchmark that has no references to extract."""
RECORDED_PASSES = {
    "livecodebench": "test_sandbox_livecodebench_recorded.py",
    "multipl_e": "test_suite_multipl_e.py",
}
"""Benchmarks without references: where recorded passes are judged instead."""


@dataclass(frozen=True)
class Staged:
    """A scenario of a benchmark's default version, and its problems."""

    benchmark: Benchmark
    scenario: str
    tasks: tuple[Task, ...]
    root: Path

    @property
    def version(self) -> str:
        return self.benchmark.version().name

    def sound(self) -> list[Task]:
        """A few problems with a reference that the errata do not list, of every kind in turn."""
        known = {
            task_id for name, version, task_id in errata() if (name, version) == (self.benchmark.name, self.version)
        }
        by_kind: dict[str, list[Task]] = {}
        for task in self.tasks:
            if task.reference is not None and task.task_id not in known:
                by_kind.setdefault(task.kind, []).append(task)
        return [task for tasks in by_kind.values() for task in tasks[:NUM_JUDGED]]


@pytest.fixture(scope="session")
def own_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of made problems, as ``ingest-problems`` writes it."""
    root = tmp_path_factory.mktemp("own")
    ingest_problems(Wanted(OWN, written(root / "a.jsonl", WEIGH, FOLD, RHYME)), root / "datasets", Means())
    adopt(root / "nothing")
    return root / "datasets"


@pytest.fixture(scope="session")
def public_root(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Real problem files, staged: the folder that the caller names, else what the recorded public data has."""
    if STAGED:
        return Path(STAGED).absolute()
    root, data = tmp_path_factory.mktemp("datasets"), request.getfixturevalue("shared_data")
    write_staged(plan_what_is_there(every_pinned_file(root), data))
    releases = wanted_files([declared()["livecodebench"]], None, root)
    write_staged(plan_staging(releases, data / "livecodebench"))
    return root


@pytest.fixture(params=BENCHMARKS)
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == OWN:
        adopt(request.getfixturevalue("own_root"))
    yield request.param
    adopt(Path("/nonexistent"))


@pytest.fixture
def benchmark(name: str) -> Benchmark:
    return registry()[name]


@pytest.fixture
def scenarios(name: str, benchmark: Benchmark, request: pytest.FixtureRequest, tmp_path: Path) -> list[Staged]:
    """Every scenario whose problems are staged here."""
    if benchmark.load is None:
        pytest.skip(f"{name} is import-only: its problems are not staged")
    fixture = "own_root" if name == OWN else "public_root"
    root = request.getfixturevalue(fixture) if benchmark.needs_staging else tmp_path
    found = []
    for scenario in benchmark.scenarios:
        if scenario not in benchmark.import_only:
            with suppress(NotStaged):
                tasks = tuple(load_tasks(benchmark, None, scenario, root))
                found.append(Staged(benchmark, scenario, tasks, root))
    if not found:
        pytest.skip(f"{name} {benchmark.version().name} is not staged here")
    return found


def test_its_licence_is_named(name: str, benchmark: Benchmark) -> None:
    assert benchmark.licence.strip()
    assert all(row["licence"].strip() for row in seed_rows() if row["benchmark"] == name)
    assert name == OWN or any(row["benchmark"] == name for row in seed_rows()), (
        "a benchmark is one file and one seed row"
    )


def test_its_problems_are_pinned_by_digest_and_number(name: str, benchmark: Benchmark) -> None:
    pins = pins_of(name)
    assert set(pins) == {version.name for version in benchmark.versions}
    for version in benchmark.versions:
        assert pins[version.name].cells, f"{name} {version.name} pins no number of problems"
        for artifact in version.artifacts:
            # without a published list the file is put together, and checked by number and by a later list
            assert len(artifact.sha256) == 64 or benchmark.assemble is not None
        assert version.artifacts or benchmark.load is None


def test_it_names_extractors_and_oracles_that_exist_and_says_how_problems_hang_together(benchmark: Benchmark) -> None:
    assert {benchmark.extraction.official, benchmark.extraction.corrected} <= set(EXTRACTORS)
    assert benchmark.kind == "suite" or set(oracles_of(benchmark.oracles)) <= set(ORACLE_NAMES)
    assert benchmark.design.kind in ("iid", "strata", "clusters") and benchmark.design.reason
    assert {name for names in benchmark.test_sets.values() for name in names} <= set(schemas.TEST_SETS)
    assert not benchmark.load or benchmark.protocols


def test_its_problems_stand_once_and_are_all_there(name: str, scenarios: list[Staged]) -> None:
    for staged in scenarios:
        ids = [task.task_id for task in staged.tasks]
        assert len(set(ids)) == len(ids) == pins_of(name)[staged.version].num_tasks(staged.scenario)
        assert all(task.kind in schemas.KINDS and task.source_problem and task.test_sets for task in staged.tasks)
        assert {name for task in staged.tasks for name in task.test_sets} <= set(
            staged.benchmark.test_sets[staged.scenario]
        )
        again = load_tasks(staged.benchmark, None, staged.scenario, staged.root)
        assert [task.task_digest for task in staged.tasks[:50]] == [task.task_digest for task in again[:50]]


def test_every_protocol_asks_with_the_texts_that_it_names_and_asks_the_same_twice(scenarios: list[Staged]) -> None:
    for staged in scenarios:
        for protocol in protocols_of(staged):
            words = {name: f"{name}\n" for name in protocol.needs_strings}
            for task in staged.tasks[:50]:
                prompt = protocol.render(task, words)
                assert (prompt.text is None) == bool(prompt.messages)
                assert prompt == protocol.render(task, words)
                if not protocol.needs_strings:
                    assert task.prompt.strip() in said(prompt)


def test_prompts_are_the_recorded_ones_where_the_texts_are_staged(name: str, scenarios: list[Staged]) -> None:
    """The same as ``test_prompts_official`` on texts that somebody staged; needs none where all words are ours."""
    compared = 0
    for staged in scenarios:
        for protocol in protocols_of(staged):
            recorded = official_prompts(name, staged.scenario, protocol.name)
            with suppress(NotStaged):
                texts = staged_strings.read_strings(protocol.needs_strings, staged.root)
                compared += bool(recorded)
                for task in staged.tasks if recorded else ():
                    prompt = protocol.render(task, texts)
                    row = row_of_prompt(name, staged.scenario, protocol.name, task.task_id, prompt)
                    assert row == recorded[task.task_id]
    if not compared:
        pytest.skip(f"no text of a harness for {name} is staged (tests/unit/test_prompts_official.py stages them)")


def test_extracting_again_what_was_extracted_changes_nothing(scenarios: list[Staged]) -> None:
    """A program as answered, and one in a fence; a harness that puts the prompt in front does so again."""
    with Judge({}) as judge:
        for staged in scenarios:
            extraction = staged.benchmark.extraction
            for task in staged.sound() or staged.tasks[:NUM_JUDGED]:
                program = task.reference or PROGRAM
                forms = [(extraction.official, "program"), (extraction.corrected, "program")]
                forms += [] if task.kind == "expression" else [(extraction.corrected, "raw")]
                for extractor, form in forms:
                    context = extraction_context(task, form, staged.benchmark.protocols[0].name)
                    once = judge.extract(extractor, shown(program, form), context)
                    again = judge.extract(extractor, shown(once, form), context)
                    assert once.strip() and again.rstrip().endswith(once.rstrip()), (task.task_id, extractor, form)
                    assert again == judge.extract(extractor, shown(once, form), context)


def test_its_references_pass_or_recorded_passes_do_elsewhere(name: str, scenarios: list[Staged]) -> None:
    for staged in scenarios:
        if name in RECORDED_PASSES:
            assert Path(__file__).with_name(RECORDED_PASSES[name]).is_file()
            continue
        skip_without_environment(staged)
        gold = GoldSet(staged.benchmark, staged.version, staged.scenario, staged.sound())
        assert gold.tasks, f"{name} has neither references nor recorded passes"
        result = grade_gold(gold, ScoreMeans(staged.root, None, 1, False))
        assert (result.passed, result.misses) == (len(gold.tasks), [])


def test_an_empty_answer_fails_every_reading(scenarios: list[Staged]) -> None:
    for staged in scenarios:
        if why := staged.benchmark.why_not_judged(staged.tasks):
            pytest.skip(f"{staged.benchmark.name} is not judged here: {why}")
        skip_without_environment(staged)
        tasks = {task.task_id: task for task in staged.sound()}
        names = oracles_of(staged.benchmark.oracles)
        jobs = [Job(f"{key}{text!r}", key, text, names) for key in tasks for text in ("", "pass\n", "# nothing\n")]
        with ScoreMeans(staged.root, None, 1, False).judge(staged.benchmark, tasks) as judge:
            graded = list(judge.grade(jobs))
        assert len(graded) == len(jobs)
        for job, result in graded:
            verdicts = {oracle: outcome.base.verdict for oracle, outcome in result.outcomes.items() if outcome.base}
            assert set(verdicts) == set(names) and "pass" not in verdicts.values(), job.key


def skip_without_environment(staged: Staged) -> None:
    """Gigabytes of libraries: tests of a suite's own judge made problems without them, tests/suites all with them."""
    if (environment := staged.benchmark.environment_of(staged.scenario)) and environment.needs_folder:
        pytest.skip(f"the libraries of {staged.benchmark.name} are not here ({environment.install})")


def protocols_of(staged: Staged) -> list[Protocol]:
    return [one for one in staged.benchmark.protocols if not one.scenarios or staged.scenario in one.scenarios]


def said(prompt: Prompt) -> str:
    return prompt.text if prompt.text is not None else "\n".join(content for _, content in prompt.messages)


def shown(program: str, form: str) -> str:
    return program if form == "program" else f"Here it is:\n\n```python\n{program}\n```\n"
