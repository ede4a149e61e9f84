"""All that an audit says of the files it was given: logs, what stands beside them, tables of many models."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....ingest.errors import UsageError
from ....ingest.recorded import Wanted
from ...score.pending import Means
from .beside import sorted_out
from .board import Board, board_rows, recorded_board
from .pairs import compared, labels
from .report import Audit, audited
from .tables import Standings, is_table, standings_of

Rows = tuple[Mapping[str, object], ...]


@dataclass(frozen=True)
class Answer:
    """``board``: each log beside its neighbours; ``pairs``: logs beside each other; ``models``: rows of tables."""

    audits: tuple[Audit, ...]
    board: Rows = ()
    pairs: Rows = ()
    models: Rows = ()
    notes: tuple[str, ...] = ()
    """On what is beside logs and in tables; those on a log are its own."""


def answer(
    files: Sequence[Path],
    wanted: Wanted,
    *,
    means: Means | None = None,
    stated: float | None = None,
    board: Board | None = None,
    cutoff: datetime.date | None = None,
) -> Answer:
    """Raises BadInput and UsageError as reading does, before anything is graded; ``stated`` is of one log alone."""
    tables = [path for path in files if is_table(path)]
    models = [standings_of(path) for path in tables]
    logs = [path for path in files if path not in tables]
    audits = _audits(logs, wanted, means, stated, cutoff) if logs else ()
    if stated is not None and not logs:
        raise UsageError("a stated score is of one log, and none is named", "leave --stated out")
    return _with_others(audits, board, models)


def _audits(
    files: Sequence[Path], wanted: Wanted, means: Means | None, stated: float | None, cutoff: datetime.date | None
) -> tuple[Audit, ...]:
    logs, beside = sorted_out(files, wanted)
    if stated is not None and len(logs) > 1:
        raise UsageError(f"a stated score is of one log, and {len(logs)} are named", "audit each log with its own")
    scores = {} if stated is None else {"pass@1 (as published)": stated}
    named = zip(logs, labels([str(path) for path in logs]), strict=True)
    return tuple(
        audited(path, wanted, scores, means, beside=beside, cutoff=cutoff, label=label) for path, label in named
    )


def _with_others(audits: tuple[Audit, ...], published: Board | None, tables: Sequence[Standings]) -> Answer:
    """The board named, else the recorded one of the log's benchmark."""
    rows: list[Mapping[str, object]] = []
    notes = [note for table in tables for note in table.notes]
    for audit in audits:
        board = published or recorded_board(audit.benchmark, audit.scenario)
        if board is not None:
            rows += board_rows([audit], board)
            notes += [f"{board.title}: {len(board.entries)} scores", *board.notes]
    pairs = compared(audits)
    models = tuple(row for table in tables for row in table.rows)
    return Answer(audits, tuple(rows), pairs.rows, models, tuple(dict.fromkeys([*notes, *pairs.notes])))
