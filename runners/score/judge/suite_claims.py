"""What the process of a warm test claims, held against the judge's own list of its tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ....ingest.benchmarks.declaration import Task
from ....ingest.benchmarks.suites import RISK, TAMPER
from ..sandbox.connection import SandboxBroken
from . import decode
from .outcome import PartOutcome, failed

_REASONS: Mapping[str, str] = {
    "fail": "wrong_answer", "error": "exception", "syntax": "syntax", "memory": "memory", "timeout": "timeout",
}  # fmt: skip
_MAX_LINES = 10_000


@dataclass
class Told:
    """Claims of one run, and what is to be made of them."""

    part: PartOutcome
    evidence: frozenset[tuple[str, str]] = frozenset()
    case_seconds: Sequence[float] = ()
    wall_seconds: float = 0.0


@dataclass
class _Read:
    load: str = ""
    tests: list[tuple[str, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    evidence: set[tuple[str, str]] = field(default_factory=set)
    end: tuple[int, str] | None = None
    is_nonsense: bool = False


def read(task: Task, lines: Sequence[Sequence[Any]], nonce: str) -> Told:
    """The outcome of a warm run, tampering with the text left out of account."""
    line = next((line for line in lines if line[0] == "claims"), None)
    if line is None:
        raise SandboxBroken("no test of a suite's task was run")
    facts, claims = line[2], _parsed(line[1])
    part = _ended_early(facts) or _of_load(claims) or _of_tests(task, claims, nonce)
    return Told(part, frozenset(claims.evidence), claims.seconds, facts["wall_seconds"])


def _parsed(text: str) -> _Read:
    """Lines by kind; one that is no claim makes the whole report nonsense."""
    found = _Read()
    for number, line in enumerate(text.splitlines()):
        if number > _MAX_LINES or not _take(line, found):
            found.is_nonsense = True
            break
    return found


def _take(line: str, found: _Read) -> bool:
    try:
        message = decode.parse(line.encode())
    except (decode.Malformed, RecursionError, MemoryError, UnicodeError):
        return False
    if found.end is not None:
        return False
    match message:
        case ["test", str(name), str(outcome), int() | float() as seconds]:
            found.tests.append((name, outcome))
            found.seconds.append(float(seconds) if 0 <= seconds < 1e6 else 0.0)
        case ["load", "program" | "test", str(reason), str(_)]:
            found.load = reason
        case ["load", str(_)]:
            found.load = "exception"
        case ["evidence", "tamper" | "tamper_risk" as level, str(name)]:
            found.evidence.add((TAMPER if level == TAMPER else RISK, name))
        case ["end", int(number), str(nonce)]:
            found.end = (number, nonce)
        case _:
            return False
    return True


def _ended_early(facts: Mapping[str, Any]) -> PartOutcome | None:
    cause = facts["cause"]
    if not cause:
        return None
    return failed(cause, None, 0, "timeout" if cause == "timeout" else "fail")


def _of_load(claims: _Read) -> PartOutcome | None:
    """The program or the test did not load: a failure whatever follows."""
    if not claims.load:
        return None
    return failed(claims.load if claims.load in ("syntax", "memory") else "exception", None, 0)


def _of_tests(task: Task, claims: _Read, nonce: str) -> PartOutcome:
    wanted: Sequence[str] = task.payload["tests"]
    named = [(name, outcome) for name, outcome in claims.tests if name in set(wanted)]
    if claims.is_nonsense:
        return failed("tamper", None, 0)
    if claims.end is None:
        return failed("killed", None, 0)
    if claims.end[1] != nonce:
        return failed("tamper", None, 0)
    if len(named) != len(claims.tests):  # a set-up that failed belongs to no test, and keeps its tests from running
        is_set_up = all(outcome == "error" for name, outcome in claims.tests if name not in set(wanted))
        return failed("exception" if is_set_up else "tamper", None, 0)
    if [name for name, _ in named] != list(wanted) and sorted(name for name, _ in named) != sorted(wanted):
        return failed("tamper", None, 0)
    if claims.end[0] != len(wanted):
        return failed("tamper", None, 0)
    return _of_outcomes(task, dict(named))


def _of_outcomes(task: Task, outcomes: Mapping[str, str]) -> PartOutcome:
    """By the judge's list. A test is skipped where its source says so, and nowhere else."""
    wanted: Sequence[str] = task.payload["tests"]
    skipped = set(task.payload.get("may_skip", ()))
    is_good = [outcomes[name] == "ok" or (outcomes[name] != "fail" and name in skipped and
               outcomes[name] in ("skip", "expected_failure")) for name in wanted]  # fmt: skip
    num_passed = sum(is_good)
    if all(is_good):
        return PartOutcome("pass", "ok", None, len(wanted), len(wanted))
    first = is_good.index(False)
    reason = _REASONS.get(outcomes[wanted[first]], "tamper")
    return PartOutcome("timeout" if reason == "timeout" else "fail", reason, first, len(wanted), num_passed)
