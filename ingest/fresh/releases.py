"""The next release of a benchmark of one's own: the problems of the last one, and new ones that nothing holds yet.

Releases only grow. A problem that is there already is left out; one that changed under its name is refused, since
samples were asked with what it was. Everything is written beside what exists, the declaration last: before that line
nothing of it counts, and a reader sees the old releases or all of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import keys
from ..benchmarks import declared, registry, resolve
from ..benchmarks.livecodebench_tests import place_of
from ..benchmarks.own import (
    DECLARATION,
    MAX_RELEASES,
    PROBLEMS,
    SCENARIO,
    Release,
    benchmark_of,
    releases_in,
    task_of,
)
from ..benchmarks.problem_files import problems as problems_of
from ..errors import Incomplete, NotStaged, UsageError
from ..lake import fsync_directory, replace_file
from ..schemas import BENCHMARKS
from ..staging import staged
from .layouts import Fault, Problem
from .similarity import THRESHOLD, Known

_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
_REFUSED_NAMES = ("strings", "tests", "expected", "own")


@dataclass(frozen=True)
class Book:
    """A benchmark of one's own as it stands: its folder, its releases, and the rows of the last one."""

    name: str
    folder: Path
    releases: tuple[Release, ...]
    rows: Sequence[Mapping[str, Any]]

    @property
    def next_release(self) -> str:
        return f"v{len(self.releases) + 1}"


def opened_book(name: str, datasets_root: Path) -> Book:
    """What stands under this name. UsageError for a name that cannot be one, BadInput for damaged files."""
    _refuse_name(name, datasets_root)
    folder = datasets_root / name
    releases = releases_in(folder)
    if len(releases) >= MAX_RELEASES:
        raise UsageError(f"{name} has {MAX_RELEASES} releases, and more cannot be ordered", "give another --name")
    if not releases:
        return Book(name, folder, (), ())
    version = benchmark_of(name, releases).version()
    return Book(name, folder, releases, tuple(problems_of(folder / version.name, version, frozenset())))


def _refuse_name(name: str, datasets_root: Path) -> None:
    if not _NAME.fullmatch(name) or name in _REFUSED_NAMES:
        raise UsageError(
            f"{name!r} cannot name a benchmark", "take 2 to 40 small letters, digits and _, a letter first"
        )
    folder = datasets_root / name
    if name not in declared() and (folder / DECLARATION).exists():
        return
    if _is_taken(name):
        raise UsageError(f"{name} is a benchmark that benchforge has already", "give another --name")
    # an ingestion that was killed leaves these two
    if folder.exists() and not {path.name for path in folder.iterdir()} <= {"v1", "tests"}:
        raise UsageError(f"{folder} holds something else", "give another --name")


def _is_taken(name: str) -> bool:
    """Whether a word of the command line means one of ours."""
    try:
        return resolve(name)[0].name in declared()
    except UsageError:
        return name in BENCHMARKS


def new_problems(book: Book, problems: Sequence[Problem]) -> tuple[list[Problem], list[Fault]]:
    """Problems that the last release lacks; faults: an id that stands twice, or a problem that changed."""
    released = {row["task_id"]: row for row in book.rows}
    seen: dict[str, Problem] = {}
    new: list[Problem] = []
    faults: list[Fault] = []
    for problem in problems:
        first = seen.setdefault(problem.task_id, problem)
        if first is not problem:
            faults.append(problem.fault(f"the id stands in line {first.line} of {first.file} already"))
        elif (row := released.get(problem.task_id)) is None:
            new.append(problem)
        elif changed := sorted(name for name in _content(problem) if _content(problem)[name] != row.get(name)):
            words = f"it is in {row['added_in']} with another {changed[0]}: give a changed problem another id"
            faults.append(problem.fault(words))
    return new, faults


