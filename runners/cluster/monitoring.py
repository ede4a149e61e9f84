"""Follow the queue: at each look the throttle of our live arrays becomes what is idle now, less the headroom."""

from __future__ import annotations

import getpass
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ...ingest.config import Settings
from ...ingest.errors import QueueError
from ...ingest.manifest import Run
from ...slurm import commands
from ...slurm.measurements import Look, Summary, append, read, summary
from ...slurm.nodes import idle_gpus
from ...slurm.queue import QueuedTask
from ...slurm.submissions import Submission, Submissions
from ...slurm.throttle import LiveArray, allowance, shared_out, wanted_by_others
from .ledger import attempts
from .submitting import wanted_of


class Monitor:
    """One run's generate arrays. ``look`` reads the queue, sets throttles, and keeps what it saw."""

    def __init__(self, run: Run, settings: Settings) -> None:
        self.settings = settings
        self.submissions = Submissions(run.root)
        self.path: Path = self.submissions.root / "looks.jsonl"
        self._throttles: dict[str, int] = {}

    def looks(self, is_once: bool = False, patient: Callable[[QueueError], None] | None = None) -> Iterator[Look]:
        """Until none of our arrays has anything left, one look per ``compute.refresh_seconds``.

        A controller that does not answer is told to ``patient`` and asked again; without it, or at the first look,
        QueueError is raised.
        """
        has_looked = False
        while True:
            try:
                look = self.look()
                has_looked = True
                yield look
                if is_once or look.num_running + look.num_pending == 0:
                    return
            except QueueError as error:
                if patient is None or not has_looked:
                    raise
                patient(error)
            time.sleep(self.settings["compute.refresh_seconds"])

    def look(self) -> Look:
        """One call each of squeue (ours), squeue (waiting) and scontrol; scontrol update where a throttle changes."""
        mine = commands.queued(getpass.getuser())
        arrays = live_arrays(self.submissions.of_stage("generate"), mine, self._throttles)
        found = idle_gpus(commands.nodes(), wanted_of(self.settings))
        our_jobs = frozenset(one.job_id for one in self.submissions.all())
        wanted = wanted_by_others(commands.waiting(self.settings["compute.gpu_partition"]), our_jobs)
        held = sum(array.num_running * array.gpus for array in arrays)
        allowed = allowance(found.free, held, self.settings["compute.headroom_gpus"], wanted)
        self._set(arrays, shared_out(arrays, allowed))
        look = Look(
            time.time(),
            found.free,
            found.total,
            held,
            wanted,
            sum(array.num_running for array in arrays),
            sum(array.num_pending for array in arrays),
            sum(self._throttles.get(array.job_id, 0) for array in arrays if not array.is_over),
            _reasons(mine, frozenset(array.job_id for array in arrays)),
        )
        append(self.path, look)
        return look

    def _set(self, arrays: Sequence[LiveArray], throttles: dict[str, int]) -> None:
        for array in arrays:
            wanted = throttles.get(array.job_id)
            # an array without pending tasks cannot be updated any more, and need not be
            if wanted is not None and array.num_pending and wanted != array.throttle:
                commands.set_throttle(array.job_id, wanted)
            if wanted is not None:
                self._throttles[array.job_id] = wanted


def followed(run: Run, monitor: Monitor) -> tuple[list[Look], Summary]:
    """All looks of the run so far, and what they come to."""
    looks = read(monitor.path)
    jobs = {one.job_id for one in monitor.submissions.of_stage("generate")}
    tasks = [task for task in commands.queued(getpass.getuser()) if task.array_id in jobs]
    return looks, summary(looks, tasks, attempts(run.lake))


def qos_names() -> list[str]:
    """Raises QueueError where accounting is off."""
    return [one.name for one in commands.qos()]


def live_arrays(
    submissions: Sequence[Submission], queued: Sequence[QueuedTask], throttles: dict[str, int]
) -> list[LiveArray]:
    """Arrays that have a task pending or running. ``throttles``: what was set since they were submitted."""
    found = []
    for one in submissions:
        tasks = [task for task in queued if task.array_id == one.job_id]
        running, pending = (sum(task.is_running for task in tasks), sum(task.is_pending for task in tasks))
        if running + pending:
            throttle = throttles.get(one.job_id, one.throttle)
            found.append(LiveArray(one.job_id, max(1, one.gpus), running, pending, throttle))
    return found


def _reasons(queued: Sequence[QueuedTask], jobs: frozenset[str]) -> dict[str, int]:
    counted = Counter(task.reason.partition(",")[0] for task in queued if task.is_pending and task.array_id in jobs)
    return dict(counted)
