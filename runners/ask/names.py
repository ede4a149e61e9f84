"""Names that people type: the one that is meant, or the nearest ones."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...ingest.errors import UsageError

if TYPE_CHECKING:
    import duckdb


def rows(connection: duckdb.DuckDBPyConnection, query: str, **values: Any) -> list[dict[str, Any]]:
    """Rows of a query with ``$name`` values, as dicts."""
    result = connection.execute(query, values)
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def model_meant(connection: duckdb.DuckDBPyConnection, word: str) -> str:
    """The model of this name, or the only one whose name without its organisation is ``word``; else UsageError."""
    return meant(word, [row["model"] for row in rows(connection, "select model from dim_models order by 1")], "model")


def meant(word: str, names: Sequence[str], noun: str) -> str:
    """The one of ``names`` that ``word`` means: the name itself, or all of it behind the organisation, in any case.

    Raises UsageError where none or several are meant.
    """
    if word in names:
        return word
    lowered = word.lower()
    found = [name for name in names if lowered in (name.lower(), name.lower().split("__", 1)[-1])]
    if len(found) == 1:
        return found[0]
    close = (
        found or difflib.get_close_matches(lowered, names, n=3, cutoff=0.4) or [n for n in names if lowered in n][:3]
    )
    several = "several are meant" if found else f"there is no {noun} {word}"
    hint = f"nearest: {', '.join(close)}" if close else f'benchforge sql "select distinct {noun} from leaderboard"'
    raise UsageError(f"{word}: several {noun}s are meant" if found else several, hint)
