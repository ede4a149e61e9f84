"""``verify --repair``: look, do what can be done, look again, until nothing more can be done.

Every step is atomic or appends one line, and what a kill leaves is a fault that the next look finds. So nothing is
remembered between runs: repairing twice, or after a kill, ends at the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ....ingest.errors import BenchforgeError
from . import Verified
from .faults import Fault
from .remedies import Remedy

_ROUNDS = 8
"""A part that is set aside, its shard sealed again, a compaction dropped, verdicts pending: four at most are needed."""


@dataclass(frozen=True)
class Step:
    """One remedy: what it was for, and how it went (``done``, ``would be done``, or why it could not)."""

    rule: str
    artifact: str
    action: str
    outcome: str


def repair(look: Callable[[], Verified], *, is_dry_run: bool = False) -> tuple[list[Step], Verified]:
    """The steps taken, and what is found after them. ``is_dry_run``: the steps of the first round, none taken.

    ``look`` looks anew each time it is called.
    """
    found, steps, done = look(), [], set()
    if is_dry_run:
        return [step for _, step in _planned(found.faults, set())], found
    for _ in range(_ROUNDS):
        planned = [(remedy, step) for remedy, step in _planned(found.faults, done)]
        if not planned:
            break
        for remedy, step in planned:
            steps.append(Step(step.rule, step.artifact, step.action, _do(remedy)))
            done.add(step.action)
        found = look()
    return steps, found


def _planned(faults: Iterable[Fault], done: set[str]) -> list[tuple[Remedy, Step]]:
    """Each action once, in the order of the faults: damage first."""
    planned: dict[str, tuple[Remedy, Step]] = {}
    for fault in faults:
        for remedy in fault.remedies:
            action = remedy.say()
            if action not in done:
                step = Step(fault.rule, fault.artifact, action, "would be done")
                planned.setdefault(action, (remedy, step))
    return list(planned.values())


def _do(remedy: Remedy) -> str:
    try:
        remedy.do()
    except BenchforgeError as error:
        return f"not done: {error.message}"
    return "done"
