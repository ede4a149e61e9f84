"""Lake rows by the batch: tables of any size are read and written in the memory of one batch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import schemas
from .errors import LakeError
from .lake import WRITE_OPTIONS, Lake, arrow_schema, by_partition, check_part, checked, conformed, fsync_directory

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS, BATCH_BYTES = 1024, 8 << 20
"""Of rows as Python objects."""
GROUP_ROWS = 8192
"""Of a row group: a scan over many small groups is slow, a look-up that reads a large one too."""


def write_batches(lake: Lake, table: str, batches: Iterable[Sequence[Mapping[str, Any]]], shard_id: str) -> list[Path]:
    """``write_part`` in the memory of one batch: rows of one partition, already in the order of ``sort_key``.

    The same rows in the same batches give the same file. No batch: no part.
    """
    declared = schemas.TABLES[table]
    tables = ((_partition_of(declared, rows), checked(declared, list(rows))) for rows in batches if rows)
    first = next(tables, None)
    if first is None:
        return []
    partition, arrow = first
    target = lake.directory(table, dict(zip(declared.partitions, partition, strict=True)))
    return [_stream_atomically(target, shard_id, arrow, _same_partition(partition, tables))]


def read_batches(
    lake: Lake, table: str, columns: Sequence[str], where: Mapping[str, Any] | None = None, shard_id: str = "*"
) -> Iterator[list[dict[str, Any]]]:
    """Live rows as lists of dicts, bounded in rows and bytes, one part after the other.

    ``where`` asks for equality; folders and row groups that exclude a value are not read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, asked = arrow_schema(table), where or {}
    for part in lake.live_parts(table, shard_id):
        if not _lies_under(part, table, asked):
            continue
        names = check_part(table, part)
        present = [name for name in names if name in columns or name in asked]
        # the reader's own buffers: a column chunk is never held whole
        with pq.ParquetFile(part, buffer_size=1 << 20, pre_buffer=False) as file:
            groups = [number for number in range(file.num_row_groups) if _may_hold(file, number, asked)]
            size = _rows_of_a_batch(file, present)
            for batch in file.iter_batches(size, row_groups=groups, columns=present, use_threads=False):
                found = pa.Table.from_batches([batch])
                yield conformed(_where(found, asked), schema, list(columns)).to_pylist()


def num_rows(lake: Lake, table: str, shard_id: str = "*") -> int:
    """Live rows, counted from footers."""
    import pyarrow.parquet as pq

    parts = lake.live_parts(table, shard_id)
    return sum(pq.read_metadata(part).num_rows for part in parts if check_part(table, part))


def _partition_of(table: schemas.Table, rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    [partition] = by_partition(table, rows)
    return partition


def _same_partition(partition: tuple[str, ...], tables: Iterable[tuple[tuple[str, ...], pa.Table]]) -> Iterator[Any]:
    for found, table in tables:
        if found != partition:
            raise LakeError(f"rows of {'/'.join(partition)} and of {'/'.join(found)} cannot share a part")
        yield table


def _stream_atomically(directory: Path, shard_id: str, first: pa.Table, rest: Iterable[pa.Table]) -> Path:
    """The file is named by its content, which is known once it is written: it waits under a hidden name."""
    import pyarrow.parquet as pq

    directory.mkdir(parents=True, exist_ok=True)
    temporary = directory / f".part-{shard_id}.{os.getpid()}.tmp"
    try:
        with temporary.open("w+b") as stream:
            with pq.ParquetWriter(stream, first.schema, **WRITE_OPTIONS) as writer:
                for group in _groups(first, rest):
                    writer.write_table(group)
            stream.flush()
            os.fsync(stream.fileno())
            stream.seek(0)
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        target = directory / f"part-{shard_id}-{content[:12]}.parquet"
        if not target.exists():  # a part is written once: the same rows again leave it alone
            os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_directory(directory)
    return target


def _groups(first: pa.Table, rest: Iterable[pa.Table]) -> Iterator[pa.Table]:
    import pyarrow as pa

    gathered = [first]
    for table in rest:
        if sum(len(piece) for piece in gathered) >= GROUP_ROWS:
            yield pa.concat_tables(gathered)
            gathered = []
        gathered.append(table)
    yield pa.concat_tables(gathered)


def _rows_of_a_batch(file: Any, columns: Sequence[str]) -> int:
    """As many as fit ``BATCH_BYTES`` on average, by the sizes in the footer."""
    wanted, footer = set(columns), file.metadata
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    chunks = (group.column(index) for group in groups for index in range(group.num_columns))
    num_bytes = sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in wanted)
    return max(1, min(BATCH_ROWS, BATCH_BYTES * max(1, footer.num_rows) // max(1, num_bytes)))


def _lies_under(part: Path, table: str, where: Mapping[str, Any]) -> bool:
    asked = [f"{key}={where[key]}" for key in schemas.TABLES[table].partitions if key in where]
    return all(folder in part.parts for folder in asked)


def _may_hold(file: Any, number: int, where: Mapping[str, Any]) -> bool:
    group = file.metadata.row_group(number)
    chunks = [group.column(index) for index in range(group.num_columns)]
    ranges = {chunk.path_in_schema: chunk.statistics for chunk in chunks if chunk.path_in_schema in where}
    known = {name: range_ for name, range_ in ranges.items() if range_ is not None and range_.has_min_max}
    return all(range_.min <= where[name] <= range_.max for name, range_ in known.items())


def _where(table: pa.Table, asked: Mapping[str, Any]) -> pa.Table:
    import pyarrow.compute as pc

    for name, value in asked.items():
        table = table.filter(pc.field(name) == value)
    return table
