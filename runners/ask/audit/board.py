"""Where a score stands on a published board, and whether its neighbours can be told from it.

A board is a table of names and scores: a CSV file, or the recorded one (``seeds/published_scores.csv``). It holds no
verdicts, so neighbours are compared as if they had been asked different problems: two shares of N problems each, one
pass or failure added to either side (Agresti & Caffo 2000), p-values corrected for the two neighbours (Holm 1979).
That is the careful side: paired logs can tell more (``pairs``).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ....ingest.errors import BadInput
from ....ingest.formats.source_files import read_content
from .known import FILE
from .numbers import Number
from .report import Audit

SIGNIFICANT = 0.05
PUBLISHED = FILE.with_name("published_scores.csv")
BOARD_COLUMNS = (
    *("file", "reading", "percent", "rank", "num_models", "neighbour", "neighbour_percent", "difference"),
    *("p_holm", "is_distinguishable"),
)
_WRITE = "columns are name, score and n (problems asked); num_samples may stand beside"
_TEMPERATURE = "0.2"
_SAME = 0.005


@dataclass(frozen=True)
class Entry:
    """One row of a board: score in percent, over so many problems with so many samples each."""

    name: str
    percent: float
    num_problems: int
    num_samples: int | None = None


@dataclass(frozen=True)
class Board:
    """Entries in falling order of their scores; ``notes`` are what is wrong with the table itself."""

    title: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()


def read_board(path: Path) -> Board:
    """A CSV file of ``name,score,n[,num_samples]``; shares where no score is above 1. BadInput with the line."""
    try:
        text = read_content(path).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} is no CSV file: {error}", _WRITE) from error
    if not rows or not {"name", "score", "n"} <= set(rows[0]):
        raise BadInput(f"{path} is no board", _WRITE)
    found = [_entry(path, line, row) for line, row in enumerate(rows, start=2)]
    scale = 100 if max(one.percent for one in found) <= 1 else 1
    entries = [Entry(one.name, scale * one.percent, one.num_problems, one.num_samples) for one in found]
    return board_of(path.name, entries)


def _entry(path: Path, line: int, row: Mapping[str, str | None]) -> Entry:
    name = (row["name"] or "").strip()
    try:
        score, n = float(row["score"] or ""), int(row["n"] or "")
        several = int(row["num_samples"]) if row.get("num_samples") else None  # type: ignore[arg-type]
    except ValueError as error:
        raise BadInput(f"{path} line {line}: {error}", _WRITE) from error
    if not name or not math.isfinite(score) or score > 100 or n < 1:
        raise BadInput(f"{path} line {line}: {name or 'no name'} has score {score:g} of {n} problems", _WRITE)
    return Entry(name, score, n, several)


def board_of(title: str, entries: Sequence[Entry]) -> Board:
    """Sorted, without what is no score; every oddity in words."""
    scored = [one for one in entries if one.percent >= 0]
    falling = tuple(sorted(scored, key=lambda one: (-one.percent, one.name)))
    return Board(title, falling, tuple(_oddities(entries)))


def _oddities(entries: Sequence[Entry]) -> Iterator[str]:
    """Notes that carry the name of the known cause, where there is one."""
    below = [one.name for one in entries if one.percent < 0]
    if below:
        yield f"sentinel_averaged: {len(below)} scores below 0 mean not run and are left out ({', '.join(below[:5])})"
    names = [one.name for one in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield f"{len(twice)} names stand twice on the board ({', '.join(twice[:5])})"
    if len({one.num_samples for one in entries}) > 1:
        yield "mixed_n_on_one_board: rows of different numbers of samples stand side by side, and their noise differs"
    if len({one.num_problems for one in entries}) > 1:
        yield "rows over different numbers of problems stand side by side"
    odd = [one.name for one in entries if is_impossible(one)]
    if odd:
        yield f"{len(odd)} scores are no multiple of one problem ({', '.join(odd[:5])})"


def is_impossible(entry: Entry) -> bool:
    """Whether no number of passes gives this score, at the decimals it is printed with; unknown for several samples."""
    if entry.num_samples not in (None, 1) or entry.percent < 0:
        return False
    decimals = len(f"{entry.percent:.10g}".partition(".")[2])
    nearest = 100 * round(entry.percent * entry.num_problems / 100) / entry.num_problems
    return abs(nearest - entry.percent) > 0.5000001 * 10.0**-decimals


@cache
def recorded_board(benchmark: str, scenario: str) -> Board | None:
    """Published pass@1 at temperature 0.2 of all recorded models; None where no table of it is recorded."""
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["benchmark"], row["scenario"]) == (benchmark, scenario)]
    kept = [row for row in rows if row["metric"] == "pass@1" and row["temperature"] == _TEMPERATURE]
    entries = [
        Entry(
            row["model"].removeprefix("unknown__") + ("+cot" if row["protocol"] == "cot" else ""),
            float(row["published"]),
            int(row["num_problems"]),
            int(row["num_samples"]),
        )
        for row in kept
    ]
    title = f"{benchmark} {scenario}, published at {', '.join(sorted({row['source'] for row in kept}))}"
    return board_of(title, entries) if entries else None


def board_rows(audits: Sequence[Audit], board: Board) -> list[dict[str, object]]:
    """Every reading of every log beside the next better and the next worse entry of the board."""
    return [
        {"file": audit.file, "reading": one.reading, "percent": round(one.percent, 4), **row}
        for audit in audits
        for one in _on_board(audit)
        for row in _neighbours(one.percent, one.num_problems, _without(board, audit))
    ]


def _on_board(audit: Audit) -> list[Number]:
    """Readings that a board can hold: pass@1 as stated, and every recomputed one."""
    return [one for one in audit.numbers if "pass@" not in one.reading or one.reading.endswith("pass@1")]


def _without(board: Board, audit: Audit) -> tuple[Entry, ...]:
    """The others: a log that is on the board itself stands there by its stated or its own score, once."""
    own = {one.percent for one in audit.numbers if not one.reading.endswith("rules")}
    is_own = [
        one.name == audit.model or any(abs(one.percent - score) < _SAME for score in own) for one in board.entries
    ]
    first = is_own.index(True) if True in is_own else None
    return tuple(one for place, one in enumerate(board.entries) if place != first)


def _neighbours(percent: float, num_problems: int | None, others: Sequence[Entry]) -> list[dict[str, object]]:
    from ....macros.families import holm

    better = [one for one in others if one.percent > percent]
    found = [*better[-1:], *others[len(better) : len(better) + 1]]
    sizes = [num_problems or one.num_problems for one in found]
    p_values = [p_of_difference(percent, size, one) for size, one in zip(sizes, found, strict=True)]
    return [
        {
            "rank": len(better) + 1,
            "num_models": len(others) + 1,
            "neighbour": one.name,
            "neighbour_percent": round(one.percent, 4),
            "difference": round(percent - one.percent, 4),
            "p_holm": round(float(p), 4),
            "is_distinguishable": bool(p < SIGNIFICANT),
        }
        for one, p in zip(found, holm(p_values) if p_values else (), strict=True)
    ]


def p_of_difference(percent: float, num_problems: int, other: Entry) -> float:
    """Two-sided, normal, of two shares with one pass and one failure added to each (Agresti & Caffo 2000).

    With several samples per problem the variance of a problem's share is at most p (1 - p): still the careful side.
    """
    shares = [(p * n / 100 + 1, n + 2) for p, n in ((percent, num_problems), (other.percent, other.num_problems))]
    (first, n), (second, m) = ((passed / number, number) for passed, number in shares)
    error = math.sqrt(first * (1 - first) / n + second * (1 - second) / m)
    return math.erfc(abs(first - second) / error / math.sqrt(2))
