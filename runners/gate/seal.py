"""The seal of a build: what its marts held and which parts of the lake they were made from, kept in the file itself.

Most marts are not counted again by ``check``; a change made to one of them after the build is seen by its seal, and so
is a file that was built from another lake or from an older state of it. Against who edits on purpose a seal is no
proof (the seal can be edited too): the numbers of the leaderboard are counted again from the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...ingest import keys, liveness, schemas

if TYPE_CHECKING:
    import duckdb

COLUMNS = "kind varchar, name varchar, number bigint, digest varchar"
NOT_SEALED = frozenset({"fct_sample_results", "fct_task_scores"})
"""Views that spread the rows of the lake, 3.6 million at 1e7 samples: counted again instead."""

Line = tuple[str, str, int, str]


def seal(path: Path, lake: Path) -> None:
    """Write table ``sealed.seal`` into a file of marts that nobody has open."""
    import duckdb

    connection = duckdb.connect(str(path))
    try:
        connection.execute("set enable_progress_bar = false").fetchall()
        lines = [("engine", version(connection), 0, ""), *lake_lines(lake), *mart_lines(connection, "main")]
        connection.execute("create schema if not exists sealed").fetchall()
        connection.execute(f"create or replace table sealed.seal ({COLUMNS})").fetchall()
        connection.executemany("insert into sealed.seal values (?, ?, ?, ?)", [list(line) for line in lines])
    finally:
        connection.close()


def mart_lines(connection: duckdb.DuckDBPyConnection, schema: str) -> Iterator[Line]:
    """Rows and digest of every mart of a schema that is sealed; the order of rows does not enter."""
    asked = "select table_name from information_schema.tables where table_schema = ? order by table_name"
    for (name,) in connection.execute(asked, [schema]).fetchall():
        if name not in NOT_SEALED:
            rows = f"bit_xor(md5_number(to_json(mart)::varchar))::varchar from {schema}.{name} as mart"
            number, digest = connection.execute(f"select count(*), {rows}").fetchall()[0]
            yield "mart", str(name), int(number), str(digest)


def lake_lines(lake: Path) -> Iterator[Line]:
    """Parts of every table, by name and content: a part's name holds its digest. Compacting changes nothing."""
    for table in schemas.TABLES:
        names = _parts(lake, table)
        yield "lake", table, len(names), keys.digest_of(names)


def _parts(lake: Path, table: str) -> list[str]:
    if (lake / "_live").is_dir():
        entries = liveness.shard_entries(lake, table)
        return sorted({name for parts in entries.values() for name in parts})
    folder = lake / ("data" if table in ("samples", "results") else table)
    return sorted(f"{part.relative_to(lake).as_posix()} {part.stat().st_size}" for part in folder.rglob("*.parquet"))


def version(connection: duckdb.DuckDBPyConnection) -> str:
    return str(connection.execute("select version()").fetchall()[0][0])
