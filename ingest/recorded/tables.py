"""Import of tables: how often each of many models solved each problem, one shard per model and way of asking.

Where a table says how many samples passed, every sample is a verdict like any other, so that intervals, comparisons and
ranks are made of it as of ours: which of the n passed is not known, and no number depends on it. Shares of 0 and 1
alone are verdicts on one sample each. A share whose n nobody states stays a mean (``problem_means``): made-up counts
would claim a sampling noise that nobody saw.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..benchmarks.declaration import Benchmark
from ..benchmarks.outside import is_outside, key_of
from ..bundled.task_ids import known_task_ids
from ..errors import BadInput, UsageError
from ..formats import Judgement, LogFacts, ProblemMean, Record, Recording
from ..formats.eval_arena import Cell, Table, by_model, read_table
from ..formats.text_stream import content_digest
from ..manifest import Run, Shard
from ..pins import Pin, pin_of_names
from .import_plan import Plan, Wanted, benchmark_and_scenario, source_of, version_of
from .means import write_means
from .means_plan import MeansPlan, means_shard
from .reconcile import Expected, reconcile
from .rows import Asked, model_and_protocol
from .transaction import Imported, write_plan
from .writable import refuse_odd_records

_PASSED, _FAILED = Judgement("pass", "ok"), Judgement("fail")
_WHOLE_WITHIN = 1e-6
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9.+_-]+")
_NUM_SHOWN = 3


@dataclass(frozen=True)
class ImportedTable:
    """What one import did, over all models of the table."""

    shard_ids: tuple[str, ...]
    summary: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Way:
    """One model of the table, asked one way."""

    asked: Asked
    cells: Sequence[Cell]


def import_table(run: Run, path: Path, wanted: Wanted, *, is_dry_run: bool = False) -> ImportedTable:
    """Read, reconcile, write: every model of the table is planned before the first is written.

    Raises UsageError (options, no such model), BadInput (the table is broken, or a model lacks problems and nobody
    says ``--partial``), ConfigurationChanged (imported before, under another request).
    """
    table = read_table(path)
    pin, scenario, benchmark = _what(path, table, wanted)
    digest = content_digest(path)
    ways = list(_ways(path, table, pin, scenario, wanted, source_of(wanted.source, digest)))
    plans = [_planned(path, benchmark, pin, way, digest, wanted) for way in ways]
    counted = [plan for plan in plans if isinstance(plan, Plan)]
    means = [plan for plan in plans if isinstance(plan, MeansPlan)]
    done: list[Imported] = [write_plan(run, path, plan, is_dry_run=is_dry_run) for plan in counted]
    shards = [one for plan in means for one in write_means(run, path, plan, is_dry_run=is_dry_run).shard_ids]
    notes = tuple(dict.fromkeys(note for plan in plans for note in plan.notes))
    num_problems = len({cell.task_id for cell in table.cells})
    summary = (
        f"{'would import' if is_dry_run else 'imported'} {path.name}: {len(plans)} models on {num_problems} problems "
        f"of {table.title} ({pin.benchmark} {pin.dataset_version} {scenario}), {len(counted)} with verdicts, "
        f"{len(means)} as means"
    )
    return ImportedTable((*(one.shard_id for one in done), *shards), summary, notes)


def _what(path: Path, table: Table, wanted: Wanted) -> tuple[Pin, str, Benchmark]:
    named = wanted.benchmark or table.benchmark or key_of(table.title)
    benchmark, scenario = benchmark_and_scenario(replace(wanted, benchmark=named))
    if "plus" in benchmark.test_sets[scenario]:
        if wanted.benchmark is not None:
            raise UsageError(
                f"{path} has one verdict per problem, {benchmark.name} is judged in two parts",
                f"leave --benchmark out: it is then {key_of(table.title)}",
            )
        benchmark, scenario = benchmark_and_scenario(replace(wanted, benchmark=key_of(table.title)))
    task_ids = {cell.task_id for cell in table.cells}
    if is_outside(benchmark.name):
        return pin_of_names(benchmark.name, task_ids), scenario, benchmark
    pin, _ = version_of(path, benchmark, scenario, wanted, len(task_ids))
    return pin, scenario, benchmark


def _ways(path: Path, table: Table, pin: Pin, scenario: str, wanted: Wanted, source: str) -> Iterator[_Way]:
    chosen = None if wanted.model is None else model_and_protocol(wanted.model)[0]
    seen: dict[tuple[str, str, float | None], str] = {}
    for named, temperature, cells in by_model(table.cells):
        model, protocol = model_and_protocol(_as_key(named), wanted.protocol)
        if chosen not in (None, model):
            continue
        temperature = temperature if wanted.temperature is None else wanted.temperature
        other = seen.setdefault((model, protocol, temperature), named)
        if other != named:
            raise BadInput(f"{path}: {other!r} and {named!r} would both be {model}", "rename one of them in the table")
        yield _Way(
            Asked(
                pin.benchmark,
                scenario,
                pin.dataset_version,
                pin.dataset_digest,
                model,
                protocol,
                source,
                temperature,
                wanted.top_p,
                wanted.max_tokens,
                wanted.licence,
            ),
            cells,
        )
    if not seen:
        raise BadInput(f"{path} holds no row of {chosen}", "leave --model out to take every model")


def _as_key(named: str) -> str:
    """A name as others write it: ``org--name`` is ``org/name``; what no key can hold becomes ``-``."""
    bare = named.removesuffix("+cot")
    org, separator, name = bare.partition("--")
    words = [_NOT_IN_A_KEY.sub("-", word).strip("-._") for word in ((org, name) if separator else bare.split("/"))]
    return "__".join(word for word in words if word) + named[len(bare) :]


def _planned(path: Path, benchmark: Benchmark, pin: Pin, way: _Way, digest: str, wanted: Wanted) -> Plan | MeansPlan:
    refuse_twice(path, way.cells)
    records = _records(way.cells, wanted.num_samples)
    if records is None:
        return _means_plan(path, pin, way, digest, wanted)
    refuse_odd_records(path, records)
    asked = way.asked
    expected = Expected(
        known_task_ids(pin.benchmark, pin.dataset_version, asked.scenario), pin.num_tasks(asked.scenario)
    )
    reconciled = reconcile(path, records, expected, wanted.num_samples)
    if reconciled.gaps and not wanted.is_partial:
        raise BadInput(
            f"{path}: {asked.model} is not whole: {'; '.join(reconciled.gaps)}",
            "complete the table, or import it with --partial (the affected numbers are then refused)",
        )
    present = {record.task_id for record in records}
    shard = asked.shard(
        shard_id=_shard_id(digest, asked),
        num_samples=reconciled.num_planned,
        num_planned=reconciled.num_planned,
        expected_rows=len(records),
        task_ids=tuple(sorted(present)) if reconciled.gaps else None,
    )
    gaps = tuple(f"recorded as missing: {asked.model}: {gap}" for gap in reconciled.gaps)
    recording = Recording(tuple(records), facts=LogFacts(tool="eval-arena"))
    return Plan(benchmark, pin, asked, recording, reconciled, shard, (), gaps)


def refuse_twice(path: Path, cells: Sequence[Cell]) -> None:
    """BadInput where one model has two rows of one problem."""
    lines: dict[str, int] = {}
    for cell in cells:
        first = lines.setdefault(cell.task_id, cell.line)
        if first != cell.line:
            raise BadInput(
                f"{path} line {cell.line}: {cell.model} on {cell.task_id} stands in line {first} already",
                "keep one row per model and problem (is the file glued to a copy of itself?)",
            )


def _records(cells: Sequence[Cell], num_samples: int | None) -> list[Record] | None:
    """One verdict per sample; None where the number of samples is not known of every problem."""
    is_single = num_samples is None and all(cell.share in (0.0, 1.0) for cell in cells)
    records: list[Record] = []
    for cell in cells:
        n = cell.num_samples or num_samples or (1 if is_single else None)
        if n is None:
            return None
        passed = cell.num_passed if cell.num_passed is not None else round(cell.share * n)
        if abs(passed - cell.share * n) > _WHOLE_WITHIN * n:
            return None
        records += (
            Record(cell.task_id, index, judgements={"base": _PASSED if index < passed else _FAILED}, line=cell.line)
            for index in range(n)
        )
    return records


def _shard_id(digest: str, asked: Asked) -> str:
    """One file holds one model under several protocols and temperatures."""
    return Shard.make_id(
        content=digest,
        benchmark=asked.benchmark,
        scenario=asked.scenario,
        model=asked.model,
        protocol=asked.protocol,
        temperature=asked.temperature,
    )


def _means_plan(path: Path, pin: Pin, way: _Way, digest: str, wanted: Wanted) -> MeansPlan:
    asked = way.asked
    means = [
        ProblemMean(
            asked.model, asked.protocol, "pass@1", cell.task_id, cell.task_id, 100 * cell.share, cell.num_samples
        )
        for cell in way.cells
    ]
    num_tasks = pin.num_tasks(asked.scenario)
    known = known_task_ids(pin.benchmark, pin.dataset_version, asked.scenario)
    strangers = [] if known is None else sorted({mean.task_id for mean in means} - set(known))
    if strangers:
        shown = ", ".join(strangers[:_NUM_SHOWN])
        raise BadInput(f"{path}: {pin.benchmark} {pin.dataset_version} does not have {shown}", "check --benchmark")
    gap = f"{asked.model}: {(num_tasks or 0) - len(means)} of {num_tasks} problems missing"
    gaps = (gap,) if num_tasks is not None and len(means) < num_tasks else ()
    if gaps and not wanted.is_partial:
        raise BadInput(f"{path}: {gap}", "complete the table, or import it with --partial")
    note = (
        "shares without the number of samples behind them are kept as means, which have intervals and no comparisons: "
        "--num-samples N says how many there were"
    )
    shard = means_shard(asked, digest, means, wanted.num_samples)
    return MeansPlan(asked.benchmark, asked.scenario, asked.dataset_version, (shard,), (note, *gaps))
