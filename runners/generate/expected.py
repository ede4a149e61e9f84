"""How long answers are expected to be, per task of a cell: what to ask for first, so that the end is not one long one.

Known lengths come from the lake and the journals of the cell; a task without any is taken for an average one, and among
those the longer prompt goes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...ingest.lake_batches import read_batches
from ...ingest.manifest import Run, Shard
from .admission import Lengths


def cell_of(shard: Shard) -> str:
    """What answers must share to be of one length: model, problems, prompt and sampling."""
    return f"{shard.benchmark}|{shard.scenario}|{shard.model}|{shard.request_digest}"


class CellLengths:
    """Mean completion tokens per task of one cell; ``lengths`` is the distribution over all of them."""

    def __init__(self, lengths: Lengths) -> None:
        self.lengths = lengths
        self._sums: dict[str, list[int]] = {}
        self._total = [0, 0]

    def add(self, task_id: str, tokens: int | None) -> None:
        """One answer; a server that does not count its tokens teaches nothing."""
        if not tokens:
            return
        self.lengths.add(tokens)
        for sums in (self._sums.setdefault(task_id, [0, 0]), self._total):
            sums[0] += tokens
            sums[1] += 1

    def expected(self, task_ids: Sequence[str], prompt_characters: Sequence[int]) -> list[float]:
        """One number per task, to sort by; in tokens where any length is known."""
        average = self._total[0] / self._total[1] if self._total[1] else 0.0
        longest = max([*prompt_characters, 1])
        return [
            self._of(task_id, average) + characters / (longest + 1)
            for task_id, characters in zip(task_ids, prompt_characters, strict=True)
        ]

    def _of(self, task_id: str, average: float) -> float:
        total, number = self._sums.get(task_id, (0, 0))
        return total / number if number else average


def sealed_lengths(run: Run, shard: Shard) -> Iterator[tuple[str, int | None]]:
    """(task id, completion tokens) of the cell's rows in the lake."""
    where = {name: getattr(shard, name) for name in ("benchmark", "model", "scenario", "request_digest")}
    for batch in read_batches(run.lake, "samples", ("task_id", "completion_tokens"), where):
        for row in batch:
            yield row["task_id"], row["completion_tokens"]
