"""How many of our tasks may run: what is idle now, less what is left to others, plus what we hold already.

A throttle that is lowered ends nothing: a place that becomes free is not taken again, so GPUs go back at the pace at
which our short jobs end. Jobs of others that wait for such a GPU are counted as well; they may wait for something else
(another node, a licence), so they can only lower the number, never below one task per array: a throttle of 0 means
"no limit" to SLURM, and a held array would also hold what it has running when that is requeued.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .queue import QueuedTask

_WANTS_A_GPU_NOW = ("Resources", "Priority", "None")
"""Reasons of a pending job that would start if there were a GPU (squeue(1), JOB REASON CODES)."""


@dataclass(frozen=True)
class LiveArray:
    """One of our arrays as the queue shows it; ``gpus`` of one task."""

    job_id: str
    gpus: int
    num_running: int
    num_pending: int
    throttle: int

    @property
    def is_over(self) -> bool:
        return self.num_running + self.num_pending == 0


def wanted_by_others(waiting: Iterable[QueuedTask], our_jobs: frozenset[str]) -> int:
    """GPUs that pending jobs of others would take at once."""
    return sum(task.num_gpus for task in waiting if task.array_id not in our_jobs and task.reason in _WANTS_A_GPU_NOW)


def allowance(idle_gpus: int, held_gpus: int, headroom_gpus: int, wanted_gpus: int = 0) -> int:
    """GPUs that all of our arrays together may hold."""
    return max(0, held_gpus + idle_gpus - headroom_gpus - wanted_gpus)


def shared_out(arrays: Sequence[LiveArray], allowed_gpus: int) -> dict[str, int]:
    """Throttle per array: what each runs first, the rest to the earliest with pending tasks; at least one each."""
    live = [array for array in arrays if not array.is_over]
    left = allowed_gpus
    throttles: dict[str, int] = {}
    for array in live:
        kept = min(array.num_running, max(0, left) // array.gpus)
        throttles[array.job_id] = kept
        left -= kept * array.gpus
    for array in live:
        room = max(0, array.num_running + array.num_pending - throttles[array.job_id])
        more = min(room, max(0, left) // array.gpus)
        throttles[array.job_id] += more
        left -= more * array.gpus
    return {job_id: max(1, number) for job_id, number in throttles.items()}
