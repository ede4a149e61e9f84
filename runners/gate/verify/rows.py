"""What rows of different parts and tables must be to each other: one connection, bounded memory, spilling to disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....ingest import schemas
from ....ingest.lake import EMPTY_PARTS
from ....ingest.manifest import Run, Shard
from ....ingest.tasks import lane_of_tasks
from ...folders import Folder
from .faults import Fault
from .live import Looks
from .place import Place
from .redoing import scored_again, tasks_again
from .remedies import Remedy
from .sealing import can_seal

if TYPE_CHECKING:
    import duckdb

SAID_TWICE = {"programs": "program", "tasks": "task_digest"}
"""Tables that two shards may write the same row of: there a key stands twice where the rows say different things."""
MEMORY_LIMIT = "600MB"
_SHOWN = 5


@dataclass(frozen=True)
class Reference:
    """Rows of ``table`` whose key has no row in ``other``. ``where`` limits the rows that need one."""

    rule: str
    table: str
    other: str
    columns: tuple[str, ...]
    where: str = "true"


_TASK = ("benchmark", "scenario", "dataset_version", "task_id")
_LISTED = "(benchmark, scenario, dataset_version) in (select (benchmark, scenario, dataset_version) from tasks)"
REFERENCES: tuple[Reference, ...] = (
    Reference("sample_missing", "results", "samples", ("sample_id",)),
    Reference("sample_missing", "timings", "results", ("sample_id", "grader_id")),
    # tasks are recorded when a shard is scored; before that a sample has none
    Reference("task_missing", "samples", "tasks", _TASK, _LISTED),
    Reference("task_missing", "results", "tasks", _TASK, "dataset_version is not null"),
    Reference("program_missing", "results", "programs", ("benchmark", "program_id"), "origin = 'self'"),
    Reference("program_missing", "results", "programs", ("benchmark", "corrected_program_id"), "origin = 'self'"),
)


@contextmanager
def connected(num_threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that keeps within ``MEMORY_LIMIT`` and spills to a folder of its own."""
    import duckdb

    with Folder("verify-") as spill, duckdb.connect() as connection:
        for setting in (
            "enable_progress_bar = false",
            f"memory_limit = '{MEMORY_LIMIT}'",
            f"threads = {num_threads}",
            "preserve_insertion_order = false",
            f"temp_directory = '{spill}'",
        ):
            connection.execute(f"set {setting}").fetchall()
        yield connection


def look_at_rows(place: Place, looks: Looks, connection: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    """Keys that stand twice, and rows that belong to nothing.

    Parts that cannot be read are left out, and what their rows were needed for is not asked: they are named already.
    """
    unread = set()
    for table in schemas.TABLES:
        readable = [name for name in place.live(table) if looks[name].num_rows is not None]
        unread |= {table} if len(readable) < len(place.live(table)) else set()
        rows = reader(place.lake.root, table, readable)
        connection.execute(f"create or replace temp view {table} as select * from {rows}").fetchall()
    for table in schemas.TABLES.values():
        yield from _twice(connection, table)
    for reference in REFERENCES:
        if reference.other not in unread:
            yield from _without(place, connection, reference)


def reader(root: Path, table: str, parts: Iterable[str]) -> str:
    """Rows of parts under the declared columns, NULL where an older writer had none."""
    names = [EMPTY_PARTS / f"{table}.parquet", *(root / part for part in parts)]
    files = ", ".join("'" + str(name).replace("'", "''") + "'" for name in names)
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"


def _twice(connection: Any, table: schemas.Table) -> Iterator[Fault]:
    """By hash first: eight bytes per row, and a table whose hashes are all different has no key twice."""
    key, says = ", ".join(table.key), SAID_TWICE.get(table.name)
    is_unique = f"select count(*) = count(distinct hash({key})) from {table.name}"
    if connection.execute(is_unique).fetchone()[0]:
        return
    is_twice = f"count(distinct {says}) > 1" if says else "count(*) > 1"
    grouped = f"select {key}, count(*) as num_rows from {table.name} group by all having {is_twice}"
    found = connection.execute(f"select count(*), sum(num_rows) from ({grouped})").fetchone()
    if found[0]:
        offenders = _dicts(connection, f"{grouped} order by all limit {_SHOWN}")
        yield Fault("key_twice", table.name, f"{found[0]} keys stand more than once", int(found[1]), offenders)


def _without(place: Place, connection: Any, reference: Reference) -> Iterator[Fault]:
    names = ", ".join(reference.columns)
    other = names.replace("corrected_program_id", "program_id")
    is_there = " and ".join(f"{name} is not null" for name in reference.columns)
    keys = f"select distinct {names} from {reference.table} where {is_there} and {reference.where}"
    lost = f"({keys} except select {other} from {reference.other})"
    (number,) = connection.execute(f"select count(*) from {lost}").fetchone()
    if number:
        rows = f"from {reference.table} where ({names}) in {lost} and {reference.where}"
        key = schemas.TABLES[reference.table].key
        shown = ", ".join(dict.fromkeys((*key, *reference.columns, "shard_id")))
        offenders = _dicts(connection, f"select {shown} {rows} order by all limit {_SHOWN}")
        shards = [shard for (shard,) in connection.execute(f"select distinct shard_id {rows} order by 1").fetchall()]
        message = f"{number} keys of {reference.table} have no row in {reference.other}"
        yield Fault(
            reference.rule, reference.table, message, number, offenders, tuple(_again(place, reference, shards))
        )


def _again(place: Place, reference: Reference, names: Iterable[str]) -> Iterator[Remedy]:
    """``names`` are the shard ids that rows carry; nothing is known of those that no run has planned."""
    for name in names:
        shard = place.shard_of(("score", name))
        if shard is None or place.run is None:
            continue
        if reference.rule == "program_missing":
            yield from scored_again(place, shard.shard_id)
        elif reference.rule == "task_missing":
            yield from tasks_again(
                place, ("import", lane_of_tasks(shard.benchmark, shard.scenario, shard.dataset_version))
            )
        elif _is_pending(place, place.run, reference, name, shard):
            yield from scored_again(place, shard.shard_id)


def _is_pending(place: Place, run: Run, reference: Reference, name: str, shard: Shard) -> bool:
    """Whether what the rows rest on is yet to be done: samples of verdicts, verdicts of timings."""
    if reference.other == "samples":
        return ("generate", shard.shard_id) not in place.markers and not can_seal(run, shard)
    return ("score", name) not in place.markers


def _dicts(connection: Any, query: str) -> tuple[dict[str, Any], ...]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
