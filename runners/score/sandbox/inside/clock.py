"""The soft limit of one case, in seconds that do not depend on how busy the node is.

Theory of operation. A timer by the wall clock alone stops a program for having had no processor. The kernel counts
how long the main thread was ready to run and waited (second number of ``schedstat``; a sleeping thread does not
count); when the timer fires, that time is given back, up to ``MAX_STRETCH`` limits in all. The file is opened before
confinement from a descriptor of the judge's ``/proc`` that the child closes again, because there is no ``/proc``
inside; where it cannot be opened nothing is given back. All of it lies in the sample's process: a sample that forges
it gains time within the part's budget, which the judge keeps from outside.
"""

from __future__ import annotations

import _signal  # pyright: ignore[reportMissingImports]  # built in
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from .report import Expired

MAX_STRETCH = 2
"""A program that waited for a processor runs at most so many times as long by the clock."""
_MIN_SECONDS = 0.001
_SAMPLE_SECONDS = 0.02
"""How old timer and count of waiting may be when a case begins: what was waited before is credited by mistake."""
_now = time.perf_counter
_read_at = os.pread
_set_timer = signal.setitimer
_REAL = signal.ITIMER_REAL
_ALARM = int(signal.SIGALRM)
_set_handler = _signal.signal  # the public one looks every number up in an enumeration, before and after


class Clock:
    """``waits_fd``: this thread's open ``schedstat``, or None. ``seconds``: what the last case took."""

    def __init__(self, waits_fd: int | None) -> None:
        self._waits_fd = waits_fd
        self._limit = self._started = self._waited = self._sampled = 0.0
        self._set_for: float | None = None
        self._is_running = False
        self.seconds = 0.0
        self._expired: Callable[[], Expired] = Expired

    def install(self, expired: Callable[[], Expired] = Expired) -> None:
        """Have the timer raise Expired, or what is given in its place, in the main thread."""
        self._expired = expired
        _set_handler(_ALARM, self._fired)
        self._set_for = None
        self.sample()

    def sample(self) -> None:
        """Note how long this thread has waited so far."""
        self._waited, self._sampled = self._seconds_waited(), _now()

    def start(self, limit_seconds: float) -> None:
        """Begin a case. A timer that was set a moment ago may stand: when it fires, what is left is asked for anew."""
        self._limit, self._started = limit_seconds, _now()
        if self._started - self._sampled > _SAMPLE_SECONDS or limit_seconds != self._set_for:
            self.sample()
            _set_timer(_REAL, limit_seconds)
            self._set_for = limit_seconds
        self._is_running = True

    def stop(self) -> None:
        """End the case; a timer that fires later finds nothing to stop."""
        self._is_running = False
        self.seconds = _now() - self._started

    def seconds_not_waited(self) -> float:
        """Seconds of the last case less those without a processor: what the work takes on an idle node.

        Exact only after a ``sample`` right before the case.
        """
        return max(0.0, self.seconds - max(0.0, self._seconds_waited() - self._waited))

    def timed(self, function: Callable[[], Any], limit_seconds: float) -> tuple[Any, float]:
        """Call under the limit: the value, and the seconds it took by the wall clock."""
        self.start(limit_seconds)
        try:
            value = function()
        finally:
            self.stop()
        return value, self.seconds

    def _fired(self, signum: int, frame: Any) -> None:
        if not self._is_running:
            self._set_for = None  # the next case sets it
            return
        try:
            left = self._seconds_left()
        except (RecursionError, MemoryError):  # a program at the end of its stack: no room to ask
            left = 0.0
        if left <= 0:
            self._is_running, self._set_for = False, None  # once per case, as officially
            raise self._expired()
        _set_timer(_REAL, max(left, _MIN_SECONDS))

    def _seconds_left(self) -> float:
        waited = max(0.0, self._seconds_waited() - self._waited)
        return self._limit + min(waited, (MAX_STRETCH - 1) * self._limit) - (_now() - self._started)

    def _seconds_waited(self) -> float:
        if self._waits_fd is None:
            return 0.0
        try:
            return int(_read_at(self._waits_fd, 100, 0).split()[1]) / 1e9
        except (OSError, ValueError, IndexError):  # the sample closed it, or put something else in its place
            return 0.0


def open_waits(proc_fd: int | None) -> int | None:
    """This thread's ``schedstat`` below an O_PATH descriptor of ``/proc``; None where there is none."""
    if proc_fd is None:
        return None
    try:
        # of the process' first thread, which this one is; the way over ``thread-self`` costs two directories more
        return os.open("self/schedstat", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc_fd)
    except OSError:
        return None
