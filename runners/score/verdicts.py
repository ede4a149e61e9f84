"""Between outcomes and the columns of ``results``.

A verdict belongs to (task, program, oracle) under one grader. ``Store`` holds those already known, from the lake and
from this shard's journal, so that equal programs are graded once across samples, shards and runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...ingest import schemas
from ...ingest.benchmarks.declaration import Oracles, Task
from ...ingest.lake import Lake
from .judge import Graded, Outcome, PartOutcome

_FIELDS = ("verdict", "reason", "first_failing_case", "num_run", "num_passed")

Key = tuple[str, bytes, str]
"""(task digest, program id, oracle name)."""


@dataclass(frozen=True)
class Measured:
    """What a second run does not reproduce; ``is_reused`` when the verdict was looked up."""

    cpu_seconds: float | None = None
    wall_seconds: float | None = None
    peak_memory_bytes: int | None = None
    case_seconds: tuple[float, ...] | None = None
    attempt: int | None = None
    is_reused: bool = True


@dataclass
class Store:
    """Outcomes known for one grader, and the measurements of those graded by this attempt or its journal."""

    outcomes: dict[Key, Outcome] = field(default_factory=dict)
    measured: dict[tuple[str, bytes], Measured] = field(default_factory=dict)

    def missing(self, task_digest: str, program_id: bytes, oracles: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in oracles if (task_digest, program_id, name) not in self.outcomes)

    def add(self, task_digest: str, program_id: bytes, outcomes: Mapping[str, Outcome]) -> None:
        for oracle, outcome in outcomes.items():
            self.outcomes[(task_digest, program_id, oracle)] = outcome

    def add_from_lake(self, lake: Lake, benchmark: str, grader_id: str, oracles: Oracles) -> None:
        """Everything that this grader has judged of the benchmark before."""
        filters = [("benchmark", "=", benchmark), ("grader_id", "=", grader_id)]
        columns = ["task_digest", "program_id", "corrected_program_id", *verdict_columns()]
        for row in lake.read("results", columns, filters).to_pylist():
            for kind, (program, oracle) in _combinations(oracles).items():
                if row[program] is not None and row[f"{kind}_base_verdict"] is not None:
                    self.outcomes[(row["task_digest"], row[program], oracle)] = _outcome(row, kind)


def verdict_columns() -> list[str]:
    return [f"{kind}_{part}_{name}" for kind in schemas.VERDICT_KINDS for part in schemas.PARTS for name in _FIELDS]


def _combinations(oracles: Oracles) -> Mapping[str, tuple[str, str]]:
    """Verdict kind -> (column of the program it judges, oracle)."""
    return {
        "official": ("program_id", oracles.official),
        "strict": ("corrected_program_id", oracles.strict),
        "corrected_extraction": ("corrected_program_id", oracles.official),
    }


def oracles_wanted(oracles: Oracles, official: bytes, corrected: bytes) -> dict[bytes, tuple[str, ...]]:
    """Which oracles judge which program: the third combination only where the two extractions differ."""
    if official == corrected:
        return {official: tuple(dict.fromkeys((oracles.official, oracles.strict)))}
    return {
        official: (oracles.official,),
        corrected: tuple(dict.fromkeys((oracles.strict, oracles.official))),
    }


def result_columns(
    store: Store, task_digest: str, official: bytes, corrected: bytes, oracles: Oracles
) -> dict[str, Any]:
    """Verdict columns of one sample; KeyError when an outcome is not known yet."""
    programs = {"program_id": official, "corrected_program_id": corrected}
    row: dict[str, Any] = {"task_digest": task_digest, **programs}
    for kind, (program, oracle) in _combinations(oracles).items():
        if kind == "corrected_extraction" and official == corrected:
            continue
        row.update(_columns(kind, store.outcomes[(task_digest, programs[program], oracle)]))
    return row


def _columns(kind: str, outcome: Outcome) -> dict[str, Any]:
    parts = {"base": outcome.base, "plus": outcome.plus}
    return {
        f"{kind}_{part}_{name}": value
        for part, judged in parts.items()
        if judged is not None
        for name, value in asdict(judged).items()
    }


def _outcome(row: Mapping[str, Any], kind: str) -> Outcome:
    parts: dict[str, PartOutcome | None] = {}
    for part in schemas.PARTS:
        values = {name: row[f"{kind}_{part}_{name}"] for name in _FIELDS}
        parts[part] = PartOutcome(**values) if values["verdict"] is not None else None
    base = parts["base"]
    assert base is not None, "a judged row has a base verdict"
    return Outcome(base=base, plus=parts["plus"])


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
        "outcomes": {name: _outcome_line(outcome) for name, outcome in graded.outcomes.items()},
        "measured": asdict(measured_of(graded)),
    }


def measured_of(graded: Graded) -> Measured:
    return Measured(
        graded.cpu_seconds,
        graded.wall_seconds,
        graded.peak_memory_bytes,
        tuple(graded.case_seconds),
        graded.attempt,
        is_reused=False,
    )


def from_journal(row: Mapping[str, Any], store: Store) -> None:
    """Take one journal line into the store."""
    program_id = row["program_id"]
    outcomes = {name: _outcome_from_line(line) for name, line in row["outcomes"].items()}
    store.add(row["task_digest"], program_id, outcomes)
    store.measured[(row["task_digest"], program_id)] = Measured(**row["measured"])


def _outcome_line(outcome: Outcome) -> dict[str, Any]:
    return {"base": asdict(outcome.base), "plus": asdict(outcome.plus) if outcome.plus else None}


def _outcome_from_line(line: Mapping[str, Any]) -> Outcome:
    return Outcome(base=PartOutcome(**line["base"]), plus=PartOutcome(**line["plus"]) if line["plus"] else None)
