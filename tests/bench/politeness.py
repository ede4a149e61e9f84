"""A month of a cluster's queue, simulated: what a backfill array harvests, and what it costs others.

The trace is made, not recorded: jobs of others arrive as a Poisson process with the rhythm of days and weeks, sizes and
log-normal durations as given below, from a seed. One pool of GPUs; others are served first come first served with EASY
backfill (Lifka 1995: the first waiting job has a reservation, later ones may start if they do not delay it). Our tasks
have the lowest priority, one GPU each, an endless supply, and start by the same backfill rule; nothing preempts. So
others are delayed only by tasks of ours that were running when they came.

``python tests/bench/politeness.py [seed]`` prints the tables.
"""

from __future__ import annotations

import heapq
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

HOUR = 3600.0
MONTH = 30 * 24 * HOUR
GPUS, HEADROOM, REFRESH_SECONDS = 64, 2, 30.0
HEADROOMS = (HEADROOM, 8)
SIZES, SIZE_WEIGHTS = (1, 2, 4, 8), (0.55, 0.2, 0.15, 0.1)
MEDIAN_SECONDS, SIGMA, LONGEST_SECONDS = 1.5 * HOUR, 1.3, 7 * 24 * HOUR
LOAD = 0.8
"""Of the GPUs, by others, on average."""
WARM_UP_SECONDS = 7 * 24 * HOUR + 10 * HOUR
"""Until the cluster is as full as it will be; then, on a Monday at ten, ours begin and counting does."""
BOOT_SECONDS = 240.0
"""Of each of our tasks, until its engine answers: held, but of no use."""

Throttle = Callable[[int, int, int], int]
"""(idle GPUs, held by us, GPUs that waiting jobs of others want) -> tasks of ours that may run side by side."""


@dataclass(frozen=True)
class Job:
    arrival: float
    gpus: int
    seconds: float


@dataclass
class Month:
    """What one simulation came to. Seconds are GPU-seconds where not said otherwise."""

    waits: dict[int, float] = field(default_factory=dict)
    others_seconds: float = 0.0
    our_seconds: float = 0.0
    useful_seconds: float = 0.0
    num_tasks: int = 0


def trace(seed: int, seconds: float = MONTH, load: float = LOAD) -> list[Job]:
    """Jobs of others, by arrival."""
    chance = random.Random(seed)
    rate = load * GPUS / _mean_gpu_seconds(chance)
    jobs, now = [], 0.0
    while (now := now + chance.expovariate(rate * _BUSIEST)) < seconds:
        if chance.random() < _rhythm(now) / _BUSIEST:  # thinning of a process at the busiest rate
            jobs.append(Job(now, _size(chance), _seconds(chance)))
    return jobs


_BUSIEST = 2.2


