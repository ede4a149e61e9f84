"""MultiPL-E in the sandbox: problems of our own in every language that is installed here, others skipped by name.

TypeScript's compiler is no package of the system: ``make suite-multipl_e`` puts it into a folder.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.benchmarks.multipl_e import task_of
from benchforge.ingest.benchmarks.multipl_e_languages import LANGUAGES
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.runners.score import conformance
from benchforge.runners.score.judge import OFFICIAL, suite
from benchforge.runners.score.judge.execution import Bench
from benchforge.runners.score.judge.outcome import PartOutcome
from benchforge.runners.score.sandbox import Sandbox
from benchforge.runners.score.suites import place_of

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = ROOT / ".benchforge"
FOLDER = Path(conformance.__file__).parent
PROBLEMS = {
    problem["language"]: problem
    for problem in map(json.loads, (FOLDER / "multipl_e.jsonl").read_text(encoding="utf-8").splitlines())
}
FORGED = [json.loads(line) for line in (FOLDER / "multipl_e_forged.jsonl").read_text(encoding="utf-8").splitlines()]
MODEL = "qwen2.5-coder-1.5b-base/multipl-e"


class Grader:
    """Grades programs of one language."""

    def __init__(self, language: str) -> None:
        environment = LANGUAGES[language].environment
        place = place_of(environment, SCRATCH)
        self.language, self.problem = language, PROBLEMS[language]
        self.bench = Bench(
            lambda place=None: Sandbox.open(place=place),
            OFFICIAL,
            lambda seconds: None,
            places={environment.name: place},
        )

    def verdicts(self, completion: str, task: Task | None = None) -> Mapping[str, PartOutcome]:
        program = (task.prompt if task else self.problem["prompt"]) + completion
        outcomes = suite.grade(
            self.bench, task or task_of(self.language, self.problem), program, ("official", "strict")
        )
        return {name: outcome.base for name, outcome in outcomes.items()}

    def official(self, completion: str) -> tuple[str, str]:
        part = self.verdicts(completion)["official"]
        return part.verdict, part.reason


def why_not_here(language: str) -> str:
    environment = LANGUAGES[language].environment
    folder = place_of(environment, SCRATCH).folder
    if environment.needs_folder and not Path(folder).is_dir():
        return f"{environment.name} is not made here: {environment.install}"
    tools = {one.probe[0]: one.install for one in environment.requirements if one.probe and not one.is_optional}
    found = f"{folder}/node_modules/.bin" if folder else ""
    missing = [install for tool, install in tools.items() if not (shutil.which(tool) or shutil.which(tool, path=found))]
    data = [install for one in environment.requirements if (install := lacking_file(one.probe, one.install))]
    return f"no {LANGUAGES[language].title} here: {', '.join([*missing, *data])}" if missing or data else ""


def lacking_file(probe: tuple[str, ...], install: str) -> str:
    return install if probe[:1] == ("ls",) and not Path(probe[1]).exists() else ""


@pytest.fixture(scope="module", params=LANGUAGES)
def grader(request: pytest.FixtureRequest) -> Iterator[Grader]:
    if why := why_not_here(request.param):
        pytest.skip(why)
    grader = Grader(request.param)
    try:
        grader.verdicts("")
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox for suites here: {error.message}")
    yield grader
    grader.bench.renew()


def test_honest_answers_pass_and_others_fail_with_their_reason(grader: Grader):
    problem = grader.problem
    for answer in problem["honest"]:
        parts = grader.verdicts(answer)
        assert {name: (part.verdict, part.num_passed) for name, part in parts.items()} == {
            "official": ("pass", 2),
            "strict": ("pass", 2),
        }
    wrong = "exception" if grader.language == "sh" else "wrong_answer"  # [[ … ]] says nothing
    assert grader.official(problem["wrong"]) == ("fail", wrong)
    assert grader.official(problem["broken"]) == ("fail", "syntax")
    assert grader.official("")[0] == "fail"  # an empty function


def test_an_exit_status_alone_is_no_pass_and_its_sign_is_seen(grader: Grader):
    forged = next(one for one in FORGED if one["language"] == grader.language and one["attack"].startswith("ends"))
    program = grader.problem["prompt"] + forged["completion"]
    seen = suite.run(grader.bench, task_of(grader.language, grader.problem), program)
    assert (seen.part.verdict, seen.part.reason) == ("fail", "tamper")  # the nonce is missing, whatever the text shows
    assert "tamper" in {level for level, _ in seen.flags}


def test_a_program_without_an_end_is_stopped(grader: Grader):
    """One language shows it: a limit costs its seconds."""
    if grader.language != "sh":
        pytest.skip("shown in bash")
    task = task_of("sh", grader.problem)
    step = {**task.payload["steps"][0], "seconds": 1.0}
    short = replace(task, payload={**task.payload, "steps": [step]})
    part = grader.verdicts(grader.problem["endless"], short)["official"]
    assert (part.verdict, part.reason) == ("timeout", "timeout")


def test_recorded_passes_pass(grader: Grader, shared_data: Path):
    """A few of each language; all of them: ``tests/suites/multipl_e_recorded.py``."""
    with gzip.open(shared_data / MODEL / f"humaneval-{grader.language}-details.json.gz", "rt") as stream:
        graded = json.load(stream)
    with gzip.open(shared_data / "multipl-e" / "problems" / f"humaneval-{grader.language}.jsonl.gz", "rt") as stream:
        tasks = {problem["name"]: task_of(grader.language, problem) for problem in map(json.loads, stream)}
    with gzip.open(shared_data / MODEL / f"pred_{grader.language}_output.jsonl.gz", "rt") as stream:
        passing = [one for one in map(json.loads, stream) if graded[one["task_id"]][0][1]["passed"]][:2]
    for sample in passing:
        task = tasks[sample["task_id"]]
        verdicts = grader.verdicts(sample["generation"][len(task.prompt) :], task)
        assert {part.verdict for part in verdicts.values()} == {"pass"}, task.task_id
