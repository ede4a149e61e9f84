"""``docs/lake.md`` from the declarations: every table, its key, where it lies, every column and its closed words."""

from __future__ import annotations

from collections.abc import Iterator

from .columns import TYPES, Column, Table
from .published import PUBLISHED
from .tables import TABLES
from .words import VOCABULARIES

_HEAD = """# The lake: every table and column

Made from `ingest/schemas` by `make reference`; a test keeps it true. What follows from it: [marts.md](marts.md).

A lake is a folder of Parquet files. A part is `<table>/<partition>/part-<shard>-<digest>.parquet`, its name holds the
digest of its bytes, and it counts only when a line of `_live/` names it: what a killed process left is never read.
Nothing is updated; a redone shard's new parts take the place of its old ones. The key is what one row is: no two live
rows share it. A column that may be NULL says *may be absent*: what is not known is not filled in.

| type | in DuckDB | |
| --- | --- | --- |
"""
_ABOUT = {"digest": "16 bytes; `hex()` shows them", "timestamp": "UTC"}


def page() -> str:
    """The whole page."""
    types = "".join(f"| {name} | `{duckdb}` | {_ABOUT.get(name, '')} |\n" for name, duckdb in TYPES.items())
    tables = "\n".join("\n".join(_table(table)) for table in TABLES.values())
    return f"{_HEAD}{types}\n{tables}\n{_published()}"


def _table(table: Table) -> Iterator[str]:
    folders = "/".join(f"{name}=…" for name in table.partitions)
    yield f"## `{table.name}`\n"
    yield f"{table.grain.rstrip('.')}. Key: {', '.join(f'`{name}`' for name in table.key)}."
    yield f"Lies in `{table.name}/{folders + '/' if folders else ''}`.\n"
    yield "| column | type | meaning |"
    yield "| --- | --- | --- |"
    yield from (_row(column) for column in table.columns)
    yield ""


def _row(column: Column) -> str:
    unit = f" Unit: {column.unit}." if column.unit else ""
    words = VOCABULARIES.get(column.name)
    allowed = f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""
    absent = " *May be absent.*" if column.nullable else ""
    meaning = f"{column.meaning.rstrip('.')}.{unit}{allowed}{absent}"
    return f"| `{column.name}` | {column.type} | {meaning.replace('|', chr(92) + '|').replace('<', chr(92) + '<')} |"


def _published() -> str:
    """The repository of results has one table for samples and results together: only what is new is listed."""
    known = {name for table in TABLES.values() for name in table.column_names()}
    new = [_row(column) for column in PUBLISHED.columns if column.name not in known]
    head = "## Published: samples and results in one row\n\n"
    said = (
        "`benchforge-results` is a lake as well. Its `data/benchmark=…/model=…/` holds the columns of `samples` and of"
        " `results` side by side, and these:\n\n"
    )
    return head + said + "\n".join(["| column | type | meaning |", "| --- | --- | --- |", *new]) + "\n"
