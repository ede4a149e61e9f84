"""LiveCodeBench's code generation problems without their tests: what a prompt is made of, and when a contest was.

Upstream publishes a release as ``test.jsonl`` … ``test6.jsonl`` of livecodebench/code_generation_lite: gigabytes, of
which the hidden tests are all but two megabytes. What is staged is ``statements.jsonl``: the other fields, one problem
per line, sorted by id, in canonical JSON, so that one digest pins a release whatever files it came from. Hidden tests
are base64 over zlib over pickle there; whoever grades decodes them (``livecodebench.task_of`` takes them decoded).
"""

from __future__ import annotations

import datetime
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import keys
from ..errors import BadInput, NotStaged
from ..pins import pins_of
from .declaration import Task, Version
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


def load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """Problems of a release, sorted by id, without tests: for asking, not for judging.

    Raises NotStaged for a release without a pinned problem list, BadInput for a file that is not the pinned one.
    """
    if not version.artifacts:
        raise NotStaged(
            f"{NAME} {version.name} is import-only: no list of its problems is pinned", "take another release"
        )
    test_sets = pins_of(NAME)[version.name].test_sets(SCENARIO)
    for problem in problems(directory, version, frozenset(FIELDS)):
        yield task_of(problem, test_sets)


def task_of(problem: Mapping[str, Any], test_sets: tuple[str, ...]) -> Task:
    """One problem in upstream's fields, as ``FIELDS`` lists them."""
    contest = problem["contest_id"]
    return Task(
        benchmark=NAME,
        scenario=SCENARIO,
        task_id=problem["question_id"],
        kind="calls" if problem["starter_code"] else "stdin",
        prompt=problem["question_content"],
        payload={"harness": NAME, "starter_code": problem["starter_code"]},
        test_sets=test_sets,
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
    for path in paths:
        for task_id, line in _statements(path, path.stat().st_mtime_ns).items():
            found.setdefault(task_id, line)
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise BadInput(
            f"{len(wanted) - len(missing)} of the {len(wanted)} problems of {NAME} {version.name} are there, "
            f"{missing[0]} is not",
            f"put {_UPSTREAM} there",
        )
    return "".join(f"{found[task_id]}\n" for task_id in sorted(wanted)).encode()


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
