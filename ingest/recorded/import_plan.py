"""The reading half of an import: from file and options to one shard, or to one clear error. Writes nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..benchmarks import resolve
from ..benchmarks.declaration import Benchmark, Task
from ..benchmarks.outside import is_outside
from ..bundled.task_ids import known_task_ids
from ..errors import BadInput, NotStaged, UsageError
from ..formats import Context, Record, Recording, registry
from ..formats.text_stream import content_digest
from ..manifest import Shard
from ..names import did_you_mean
from ..pins import Pin, pin_of_names, pins_of
from ..staging import staged
from .contradictions import refuse_other_scenario
from .left_open import named_by_place, refuse_nothing, refuse_unknown_problems, without_mixed_verdicts
from .reconcile import Expected, Reconciled, reconcile
from .rows import PROTOCOLS, Asked, model_and_protocol
from .writable import refuse_odd_records

_SOURCE = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+@[0-9a-f]{7,40}")
_STATED_TOLERANCE_PERCENT = 0.05
"""Half a unit of the first decimal: how scores are printed."""


@dataclass(frozen=True)
class Wanted:
    """What the user says about a file; None where the file or the benchmark decides."""

    format_name: str
    benchmark: str | None
    model: str | None = None
    scenario: str | None = None
    protocol: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    version_name: str | None = None
    num_samples: int | None = None
    text_form: str | None = None
    source: str | None = None
    licence: str | None = None
    is_partial: bool = False
    is_by_position: bool = False


@dataclass(frozen=True)
class Plan:
    """A file read and reconciled: all that is left is writing it. ``tasks`` is empty where nothing is staged."""

    benchmark: Benchmark
    pin: Pin
    asked: Asked
    recording: Recording
    reconciled: Reconciled
    shard: Shard
    tasks: Sequence[Task]
    notes: tuple[str, ...]


def plan_import(path: Path, wanted: Wanted, datasets_root: Path) -> Plan:
    """Read and reconcile.

    Raises UsageError (benchmark, scenario, version, model, source), BadInput (the file is broken or does not belong),
    NotStaged (the file can only be understood with the problems at hand).
    """
    refuse_odd_options(wanted)
    benchmark, scenario = benchmark_and_scenario(wanted)
    if wanted.model is None:
        raise UsageError(f"a file of the format {wanted.format_name} does not name its model", "add --model ORG/NAME")
    model, protocol = model_and_protocol(wanted.model, wanted.protocol)
    digest = content_digest(path)
    source = source_of(wanted.source, digest)
    readable = _staged(benchmark, _known_version(benchmark, wanted.version_name), scenario, datasets_root)
    recording = registry()[wanted.format_name].read(path, _context(benchmark, scenario, wanted, readable))
    refuse_unknown_problems(path, recording)
    recording = without_mixed_verdicts(recording, wanted.format_name, benchmark.test_sets[scenario])
    refuse_odd_records(path, recording.records)
    refuse_other_scenario(path, recording.records, scenario, _inputs(readable))
    task_ids = {record.task_id for record in recording.records}
    if is_outside(benchmark.name):
        pin, version_note = pin_of_names(benchmark.name, task_ids), ()
    else:
        pin, version_note = version_of(path, benchmark, scenario, wanted, len(task_ids), recording.dataset)
    refuse_nothing(path, recording)
    recording = named_by_place(path, recording, pin, scenario, wanted.is_by_position)
    tasks = _staged(benchmark, pin.dataset_version, scenario, datasets_root)
    reconciled = reconcile(path, recording.records, _expected(pin, scenario, tasks), wanted.num_samples)
    if reconciled.gaps and not wanted.is_partial:
        raise BadInput(
            f"{path} is not whole for {scenario} of {benchmark.name} {pin.dataset_version}: "
            + "; ".join(reconciled.gaps),
            "complete the file, or import it with --partial (the affected numbers are then refused)",
        )
    said = recording.facts
    asked = Asked(
        benchmark.name,
        scenario,
        pin.dataset_version,
        pin.dataset_digest,
        model,
        protocol,
        source,
        said.temperature if wanted.temperature is None else wanted.temperature,
        said.top_p if wanted.top_p is None else wanted.top_p,
        said.max_tokens if wanted.max_tokens is None else wanted.max_tokens,
        wanted.licence,
    )
    notes = (
        *said.notes,
        *version_note,
        *(f"recorded as missing: {gap}" for gap in reconciled.gaps),
        *_disagreements(recording),
    )
    shard = _shard(asked, digest, recording.records, reconciled)
    return Plan(benchmark, pin, asked, recording, reconciled, shard, tasks or (), notes)


def refuse_odd_options(wanted: Wanted) -> None:
    """Values that no request can have had; they would become part of digests."""
    allowed = (
        ("temperature", wanted.temperature, lambda value: math.isfinite(value) and value >= 0, "a number from 0"),
        ("top-p", wanted.top_p, lambda value: 0 < value <= 1, "a number above 0, at most 1"),
        ("max-tokens", wanted.max_tokens, lambda value: value >= 1, "a whole number from 1"),
        ("num-samples", wanted.num_samples, lambda value: value >= 1, "a whole number from 1"),
        ("protocol", wanted.protocol, lambda value: value in PROTOCOLS, f"one of {', '.join(PROTOCOLS)}"),
    )
    for name, value, is_allowed, words in allowed:
        if value is not None and not is_allowed(value):
            raise UsageError(f"--{name} cannot be {value!r}", f"--{name} is {words}")


def benchmark_and_scenario(wanted: Wanted) -> tuple[Benchmark, str]:
    """What the words of the user mean; UsageError where they mean nothing, or several scenarios."""
    if wanted.benchmark is None:
        raise UsageError(
            f"a file of the format {wanted.format_name} does not say which benchmark it answers",
            "add --benchmark NAME (outside_NAME for one that benchforge does not run)",
        )
    benchmark, scenarios = resolve(wanted.benchmark)
    if wanted.scenario is not None:
        if wanted.scenario not in benchmark.scenarios:
            raise UsageError(
                f"{benchmark.name} has no scenario {wanted.scenario!r}", f"one of {', '.join(benchmark.scenarios)}"
            )
        if wanted.scenario not in scenarios:
            raise UsageError(f"{wanted.benchmark} is not the scenario {wanted.scenario}", "drop one of the two")
        return benchmark, wanted.scenario
    if len(scenarios) != 1:
        raise UsageError(
            f"{benchmark.name} has several scenarios, and nothing says which one the file answers",
            f"add one of {', '.join(f'--scenario {name}' for name in scenarios)}",
        )
    return benchmark, scenarios[0]


def _known_version(benchmark: Benchmark, name: str | None) -> str | None:
    """The version named, checked; else the default of the seed."""
    known = pins_of(benchmark.name)
    if name is None:
        return next((pin.dataset_version for pin in known.values() if pin.is_default), None)
    if name not in known:
        guess = did_you_mean(name, known)
        raise UsageError(f"{benchmark.name} has no version {name!r}{guess}", f"one of {', '.join(known)}")
    return name


def version_of(
    path: Path,
    benchmark: Benchmark,
    scenario: str,
    wanted: Wanted,
    num_tasks: int,
    proven: tuple[str, str] | None = None,
) -> tuple[Pin, tuple[str, ...]]:
    """The file's proof, else the option, else the version that has as many problems as the file, else the default."""
    known = pins_of(benchmark.name)
    if proven is not None:
        name, version = proven
        if name != benchmark.name or wanted.version_name not in (None, version):
            asked_for = f"{benchmark.name} {wanted.version_name or ''}".strip()
            raise BadInput(
                f"{path} was graded against {name} {version}, not {asked_for}",
                f"--benchmark {name} --version {version}",
            )
        return known[version], ()
    default = _known_version(benchmark, wanted.version_name)
    if default is None:
        raise UsageError(f"no version of {benchmark.name} is pinned", "pin it in seeds/benchmarks.csv")
    if wanted.version_name is not None or len(known) == 1:
        return known[default], ()
    fitting = [pin for pin in known.values() if pin.num_tasks(scenario) == num_tasks]
    if known[default] not in fitting and len(fitting) == 1:
        note = f"taken for version {fitting[0].dataset_version}: it has {num_tasks} problems (--version says otherwise)"
        return fitting[0], (note,)
    others = ", ".join(name for name in known if name != default)
    note = f"{path.name} states no version of {benchmark.name}: taken for {default} (--version names another: {others})"
    return known[default], (note,)


