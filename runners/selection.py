"""Which shards a stage takes on: words of the command line against the manifest, the same for every stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..ingest.benchmarks import resolve
from ..ingest.errors import UsageError
from ..ingest.manifest import Run, Shard
from ..ingest.names import did_you_mean


@dataclass(frozen=True)
class Selection:
    """Empty fields select all. ``cells`` are (benchmark, scenario) pairs."""

    shard_ids: tuple[str, ...] = ()
    cells: frozenset[tuple[str, str]] = frozenset()
    models: tuple[str, ...] = ()
    is_forced: bool = False

    def covers(self, shard: Shard) -> bool:
        return (
            (not self.shard_ids or shard.shard_id in self.shard_ids)
            and (not self.cells or (shard.benchmark, shard.scenario) in self.cells)
            and (not self.models or shard.model in self.models)
        )


def cells_of(names: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Benchmarks, scenarios and aliases as typed -> cells; UsageError with the nearest name for an unknown one."""
    resolved = [resolve(name) for name in names]
    return frozenset((benchmark.name, scenario) for benchmark, scenarios in resolved for scenario in scenarios)


def covered_shards(run: Run, selection: Selection) -> list[Shard]:
    """As planned. Raises UsageError for a shard id or a model that the manifest does not hold."""
    shards = run.manifest.shards()
    unknown = sorted(set(selection.shard_ids) - set(shards))
    if unknown:
        raise UsageError(f"the manifest of {run.root} holds no shard {unknown[0]}", "benchforge status")
    planned = dict.fromkeys(shard.model for shard in shards.values())
    for model in selection.models if planned else ():
        if model not in planned:
            raise UsageError(f"no shard of {model} is planned{did_you_mean(model, planned)}", "benchforge status")
    return [shard for shard in shards.values() if selection.covers(shard)]


def pending_shards(
    run: Run,
    stage: str,
    selection: Selection,
    is_ready: Callable[[Shard], bool],
    marked_as: Callable[[str], str] = str,
) -> list[Shard]:
    """Ready and not done yet (or all ready ones under --force), equal task sets beside each other, then as planned.

    ``marked_as`` gives the name that a shard's marker stands under. Raises what ``covered_shards`` raises.
    """
    chosen = [
        shard
        for shard in covered_shards(run, selection)
        if is_ready(shard) and (selection.is_forced or not run.is_done(stage, marked_as(shard.shard_id)))
    ]
    return sorted(chosen, key=task_set_of)


def task_set_of(shard: Shard) -> tuple[str, str, str]:
    """What shards must share to be worked on with the same problems at hand."""
    return shard.benchmark, shard.dataset_version, shard.scenario
