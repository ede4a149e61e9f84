"""Rows of the ``tasks`` table: what was asked, without the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .benchmarks.declaration import Task
from .lake import Lake


def task_row(task: Task, dataset_version: str, dataset_digest: str | None) -> dict[str, Any]:
    """One row of ``schemas.TASKS``."""
    return {
        "benchmark": task.benchmark,
        "dataset_version": dataset_version,
        "dataset_digest": dataset_digest,
        "scenario": task.scenario,
        "task_id": task.task_id,
        "task_digest": task.task_digest,
        "kind": task.kind,
        "test_sets": list(task.test_sets),
        "num_base_cases": task.num_base_cases,
        "num_plus_cases": task.num_plus_cases,
        "source_problem": task.source_problem,
        "stratum": task.stratum,
        "cluster": task.cluster,
        "contest_date": task.contest_date,
        "licence": task.licence,
        "pinned_cells": task.pinned_cells,
    }


def record_tasks(lake: Lake, tasks: Sequence[Task], dataset_version: str, dataset_digest: str | None) -> None:
    """Write the tasks of one benchmark, version and scenario; the newest write of the three is the live one."""
    if tasks:
        _write(lake, [task_row(task, dataset_version, dataset_digest) for task in tasks])


def record_unstaged_tasks(lake: Lake, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the tasks that a recorded file names (one benchmark, version, scenario); known ones stay as they are."""
    if not rows:
        return
    key = [(name, "=", rows[0][name]) for name in ("benchmark", "dataset_version", "scenario")]
    present = lake.read("tasks", filters=key).to_pylist()
    known = {row["task_id"] for row in present}
    new = [row for row in rows if row["task_id"] not in known]
    if new:
        _write(lake, [*present, *new])


def _write(lake: Lake, rows: Sequence[Mapping[str, Any]]) -> None:
    benchmark, scenario, version = (rows[0][name] for name in ("benchmark", "scenario", "dataset_version"))
    name = _part_name(scenario, version)
    parts = lake.write_part("tasks", rows, name)
    lake.commit(lane_of_tasks(benchmark, scenario, version), "import", parts)


def lane_of_tasks(benchmark: str, scenario: str, dataset_version: str) -> str:
    """Under which name the tasks of a scenario are live (stage import)."""
    return f"{benchmark}-{_part_name(scenario, dataset_version)}"


def _part_name(scenario: str, dataset_version: str) -> str:
    return f"tasks-{scenario}-{dataset_version}".replace("/", "_")
