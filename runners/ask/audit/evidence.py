"""What a detector looks at: one log, read once, and a few questions that several detectors ask of it."""

from __future__ import annotations

import ast
import datetime
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ....ingest.formats import Context, LogFacts, Record
from ....ingest.formats.records import Format

_FENCE = "```"
_METRIC = re.compile(r"pass[@_](?:at_)?(\d+)")


Key = tuple[str, int]
"""(task, sample index)."""


@dataclass(frozen=True)
class Finding:
    """One cause found. ``samples`` are those that it touches, ``effect_points`` what it is worth, in points of percent.

    Positive: the score is that much too high, negative: too low, None: not to be told from the log. ``is_exact``: the
    score without the cause is known; else the effect is the most that it can be, as if every touched sample turned.
    """

    cause_id: str
    sentence: str
    samples: tuple[Key, ...] = ()
    effect_points: float | None = None
    is_exact: bool = False


@dataclass(frozen=True)
class Evidence:
    """A log in memory: facts, stated scores in percent, records in the file's order.

    ``facts`` and ``stated_scores`` hold what score files beside the log say as well. ``texts_beside``: the texts of a
    file of samples that was named with this one. ``cutoff``: the last day of the model's training data.
    """

    format_name: str
    tool: str
    facts: LogFacts
    records: tuple[Record, ...]
    stated_scores: Mapping[str, float] = field(default_factory=dict)
    dataset: tuple[str, str] | None = None
    file_name: str = ""
    cutoff: datetime.date | None = None
    texts_beside: Mapping[Key, str] = field(default_factory=dict)
    num_problems: int | None = None
    """Problems of the benchmark, where its version leaves no doubt."""

    @cached_property
    def by_task(self) -> Mapping[str, Sequence[Record]]:
        found: dict[str, list[Record]] = {}
        for record in self.records:
            found.setdefault(record.task_id, []).append(record)
        return found

    @cached_property
    def num_samples(self) -> int:
        """Samples of the task that has most."""
        return max(map(len, self.by_task.values()), default=0)

    @cached_property
    def num_samples_usual(self) -> int:
        """Samples of the median task."""
        counts = sorted(map(len, self.by_task.values()))
        return counts[len(counts) // 2] if counts else 0

    @cached_property
    def failed(self) -> Sequence[Record]:
        """Judged, and not passed."""
        return [record for record in self.records if is_failed(record)]

    @cached_property
    def passed(self) -> Sequence[Record]:
        return [record for record in self.records if is_passed(record)]

    @cached_property
    def shares(self) -> Mapping[str, float]:
        """Task -> share of its samples that passed, or the mean that the tool kept; tasks without either are absent."""
        passes: dict[str, list[float]] = {}
        for record in self.records:
            if record.task_score is not None:
                passes.setdefault(record.task_id, []).append(record.task_score)
            elif record.judgements:
                passes.setdefault(record.task_id, []).append(float(is_passed(record)))
        return {task_id: math.fsum(several) / len(several) for task_id, several in passes.items()}

    @cached_property
    def percent(self) -> float | None:
        """The score that its own verdicts give, every problem alike; None without verdicts."""
        return percent_of(self.shares)

    @cached_property
    def days(self) -> Mapping[str, datetime.date]:
        """Task -> the day on which it appeared, where the log says."""
        return {
            one.task_id: one.task_facts.contest_date
            for one in self.records
            if one.task_facts is not None and one.task_facts.contest_date is not None
        }

    def weight(self, record: Record) -> float:
        """Points that one sample is worth: a problem counts once, however many judged samples it has."""
        judged = sum(bool(one.judgements) for one in self.by_task[record.task_id])
        return 100 / ((len(self.shares) or len(self.by_task)) * (judged or len(self.by_task[record.task_id])))

    @cached_property
    def stated_ks(self) -> Mapping[str, int]:
        """Name of each stated pass@k -> k."""
        return {name: int(found[1]) for name in self.stated_scores if (found := _METRIC.search(name))}

    def finding(
        self, cause_id: str, touched: Sequence[Record], sentence: str, sign: int = 0, *, is_exact: bool = False
    ) -> Finding | None:
        """None where nothing is touched; ``sign`` 1 where the cause lifts the score of what it touches, -1 lowers.

        Only passes can have been lifted, and only what did not pass lowered.
        """
        if not touched:
            return None
        samples = tuple(key_of(record) for record in touched)
        turned = [record for record in touched if is_passed(record) == (sign > 0)]
        points = sign * math.fsum(map(self.weight, turned)) if sign else None
        words = f"{len(touched)} of {len(self.records)} samples: {sentence}"
        return Finding(cause_id, words, samples, points, is_exact and points is not None)


def evidence_of(path: Path, entry: Format, context: Context) -> Evidence:
    """The log read. BadInput as its reader raises it."""
    log = entry.log(path, context)
    records = tuple(log.records())
    return Evidence(entry.name, entry.tool, log.facts, records, log.stated_scores, log.dataset, path.name)


def key_of(record: Record) -> Key:
    return record.task_id, record.sample_index


def percent_of(shares: Mapping[str, float]) -> float | None:
    """Mean over problems in percent; None of none."""
    return 100 * math.fsum(shares.values()) / len(shares) if shares else None


def is_passed(record: Record) -> bool:
    return bool(record.judgements) and all(one.verdict == "pass" for one in record.judgements.values())


def is_failed(record: Record) -> bool:
    return bool(record.judgements) and not is_passed(record)


def said(record: Record) -> str:
    """Everything that the grader said of a sample, as one text."""
    return " ".join(str(value) for value in record.notes.values() if value)


def error_code(record: Record) -> int | None:
    """LiveCodeBench's ``error_code`` of a sample, None where there is none."""
    found = re.search(r'"error_code"\s*:\s*(-?\d+)', str(record.notes.get("metadata") or ""))
    return int(found[1]) if found else None


def doc(record: Record) -> Mapping[str, Any]:
    """The problem as lm-evaluation-harness logs it."""
    found = record.notes.get("doc")
    return found if isinstance(found, Mapping) else {}


def blocks(text: str) -> list[str]:
    """Contents of closed fenced blocks, in order."""
    return re.findall(r"```[^\n`]*\n(.*?)```", text, re.DOTALL)


def fence_lines(text: str) -> int:
    return sum(_FENCE in line for line in text.split("\n"))


def parses(program: str) -> bool:
    """Whether this is Python; parsed, never run."""
    try:
        ast.parse(program)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def equal_texts(evidence: Evidence) -> Iterator[tuple[str, bool]]:
    """(task, whether all of its samples are one text), of tasks with at least two texts."""
    for task_id, records in evidence.by_task.items():
        texts = [record.text for record in records if record.text is not None]
        if len(texts) >= 2:
            yield task_id, len(set(texts)) == 1


Detector = Callable[[Evidence], Finding | None]
