"""A file of marts, opened for questions of people: nothing can be written, and nothing outside the lake be read.

Theory of operation. A question may come from anywhere (a pipe, a page, an assistant), so it gets no more than it needs:

- the file is opened read-only, so no statement changes a mart;
- ``enable_external_access = false`` closes files, ATTACH, COPY and extensions; what stays open are the very Parquet
  files that the views of this file name (``allowed_paths``, ``allowed_directories`` where a view names a pattern);
- ``allowed_directories`` would allow COPY *into* that folder, and ``EXPLAIN ANALYZE COPY`` runs what it explains
  (DuckDB 2.0.0: it wrote a file). So one statement is taken, a SELECT or the EXPLAIN of one, by DuckDB's own parser;
- ``lock_configuration = true`` last: no SET of the question opens any of this again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...ingest.errors import NotStaged, UsageError
from ...ingest.schemas import TABLES
from ..aggregate import opened

if TYPE_CHECKING:
    import duckdb

SCHEMAS = "main,staging,intermediate,seeds"
"""Where a name is looked up: the tables of all layers are found by name alone."""

_PARQUET = re.compile(r"'((?:[^']|'')*\.parquet)'")
_FIRST_WILDCARD = re.compile(r"[^/]*[*?\[].*$")
_EXAMPLE = 'benchforge sql "select * from headline"'


@contextmanager
def opened_marts(path: Path, *, with_functions: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A file of marts, read-only, tables of all layers by name, for questions of our own; NotStaged where none is."""
    if not path.exists():
        raise NotStaged(f"there are no marts at {path}", "benchforge aggregate")
    with opened(path, with_functions=with_functions) as connection:
        connection.execute(f"set search_path = '{SCHEMAS}'").fetchall()
        yield connection


def parquet_named(sql: str) -> set[str]:
    """Paths and patterns of the Parquet files that the text of a view names."""
    return {found.replace("''", "'") for found in _PARQUET.findall(sql)}


@contextmanager
def opened_for_questions(path: Path, query: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connection that can answer ``query`` and nothing else; estimators and the lake's tables by their names.

    Raises NotStaged where nothing was built at ``path``, UsageError for what is not one reading statement.
    """
    with opened_marts(path, with_functions=True) as connection:
        refuse_writing(connection, query)
        _name_lake_tables(connection, query)
        _close_everything_else(connection)
        yield connection


def refuse_writing(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Raise UsageError unless ``query`` is one SELECT (DESCRIBE, SHOW, PIVOT as such) or the EXPLAIN of one."""
    kind = _kind(connection, query)
    if kind == "EXPLAIN":
        kind = _kind(connection, _explained(query))
    if kind == "MULTI":
        raise UsageError("PIVOT without its values is refused: it makes a type", "PIVOT … ON column IN ('a', 'b')")
    if kind != "SELECT":
        raise UsageError(f"{kind} is refused: the marts are read-only", "ask with SELECT")


def _kind(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    import duckdb

    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise UsageError(str(error).strip().splitlines()[0], _EXAMPLE) from error
    if len(statements) != 1:
        raise UsageError(f"one statement is needed, {len(statements)} were given", "ask them one by one")
    return statements[0].type.name


def _explained(query: str) -> str:
    """What stands behind EXPLAIN, ANALYZE and options in brackets, found by DuckDB's tokens (so comments are none)."""
    import duckdb

    text = query.encode()  # tokens are counted in bytes
    depth = 0
    for at in [at for at, kind in duckdb.tokenize(query) if kind.name != "comment"][1:]:
        rest = text[at:]
        depth += rest.startswith(b"(") - rest.startswith(b")")
        if not (depth or rest.startswith(b")") or rest[:7].lower() == b"analyze"):
            return rest.decode()
    return ""


def _name_lake_tables(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """``samples`` for ``stg_lake__samples``, made only where asked for: binding a view reads footers of all parts."""
    views = "select view_name from duckdb_views() where schema_name = 'staging'"
    staged = {name for (name,) in connection.execute(views).fetchall()}
    for table in TABLES:
        if f"stg_lake__{table}" in staged and re.search(rf"\b{table}\b", query, re.IGNORECASE):
            connection.execute(f"create temp view {table} as select * from staging.stg_lake__{table}").fetchall()


def _close_everything_else(connection: duckdb.DuckDBPyConnection) -> None:
    named = connection.execute("select sql from duckdb_views() where not internal").fetchall()
    sources = {source for (text,) in named for source in parquet_named(text)}
    folders = sorted({_FIRST_WILDCARD.sub("", source) for source in sources if _FIRST_WILDCARD.search(source)})
    files = sorted(source for source in sources if not _FIRST_WILDCARD.search(source))
    for setting in (
        "enable_progress_bar = true",  # counted, never printed: the caller asks how far a query is
        "enable_progress_bar_print = false",
        f"allowed_directories = [{', '.join(_quoted(folder) for folder in folders)}]",
        f"allowed_paths = [{', '.join(_quoted(file) for file in files)}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}").fetchall()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
