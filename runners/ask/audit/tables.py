"""Question-level tables of many models, as eval-arena has them: every model counted, ranked, told from the next.

Nothing is graded and no text is seen, so this is of any benchmark, run here or not: a problem that a model lacks counts
as wrong, as everywhere, and is said. Intervals, rank intervals and what can be told are those of ``boards.neighbours``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ....ingest.errors import UsageError
from ....ingest.formats import table_registry
from ....ingest.formats.eval_arena import Cell, by_model, read_table
from ....ingest.formats.glimpse import look
from ....ingest.formats.recognise import formats_of
from ....ingest.recorded.tables import refuse_twice
from ..boards.neighbours import Standing, num_told, standings

STANDING_COLUMNS = (
    *("file", "model", "percent", "interval_low", "interval_high", "num_problems", "rank", "rank_low", "rank_high"),
    *("is_told_as_pair", "is_told_on_board"),
)


@dataclass(frozen=True)
class Standings:
    """``rows``: models of tables, best first, with ``STANDING_COLUMNS``; ``notes``: what should be known beside."""

    rows: tuple[dict[str, object], ...] = ()
    notes: tuple[str, ...] = ()


def is_table(path: Path) -> bool:
    """BadInput for a file that cannot be read."""
    return any(one.name in table_registry() for one in formats_of(look(path)))


def standings_of(path: Path) -> Standings:
    """Every model on all problems of the table. BadInput for a broken one, UsageError of one model alone."""
    table = read_table(path)
    models = _named(path, list(by_model(table.cells)))
    if len(models) < 2:
        raise UsageError(f"{path} holds one model: there is nobody to rank it with", f"benchforge import auto {path}")
    problems = dict.fromkeys(cell.task_id for cell in table.cells)
    scores = {name: {**dict.fromkeys(problems, 0.0), **_shares(cells)} for name, cells in models.items()}
    ranked = standings(scores)
    pairs, before, after = num_told(ranked)
    told = f"of {pairs} pairs of neighbours {before} can be told apart when that pair is asked, {after} when all are"
    gaps = [_gap(name, cells, len(problems)) for name, cells in models.items() if len(cells) < len(problems)]
    rows = tuple({"file": path.name, **_row(one), "num_problems": len(problems)} for one in ranked)
    return Standings(rows, (f"{path.name}: {table.title}, {told}", *gaps))


def _row(one: Standing) -> dict[str, object]:
    return {
        "model": one.name,
        "percent": round(one.score, 4),
        "interval_low": round(one.low, 2),
        "interval_high": round(one.high, 2),
        "rank": one.rank,
        "rank_low": one.rank_low,
        "rank_high": one.rank_high,
        "is_told_as_pair": one.is_told_before,
        "is_told_on_board": one.is_told_after,
    }


def _named(path: Path, found: Sequence[tuple[str, float | None, list[Cell]]]) -> dict[str, list[Cell]]:
    """Models by name, with the temperature where one stands there at several."""
    for _, _, cells in found:
        refuse_twice(path, cells)
    several = {name for name, number in Counter(model for model, _, _ in found).items() if number > 1}
    return {f"{model} at {temperature}" if model in several else model: cells for model, temperature, cells in found}


def _shares(cells: Sequence[Cell]) -> dict[str, float]:
    return {cell.task_id: cell.share for cell in cells}


def _gap(name: str, cells: Sequence[Cell], num_problems: int) -> str:
    own = 100 * sum(cell.share for cell in cells) / len(cells)
    return (
        f"missing_samples: {name} lacks {num_problems - len(cells)} of {num_problems} problems, which count as wrong "
        f"here; {own:.2f} without them"
    )
