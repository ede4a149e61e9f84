"""Parquet parts for the Hub: sorted rows in, few files of bounded size out, the same bytes for the same rows.

zstd; a page index, so that a reader fetches the pages of one task; pages that end where the content says (content-
defined chunking), so that a few changed rows change few chunks of what is stored and sent. DuckDB's COPY has neither,
so pyarrow writes and DuckDB only hands over batches (huggingface/hub-docs@242f4a1 docs/hub/datasets-pyarrow.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 8_192
GROUP_ROWS = 122_880
GROUP_BYTES = 64 << 20
"""A row group ends at either, in rows or in bytes of memory: what one reader and this writer hold at a time."""
PART_BYTES = 256 << 20
"""A part that has grown so large is followed by the next."""


def write_parts(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, folder: Path, stem: str, sorted_by: tuple[str, ...] = ()
) -> list[Path]:
    """Write rows to ``<folder>/<stem>-0.parquet``, ``-1`` …; returns the paths. No rows: no file."""
    import pyarrow as pa

    paths: list[Path] = []
    groups = _groups(batches, schema)
    group = next(groups, None)
    while group is not None:
        folder.mkdir(parents=True, exist_ok=True)
        paths.append(folder / f"{stem}-{len(paths)}.parquet")
        with pa.OSFile(str(paths[-1]), "wb") as sink, _writer(sink, schema, sorted_by) as writer:
            while group is not None:
                writer.write_table(group, row_group_size=len(group))
                group = next(groups, None)
                if sink.tell() >= PART_BYTES:
                    break
    return paths


def _groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    num_rows = num_bytes = 0
    for batch in batches:
        held.append(batch)
        num_rows, num_bytes = num_rows + batch.num_rows, num_bytes + batch.nbytes
        if num_rows >= GROUP_ROWS or num_bytes >= GROUP_BYTES:
            yield pa.Table.from_batches(held).cast(schema)
            held, num_rows, num_bytes = [], 0, 0
    if num_rows:
        yield pa.Table.from_batches(held).cast(schema)


def _writer(sink: Any, schema: pa.Schema, sorted_by: tuple[str, ...]) -> Any:
    import pyarrow.parquet as pq

    sorting = [pq.SortingColumn(schema.get_field_index(name)) for name in sorted_by]
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=9,
        write_page_index=True,
        use_content_defined_chunking=True,
        sorting_columns=sorting or None,
    )
