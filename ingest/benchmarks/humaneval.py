"""HumanEval, the original: 164 problems, each judged by its own ``check(candidate)`` (openai/human-eval@6d43fb9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .declaration import Benchmark, Design, Extraction, Oracles, Prompt, Protocol, Task, Version
from .problem_files import problems
from .versions import licence_of, versions_of

NAME = "humaneval"
_FIELDS = frozenset({"task_id", "prompt", "entry_point", "canonical_solution", "test"})
_STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")


def load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """164 tasks in file order. Raises BadInput for a file that is not the pinned one."""
    for problem in problems(directory, version, _FIELDS):
        yield task_of(scenario, problem)


def task_of(scenario: str, problem: Mapping[str, Any]) -> Task:
    """One problem in HumanEval's fields."""
    return Task(
        benchmark=NAME,
        scenario=scenario,
        task_id=problem["task_id"],
        kind="check",
        prompt=problem["prompt"],
        payload={name: problem[name] for name in ("entry_point", "prompt", "test")},
        test_sets=("base",),
        source_problem=problem["task_id"],
        num_base_cases=1,
        reference=problem["prompt"] + problem["canonical_solution"],
    )


def _bare(task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(text=task.prompt)


BENCHMARK = Benchmark(
    name=NAME,
    title="HumanEval",
    kind="check",
    scenarios=("default",),
    test_sets={"default": ("base",)},
    versions=versions_of(NAME),
    extraction=Extraction(official="humaneval", corrected="humaneval_corrected"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design("iid", "problems written one by one by hand, none derived from another"),
    licence=licence_of(NAME),
    load=load,
    protocols=(Protocol("official", _bare, max_tokens=512, stop=_STOPS),),
    aliases={"human_eval": ""},
)
