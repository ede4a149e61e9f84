"""How far generation is: samples/s, tokens/s and time left, of the last minute."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW_SECONDS = 60.0
Advance = Callable[[int, str], None]
"""(samples more, note)."""


class Progress:
    """A meter for the pool that tells ``advance``; what was there already counts as done but not into the rates."""

    def __init__(self, total: int, advance: Advance, *, shows_time_left: bool) -> None:
        self._total, self._advance, self._shows_time_left = total, advance, shows_time_left
        self._num_done = 0
        self._last: deque[tuple[float, int, int]] = deque()
        self._started = time.monotonic()

    def resumed(self, num_samples: int) -> None:
        self._num_done += num_samples
        self._advance(num_samples, self._note(time.monotonic()))

    def answered(self, num_samples: int, num_tokens: int) -> None:
        now = time.monotonic()
        self._num_done += num_samples
        self._last.append((now, num_samples, num_tokens))
        while now - self._last[0][0] > _WINDOW_SECONDS:
            self._last.popleft()
        self._advance(num_samples, self._note(now))

    def _note(self, now: float) -> str:
        """``5.9 samples/s, 4210 tokens/s, 12 min left``."""
        seconds = max(min(now - self._started, _WINDOW_SECONDS), 1e-3)
        samples = sum(number for _, number, _ in self._last) / seconds
        tokens = sum(number for _, _, number in self._last) / seconds
        if not samples:
            return ""
        note = f"{samples:.1f} samples/s, {tokens:.0f} tokens/s"
        left = (self._total - self._num_done) / samples
        return f"{note}, {_duration(left)} left" if self._shows_time_left and left > 0 else note


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
