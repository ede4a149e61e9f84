"""Seconds that the reference programs of the pinned datasets take, measured once and shipped.

EvalPlus measures them on the machine that grades, so its limits, and with them its verdicts, depend on that machine and
on what else it does. Here a limit is a fact of the task: ``bundled/reference_times.csv`` has one row per task digest
and part, with the cases that take ``SLOW_SECONDS`` or more (all others are far below every rule's minimum) and the
seconds to send the answers away. Tasks that it does not name are measured where they are graded.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "bundled" / "reference_times.csv"
SLOW_SECONDS = 0.05


@dataclass(frozen=True)
class ReferenceTimes:
    """One part of one task. ``slow_cases``: 0-based case -> seconds."""

    benchmark: str
    dataset_version: str
    task_id: str
    task_digest: str
    part: str
    num_cases: int
    slow_cases: Mapping[int, float]
    encode_seconds: float

    @property
    def seconds(self) -> list[float]:
        """Per case; 0.0 for one that is not slow."""
        return [self.slow_cases.get(case, 0.0) for case in range(self.num_cases)]


@cache
def shipped() -> Mapping[tuple[str, str], ReferenceTimes]:
    """(task digest, part) -> what it takes."""
    with FILE.open(encoding="utf-8", newline="") as stream:
        rows = [_read(row) for row in csv.DictReader(stream)]
    return {(row.task_digest, row.part): row for row in rows}


@cache
def file_digest() -> str:
    """64 hex characters: part of a grader's identity."""
    return hashlib.sha256(FILE.read_bytes()).hexdigest()


def write(rows: Iterable[ReferenceTimes], path: Path = FILE) -> None:
    """Write the table in the order of benchmark, version, task and part."""
    ordered = sorted(rows, key=lambda row: (row.benchmark, row.dataset_version, row.task_id, row.part))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(ReferenceTimes)], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**asdict(row), "slow_cases": json.dumps(row.slow_cases)} for row in ordered)


def _read(row: Mapping[str, str]) -> ReferenceTimes:
    slow_cases = {int(case): seconds for case, seconds in json.loads(row["slow_cases"]).items()}
    return ReferenceTimes(
        row["benchmark"], row["dataset_version"], row["task_id"], row["task_digest"], row["part"],
        int(row["num_cases"]), slow_cases, float(row["encode_seconds"]),
    )  # fmt: skip
