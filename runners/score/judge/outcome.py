"""What a verdict looks like, in the words of ``ingest.schemas``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PartOutcome:
    """Verdict on one half of a task's tests. Counts are of cases; fail-fast, so at most one case failed."""

    verdict: str
    reason: str
    first_failing_case: int | None
    num_run: int
    num_passed: int


@dataclass(frozen=True)
class Outcome:
    """Of one program under one oracle; ``plus`` is judged even where ``base`` fails, as upstream records it."""

    base: PartOutcome
    plus: PartOutcome | None


@dataclass(frozen=True)
class Graded:
    """Outcomes by oracle name, and what the execution took (sums over children; base cases then plus cases)."""

    outcomes: Mapping[str, Outcome]
    cpu_seconds: float
    wall_seconds: float
    peak_memory_bytes: int
    case_seconds: tuple[float, ...]
    attempt: int
    limit_shares: tuple[float | None, float | None] = (None, None)
    """Base and plus: the largest share of its unscaled official limit that a case took."""


@dataclass(frozen=True)
class Job:
    """One program to grade. ``key`` is the caller's and comes back untouched."""

    key: Any
    task_id: str
    program: str
    oracles: tuple[str, ...]


def passed(num_cases: int) -> PartOutcome:
    return PartOutcome("pass", "ok", None, num_cases, num_cases)


def failed(reason: str, case: int | None, num_passed: int, verdict: str = "fail") -> PartOutcome:
    """``case`` is the 0-based failing case, or None where no case ran."""
    return PartOutcome(verdict, reason, case, num_passed + (case is not None), num_passed)
