"""What the document begins with: the findings in a few lines, all of them counted from the figures."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from .boards import RECORDED
from .figures import BoardFigures, Figures
from .pictures import ROUNDING

_WIDTH = 120


def summary(figures: Figures) -> str:
    """A list in Markdown: what was read, executed, left out, what does not stand, what can be told apart."""
    points = (_read(figures), _executed(figures), _not_reached(figures), _moved(figures), _no_counts(figures))
    lines = [point for point in (*points, _told(figures)) if point]
    return "\n".join(textwrap.fill(line, _WIDTH, initial_indent="- ", subsequent_indent="  ") for line in lines) + "\n"


def _read(figures: Figures) -> str:
    number = len(figures.boards) + len(figures.totals)
    return f"Read: {number} boards with {figures.num_rows:,} rows, and {len(figures.runs)} runs beside them."


def _executed(figures: Figures) -> str:
    regraded = figures.regraded
    by_cause = Counter(cause for _, cause in regraded.differing)
    named = ", ".join(f"{number} {cause}" for cause, number in sorted(by_cause.items(), key=lambda one: (-one[1], one)))
    return (
        f"Executed again: {regraded.num_verdicts:,} recorded verdicts and {regraded.num_without_recorded:,} samples "
        f"that nobody had graded; {len(regraded.differing):,} verdicts differ{f' ({named})' if named else ''}."
    )


def _not_reached(figures: Figures) -> str:
    """Said in numbers: a dash in a table is easily taken for a verdict that stands."""
    left = figures.regraded.not_reached
    if not left:
        return ""
    shown = ", ".join(f"{number:,} of {where(*cell)} in {runs} runs" for *cell, number, runs in left)
    return (
        f"Not reached: {sum(row[2] for row in left):,} recorded verdicts that can be executed here and were not "
        f"({shown}). They stand as recorded, with a dash under *official* and *strict*: nothing is known of them."
    )


def where(benchmark: str, scenario: str) -> str:
    return benchmark if scenario == "default" else scenario


def _moved(figures: Figures) -> str:
    found = [words for board in figures.boards for words in _not_standing(board)]
    return f"Published, and not what the recorded verdicts give: {'; '.join(found)}." if found else ""


def _not_standing(one: BoardFigures) -> Iterator[str]:
    for row in one.rows:
        recorded = row.readings[RECORDED].percent
        if row.published is not None and abs(row.published - recorded) > ROUNDING:
            ranks = f", rank {row.published_rank} → {row.standing.rank}"
            moved = ranks if row.published_rank != row.standing.rank else ""
            yield f"{row.name} on {one.board.title} {row.published:g} → {recorded:.2f}{moved}"


def _no_counts(figures: Figures) -> str:
    rows = [row for one in figures.totals for row in one.rows]
    none = sum(row.num_problems is None for row in rows)
    return f"Printed, and no count of any size of the benchmark: {none} of {len(rows):,} totals." if rows else ""


def _told(figures: Figures) -> str:
    pairs = [one.told for one in figures.boards]
    total, before, after = (sum(one[place] for one in pairs) for place in range(3))
    lcb = next((one.told for one in figures.boards if one.board.key == "lcb_generation"), None)
    known = "" if lcb is None else f"; on LiveCodeBench v1 with {lcb[0] + 1} models {lcb[1]} and {lcb[2]} of {lcb[0]}"
    return (
        f"Of {total} pairs of neighbours on boards with results by problem {before} can be told apart when one pair is "
        f"asked and {after} when the board is{known}."
    )
