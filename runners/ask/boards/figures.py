"""Everything that the document says, as rows: from the marts, and from tables of totals that no lake can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .boards import BOARDS, Board, Row, rows_of, twins
from .differences import Regraded, published_of, regraded, single_runs
from .neighbours import num_told
from .pictures import Moved, Share, moved_picture, shares_picture
from .recorded_sets import recorded_files
from .totals import BOARDS as TOTALS_BOARDS
from .totals import Total, TotalsBoard, share_possible, totals

_PUBLISHED = {
    ("humanevalplus", "default", "base"): "HumanEval",
    ("humanevalplus", "default", "plus"): "HumanEval+",
    ("mbppplus", "default", "base"): "MBPP",
    ("mbppplus", "default", "plus"): "MBPP+",
    ("cruxeval", "cruxeval_i", "full"): "CRUXEval-I CoT",
    ("cruxeval", "cruxeval_o", "full"): "CRUXEval-O CoT",
    ("livecodebench", "generation", "v5"): "LiveCodeBench codegen release_v5",
    ("livecodebench", "generation", "v6"): "LiveCodeBench codegen release_v6",
    ("humaneval", "default", "base"): "HumanEval",
}
"""Cell -> the benchmark's name where published scores of single runs are listed."""


@dataclass(frozen=True)
class BoardFigures:
    board: Board
    rows: Sequence[Row]
    twins: Sequence[tuple[str, str]] = ()

    @property
    def told(self) -> tuple[int, int, int]:
        return num_told([row.standing for row in self.rows])


@dataclass(frozen=True)
class TotalsFigures:
    board: TotalsBoard
    rows: Sequence[Total]


@dataclass(frozen=True)
class Figures:
    boards: Sequence[BoardFigures]
    totals: Sequence[TotalsFigures]
    regraded: Regraded
    runs: Sequence[dict[str, Any]]
    sources: Sequence[tuple[str, str, int]]
    share_possible: float
    share_possible_hard: float

    @property
    def num_rows(self) -> int:
        return sum(len(one.rows) for one in (*self.boards, *self.totals))


def figures(marts_path: Path, directory: Path, datasets: Path) -> Figures:
    """Raises BadInput where the marts cannot be opened."""
    from ...aggregate import opened

    with opened(marts_path) as marts:
        marts.execute("set search_path = 'main,intermediate,staging,seeds'")
        boards = [
            BoardFigures(board, rows, twins(marts, board, rows)) for board in BOARDS if (rows := rows_of(marts, board))
        ]
        again = regraded(marts, datasets)
        runs = single_runs(marts, frozenset(board.source for board in BOARDS))
    return Figures(
        boards,
        [TotalsFigures(board, totals(directory, board)) for board in TOTALS_BOARDS],
        again,
        _with_published(runs, directory, again),
        _sources(directory),
        share_possible(164, 1),
        share_possible(148, 1),
    )


def _with_published(runs: Sequence[dict[str, Any]], directory: Path, again: Regraded) -> list[dict[str, Any]]:
    known = published_of(directory)
    return [{**row, "published": known.get(_told(row)), "num_differing": _num_differing(row, again)} for row in runs]


def _num_differing(row: dict[str, Any], again: Regraded) -> int:
    cell = (row["benchmark"], row["scenario"], row["model"])
    return sum((one.benchmark, one.scenario, one.model) == cell for one, _ in again.differing)


def _told(row: dict[str, Any]) -> tuple[str, str, str]:
    """As the list of published scores names it."""
    cell = (row["benchmark"], row["scenario"], row["test_set"])
    name = _PUBLISHED.get(cell, "")
    if row["benchmark"] == "multipl_e":
        name = f"MultiPL-E {row['scenario']}"
    if row["benchmark"] == "bigcodebench":
        name = f"BigCodeBench-{row['scenario'].title()} {row['dataset_version'].partition('-')[0]} (calibrated)"
    return name, row["model"].partition("__")[2], str(row["num_samples"])


def _sources(directory: Path) -> list[tuple[str, str, int]]:
    found = Counter((file.wanted.source or "", file.wanted.licence or "") for file in recorded_files(directory))
    return [(source, licence, number) for (source, licence), number in sorted(found.items())]


def shares(found: Figures) -> str:
    """The picture of all boards: how many neighbours can be told apart."""
    bars = [Share(one.board.title, *one.told) for one in found.boards]
    for board in found.totals:
        told = [
            sum(map(bool, column))
            for column in zip(*((row.is_told_before, row.is_told_after) for row in board.rows), strict=True)
        ]
        bars.append(Share(f"{board.board.title} (totals)", len(board.rows) - 1, *told))
    return shares_picture("Neighbours on public boards that can be told apart", bars)


def moved(found: Figures) -> str:
    """The picture of CRUXEval-I: published against counted."""
    rows = next((one.rows for one in found.boards if one.board.key == "cruxeval_i_1"), ())
    marks = [
        Moved(row.name, row.published or 0.0, row.standing.score, row.standing.low, row.standing.high) for row in rows
    ]
    return moved_picture("CRUXEval-I, pass@1 at temperature 0.2: as published, and with every answer counted", marks)
