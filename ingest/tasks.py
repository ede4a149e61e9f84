"""Rows of the ``tasks`` table: what was asked, without the answers."""

from __future__ import annotations

from collections.abc import Sequence
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
    }


def record_tasks(lake: Lake, tasks: Sequence[Task], dataset_version: str, dataset_digest: str | None) -> None:
    """Write the tasks of one benchmark, version and scenario; the newest write of the three is the live one."""
    if not tasks:
        return
    name = f"tasks-{tasks[0].scenario}-{dataset_version}".replace("/", "_")
    parts = lake.write_part("tasks", [task_row(task, dataset_version, dataset_digest) for task in tasks], name)
    lake.commit(f"{tasks[0].benchmark}-{name}", "import", parts)