def _rhythm(now: float) -> float:
    """1 on average over a week: working hours up, nights and the weekend down."""
    day, hour = int(now // (24 * HOUR)) % 7, (now % (24 * HOUR)) / HOUR
    by_hour = 1.0 + 0.8 * math.sin((hour - 8.0) / 24.0 * 2 * math.pi)
    return by_hour * (1.2 if day < 5 else 0.5)


def _size(chance: random.Random) -> int:
    return chance.choices(SIZES, SIZE_WEIGHTS)[0]


def _seconds(chance: random.Random) -> float:
    return min(LONGEST_SECONDS, max(60.0, chance.lognormvariate(math.log(MEDIAN_SECONDS), SIGMA)))


def _mean_gpu_seconds(chance: random.Random) -> float:
    """By drawing: the cap on durations has no simple mean."""
    return sum(_size(chance) * _seconds(chance) for _ in range(20_000)) / 20_000


def simulate(jobs: Sequence[Job], throttle: Throttle | None, task_seconds: float, seconds: float) -> Month:
    """Run the month; ``throttle`` None leaves the cluster to the others. ``task_seconds`` is the limit of our tasks."""
    pool = _Pool(jobs, throttle, task_seconds)
    for now in pool.events(seconds):
        pool.step(now, seconds)
    return pool.month


class _Pool:
    def __init__(self, jobs: Sequence[Job], throttle: Throttle | None, task_seconds: float) -> None:
        self.jobs, self.throttle, self.task_seconds = jobs, throttle, task_seconds
        self.month, self.free, self.ours, self.allowed = Month(), GPUS, 0, 0
        self.waiting: list[int] = []
        self.running: list[tuple[float, int, int, int]] = []
        """(end, order, GPUs, job; -1 for a task of ours), a heap."""
        self._order, self._next = count(), 0
        self._look = math.inf if throttle is None else WARM_UP_SECONDS

    def events(self, seconds: float) -> Iterator[float]:
        """Times at which something happens: an arrival, an end, a look of the monitor when something changed."""
        while True:
            arrival = self.jobs[self._next].arrival if self._next < len(self.jobs) else math.inf
            end = self.running[0][0] if self.running else math.inf
            now = min(arrival, end, self._look)
            if now >= seconds:
                return
            yield now

    def step(self, now: float, until: float) -> None:
        has_changed = self._end_jobs(now)
        while self._next < len(self.jobs) and self.jobs[self._next].arrival <= now:
            self.waiting.append(self._next)
            self._next += 1
            has_changed = True
        self._start_others(now, until)
        if now >= self._look and self.throttle is not None:
            wanted = sum(self.jobs[number].gpus for number in self.waiting)
            self.allowed = max(0, self.throttle(self.free, self.ours, wanted))
            self._look = math.inf
        self._start_ours(now, until)
        if has_changed and self._look == math.inf and self.throttle is not None:
            self._look = (now // REFRESH_SECONDS + 1) * REFRESH_SECONDS

    def _end_jobs(self, now: float) -> bool:
        has_ended = False
        while self.running and self.running[0][0] <= now:
            _, _, gpus, number = heapq.heappop(self.running)
            self.free += gpus
            self.ours -= number < 0
            has_ended = True
        return has_ended

    def _start_others(self, now: float, until: float) -> None:
        """EASY: in order while they fit; then those that end before the first one's reservation, or leave room."""
        while self.waiting and self.jobs[self.waiting[0]].gpus <= self.free:
            self._start_other(self.waiting.pop(0), now, until)
        if not self.waiting or not self.free:
            return
        shadow, spare = self._reservation()
        for number in self.waiting[1:]:
            job = self.jobs[number]
            if job.gpus <= self.free and (now + job.seconds <= shadow or job.gpus <= spare):
                spare -= job.gpus if now + job.seconds > shadow else 0
                self.waiting.remove(number)
                self._start_other(number, now, until)

    def _start_other(self, number: int, now: float, until: float) -> None:
        job = self.jobs[number]
        if job.arrival >= WARM_UP_SECONDS:
            self.month.waits[number] = now - job.arrival
        counted = min(now + job.seconds, until) - max(now, WARM_UP_SECONDS)
        self.month.others_seconds += job.gpus * max(0.0, counted)
        self._run(now + job.seconds, job.gpus, number)

    def _start_ours(self, now: float, until: float) -> None:
        shadow, spare = self._reservation() if self.waiting else (math.inf, 0)
        while self.free and self.ours < self.allowed:
            if now + self.task_seconds > shadow:
                if spare < 1:
                    return
                spare -= 1
            held = min(now + self.task_seconds, until) - now
            self.month.our_seconds += held
            self.month.useful_seconds += max(0.0, held - BOOT_SECONDS)
            self.month.num_tasks += 1
            self.ours += 1
            self._run(now + self.task_seconds, 1, -1)

    def _run(self, end: float, gpus: int, number: int) -> None:
        self.free -= gpus
        assert self.free >= 0, "more GPUs than there are"
        heapq.heappush(self.running, (end, next(self._order), gpus, number))

    def _reservation(self) -> tuple[float, int]:
        """When the first waiting job can start, and how many GPUs are left beside it then."""
        needed, free = self.jobs[self.waiting[0]].gpus, self.free
        for end, _, gpus, _ in sorted(self.running):
            free += gpus
            if free >= needed:
                return end, free - needed
        return math.inf, 0


def fixed(number: int) -> Throttle:
    """The array's ``%`` as the operator guessed it."""
    return lambda idle, held, wanted: number


def at_submit(headroom: int = HEADROOM) -> Throttle:
    """What was idle when the array was submitted, for the whole month."""
    known: list[int] = []

    def throttle(idle: int, held: int, wanted: int) -> int:
        if not known:
            known.append(max(1, idle - headroom))
        return known[0]

    return throttle


def live(headroom: int = HEADROOM) -> Throttle:
    """``slurm.throttle.allowance`` at every look."""
    from benchforge.slurm.throttle import allowance

    return lambda idle, held, wanted: allowance(idle, held, headroom, wanted)


def compared(seed: int, task_seconds: float, seconds: float = MONTH) -> list[dict[str, float | str]]:
    """One row per policy: shares of what others leave idle, and the delay of others against a month without us."""
    until = WARM_UP_SECONDS + seconds
    jobs = trace(seed, until)
    alone = simulate(jobs, None, task_seconds, until)
    idle = GPUS * seconds - alone.others_seconds
    guess = round(idle / seconds)
    policies = {f"fixed array %{guess}": fixed(guess), "throttle at submit": at_submit()}
    policies |= {f"live, headroom {number}": live(number) for number in HEADROOMS}
    rows: list[dict[str, float | str]] = []
    for name, throttle in policies.items():
        month = simulate(jobs, throttle, task_seconds, until)
        both = month.waits.keys() & alone.waits.keys()
        delays = sorted(month.waits[number] - alone.waits[number] for number in both)
        rows.append(
            {
                "policy": name,
                "task_hours": task_seconds / HOUR,
                "harvested": month.our_seconds / idle,
                "useful": month.useful_seconds / idle,
                "mean_delay_minutes": sum(delays) / len(delays) / 60,
                "p99_delay_minutes": delays[int(0.99 * len(delays))] / 60,
                "delayed_share": sum(delay > 60 for delay in delays) / len(delays),
            }
        )
    return rows


def table(rows: Sequence[dict[str, float | str]]) -> str:
    head = f"{'policy':20}{'task':>7}{'harvested':>11}{'useful':>8}{'mean delay':>12}{'99 %':>9}{'delayed':>9}"
    lines = [head]
    for row in rows:
        lines.append(
            f"{row['policy']:20}{row['task_hours']:5.1f} h{row['harvested']:10.1%} {row['useful']:7.1%}"
            f"{row['mean_delay_minutes']:8.1f} min{row['p99_delay_minutes']:5.0f} min{row['delayed_share']:9.1%}"
        )
    return "\n".join(lines)


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    rows = [row for hours in (0.5, 1, 2, 4, 8, 24) for row in compared(seed, hours * HOUR)]
    print(table(rows))


if __name__ == "__main__":
    main()
