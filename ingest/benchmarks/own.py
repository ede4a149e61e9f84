"""Benchmarks of one's own: dated problems that ``benchforge ingest-problems`` checked, found among the staged ones.

They are declared by data where others have a file and a seed row, and are like any other from there on. A problem is
asked in our own words and judged as LiveCodeBench's are, by both verdicts; that of release v1 counts in v2 as well.

::

    <datasets_root>/<name>/releases.json          the declaration: releases in order, each with digest and number
    <datasets_root>/<name>/<release>/problems.jsonl   one problem per line, with the sha256 of its tests
    <datasets_root>/<name>/tests/<sha256>.jsonl.gz    one problem's tests (``livecodebench_tests``)
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .declaration import CARD_TOKENS, Artifact, Benchmark, Design, Extraction, Oracles, Prompt, Protocol, Task, Version
from .livecodebench_tests import stored_in
from .problem_files import problems

DECLARATION, PROBLEMS, SCENARIO = "releases.json", "problems.jsonl", "default"
MAX_RELEASES = 9
"""Releases are ordered by their names, as text, in the marts."""
HARNESS = "livecodebench"
"""Whose judge grades them."""
_FIELDS = frozenset(
    ("task_id", "statement", "starter_code", "date", "source", "licence", "solution", "added_in", "tests")
)
_TOKENS = 8192
_FENCE = "Put the whole program into one fenced Python code block and end your reply with it."
_ASKS = {
    "calls": f"Complete the Python class below, so that the method solves the problem. {_FENCE}",
    "stdin": "Write a Python program that solves the problem below: it reads standard input and prints the answer. "
    + _FENCE,
}


@dataclass(frozen=True)
class Release:
    """One line of the declaration: ``sha256`` is that of the release's problems, ``licences`` those of its problems."""

    name: str
    sha256: str
    num_problems: int
    licences: tuple[str, ...]


def declared_in(datasets_root: Path) -> Iterator[Benchmark]:
    """Benchmarks declared among the staged problems, by name. BadInput for a declaration that cannot be read."""
    for path in sorted(datasets_root.glob(f"*/{DECLARATION}")):
        yield benchmark_of(path.parent.name, releases_in(path.parent))


def releases_in(folder: Path) -> tuple[Release, ...]:
    """Releases of the benchmark in this folder, in order; none where nothing is declared. BadInput as above."""
    path = folder / DECLARATION
    if not path.is_file():
        return ()
    try:
        rows = json.loads(path.read_text("utf-8"))["releases"]
        found = tuple(_release(row) for row in rows)
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} is damaged", f"put it back, or remove {folder} and ingest its problems again"
        ) from error
    return found


def _release(row: Mapping[str, Any]) -> Release:
    release = Release(row["name"], row["sha256"], row["num_problems"], tuple(row["licences"]))
    if len(release.sha256) != 64 or type(release.num_problems) is not int or not release.name.startswith("v"):
        raise ValueError
    return release


def benchmark_of(name: str, releases: Sequence[Release]) -> Benchmark:
    """The declaration that these releases make; ``load`` reads them from where they are staged."""
    pinned = {release.name: _cells(releases[: number + 1]) for number, release in enumerate(releases)}
    return Benchmark(
        name=name,
        title=name,
        kind="stdin",
        scenarios=(SCENARIO,),
        test_sets={SCENARIO: tuple(pinned)},
        versions=tuple(
            Version(release.name, (Artifact(PROBLEMS, release.sha256, "ingest-problems"),)) for release in releases
        ),
        extraction=Extraction(official="livecodebench_last_two_fences", corrected="livecodebench_corrected"),
        oracles=Oracles(official="official", strict="strict"),
        design=Design("clusters", "problems of one contest share authors, theme and day"),
        licence=", ".join(releases[-1].licences),
        load=partial(load, pinned),
        protocols=(Protocol("official", render, max_tokens=_TOKENS), Protocol("card", render, max_tokens=CARD_TOKENS)),
        pinned_cells=pinned,
    )


def _cells(releases: Sequence[Release]) -> str:
    """Counts as the seed writes them: those of a release and of all before it."""
    return " ".join(f"{SCENARIO}:{release.name}={release.num_problems}" for release in releases)


def load(pinned: Mapping[str, str], directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """Problems of a release in its file's order; their tests are opened by the judge. BadInput for another file."""
    releases = list(pinned)[: list(pinned).index(version.name) + 1]
    for row in problems(directory, version, _FIELDS):
        test_sets = tuple(releases[releases.index(row["added_in"]) :])
        yield task_of(row, directory.parent.name, directory.parent, test_sets, pinned[version.name])


def task_of(row: Mapping[str, Any], name: str, root: Path, test_sets: tuple[str, ...], cells: str | None) -> Task:
    """A line of ``problems.jsonl``; ``root`` is the folder that holds ``tests``."""
    tests, fn_name = row["tests"], row["tests"]["fn_name"]
    payload = {"harness": HARNESS, "starter_code": row["starter_code"], "tests": stored_in(root, tests)}
    return Task(
        benchmark=name,
        scenario=SCENARIO,
        task_id=row["task_id"],
        kind="stdin" if fn_name is None else "calls",
        prompt=row["statement"],
        payload=payload if fn_name is None else {**payload, "entry_point": fn_name},
        test_sets=test_sets,
        source_problem=row["task_id"],
        num_base_cases=tests["num_tests"],
        stratum=row.get("difficulty"),
        cluster=row.get("contest"),
        contest_date=datetime.date.fromisoformat(row["date"]),
        reference=row["solution"],
        licence=row["licence"],
        pinned_cells=cells,
    )


def render(task: Task, strings: Mapping[str, str]) -> Prompt:
    """One user message in our words: what is wanted, the problem, and the class to complete where there is one."""
    starter = task.payload["starter_code"].strip()
    given = f"\n\n```python\n{starter}\n```" if starter else ""
    return Prompt(messages=(("user", f"{_ASKS[task.kind]}\n\n{task.prompt.strip()}{given}\n"),))
