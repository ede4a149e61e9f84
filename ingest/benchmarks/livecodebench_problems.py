"""LiveCodeBench's code generation problems: what a prompt is made of, when a contest was, and where the tests lie.

Upstream publishes a release as ``test.jsonl`` … ``test6.jsonl`` of livecodebench/code_generation_lite: gigabytes, of
which the hidden tests are all but two megabytes. What is staged is ``statements.jsonl``: the other fields, one problem
per line, sorted by id, in canonical JSON, so that one digest pins a release whatever files it came from. Of
releases 2 and 3 no list is published: their problems are those of upstream's first two and three files, checked by
their number and against release 4. Hidden tests are kept beside the statements (``livecodebench_tests``); a task
holds where they lie, and no stage but the judge opens them.
"""

from __future__ import annotations

import datetime
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import keys
from ..errors import BadInput
from ..pins import pins_of
from .declaration import Artifact, Task, Version
from .livecodebench_tests import INDEX, StoredTests, index_of, stage_tests
from .problem_files import problems

NAME, SCENARIO = "livecodebench", "generation"
FIELDS = (
    "question_id",
    "question_title",
    "question_content",
    "platform",
    "contest_id",
    "contest_date",
    "starter_code",
    "difficulty",
)
_UPSTREAM = "the files test*.jsonl of livecodebench/code_generation_lite"
_UNLISTED = "livecodebench/code_generation_lite@0fe84c39:test.jsonl and those after it"


def load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """Problems of a release, sorted by id; with their tests where those are staged as well, else only to be asked.

    A task counts in every release that it is known to belong to, so that one run on release 6 gives the boards of the
    earlier ones. Raises BadInput for a file that is not the pinned one, or that lacks problems.
    """
    members = _members_of(version, directory.parent)
    tests = index_of(directory)
    for problem in problems(directory, version, frozenset(FIELDS)):
        name = problem["question_id"]
        test_sets = tuple(test_set for test_set, ids in members.items() if ids is None or name in ids)
        yield task_of(problem, test_sets, tests.get(name))


def _members_of(version: Version, root: Path) -> Mapping[str, frozenset[str] | None]:
    """Release (as a test set, oldest first) -> its problems, or None for all of the version.

    Of a release without a published list they are known where it is staged as well; else it is left out.
    """
    cells = [test_set for scenario, test_set in pins_of(NAME)[version.name].cells if scenario == SCENARIO]
    found = {test_set: _ids_of(f"release_{test_set}", root) for test_set in cells[:-1]}
    return {**{test_set: ids for test_set, ids in found.items() if ids}, cells[-1]: None}


def _ids_of(version: str, root: Path) -> frozenset[str]:
    """Problems of a release; none where they are not known, or what is staged of it is not whole."""
    from ..bundled.task_ids import known_task_ids

    count = pins_of(NAME)[version].num_tasks(SCENARIO)
    listed = known_task_ids(NAME, version, SCENARIO) or ()
    if len(listed) == count:  # of releases 2 and 3 the list is that of release 4
        return frozenset(listed)
    path = root / version / "statements.jsonl"
    staged = frozenset(_statements(path, path.stat().st_mtime_ns)) if path.is_file() else frozenset()
    return staged if len(staged) == count else frozenset()


def releases(versions: Iterable[Version]) -> tuple[Version, ...]:
    """The pinned releases; those without a published list get an artifact as well, without digest."""
    return tuple(
        version if version.artifacts else replace(version, artifacts=(Artifact("statements.jsonl", "", _UNLISTED),))
        for version in versions
    )


def task_of(
    problem: Mapping[str, Any], test_sets: tuple[str, ...], tests: tuple[StoredTests, str | None] | None = None
) -> Task:
    """One problem in upstream's fields, as ``FIELDS`` lists them; ``tests``: where they lie, and the method's name."""
    contest = problem["contest_id"]
    return Task(
        benchmark=NAME,
        scenario=SCENARIO,
        task_id=problem["question_id"],
        kind=_kind(problem, tests),
        prompt=problem["question_content"],
        payload={"harness": NAME, "starter_code": problem["starter_code"], **_where(tests)},
        test_sets=test_sets,
        num_base_cases=tests[0].num_tests if tests else None,
        source_problem=problem["question_id"],
        stratum=problem["difficulty"],
        cluster=f"{problem['platform']}/{contest}" if contest else None,
        contest_date=datetime.date.fromisoformat(problem["contest_date"][:10]),
    )


