"""Import: a recorded file becomes one shard: manifest line, samples, published verdicts, both markers.

Everything is read, reconciled (``import_plan``) and known to fit the lake's types before the first byte is written. The
shard id is the digest of the file's unpacked content, benchmark, scenario and model; parts are named by their content;
the manifest refuses a changed request. So the same file twice changes nothing, a crash between two writes is healed by
the same command, and the same file under another temperature is an error that names the field.

Verdicts of others never stand where ours do: they carry ``grader_id`` ``published:…`` and ``origin`` ``published``.
The samples count as generated, so the shard is pending for ``score`` like any other that brought texts.
"""

from __future__ import annotations

import datetime
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import BadInput, ConfigurationChanged, LakeError
from ..manifest import Run, Shard, run_id
from ..tasks import record_tasks, record_unstaged_tasks, task_row
from .import_plan import Plan, Wanted, plan_import
from .rows import recorded_task_rows, result_rows, sample_rows
from .writable import refuse_unwritable

__all__ = ["Imported", "Wanted", "import_file"]

_KIND_OF_SCENARIO: Mapping[str, str] = {"execution": "expression"}
"""Scenarios whose tasks are of another kind than their benchmark's; only for tasks known from a recorded file."""


@dataclass(frozen=True)
class Imported:
    """What one import did; ``notes`` are things that the user should know. ``is_new``: something was written."""

    shard_id: str
    summary: str
    notes: tuple[str, ...] = ()
    is_new: bool = True

    @property
    def shard_ids(self) -> tuple[str, ...]:
        return (self.shard_id,)


def import_file(run: Run, path: Path, wanted: Wanted, datasets_root: Path, *, is_dry_run: bool = False) -> Imported:
    """Read, reconcile, write. Nothing is written when it raises, or when ``is_dry_run``.

    Raises what ``plan_import`` raises, ConfigurationChanged (imported before, under another request), and BadInput
    (another file brought other texts for the same samples).
    """
    return write_plan(run, path, plan_import(path, wanted, datasets_root), is_dry_run=is_dry_run)


def write_plan(run: Run, path: Path, plan: Plan, *, is_dry_run: bool = False) -> Imported:
    """Write what was planned; raises ConfigurationChanged and BadInput as ``import_file``."""
    started, clock = _utc_now(), time.monotonic()
    is_attached = _is_attached(run, path, plan)
    if is_attached:
        plan = replace(plan, shard=replace(plan.shard, expected_rows=0))
    summary = _summary(path, plan, is_attached)
    shard_id = plan.shard.shard_id
    if is_dry_run:
        return Imported(shard_id, f"would import {summary}", plan.notes, False)
    _refuse_another_request(path, run.manifest.shards().get(shard_id), plan)
    tables = _tables(plan, is_attached)
    task_rows = _task_rows(plan)
    refuse_unwritable(path, {**tables, "tasks": task_rows})
    run.manifest.add([plan.shard])
    if run.is_done("generate", shard_id) and _is_in_lake(run, shard_id, tables):
        # a process that ended between its markers and its line of the ledger left that line to this one
        if run.next_attempt("import", shard_id) == 1:
            num_rows = sum(len(rows) for rows in tables.values())
            _record_attempt(run, plan, num_rows, summary, started, time.monotonic() - clock)
        return Imported(shard_id, f"nothing to do: {path} was imported before", plan.notes, False)
    num_rows = _write(run, plan, tables, task_rows)
    _record_attempt(run, plan, num_rows, summary, started, time.monotonic() - clock)
    return Imported(shard_id, f"imported {summary}", plan.notes)


def _is_in_lake(run: Run, shard_id: str, tables: Mapping[str, Any]) -> bool:
    """Whether this very lake has the shard's live parts: the run's marker cannot know of a second or a deleted lake."""
    try:
        return all(run.lake.live_parts(table, shard_id) for table in tables)
    except LakeError:
        return False


def _tables(plan: Plan, is_attached: bool) -> dict[str, list[dict[str, Any]]]:
    asked, shard, records = plan.asked, plan.shard, plan.recording.records
    tables: dict[str, list[dict[str, Any]]] = {}
    if not is_attached:
        tables["samples"] = list(sample_rows(asked, records, shard.shard_id, shard.num_planned))
    if verdicts := list(result_rows(asked, records, shard.shard_id)):
        tables["results"] = verdicts
    return tables


def _task_rows(plan: Plan) -> list[dict[str, Any]]:
    """Rows of tasks: from the staged problems, else what the file tells."""
    asked = plan.asked
    if plan.tasks:
        return [task_row(task, asked.dataset_version, asked.dataset_digest) for task in plan.tasks]
    test_sets = plan.pin.test_sets(asked.scenario) or plan.benchmark.test_sets.get(asked.scenario, ("base",))
    kind = _KIND_OF_SCENARIO.get(asked.scenario, plan.benchmark.kind)
    return recorded_task_rows(asked, plan.recording, kind, test_sets, plan.pin.words)


