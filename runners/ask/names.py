"""Names that people type: the one that is meant, or the nearest ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...ingest.errors import UsageError
from ...ingest.names import did_you_mean, near

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


def refuse_unknown(connection: duckdb.DuckDBPyConnection, given: Mapping[str, str | None]) -> None:
    """UsageError for the first column whose value stands nowhere on the boards, nor among refused numbers.

    ``given`` maps columns of ``leaderboard`` to a value or a pattern; None and patterns with ``*`` are let pass.
    """
    for column, value in given.items():
        if not value or "*" in value:
            continue
        query = f"select {column} as name from leaderboard union select {column} from fct_refusals"
        known = sorted(row["name"] for row in rows(connection, query) if row["name"])
        if value not in known:
            hint = f"one of {', '.join(known)}" if known else "benchforge aggregate"
            raise UsageError(f"the marts have no {column} {value!r}{did_you_mean(value, known)}", hint)


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
    close = found or near(lowered, names, 3, cutoff=0.4) or [n for n in names if lowered in n][:3]
    several = "several are meant" if found else f"there is no {noun} {word}"
    hint = f"nearest: {', '.join(close)}" if close else f'benchforge sql "select distinct {noun} from leaderboard"'
    raise UsageError(f"{word}: several {noun}s are meant" if found else several, hint)
