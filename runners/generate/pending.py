"""Generate the pending shards of a run: chosen from manifest and markers, grouped so that problems load once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ...ingest.benchmarks import registry
from ...ingest.errors import Incomplete, UsageError
from ...ingest.manifest import Run, Shard
from ...ingest.planning.task_sets import load_task_set
from ...ingest.tasks import record_tasks
from ..selection import Selection, pending_shards, task_set_of
from .client import Unreachable
from .engines import Engine
from .shard import Generated, ShardGenerator


@dataclass(frozen=True)
class Means:
    """What asking runs with: where problems lie, what models are called on the wire, requests in flight."""

    datasets_root: Path
    served_names: Mapping[str, str]
    concurrency: int
    limit: int | None = None
    """Samples asked for in this call; the rest stays pending."""


Progress = Callable[[Shard], AbstractContextManager[Callable[[int], None]]]


def to_generate(run: Run, selection: Selection) -> list[Shard]:
    """Planned and not generated yet; UsageError when nothing was planned at all."""
    if not run.manifest.shards():
        raise UsageError(f"nothing is planned in {run.root}", "benchforge plan")
    return pending_shards(run, "generate", selection, lambda shard: shard.stage == "generate")


def generate_pending(
    run: Run, shards: Sequence[Shard], engine: Engine, means: Means, is_forced: bool, progress: Progress
) -> Iterator[Generated]:
    """Ask shard after shard; an incomplete one is reported at the end, the others go on.

    Raises Incomplete (exit 3) after the last shard when some miss samples, and at once when the server is gone.
    """
    unfinished: list[Incomplete] = []
    left = means.limit
    for (name, version, scenario), group in groupby(shards, key=task_set_of):
        task_set = load_task_set(registry()[name], scenario, version, means.datasets_root)
        members = list(group)
        record_tasks(run.lake, task_set.tasks, version, members[0].dataset_digest)
        for shard in members:
            served_as = means.served_names.get(shard.model, shard.model)
            generator = ShardGenerator(run, shard, task_set, engine, served_as, means.concurrency, left)
            try:
                with progress(shard) as advance:
                    yield generator.generate(is_forced=is_forced, advance=advance)
            except Unreachable:
                raise
            except Incomplete as error:
                unfinished.append(error)
            left = None if left is None else left - generator.num_asked
    if unfinished:
        raise _summary(unfinished)


def _summary(unfinished: Sequence[Incomplete]) -> Incomplete:
    if len(unfinished) == 1:
        return unfinished[0]
    return Incomplete(
        f"{len(unfinished)} shards are not finished: {unfinished[0].message}", "run the same command again"
    )
