"""What a detector looks at: one log, read once, and a few questions that several detectors ask of it."""

from __future__ import annotations

import ast
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


@dataclass(frozen=True)
class Finding:
    """One cause found. ``samples`` are those that it touches; ``effect_points`` is what they are worth at most.

    Positive: the score is that much too high, negative: too low, None: not to be told from the log.
    """

    cause_id: str
    sentence: str
    samples: tuple[tuple[str, int], ...] = ()
    effect_points: float | None = None


@dataclass(frozen=True)
class Evidence:
    """A log in memory: facts, stated scores in percent, records in the file's order."""

    format_name: str
    tool: str
    facts: LogFacts
    records: tuple[Record, ...]
    stated_scores: Mapping[str, float] = field(default_factory=dict)
    dataset: tuple[str, str] | None = None

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
    def failed(self) -> Sequence[Record]:
        """Judged, and not passed."""
        return [record for record in self.records if is_failed(record)]

    @cached_property
    def passed(self) -> Sequence[Record]:
        return [record for record in self.records if is_passed(record)]

    @cached_property
    def stated_ks(self) -> Mapping[str, int]:
        """Name of each stated pass@k -> k."""
        return {name: int(found[1]) for name in self.stated_scores if (found := _METRIC.search(name))}

    def finding(self, cause_id: str, touched: Sequence[Record], sentence: str, sign: int = 0) -> Finding | None:
        """None where nothing is touched; ``sign`` 1 where the cause lifts the score of what it touches, -1 lowers."""
        if not touched:
            return None
        samples = tuple((record.task_id, record.sample_index) for record in touched)
        points = sign * 100 * len(touched) / len(self.records) if sign else None
        return Finding(cause_id, f"{len(touched)} of {len(self.records)} samples: {sentence}", samples, points)


def evidence_of(path: Path, entry: Format, context: Context) -> Evidence:
    """The log read. BadInput as its reader raises it."""
    log = entry.log(path, context)
    return Evidence(entry.name, entry.tool, log.facts, tuple(log.records()), log.stated_scores, log.dataset)


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
