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
from .client import Unreachable
from .engines import Engine
from .shard import Generated, ShardGenerator


@dataclass(frozen=True)
class Selection:
    """Which shards: empty fields select all. ``limit``: samples asked for in this call."""

    shard_ids: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    limit: int | None = None
    is_forced: bool = False


@dataclass(frozen=True)
class Means:
    """What asking runs with: where problems lie, what models are called on the wire, requests in flight."""

    datasets_root: Path
    served_names: Mapping[str, str]
    concurrency: int


Progress = Callable[[Shard], AbstractContextManager[Callable[[int], None]]]


def pending_shards(run: Run, selection: Selection) -> list[Shard]:
    """Planned and not generated yet (or all planned ones under --force), in an order that groups equal task sets.

    Raises UsageError for a shard id that the manifest does not hold, and when nothing was planned at all.
    """
    shards = run.manifest.shards()
    if not shards:
        raise UsageError(f"nothing is planned in {run.root}", "benchforge plan")
    unknown = sorted(set(selection.shard_ids) - set(shards))
    if unknown:
        raise UsageError(f"the manifest of {run.root} holds no shard {unknown[0]}", "benchforge status")
    chosen = [shard for shard in shards.values() if _is_selected(run, shard, selection)]
    order = {name: position for position, name in enumerate(shards)}
    return sorted(chosen, key=lambda shard: (*_task_set(shard), order[shard.shard_id]))


def generate_pending(
    run: Run, shards: Sequence[Shard], engine: Engine, means: Means, selection: Selection, progress: Progress
) -> Iterator[Generated]:
    """Ask shard after shard; an incomplete one is reported at the end, the others go on.

    Raises Incomplete (exit 3) after the last shard when some miss samples, and at once when the server is gone.
    """
    unfinished: list[Incomplete] = []
    left = selection.limit
    for (name, version, scenario), group in groupby(shards, key=_task_set):
        task_set = load_task_set(registry()[name], scenario, version, means.datasets_root)
        members = list(group)
        record_tasks(run.lake, task_set.tasks, version, members[0].dataset_digest)
        for shard in members:
            served_as = means.served_names.get(shard.model, shard.model)
            generator = ShardGenerator(run, shard, task_set, engine, served_as, means.concurrency, left)
            try:
                with progress(shard) as advance:
                    yield generator.generate(is_forced=selection.is_forced, advance=advance)
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


def _is_selected(run: Run, shard: Shard, selection: Selection) -> bool:
    if shard.stage != "generate":
        return False
    if run.is_done("generate", shard.shard_id) and not selection.is_forced:
        return False
    return (
        (not selection.shard_ids or shard.shard_id in selection.shard_ids)
        and (not selection.benchmarks or shard.benchmark in selection.benchmarks)
        and (not selection.models or shard.model in selection.models)
    )


def _task_set(shard: Shard) -> tuple[str, str, str]:
    return shard.benchmark, shard.dataset_version, shard.scenario