def _staged(benchmark: Benchmark, version: str | None, scenario: str, datasets_root: Path) -> list[Task] | None:
    if benchmark.load is None:
        return None
    try:
        return staged.load_tasks(benchmark, version, scenario, datasets_root)
    except NotStaged:
        return None


def _context(benchmark: Benchmark, scenario: str, wanted: Wanted, tasks: list[Task] | None) -> Context:
    prompts = None if tasks is None else {task.task_id: task.prompt for task in tasks}
    return Context(benchmark.name, scenario, wanted.text_form, prompts, _inputs(tasks))


def _inputs(tasks: list[Task] | None) -> dict[str, str] | None:
    return None if tasks is None else {task.task_id: str(task.payload.get("input", "")) for task in tasks}


def _expected(pin: Pin, scenario: str, tasks: list[Task] | None) -> Expected:
    """Staged problems know their ids; else the lists of ids that the package keeps."""
    if tasks is not None:
        return Expected(tuple(task.task_id for task in tasks), len(tasks))
    return Expected(known_task_ids(pin.benchmark, pin.dataset_version, scenario), pin.num_tasks(scenario))


def source_of(source: str | None, digest: str) -> str:
    """The source named, checked; else the file by its digest."""
    if source is None:
        return f"file@{digest[:16]}"
    if not _SOURCE.fullmatch(source):
        raise UsageError(f"{source!r} is no source", "write --source owner/repository@commit")
    return source


def _shard(asked: Asked, digest: str, records: Sequence[Record], reconciled: Reconciled) -> Shard:
    present = {record.task_id for record in records}
    return asked.shard(
        shard_id=Shard.make_id(content=digest, benchmark=asked.benchmark, scenario=asked.scenario, model=asked.model),
        num_samples=reconciled.num_planned,
        num_planned=reconciled.num_planned,
        expected_rows=len(records),
        task_ids=tuple(sorted(present)) if reconciled.gaps else None,
    )


def _disagreements(recording: Recording) -> list[str]:
    """Scores that the file states and that its own verdicts do not give; k > n is an artefact, not a score."""
    stated = recording.stated_scores.get("pass@1")
    passes: dict[str, list[bool]] = {}
    for record in recording.records:
        if (base := record.judgements.get("base")) is not None and base.reason != "empty":
            passes.setdefault(record.task_id, []).append(base.verdict == "pass")
    num_tasks = len({record.task_id for record in recording.records})
    if stated is None or not passes:
        return []
    found = 100 * sum(sum(verdicts) / len(verdicts) for verdicts in passes.values()) / num_tasks
    if abs(found - stated) <= _STATED_TOLERANCE_PERCENT:
        return []
    return [f"the file states pass@1 {stated:.2f}, its verdicts give {found:.2f}"]