def assemble(paths: Iterable[Path], version: Version) -> bytes:
    """``statements.jsonl`` of a release out of upstream's files, wherever each problem lies.

    Raises BadInput when a problem is missing; whether the content is the pinned one is the caller's to check.
    """
    from ..bundled.task_ids import known_task_ids

    wanted = known_task_ids(NAME, version.name, SCENARIO) or ()
    found: dict[str, str] = {}
    is_listed = any(artifact.sha256 for artifact in version.artifacts)
    for path in paths if is_listed else _files_of(version, paths):
        for task_id, line in _statements(path, path.stat().st_mtime_ns).items():
            found.setdefault(task_id, line)
    wanted = wanted if is_listed else _unlisted(version, wanted, found)
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise BadInput(
            f"{len(wanted) - len(missing)} of the {len(wanted)} problems of {NAME} {version.name} are there, "
            f"{missing[0]} is not",
            f"put {_UPSTREAM} there",
        )
    return "".join(f"{found[task_id]}\n" for task_id in sorted(wanted)).encode()


def stage_hidden(paths: Iterable[Path], directories: Sequence[Path]) -> Mapping[Path, int]:
    """Keep the tests of the problems whose statements are in place; see ``livecodebench_tests.stage_tests``."""
    return stage_tests(paths, {directory: _ids_in(directory / "statements.jsonl") for directory in directories})


def _ids_in(path: Path) -> frozenset[str]:
    with path.open(encoding="utf-8") as stream:
        return frozenset(json.loads(line)["question_id"] for line in stream)


def why_not_judged(tasks: Iterable[Task]) -> str:
    """What grading lacks, as a sentence with the command; empty where every task has its tests."""
    if all("tests" in task.payload for task in tasks if task.scenario == SCENARIO):
        return ""
    return f"its hidden tests are not staged ({INDEX} is written from {_UPSTREAM})"


def _kind(problem: Mapping[str, Any], tests: tuple[StoredTests, str | None] | None) -> str:
    """By the tests, as upstream; by the starter code before they are there."""
    is_called = tests[1] is not None if tests else bool(problem["starter_code"])
    return "calls" if is_called else "stdin"


def _where(tests: tuple[StoredTests, str | None] | None) -> dict[str, Any]:
    if tests is None:
        return {}
    stored, fn_name = tests
    return {"tests": stored} if fn_name is None else {"tests": stored, "entry_point": fn_name}


def _files_of(version: Version, paths: Iterable[Path]) -> list[Path]:
    """Upstream's files of a release, packed or not: the first ``N`` of them, by their names."""
    number = int(version.name.removeprefix("release_v"))
    names = {"test.jsonl", *(f"test{count}.jsonl" for count in range(2, number + 1))}
    return [path for path in paths if path.name.removesuffix(".gz") in names]


def _unlisted(version: Version, last: Iterable[str], found: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of a release without a list: those found, if their number is right and none is a stranger."""
    from ..bundled.task_ids import known_task_ids

    strangers = set(found) - set(last)
    if strangers:
        raise BadInput(f"{min(strangers)} is no problem of {NAME} {version.name}", f"put {_UPSTREAM} there, unchanged")
    count = pins_of(NAME)[version.name].num_tasks(SCENARIO)
    first = known_task_ids(NAME, "release_v1", SCENARIO) or ()
    if len(found) != count or not set(first) <= set(found):
        raise BadInput(
            f"the files of {NAME} {version.name} hold {len(found)} problems, not the {count} that it has",
            f"put {_UPSTREAM} there, under their own names",
        )
    return tuple(sorted(found))


@lru_cache(maxsize=64)
def _statements(path: Path, _mtime_ns: int) -> Mapping[str, str]:
    """Id -> canonical line of every problem in a file; empty for a file of something else, or a damaged one.

    A line of upstream's files may have 100 MB of tests: nothing of them is kept.
    """
    found: dict[str, str] = {}
    try:
        with _opened(path) as stream:
            for line in stream:
                if line.strip():
                    statement = _statement(json.loads(line))
                    found.setdefault(statement["question_id"], keys.canonical_json(statement))
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return {}
    return found


def _opened(path: Path) -> Any:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


def _statement(record: Mapping[str, Any]) -> dict[str, str]:
    """Texts as upstream has them; only the date's spelling is made one."""
    statement = {name: record[name] for name in FIELDS}
    if not all(isinstance(value, str) for value in statement.values()):
        raise TypeError
    day = datetime.datetime.fromisoformat(statement["contest_date"])
    return statement | {"contest_date": day.isoformat()}
