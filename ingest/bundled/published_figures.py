"""Published figures of recorded files: as stated, as printed, and recomputed from their own verdicts, in percent."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

from ..formats import Record, Recording
from ..formats.source_files import read_content
from ..pins import Pin
from ..recorded.rows import Asked


@dataclass(frozen=True)
class Source:
    """One public repository of scored files and where they lie below DIR."""

    name: str
    licence: str
    benchmark: str
    folder: str
    format_name: str
    scenarios: Mapping[str, str]
    facts_file: str = ""
    leaderboard_file: str = ""


@dataclass(frozen=True)
class ScoredFile:
    """One scored file, read and reconciled."""

    source: Source
    pin: Pin
    asked: Asked
    recording: Recording
    num_planned: int
    shard_id: str


def figures_of(file: ScoredFile, printed: Mapping[tuple[str, str], str]) -> Iterator[dict[str, Any]]:
    """One row of ``seeds/published_scores.csv`` per score that the file states, all in percent."""
    by_task: dict[str, list[Record]] = {}
    for record in file.recording.records:
        by_task.setdefault(record.task_id, []).append(record)
    for metric, published in sorted(file.recording.stated_scores.items()):
        k = int(metric.removeprefix("pass@"))
        reason = _exception_reason(file, k)
        scores = _recomputed(by_task.values(), k) if file.num_planned >= k else (None, None)
        # the page shows pass@1 at temperature 0.2 and pass@5 at 0.8: columns i@1, i@5, o@1, o@5
        column = f"{file.asked.scenario[-1]}@{k}" if (k, file.asked.temperature) in ((1, 0.2), (5, 0.8)) else ""
        yield {
            "model": file.asked.model,
            "benchmark": file.asked.benchmark,
            "scenario": file.asked.scenario,
            "protocol": file.asked.protocol,
            "temperature": file.asked.temperature,
            "test_set": file.pin.test_sets(file.asked.scenario)[0],
            "metric": metric,
            "k": k,
            "num_problems": len(by_task),
            "num_samples": file.num_planned,
            "published": repr(published),
            "leaderboard": printed.get((_recorded_name(file.asked), column), ""),
            "recomputed": scores[0],
            "recomputed_strict_n": scores[1],
            "source": file.source.name,
            "is_exception": "true" if reason else "false",
            "exception_reason": reason,
        }


def _recomputed(tasks: Iterable[Sequence[Record]], k: int) -> tuple[str, str]:
    """Over the answers that the official scorer kept, and over all planned; percent to six decimals."""
    kept, strict, count = Fraction(0), Fraction(0), 0
    for records in tasks:
        verdicts = [record.judgements["base"] for record in records]
        passes = sum(judgement.verdict == "pass" for judgement in verdicts)
        survivors = sum(judgement.reason != "empty" for judgement in verdicts)
        kept += _pass_at_k(survivors, passes, k) if passes else 0
        strict += _pass_at_k(len(verdicts), passes, k)
        count += 1
    return _percent(kept / count), _percent(strict / count)


def _pass_at_k(n: int, c: int, k: int) -> Fraction:
    """1 - C(n-c, k) / C(n, k) of n samples with c passes (arXiv 2107.03374), exactly."""
    return 1 - Fraction(comb(n - c, k), comb(n, k))


def _percent(value: Fraction) -> str:
    return f"{float(100 * value):.6f}"


def _exception_reason(file: ScoredFile, k: int) -> str:
    if file.num_planned < k:
        return f"pass@{k} of {file.num_planned} samples is no estimate: the official formula gives 100 when n < k"
    records = file.recording.records
    dropped = sum(record.judgements["base"].reason == "empty" for record in records)
    if dropped:
        return (
            f"the official scorer leaves {dropped} of {len(records)} answers out of the denominator; "
            "counted as wrong they give recomputed_strict_n"
        )
    return ""


def printed_figures(source: Source, directory: Path) -> dict[tuple[str, str], str]:
    """(recorded model name, column) -> figure as the source's own page prints it."""
    if not source.leaderboard_file:
        return {}
    text = read_content(directory / source.leaderboard_file).decode()
    figures = {}
    for row in csv.DictReader(io.StringIO(text)):
        # the page shortens one name and adds n to others
        name = re.sub(r" \(n=\d+\)$", "", row["Model"]).replace("claude-3-opus", "claude-3-opus-20240229")
        figures.update({(name, column): row[column] for column in ("i@1", "i@5", "o@1", "o@5") if row[column] != "-"})
    return figures


def _recorded_name(asked: Asked) -> str:
    return asked.model.removeprefix("unknown__") + ("+cot" if asked.protocol == "cot" else "")


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: [str(row[name]) for name in list(row)[:8]]))
    return buffer.getvalue()
