"""``benchforge ingest-problems``: read, compare, run the solutions, and only then write a release.

Every check is made on every line before the first file appears: what is wrong is said of all lines at once. Solutions
are other people's programs and run where samples do, in the sandbox, against their tests, under both verdicts: a
problem whose own solution the judge does not take would count against every model.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..ingest.benchmarks import adopt
from ..ingest.benchmarks.declaration import Oracles, Task
from ..ingest.benchmarks.own import HARNESS, Release
from ..ingest.errors import BadInput, Incomplete, UsageError
from ..ingest.fresh.layouts import LAYOUTS, Defaults, Fault, Problem, read_problems
from ..ingest.fresh.releases import (
    Book,
    duplicates,
    known_statements,
    new_problems,
    opened_book,
    planned_release,
    tasks_of,
    write_release,
)
from .folders import Folder, remove_left
from .score.judge import Graded, Job, Judge
from .score.verdicts import oracles_of

Advance = Callable[[int], None]
Watch = Callable[[int], AbstractContextManager[Advance]]
"""Given the number of solutions, what is told as each has been run."""
_ORACLES = Oracles(official="official", strict="strict")
_MAX_SENTENCES = 200


@contextmanager
def unwatched(total: int) -> Iterator[Advance]:
    yield lambda number: None


@dataclass(frozen=True)
class Wanted:
    """What the user says: whose release, of which files, and what stands in no line of them."""

    name: str
    path: Path
    layout: str = "jsonl"
    defaults: Defaults = field(default_factory=Defaults)
    accepted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Means:
    """What solutions are run with."""

    sandbox_mode: str | None = None
    num_workers: int = 1


@dataclass(frozen=True)
class Ingested:
    """``path`` is None where nothing was written; ``compared`` and ``absent`` are benchmarks by name."""

    name: str
    release: Release
    num_new: int
    num_statements: int
    compared: tuple[str, ...]
    absent: tuple[str, ...]
    path: Path | None


def ingest_problems(
    wanted: Wanted,
    datasets_root: Path,
    means: Means,
    *,
    is_dry_run: bool = False,
    watch: Watch = unwatched,
) -> Ingested:
    """Check the problems of a file or folder and write them as the next release.

    Raises BadInput with every sentence about every line, UsageError for a name, layout or id that cannot be meant,
    Incomplete where the sandbox failed, SandboxUnavailable; nothing is written then. What is released already is left
    out; where that is all, the last release is returned.
    """
    if wanted.layout not in LAYOUTS:
        raise UsageError(f"there is no layout {wanted.layout!r}", f"one of {', '.join(LAYOUTS)}")
    book = opened_book(wanted.name, datasets_root)
    datasets_root.mkdir(parents=True, exist_ok=True)
    remove_left(datasets_root)
    with Folder("ingest-", inside=datasets_root) as workshop:
        problems, faults = read_problems(wanted.path, wanted.layout, wanted.defaults, workshop)
        new, clashes = new_problems(book, problems)
        known, compared, absent = known_statements(book, datasets_root)
        num_statements = len(known)
        _refuse_strangers(wanted.accepted, problems)
        faults += clashes + duplicates(new, known, wanted.accepted)
        faults += solution_faults(new, tasks_of(book, new, workshop), means, watch)
        if faults:
            raise _refusal(faults)
        done = _written(book, new, workshop, is_dry_run)
    if done[1] is not None:
        adopt(datasets_root)
    return Ingested(book.name, done[0], len(new), num_statements, tuple(compared), tuple(absent), done[1])


def solution_faults(
    problems: Sequence[Problem], tasks: Mapping[str, Task], means: Means, watch: Watch = unwatched
) -> list[Fault]:
    """Problems whose solution does not pass all of their tests under both verdicts. Incomplete: the sandbox failed."""
    if not problems:
        return []
    of = {problem.task_id: problem for problem in problems}
    jobs = (Job(name, name, problem.solution, oracles_of(_ORACLES)) for name, problem in of.items())
    faults: list[Fault] = []
    with watch(len(of)) as advance, Judge(tasks, means.sandbox_mode, num_workers=means.num_workers) as judge:
        for job, result in judge.attempts(jobs):
            advance(1)
            if isinstance(result, Graded):
                faults += [of[job.task_id].fault(sentence) for sentence in _misses(result, tasks[job.task_id])]
            elif isinstance(result, BadInput):
                faults.append(of[job.task_id].fault(result.message))
            else:
                raise Incomplete(result.message, "run the same command again; nothing was written")
    return faults


def _misses(graded: Graded, task: Task) -> Iterator[str]:
    parts = {oracle: outcome.base for oracle, outcome in graded.outcomes.items() if outcome.base is not None}
    is_right = parts[_ORACLES.strict].verdict == "pass"
    for oracle, part in parts.items():
        if part.verdict != "pass":
            case = "" if part.first_failing_case is None else f", test {part.first_failing_case + 1}"
            words = f"{part.verdict} ({part.reason}{case} of {task.num_base_cases})"
            advice = "; it passes as a program: read input without what the harness lacks" if is_right else ""
            yield f"its solution does not pass under the {oracle} verdict of {HARNESS}: {words}{advice}"


def _refuse_strangers(accepted: Collection[str], problems: Sequence[Problem]) -> None:
    strangers = sorted(set(accepted) - {problem.task_id for problem in problems})
    if strangers:
        raise UsageError(f"--accept-similar names {strangers[0]}, which no line has", "correct the id")


def _refusal(faults: Sequence[Fault]) -> BadInput:
    sentences = [str(fault) for fault in sorted(set(faults))]
    more = [f"… and {len(sentences) - _MAX_SENTENCES} more"] if len(sentences) > _MAX_SENTENCES else []
    lines = "\n  ".join([*sentences[:_MAX_SENTENCES], *more])
    return BadInput(f"these problems are no release, and nothing was written:\n  {lines}", "correct the lines named")


def _written(book: Book, new: Sequence[Problem], workshop: Path, is_dry_run: bool) -> tuple[Release, Path | None]:
    if not new:
        if not book.releases:
            raise BadInput("the files hold no problem", "name a file with one problem per line")
        return book.releases[-1], None
    release, content = planned_release(book, new)
    return release, None if is_dry_run else write_release(book, new, release, content, workshop)