def _write(run: Run, plan: Plan, tables: dict[str, list[dict[str, Any]]], task_rows: list[dict[str, Any]]) -> int:
    """Tasks first (idempotent), then the shard's own parts with both markers."""
    if plan.tasks:
        record_tasks(run.lake, plan.tasks, plan.asked.dataset_version, plan.asked.dataset_digest)
    else:
        record_unstaged_tasks(run.lake, task_rows)
    run.seal("generate", plan.shard.shard_id, tables, plan.shard.expected_rows)
    return sum(len(rows) for rows in tables.values())


def _refuse_another_request(path: Path, present: Shard | None, plan: Plan) -> None:
    """The manifest would refuse it as well, by a digest; here the field is named."""
    if present is None:
        return
    if present.expected_rows == 0 and plan.shard.expected_rows:
        raise BadInput(
            f"{path} added verdicts to the samples of another file, and this lake does not have those samples",
            "import the file with the samples into this lake first",
        )
    before, now = present.request, plan.asked.request
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            raise ConfigurationChanged(
                f"{path} was imported with {name} = {before.get(name)!r}, now it would be {now.get(name)!r}",
                "give the changed import another --run-name, or repeat the first options",
            )


def _is_attached(run: Run, path: Path, plan: Plan) -> bool:
    """Whether another shard holds these very samples, so that this file only adds verdicts to them.

    That happens where one source publishes samples and verdicts in two files. Texts of equal form must be equal.
    """
    present = _present_samples(run, plan)
    if not present:
        return False
    asked, records = plan.asked, plan.recording.records
    known = [(record, present.get(asked.sample_id(record))) for record in records]
    strangers = [record for record, row in known if row is None]
    differing = [record for record, row in known if row is not None and _differs(record.text, record.text_form, row)]
    silent = [record for record in records if not record.judgements]
    if strangers or differing or silent:
        other = next(iter(present.values()))["shard_id"]
        raise BadInput(
            f"samples of {asked.model} on {asked.scenario} from {asked.source} are in the lake already (shard {other}) "
            f"and {path} does not just add verdicts to them",
            "name the source of this file with --source, or leave --source out",
        )
    return True


def _present_samples(run: Run, plan: Plan) -> Mapping[bytes, Mapping[str, Any]]:
    columns = ["sample_id", "raw_text", "text_form", "shard_id"]
    filters = [
        ("benchmark", "=", plan.asked.benchmark),
        ("model", "=", plan.asked.model),
        ("scenario", "=", plan.asked.scenario),
        ("request_digest", "=", plan.asked.request_digest),
        ("shard_id", "!=", plan.shard.shard_id),
    ]
    rows = run.lake.read("samples", columns, filters).to_pylist()
    return {row["sample_id"]: row for row in rows}


def _differs(text: str | None, text_form: str | None, row: Mapping[str, Any]) -> bool:
    return text is not None and text_form == row["text_form"] and text != row["raw_text"]


def _summary(path: Path, plan: Plan, is_attached: bool) -> str:
    asked, records = plan.asked, plan.recording.records
    num_tasks = len({record.task_id for record in records})
    num_verdicts = sum(bool(record.judgements) for record in records)
    samples = "no new samples" if is_attached else f"{len(records)} samples"
    return (
        f"{path.name}: {samples} and {num_verdicts} published verdicts of {asked.model} ({asked.protocol}) "
        f"on {num_tasks} tasks of {asked.benchmark} {asked.dataset_version} {asked.scenario}, "
        f"n = {plan.shard.num_planned}"
    )


def _record_attempt(
    run: Run, plan: Plan, num_rows: int, summary: str, started: datetime.datetime, wall_seconds: float
) -> None:
    shard = plan.shard
    attempt = run.next_attempt("import", shard.shard_id)
    run.record_attempt(
        {
            "run_id": run_id(shard.shard_id, "import", attempt),
            "shard_id": shard.shard_id,
            "stage": "import",
            "benchmark": shard.benchmark,
            "model": shard.model,
            "scenario": shard.scenario,
            "request_digest": shard.request_digest,
            "num_planned": shard.num_planned,
            "attempt": attempt,
            "node": platform.node(),
            "wall_seconds": wall_seconds,
            "num_rows": num_rows,
            "cause": "done",
            "detail": "; ".join((summary, *plan.notes)),
            "started_at": started,
            "ended_at": _utc_now(),
        }
    )


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