def known_statements(book: Book, datasets_root: Path) -> tuple[Known, list[str], list[str]]:
    """Statements of all problems on this machine; benchmarks that are among them, and those that are not staged."""
    known, found, absent = Known(), [], []
    for row in book.rows:
        known.add(f"{row['task_id']} of {book.name} {row['added_in']}", row["statement"])
    for benchmark in registry().values():
        if benchmark.name == book.name or benchmark.load is None or benchmark.kind == "expression":
            continue
        versions = [version.name for version in reversed(benchmark.versions)]
        statements = next(filter(None, (list(_statements(benchmark, one, datasets_root)) for one in versions)), [])
        for name, statement in statements:
            known.add(name, statement)
        (found if statements else absent).append(benchmark.name)
    return known, found, absent


def _statements(benchmark: Any, version: str, datasets_root: Path) -> Iterator[tuple[str, str]]:
    """Of one staged version, every scenario with statements; none where it is not staged."""
    for scenario in benchmark.scenarios:
        try:
            tasks = staged.load_tasks(benchmark, version, scenario, datasets_root)
        except NotStaged:
            continue
        yield from (
            (f"{task.task_id} of {benchmark.name} {version}", task.prompt)
            for task in tasks
            if task.kind != "expression"
        )


def duplicates(problems: Iterable[Problem], known: Known, accepted: Collection[str]) -> list[Fault]:
    """Problems whose statement is known, or stands in an earlier line. ``known`` grows by the others.

    ``accepted``: ids that somebody has compared, and found to be problems of their own.
    """
    faults: list[Fault] = []
    for problem in problems:
        match = known.nearest(problem.statement)
        if match is not None and match.share >= THRESHOLD and problem.task_id not in accepted:
            words = f"its statement is that of {match.name} ({match.share:.0%} of the shorter one's words in threes)"
            faults.append(problem.fault(f"{words}; --accept-similar {problem.task_id} where it is another problem"))
        known.add(f"{problem.task_id} in line {problem.line} of {problem.file}", problem.statement)
    return faults


def tasks_of(book: Book, problems: Iterable[Problem], root: Path) -> dict[str, Any]:
    """Tasks to run solutions of, their tests below ``root``."""
    release = book.next_release
    rows = (_content(problem) | {"added_in": release} for problem in problems)
    return {row["task_id"]: task_of(row, book.name, root, (release,), None) for row in rows}


def planned_release(book: Book, problems: Sequence[Problem]) -> tuple[Release, bytes]:
    """The next release and its file: rows sorted by id, in canonical JSON, so that the same problems are one digest."""
    rows = [*book.rows, *(_content(problem) | {"added_in": book.next_release} for problem in problems)]
    rows.sort(key=lambda row: row["task_id"])
    content = "".join(f"{keys.canonical_json(row)}\n" for row in rows)
    licences = tuple(sorted({row["licence"] for row in rows}))
    return Release(book.next_release, keys.sha256_text(content), len(rows), licences), content.encode()


def write_release(book: Book, problems: Iterable[Problem], release: Release, content: bytes, root: Path) -> Path:
    """Put tests, problems and, last, the declaration in place; the file of problems.

    Incomplete where the declaration changed since ``book`` was opened.
    """
    for problem in problems:
        _take(place_of(root, problem.tests["sha256"]), place_of(book.folder, problem.tests["sha256"]))
    target = book.folder / release.name / PROBLEMS
    if releases_in(book.folder) != book.releases:
        raise Incomplete(f"another release of {book.name} was written meanwhile", "run the same command again")
    replace_file(target, content)
    declaration = {"name": book.name, "scenario": SCENARIO, "releases": [*map(asdict, (*book.releases, release))]}
    replace_file(book.folder / DECLARATION, f"{keys.canonical_json(declaration)}\n".encode())
    return target


def _take(source: Path, target: Path) -> None:
    """Move a file of tests; two problems may have the same."""
    if source.exists() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
        fsync_directory(target.parent)


def _content(problem: Problem) -> dict[str, Any]:
    return {name: value for name, value in problem.content.items() if value is not None}
