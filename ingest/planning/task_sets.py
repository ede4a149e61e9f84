"""The tasks of one cell with everything that rendering and digests need: pinned version, prompts, protocol strings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .. import keys
from ..benchmarks.declaration import Benchmark, Protocol, Task, Version
from ..errors import NotStaged, UsageError
from ..names import meant_or_known
from ..pins import pins_of


@dataclass(frozen=True)
class TaskSet:
    """Tasks of one cell and everything that rendering and digests need."""

    benchmark: Benchmark
    scenario: str
    version: Version
    tasks: tuple[Task, ...]
    strings: Mapping[str, str]
    _prompt_digests: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Protocol -> digest of all its prompts: the same for every model, and made once."""

    @property
    def task_ids(self) -> tuple[str, ...]:
        return tuple(task.task_id for task in self.tasks)


def load_task_set(benchmark: Benchmark, scenario: str, version_name: str | None, datasets_root: Path) -> TaskSet:
    """Tasks of one cell; NotStaged where its problems are not on this machine, or it has no way of asking yet."""
    from ..staging import staged

    if benchmark.load is None or not can_ask(benchmark, scenario):
        cell = benchmark.name if len(benchmark.scenarios) == 1 else f"{benchmark.name} {scenario}"
        raise NotStaged(
            f"{cell} has no prompt protocol yet: its samples are imported",
            f"benchforge import --help, or leave {cell} out of benchmarks:",
        )
    version = benchmark.version(version_name)
    tasks = staged.load_tasks(benchmark, version.name, scenario, datasets_root)
    return TaskSet(benchmark, scenario, version, tuple(tasks), _strings(benchmark, datasets_root))


def can_ask(benchmark: Benchmark, scenario: str) -> bool:
    """Whether some protocol asks this scenario."""
    return any(not protocol.scenarios or scenario in protocol.scenarios for protocol in benchmark.protocols)


def prompts_digest(task_set: TaskSet, protocol: Protocol) -> str:
    """Digest of every prompt of the cell, whatever part of it is planned; NotStaged without the harness's texts."""
    missing = sorted(set(protocol.needs_strings) - set(task_set.strings))
    if missing:
        raise NotStaged(
            f"the protocol {protocol.name} of {task_set.benchmark.name} needs {missing[0]}, which is not staged",
            "benchforge stage --strings-from DIR",
        )
    made = task_set._prompt_digests
    if protocol.name not in made:
        made[protocol.name] = keys.prompt_set_digest(
            (task.task_id, protocol.render(task, task_set.strings).digest) for task in task_set.tasks
        )
    return made[protocol.name]


def dataset_digest(benchmark: Benchmark, version: Version) -> str:
    """Digest that rows carry: the pinned one, else over the digests of all artifacts."""
    pin = pins_of(benchmark.name).get(version.name)
    if pin is not None and pin.dataset_digest:
        return pin.dataset_digest
    return keys.digest_of([artifact.sha256 or version.name for artifact in version.artifacts])


def protocol_of(benchmark: Benchmark, name: str) -> Protocol:
    """The named protocol; UsageError that lists them."""
    known = {protocol.name: protocol for protocol in benchmark.protocols}
    if name not in known:
        raise UsageError(f"{benchmark.name} has no protocol {name!r}{meant_or_known(name, known)}", "correct protocol:")
    return known[name]


def chosen_protocol(benchmark: Benchmark, name: str | None, scenario: str, templating_mode: str) -> Protocol:
    """The named protocol, or the default one; UsageError where a model of this mode cannot be asked so."""
    possible = {protocol.name: protocol for protocol in benchmark.protocols_of(scenario, templating_mode)}
    chosen = next(iter(possible.values()), None) if name is None else protocol_of(benchmark, name)
    if chosen is None or chosen.name not in possible:
        raise UsageError(
            f"{benchmark.name} {scenario} cannot be asked by protocol {name or 'official'} where templating_mode is "
            f"{templating_mode}{meant_or_known(name or '', possible)}",
            "correct protocol: or templating_mode:",
        )
    return chosen


def _strings(benchmark: Benchmark, datasets_root: Path) -> Mapping[str, str]:
    """Those texts of the benchmark's protocols that are staged; which one a protocol lacks is said when it is used."""
    from ..staging import strings as staged_strings

    found: dict[str, str] = {}
    for name in sorted({name for protocol in benchmark.protocols for name in protocol.needs_strings}):
        with suppress(NotStaged):
            found |= staged_strings.read_strings([name], datasets_root)
    return found
