"""Kind ``suite``: the test program runs in the sample's process; the judge counts what it can and believes the rest.

See ``ingest.benchmarks.suites`` for what a task holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from ....ingest import errors
from ....ingest.benchmarks.declaration import Task
from .execution import Bench
from .outcome import Outcome


def grade(bench: Bench, task: Task, program: str, names: Sequence[str]) -> dict[str, Outcome]:
    """Outcomes by oracle: official (tests passed, no tampering), strict (and nothing that could be tampering)."""
    raise errors.UsageError(f"Task {task.task_id} is of a suite, which cannot be judged yet.")
