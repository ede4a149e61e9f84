"""Questions to a file of marts: one reading statement, the estimators at hand, nearest names for a misspelt one."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...ingest.errors import BadInput, NotStaged, UsageError
from ..aggregate import opened

if TYPE_CHECKING:
    import duckdb

_SCHEMAS = "main,staging,intermediate,seeds"
_MISSING_TABLE = re.compile(r'Table (?:with name|Function with name) "?([^"\s!]+)"? does not exist')
_MISSING_FUNCTION = re.compile(r'Function with name "?([^"\s!]+)"? does not exist')
_MISSING_COLUMN = re.compile(r'(?:Referenced column|column named?|have a column named) "([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """Rows as dicts, and the columns in order."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


def ask(path: Path, query: str) -> Answer:
    """Run one SELECT (or EXPLAIN, DESCRIBE, SHOW) on the file of marts at ``path``, read-only.

    Tables of all layers are found by name alone. Raises UsageError for a statement that writes, several statements,
    or an unknown name (with the nearest ones), NotStaged where nothing was built.
    """
    import duckdb

    if not path.exists():
        raise NotStaged(f"there are no marts at {path}", "benchforge aggregate")
    with opened(path, with_functions=True) as connection:
        connection.execute(f"set search_path = '{_SCHEMAS}'").fetchall()
        _refuse_writing(connection, query)
        try:
            result = connection.execute(query)
            columns = tuple(column[0] for column in result.description or ())
            return Answer(columns, tuple(_row(columns, row) for row in result.fetchall()))
        except duckdb.Error as error:
            raise _explained(connection, error) from error


def _refuse_writing(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    import duckdb

    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise UsageError(_sentence(error), 'benchforge sql "select * from headline"') from error
    if len(statements) != 1:
        raise UsageError(f"one statement is needed, {len(statements)} were given", "ask them one by one")
    kind = statements[0].type.name
    if kind not in ("SELECT", "EXPLAIN"):
        raise UsageError(f"{kind} is refused: the marts are read-only", "ask with SELECT")


def _row(columns: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    return {
        name: value.hex() if isinstance(value, bytes) else value for name, value in zip(columns, values, strict=True)
    }


def _explained(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> Exception:
    """The error as one sentence with the names that come nearest."""
    text = str(error)
    lookups = (
        (_MISSING_COLUMN, "column", "select distinct column_name from information_schema.columns"),
        (_MISSING_FUNCTION, "function", "select distinct function_name from duckdb_functions()"),
        (_MISSING_TABLE, "table", "select distinct table_name from information_schema.tables"),
    )
    for pattern, noun, query in lookups:
        found = pattern.search(text)
        if found:
            names = sorted(name for (name,) in connection.execute(query).fetchall())
            if found[1].split(".")[-1].lower() in names:
                return UsageError(_sentence(error), _holders(connection, noun, found[1]))
            return UsageError(f"there is no {noun} {found[1]}", _nearest(found[1], names))
    if "No files found" in text or "Cannot open file" in text:
        return BadInput(f"the lake has moved since the marts were built: {_sentence(error)}", "benchforge aggregate")
    return UsageError(_sentence(error), 'benchforge sql "select table_name from information_schema.tables"')


def _holders(connection: duckdb.DuckDBPyConnection, noun: str, word: str) -> str:
    """The name exists, but not in this place of the query: DuckDB's sentence is true, and this says where it is."""
    if noun != "column":
        return 'benchforge sql "show all tables"'
    query = "select distinct table_name from information_schema.columns where lower(column_name) = lower(?) order by 1"
    tables = [name for (name,) in connection.execute(query, [word.split(".")[-1]]).fetchall()]
    return f"{word} is a column of {', '.join(tables[:5])}{' and others' if len(tables) > 5 else ''}"


def _nearest(word: str, names: list[str]) -> str:
    close = difflib.get_close_matches(word.split(".")[-1].lower(), names, n=3, cutoff=0.5)
    return f"nearest: {', '.join(close)}" if close else 'benchforge sql "show all tables"'


def _sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
