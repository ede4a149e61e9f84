"""Many small parts into few: one sorted part for each partition of a lake (a benchmark and model of most tables).

A scan opens every file, 0.15 ms of CPU for five columns; a run of ten thousand shards costs more to open than to count.
Nothing is deleted and no shard changes: the new part is written whole, then one line puts it in force
(``ingest/liveness.py``). A kill at any moment leaves the old set of parts live, or the new one.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..ingest import liveness, schemas
from ..ingest.errors import LakeError, UsageError
from ..ingest.lake import EMPTY_PARTS, append_line, fsync_directory, sort_key
from ..ingest.names import did_you_mean

if TYPE_CHECKING:
    import duckdb

MIN_PARTS = 2
"""A partition of fewer live parts is left as it is."""
GROUP_ROWS = 122_880
"""Of a row group: scans of many columns want large ones, and look-ups by shard read the shards' own parts."""


@dataclass(frozen=True)
class Compaction:
    """What is to be done with one partition."""

    table: str
    partition: str
    parts: tuple[str, ...]
    """Live parts whose rows the new one will hold, relative to the lake."""
    replaces: dict[str, list[str]]
    """Shard entry -> the parts that it names in this partition."""


def planned(
    lake: Path, benchmarks: Sequence[str] = (), models: Sequence[str] = (), *, min_parts: int = MIN_PARTS
) -> list[Compaction]:
    """Partitions with at least ``min_parts`` live parts, of the benchmarks and models named (none named: of all).

    Raises UsageError for a published lake, whose parts are no shards, and for a name that the lake does not hold.
    """
    if not (lake / "_live").is_dir():
        raise UsageError(f"{lake} keeps no record of live parts", "give a lake that benchforge wrote with --lake DIR")
    _refuse_unknown(lake, "benchmark", benchmarks)
    _refuse_unknown(lake, "model", models)
    found = (one for table in schemas.TABLES for one in _of_table(lake, table))
    return [one for one in found if len(one.parts) >= min_parts and _is_asked(one.partition, benchmarks, models)]


def _refuse_unknown(lake: Path, key: str, names: Sequence[str]) -> None:
    known = sorted({path.name.partition("=")[2] for path in lake.rglob(f"{key}=*") if path.is_dir()} if names else ())
    for name in names:
        if name not in known:
            guess = did_you_mean(name, known)
            raise UsageError(f"{lake} holds no {key} {name}{guess}", f"one of {', '.join(known)}" if known else "")


def compact(lake: Path, all_of: Iterable[Compaction]) -> Iterator[Path]:
    """Write the part of each and put it in force; yields their paths as they come into force.

    Raises LakeError for a part that is damaged or gone; what came before it stays in force.
    """
    import duckdb

    spill = lake / f".compact-{os.getpid()}.spill"
    with duckdb.connect() as connection:
        # one thread: the same rows give the same bytes
        for setting in ("threads = 1", "enable_progress_bar = false", f"temp_directory = {_quoted(spill)}"):
            _run(connection, f"set {setting}")
        try:
            for one in all_of:
                path = _written(connection, lake, one)
                _enter(lake, one, path)
                yield path
        except duckdb.Error as error:
            raise LakeError(" ".join(str(error).split()), "restore the part, or redo its shard with --force") from error
        finally:
            shutil.rmtree(spill, ignore_errors=True)


def _enter(lake: Path, one: Compaction, path: Path) -> None:
    """From this line on the part counts."""
    line = {
        "table": one.table,
        "partition": one.partition,
        "parts": [path.relative_to(lake).as_posix()],
        "replaces": one.replaces,
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    append_line(liveness.compaction_file(lake, one.table, one.partition), json.dumps(line, sort_keys=True))


def _of_table(lake: Path, table: str) -> Iterator[Compaction]:
    entries = liveness.shard_entries(lake, table)
    live = liveness.live_names(lake, table)
    for partition in sorted({part.rpartition("/")[0] for part in live}):
        parts = tuple(liveness.parts_below(partition, live))
        below = {shard: liveness.parts_below(partition, names) for shard, names in entries.items()}
        yield Compaction(table, partition, parts, {shard: names for shard, names in below.items() if names})


def _is_asked(partition: str, benchmarks: Sequence[str], models: Sequence[str]) -> bool:
    folders = partition.split("/")
    asked = (("benchmark", benchmarks), ("model", models))
    return all(not names or any(f"{key}={name}" in folders for name in names) for key, names in asked)


def _written(connection: duckdb.DuckDBPyConnection, lake: Path, one: Compaction) -> Path:
    directory = lake / one.partition
    temporary = directory / f".compact-{os.getpid()}.tmp"
    try:
        _copy(connection, one.table, [lake / part for part in one.parts], temporary)
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        target = directory / f"part-compacted-{content[:12]}.parquet"
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_directory(directory)
    return target


def _copy(connection: duckdb.DuckDBPyConnection, table: str, parts: Sequence[Path], target: Path) -> None:
    """The empty part gives columns that parts of an older writer lack."""
    declared = schemas.TABLES[table]
    _refuse_parts_without(connection, declared.required(), parts)
    columns = ", ".join(f"{column.name}::{schemas.TYPES[column.type]} as {column.name}" for column in declared.columns)
    rows = (
        f"select {columns} from read_parquet({_list([EMPTY_PARTS / f'{table}.parquet', *parts])},"
        f" union_by_name = true, hive_partitioning = false) order by {', '.join(sort_key(declared))}"
    )
    options = f"format parquet, compression zstd, compression_level 3, row_group_size {GROUP_ROWS}"
    _run(connection, f"copy ({rows}) to {_quoted(target)} ({options})")


def _refuse_parts_without(
    connection: duckdb.DuckDBPyConnection, required: Sequence[str], parts: Sequence[Path]
) -> None:
    """A column that is gone would be copied as NULL; footers are read four times as fast here as one by one."""
    names = ", ".join(f"'{name}'" for name in required)
    found = connection.execute(
        f"select file_name from parquet_schema({_list(parts)}) group by file_name"
        f" having count(distinct name) filter (where name in ({names})) < {len(required)} order by 1"
    ).fetchall()
    if found:
        raise LakeError(f"{found[0][0]} lacks a column it must have", "restore it, or redo its shard with --force")


def _run(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    connection.execute(statement).fetchall()


def _list(paths: Sequence[Path]) -> str:
    return f"[{', '.join(map(_quoted, paths))}]"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
