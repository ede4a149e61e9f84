"""HumanEval+: HumanEval's 164 problems, judged by calls with base and extra inputs (EvalPlus)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import evalplus_tasks
from .declaration import Benchmark, Design, Extraction, Oracles, Task, Version
from .versions import licence_of, versions_of

NAME = "humanevalplus"


def load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """164 tasks in file order. Raises BadInput for a file that is not the pinned one."""
    return evalplus_tasks.tasks(NAME, directory, version, scenario, _as_stored)


def _as_stored(task_id: str, inputs: list[Any]) -> list[Any]:
    return inputs


BENCHMARK = Benchmark(
    name=NAME,
    title="HumanEval+",
    kind="calls",
    scenarios=("default",),
    test_sets={"default": ("base", "plus")},
    versions=versions_of(NAME),
    extraction=Extraction(official="evalplus_sanitize", corrected="evalplus_corrected"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design("iid", "problems written one by one by hand, none derived from another"),
    licence=licence_of(NAME),
    load=load,
    protocols=evalplus_tasks.protocols(("\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert ")),
    aliases={"humaneval+": "", "humaneval_plus": "", "he+": ""},
)
