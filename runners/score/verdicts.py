"""Between outcomes and the columns of ``results``; a verdict belongs to (task, program, oracle) under one grader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any

from ...ingest import schemas
from ...ingest.benchmarks.declaration import Oracles, Task
from .judge import Graded, Outcome, PartOutcome

_FIELDS = ("verdict", "reason", "first_failing_case", "num_run", "num_passed")

OUTCOME_COLUMNS = (
    "task_digest",
    "program_id",
    "corrected_program_id",
    *(f"{kind}_{part}_{name}" for kind in schemas.VERDICT_KINDS for part in schemas.PARTS for name in _FIELDS),
)
"""Columns of ``results`` that outcomes are read back from."""

OutcomeLine = list[list[Any] | None]
"""An outcome as JSON: fields of base, fields of plus or None."""


@dataclass(frozen=True)
class Measured:
    """What a second run does not reproduce; ``is_reused`` when the verdict was looked up."""

    cpu_seconds: float | None = None
    wall_seconds: float | None = None
    peak_memory_bytes: int | None = None
    case_seconds: tuple[float, ...] | None = None
    limit_shares: tuple[float | None, float | None] = (None, None)
    attempt: int | None = None
    is_reused: bool = True


def _combinations(oracles: Oracles) -> Mapping[str, tuple[str, str]]:
    """Verdict kind -> (column of the program it judges, oracle)."""
    return {
        "official": ("program_id", oracles.official),
        "strict": ("corrected_program_id", oracles.strict),
        "corrected_extraction": ("corrected_program_id", oracles.official),
    }


def oracles_of(oracles: Oracles) -> tuple[str, ...]:
    """Both, official first."""
    return tuple(dict.fromkeys((oracles.official, oracles.strict)))


def oracles_wanted(oracles: Oracles, official: bytes, corrected: bytes) -> dict[bytes, tuple[str, ...]]:
    """Program of a sample -> the oracles that a column of its row asks, and no other: an oracle can cost a run."""
    ids = {"program_id": official, "corrected_program_id": corrected}
    asked = {(ids[program], oracle) for program, oracle in _combinations(oracles).values()}
    in_order = oracles_of(oracles)
    return {id_: tuple(name for name in in_order if (id_, name) in asked) for id_ in ids.values()}


def result_columns(
    find: Callable[[bytes, str], Outcome], official: bytes, corrected: bytes, oracles: Oracles
) -> dict[str, Any]:
    """Verdict columns of one sample; the third combination only where the two extractions differ."""
    programs = {"program_id": official, "corrected_program_id": corrected}
    row: dict[str, Any] = dict(programs)
    for kind, (program, oracle) in _combinations(oracles).items():
        if kind != "corrected_extraction" or official != corrected:
            row.update(_columns(kind, find(programs[program], oracle)))
    return row


def _columns(kind: str, outcome: Outcome) -> dict[str, Any]:
    parts = {"base": outcome.base, "plus": outcome.plus}
    return {
        f"{kind}_{part}_{name}": value
        for part, judged in parts.items()
        if judged is not None
        for name, value in asdict(judged).items()
    }


def outcomes_of_row(row: Mapping[str, Any], oracles: Oracles) -> Iterator[tuple[bytes, str, OutcomeLine]]:
    """(program, oracle, outcome) of each verdict that a row of ``results`` holds."""
    for kind, (program, oracle) in _combinations(oracles).items():
        if row[program] is not None and row[f"{kind}_base_verdict"] is not None:
            yield row[program], oracle, [_fields(row, kind, part) for part in schemas.PARTS]


def _fields(row: Mapping[str, Any], kind: str, part: str) -> list[Any] | None:
    values = [row[f"{kind}_{part}_{name}"] for name in _FIELDS]
    return values if values[0] is not None else None


def outcome_line(outcome: Outcome) -> OutcomeLine:
    return [list(astuple(outcome.base)), list(astuple(outcome.plus)) if outcome.plus else None]


def outcome_of(line: OutcomeLine) -> Outcome:
    base, plus = line
    assert base is not None, "a judged program has a base verdict"
    return Outcome(base=PartOutcome(*base), plus=PartOutcome(*plus) if plus else None)


def empty_outcome(task: Task) -> Outcome:
    """Nothing was extracted: fail without running anything."""
    part = PartOutcome("fail", "empty", None, 0, 0)
    return Outcome(base=part, plus=part if task.has_plus else None)


def journal_row(grader_id: str, task_digest: str, program_id: bytes, graded: Graded) -> dict[str, Any]:
    """One line of the score journal: outcomes by oracle, and what was measured."""
    return {
        "grader_id": grader_id,
        "task_digest": task_digest,
        "program_id": program_id,
        "outcomes": {name: outcome_line(outcome) for name, outcome in graded.outcomes.items()},
        "measured": asdict(_measured(graded)),
    }


def _measured(graded: Graded) -> Measured:
    return Measured(
        graded.cpu_seconds,
        graded.wall_seconds,
        graded.peak_memory_bytes,
        tuple(graded.case_seconds),
        graded.limit_shares,
        graded.attempt,
        is_reused=False,
    )
