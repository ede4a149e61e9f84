"""What monitor sees at each look, kept as JSON lines beside the submissions, and what it comes to."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..ingest.journal import Journal
from .queue import QueuedTask

_HOUR_SECONDS = 3600.0
_LONG_WAIT_SECONDS = 6 * _HOUR_SECONDS


@dataclass(frozen=True)
class Look:
    """One look at the queue. ``at`` in seconds since 1970; GPUs of the wanted kind on nodes that take jobs."""

    at: float
    idle_gpus: int
    total_gpus: int
    held_gpus: int
    wanted_by_others: int
    num_running: int
    num_pending: int
    throttle: int
    reasons: Mapping[str, int]
    """Why our pending tasks wait -> how many."""


@dataclass(frozen=True)
class Summary:
    """Over all looks. Shares are of GPU-seconds of the wanted kind; None where nothing was seen."""

    hours: float
    harvested_gpu_hours: float
    lowest_gpu_seconds_per_hour: float | None
    """The floor: the worst whole hour."""
    idle_share: float | None
    harvested_share: float | None
    """Of what was not held by others: idle plus ours."""
    median_wait_seconds: float | None
    longest_wait_seconds: float | None
    useful_share: float | None
    """GPU-seconds of attempts that wrote rows, of all attempts."""


def append(path: Path, look: Look) -> None:
    Journal(path).append(asdict(look))


def read(path: Path) -> list[Look]:
    return [Look(**row) for row in Journal(path).rows()]


def summary(looks: Sequence[Look], tasks: Iterable[QueuedTask], attempts: Iterable[Mapping[str, Any]]) -> Summary:
    """``tasks`` are ours, with their waits; ``attempts`` rows of the run's ledger."""
    spans = [(first, second.at - first.at) for first, second in pairwise(looks)]
    held = sum(look.held_gpus * seconds for look, seconds in spans)
    idle = sum(look.idle_gpus * seconds for look, seconds in spans)
    total = sum(look.total_gpus * seconds for look, seconds in spans)
    waits = [
        max(0.0, (task.started - task.submitted).total_seconds())
        for task in tasks
        if task.started and task.submitted and not task.is_pending
    ]
    return Summary(
        sum(seconds for _, seconds in spans) / _HOUR_SECONDS,
        held / _HOUR_SECONDS,
        _lowest_hour(spans),
        idle / total if total else None,
        held / (held + idle) if held + idle else None,
        statistics.median(waits) if waits else None,
        max(waits, default=None),
        _useful_share(attempts),
    )


def advice(found: Summary, last: Look | None, qos_names: Sequence[str]) -> list[str]:
    """What to try where the run gets less than there is; sentences that name the setting."""
    if last is None:
        return []
    said = []
    limits = sum(number for reason, number in last.reasons.items() if reason.startswith(("QOS", "Assoc")))
    if limits:
        others = ", ".join(qos_names) or "none is known"
        said.append(f"{limits} tasks wait for a limit of the QOS or account: BENCHFORGE_GPU_QOS, one of {others}")
    starved = last.num_pending and last.num_running < last.throttle
    if starved and last.idle_gpus > 0 and last.reasons.get("Priority", 0) + last.reasons.get("Resources", 0):
        said.append("GPUs are idle and tasks wait for priority: a shorter BENCHFORGE_GPU_TIME fits into gaps")
    if starved and found.longest_wait_seconds is not None and found.longest_wait_seconds > _LONG_WAIT_SECONDS:
        said.append("tasks waited for more than six hours: a smaller BENCHFORGE_NICE lets them age past others")
    if found.useful_share is not None and found.useful_share < 0.5:
        said.append("half of the GPU time left no row: look at the causes, benchforge resubmit --dry-run")
    return said


def _lowest_hour(spans: Sequence[tuple[Look, float]]) -> float | None:
    """Held GPU-seconds of the worst whole hour since the first look."""
    if not spans:
        return None
    first = spans[0][0].at
    hours: dict[int, list[float]] = {}
    for look, seconds in spans:
        pair = hours.setdefault(int((look.at - first) // _HOUR_SECONDS), [0.0, 0.0])
        pair[0] += look.held_gpus * seconds
        pair[1] += seconds
    whole = [held for held, seconds in hours.values() if seconds >= 0.9 * _HOUR_SECONDS]
    return min(whole, default=None)


def _useful_share(attempts: Iterable[Mapping[str, Any]]) -> float | None:
    spent = [(row["gpu_seconds"] or 0.0, bool(row["num_rows"])) for row in attempts]
    total = sum(seconds for seconds, _ in spent)
    return sum(seconds for seconds, is_useful in spent if is_useful) / total if total else None


def line(look: Look) -> str:
    """One look as a line of a log."""
    reasons = ", ".join(f"{number} {name}" for name, number in sorted(look.reasons.items()))
    return (
        f"GPUs: {look.held_gpus} ours, {look.idle_gpus} idle of {look.total_gpus}, {look.wanted_by_others} wanted by "
        f"others; tasks: {look.num_running} running, {look.num_pending} pending{f' ({reasons})' if reasons else ''}; "
        f"throttle {look.throttle}"
    )
