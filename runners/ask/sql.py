"""Questions to a file of marts: answers by the batch, nearest names for a misspelt one, an end that Ctrl-C reaches."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...ingest.errors import BadInput, UsageError
from ...ingest.names import near
from .reading import opened_for_questions

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_MISSING_TABLE = re.compile(r'Table (?:with name|Function with name) "?([^"\s!]+)"? does not exist')
_MISSING_FUNCTION = re.compile(r'Function with name "?([^"\s!]+)"? does not exist')
_MISSING_COLUMN = re.compile(r'(?:Referenced column|column named?|have a column named) "([^"]+)"')
_ROWS_A_BATCH = 10_000
_LOOK_EVERY_SECONDS = 0.2

Watch = Callable[[float], None]
"""Is told how much of a query is done, in percent, a few times a second."""


@dataclass(frozen=True)
class Answer:
    """Rows as dicts, and the columns in order."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Asked:
    """An answer whose rows are read once, by the batch: columns in order, rows as DuckDB gives them."""

    columns: tuple[str, ...]
    batches: Iterator[list[tuple[Any, ...]]]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Rows as dicts, bytes as hexadecimal text; 10,000 in memory at a time."""
        for batch in self.batches:
            yield from (_row(self.columns, values) for values in batch)


def ask(path: Path, query: str, parameters: Mapping[str, str] | None = None) -> Answer:
    """Run one SELECT (or EXPLAIN, DESCRIBE, SHOW) on the file of marts at ``path``, read-only.

    Tables of all layers are found by name alone. Raises UsageError for a statement that writes, several statements,
    or an unknown name (with the nearest ones), NotStaged where nothing was built.
    """
    with asked(path, query, parameters) as answer:
        return Answer(answer.columns, tuple(answer.rows()))


@contextmanager
def asked(
    path: Path, query: str, parameters: Mapping[str, str] | None = None, watch: Watch = lambda percent: None
) -> Iterator[Asked]:
    """As ``ask``, by the batch; ``parameters`` are the values of ``$name``. KeyboardInterrupt ends the query."""
    with _explaining(path, query) as connection:
        result = _watched(connection, lambda: connection.execute(query, dict(parameters or {})), watch)
        columns = tuple(column[0] for column in result.description or ())
        yield Asked(columns, iter(lambda: result.fetchmany(_ROWS_A_BATCH), []))


@contextmanager
def asked_for_arrow(
    path: Path, query: str, parameters: Mapping[str, str] | None = None, watch: Watch = lambda percent: None
) -> Iterator[pa.RecordBatchReader]:
    """As ``asked``, with the types of DuckDB: a reader of Arrow batches."""
    with _explaining(path, query) as connection:
        relation = connection.sql(query, params=dict(parameters or {}))
        yield _watched(connection, lambda: relation.to_arrow_reader(_ROWS_A_BATCH), watch)


@contextmanager
def _explaining(path: Path, query: str) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    with opened_for_questions(path, query) as connection:
        try:
            yield connection
        except duckdb.Error as error:
            raise _explained(connection, error) from error


def _watched(connection: duckdb.DuckDBPyConnection, work: Callable[[], Any], watch: Watch) -> Any:
    """``work`` in a thread of its own: a query holds the interpreter's signals back until it is done.

    Waits for an event and never for the thread: Ctrl-C in ``Thread.join`` of CPython 3.11 makes a running thread look
    ended (``_wait_for_tstate_lock``), and the connection would be closed under it.
    """
    done: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)
        finally:
            ended.set()

    ended = threading.Event()
    threading.Thread(target=run, daemon=True).start()
    try:
        while not ended.wait(_LOOK_EVERY_SECONDS):
            watch(_percent(connection))
    except BaseException:
        while not ended.is_set():
            with suppress(KeyboardInterrupt):  # an impatient second one: the connection is still in use
                _interrupt(connection)
                ended.wait(_LOOK_EVERY_SECONDS)
        raise
    if failed:
        raise failed[0]
    return done[0]


def _percent(connection: duckdb.DuckDBPyConnection) -> float:
    """A connection that is just being used refuses to say (seen on DuckDB 2.0.0, between two steps of a query)."""
    import duckdb

    try:
        return connection.query_progress()
    except duckdb.Error:
        return -1.0


def _interrupt(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    with suppress(duckdb.Error):
        connection.interrupt()


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
    close = near(word.split(".")[-1], names, 3)
    return f"nearest: {', '.join(close)}" if close else 'benchforge sql "show all tables"'


def _sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
