"""A generated shard sealed again: from its journal, without problems, prompts or an engine at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ....ingest.errors import Incomplete
from ....ingest.journal import Journal
from ....ingest.lake_batches import write_batches
from ....ingest.manifest import Run, Shard
from ...generate.lease import leased
from ...generate.sealing import batches_of
from ...generate.window import Key


def planned_lines(journal: Journal, shard: Shard) -> dict[Key, int]:
    """Key -> offset of its line: the first line of each planned key, under the shard's request and seeds."""
    placed: dict[Key, int] = {}
    for offset, row in journal.placed_rows():
        if is_planned(row, shard):
            placed.setdefault((row["task_id"], row["sample_index"]), offset)
    return placed


def is_planned(row: dict[str, Any], shard: Shard) -> bool:
    """Whether a journal line answers this shard: its request, its window, its seed."""
    index = row.get("sample_index")
    return (
        row.get("request_digest") == shard.request_digest
        and isinstance(index, int)
        and 0 <= index - shard.first_sample < shard.num_samples
        and row.get("seed") == (shard.seed or 0) + index
        and (shard.task_ids is None or row.get("task_id") in shard.task_ids)
    )


def is_whole(placed: dict[Key, int], shard: Shard) -> bool:
    """Every sample of every task: without the problems at hand, their number says so."""
    tasks = {task_id for task_id, _ in placed}
    return len(placed) == shard.expected_rows == len(tasks) * shard.num_samples


def can_seal(run: Run, shard: Shard) -> bool:
    """Whether the journal holds every planned row."""
    return shard.stage == "generate" and is_whole(planned_lines(run.journal("generate", shard.shard_id), shard), shard)


def seal_again(run: Run, shard_id: str) -> list[Path]:
    """Write parts, live list and markers anew; a part that is there already is left alone.

    Raises Incomplete when somebody works on the shard or rows are missing, LakeError for rows that fit no column.
    """
    shard = run.manifest.shards()[shard_id]
    journal = run.journal("generate", shard_id)
    with leased(journal.path.parent, shard_id):
        placed = planned_lines(journal, shard)
        if not is_whole(placed, shard):
            raise Incomplete(
                f"the journal of shard {shard_id} is not whole", f"benchforge generate --shard-id {shard_id}"
            )
        rows = batches_of(journal, sorted(placed.items()), shard_id)
        parts = write_batches(run.lake, "samples", rows, shard_id)
        run.seal_parts("generate", shard_id, parts, len(placed))
        return parts
