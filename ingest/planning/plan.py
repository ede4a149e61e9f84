"""Planning: models × benchmarks × scenarios × sample windows → shards, deterministic and additive.

What exists is never planned again: the manifest of the run and the rows of the lake are subtracted per (task, sample
index), so growing n from 5 to 10 plans the five more and ``--limit 10`` today leaves the other tasks for tomorrow. A
request that changed under an existing run is refused with the differing field named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ConfigurationChanged, NotStaged, UsageError
from ..manifest import Run, Shard
from ..names import did_you_mean
from .asked import Terms, asked
from .cells import WantedCell
from .task_sets import TaskSet, load_task_set
from .wanted import Wanted

WINDOW_SAMPLES = 10
"""Sample indices per shard at most: a shard is what one interruption can leave unsealed."""

Item = TypeVar("Item")
Coverage = dict[int, set[str]]
"""Sample index -> tasks that are planned or present."""


@dataclass(frozen=True)
class Waiting:
    """A cell that cannot be planned yet, why, and the command that helps."""

    benchmark: str
    scenario: str
    reason: str
    hint: str


@dataclass(frozen=True)
class Plan:
    shards: tuple[Shard, ...]
    waiting: tuple[Waiting, ...]

    @property
    def open_revisions(self) -> tuple[str, ...]:
        """Models of a Hub that are planned without saying which commit of their weights answers."""
        pinned = ("model_revision", "weights_digest")
        asked_of = {shard.model: shard.request for shard in self.shards if shard.engine != "replay"}
        return tuple(name for name, request in asked_of.items() if not any(request.get(key) for key in pinned))


@dataclass(frozen=True)
class Scope:
    """``--limit`` and ``--task``: which tasks of each cell; empty means all."""

    limit: int | None = None
    task_ids: tuple[str, ...] = ()

    def of(self, task_set: TaskSet) -> tuple[str, ...]:
        chosen = [name for name in task_set.task_ids if not self.task_ids or name in self.task_ids]
        return tuple(chosen[: self.limit])


def make_plan(run: Run, wanted: Wanted, terms: Terms | Mapping[str, Any], datasets_root: Path, scope: Scope) -> Plan:
    """Shards that are missing from ``run``, in the order of the run file; nothing is written.

    Raises UsageError for a protocol or task that does not exist and ConfigurationChanged for a request that differs
    from the one planned before.
    """
    terms = terms if isinstance(terms, Terms) else Terms(**terms)
    task_sets, waiting = _task_sets(wanted, datasets_root)
    _refuse_unknown_tasks(scope, [task_set for _, task_set in task_sets])
    planned = [shard for shard in run.manifest.shards().values() if shard.stage == "generate"]
    templates: list[tuple[dict[str, Any], TaskSet]] = []
    for model in wanted.models:
        for cell, task_set in task_sets:
            try:
                templates.append((asked(model, cell, task_set, terms), task_set))
            except NotStaged as error:
                waiting.append(_waiting(cell, error))
    templates = _once(templates)
    _refuse_changes(planned, [template for template, _ in templates])
    held = _grouped(planned, lambda shard: (shard.request_digest, shard.scenario))
    shards = [shard for template, task_set in templates for shard in _missing(run, held, template, task_set, scope)]
    return Plan(tuple(shards), tuple(dict.fromkeys(waiting)))


def only_shards(plan: Plan, shard_ids: Sequence[str]) -> Plan:
    """Only the named shards; UsageError for one that would not be planned."""
    known = {shard.shard_id: shard for shard in plan.shards}
    for shard_id in shard_ids:
        if shard_id not in known:
            raise UsageError(
                f"no shard {shard_id} is missing: it is planned already, or was never part of this run",
                "benchforge plan --dry-run shows those that are missing",
            )
    return Plan(tuple(known[name] for name in shard_ids), plan.waiting) if shard_ids else plan


def _once(templates: Sequence[tuple[dict[str, Any], TaskSet]]) -> list[tuple[dict[str, Any], TaskSet]]:
    """Two items that ask the same are one, with the larger n."""
    found: dict[tuple[Any, ...], tuple[dict[str, Any], TaskSet]] = {}
    for template, task_set in templates:
        name = tuple(template[key] for key in ("benchmark", "scenario", "request_digest"))
        if name not in found or found[name][0]["num_planned"] < template["num_planned"]:
            found[name] = template, task_set
    return list(found.values())


def _task_sets(wanted: Wanted, datasets_root: Path) -> tuple[list[tuple[WantedCell, TaskSet]], list[Waiting]]:
    ready: list[tuple[WantedCell, TaskSet]] = []
    waiting: list[Waiting] = []
    for cell in wanted.cells:
        try:
            ready.append((cell, load_task_set(cell.benchmark, cell.scenario, cell.version, datasets_root)))
        except NotStaged as error:
            waiting.append(_waiting(cell, error))
    return ready, waiting


def _waiting(cell: WantedCell, error: NotStaged) -> Waiting:
    return Waiting(cell.benchmark.name, cell.scenario, error.message, error.hint)


def _missing(
    run: Run, held: Mapping[Any, Sequence[Shard]], template: Mapping[str, Any], task_set: TaskSet, scope: Scope
) -> Iterator[Shard]:
    planned = held.get((template["request_digest"], template["scenario"]), ())
    covered = _coverage(run, planned, template, task_set)
    for first, count, task_ids in windows(scope.of(task_set), template["num_planned"], covered):
        whole = task_ids == task_set.task_ids
        yield _shard(template, first, count, len(task_ids) * count, None if whole else task_ids)


def windows(
    task_ids: Sequence[str], num_samples: int, covered: Mapping[int, set[str]]
) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """(first sample, number of samples, tasks) of what is missing: neighbours with equal gaps go together."""
    missing = [
        (index, tuple(name for name in task_ids if name not in covered.get(index, ()))) for index in range(num_samples)
    ]
    for (task_set, _), group in groupby(missing, key=lambda item: (item[1], item[0] // WINDOW_SAMPLES)):
        indices = [index for index, _ in group]
        if task_set:
            yield indices[0], len(indices), task_set


def _shard(
    template: Mapping[str, Any], first: int, count: int, num_rows: int, task_ids: tuple[str, ...] | None
) -> Shard:
    shard_id = Shard.make_id(
        benchmark=template["benchmark"],
        scenario=template["scenario"],
        request_digest=template["request_digest"],
        first_sample=first,
        num_samples=count,
        task_ids=task_ids,
    )
    return Shard(
        **template,
        shard_id=shard_id,
        first_sample=first,
        num_samples=count,
        expected_rows=num_rows,
        task_ids=task_ids,
    )


def _coverage(run: Run, planned: Iterable[Shard], template: Mapping[str, Any], task_set: TaskSet) -> Coverage:
    """Planned in this run, or present in the lake under the same request."""
    covered: Coverage = {}
    for shard in planned:
        for index in range(shard.first_sample, shard.first_sample + shard.num_samples):
            covered.setdefault(index, set()).update(shard.task_ids or task_set.task_ids)
    for row in _lake_rows(run, template):
        covered.setdefault(row["sample_index"], set()).add(row["task_id"])
    return covered


def _lake_rows(run: Run, template: Mapping[str, Any]) -> list[dict[str, Any]]:
    partition = run.lake.directory("samples", template)
    if not partition.exists():
        return []
    names = ("benchmark", "model", "scenario", "request_digest")
    filters = [(name, "=", template[name]) for name in names]
    return run.lake.read("samples", ["task_id", "sample_index"], filters).to_pylist()


def _refuse_changes(planned: Iterable[Shard], templates: Iterable[Mapping[str, Any]]) -> None:
    """A request that the run held and the run file no longer asks for, beside a new one: it was changed, not added."""
    cells = _grouped(planned, lambda shard: tuple(getattr(shard, name) for name in _CELL))
    for cell, siblings in _grouped(templates, lambda template: tuple(template[name] for name in _CELL)).items():
        held = {(shard.request_digest, shard.seed): shard for shard in cells.get(cell, ())}
        wanted = {(template["request_digest"], template["seed"]): template for template in siblings}
        gone = [shard for name, shard in held.items() if name not in wanted]
        new = [template for name, template in wanted.items() if name not in held]
        if gone and new:
            raise _change(gone[-1], new[0])


_CELL = ("benchmark", "scenario", "model", "protocol")


def _change(shard: Shard, template: Mapping[str, Any]) -> ConfigurationChanged:
    before, after = {**shard.request, "run.seed": shard.seed}, {**template["request"], "run.seed": template["seed"]}
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    others = f" (and {', '.join(names[1:])} differ)" if names[1:] else ""
    return ConfigurationChanged(
        f"this run was planned with {names[0]} = {before.get(names[0])!r} for {shard.model} on {shard.benchmark} "
        f"{shard.scenario}, now it would be {after.get(names[0])!r}{others}",
        "give the changed run another run.name, or undo the change",
    )


def _grouped(items: Iterable[Item], name: Callable[[Item], Any]) -> dict[Any, list[Item]]:
    """Name -> its items, both in the order given."""
    groups: dict[Any, list[Item]] = {}
    for item in items:
        groups.setdefault(name(item), []).append(item)
    return groups


def _refuse_unknown_tasks(scope: Scope, task_sets: Sequence[TaskSet]) -> None:
    known = {name: None for task_set in task_sets for name in task_set.task_ids}
    for name in scope.task_ids:
        if name not in known:
            raise UsageError(f"no planned benchmark has a task {name!r}{did_you_mean(name, known)}", "correct --task")
