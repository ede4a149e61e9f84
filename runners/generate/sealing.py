"""Rows of a journal on their way into the lake, in the order of the lake and by the batch.

The same rows cut into the same batches give the same bytes, whoever seals: the attempt that ends a shard, or a repair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import tee
from typing import Any

from ...ingest.errors import LakeError
from ...ingest.journal import Journal
from ...ingest.lake_batches import BATCH_BYTES, BATCH_ROWS
from .rows import restored
from .window import Key


def batches_of(journal: Journal, placed: Iterable[tuple[Key, int]], shard_id: str) -> Iterator[list[dict[str, Any]]]:
    """Lake rows of ``placed`` (key, offset of its line), which is sorted by key.

    Raises LakeError where another row than that key's stands at the offset.
    """
    keys, offsets = tee(placed)
    batch: list[dict[str, Any]] = []
    num_bytes = 0
    for (key, _), (length, row) in zip(keys, journal.rows_at(offset for _, offset in offsets), strict=True):
        if (row["task_id"], row["sample_index"]) != key:
            raise LakeError(f"the journal of shard {shard_id} changed", "run the same command again")
        batch.append(restored(row))
        num_bytes += length
        if len(batch) >= BATCH_ROWS or num_bytes >= BATCH_BYTES:
            yield batch
            batch, num_bytes = [], 0
    if batch:
        yield batch
