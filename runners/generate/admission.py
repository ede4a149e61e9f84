"""Which requests may still begin: those that are expected to end before the job does, within the ceilings.

An answer is expected to be as long as the 99th percentile of its cell and as slow as the slowest twentieth of the last
answers, at the concurrency of now. Answers in flight are longer than what they have so far, so they enter as censored
lengths (Kaplan and Meier 1958): counting ended answers alone would take the early, short ones for all. Long requests
are never dropped, they wait for the next job: a cell is complete only when every planned sample ended.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

_STEP = math.log(1.02)
"""Lengths are kept by steps of 2 %: a few hundred counts for any number of answers."""
_ENOUGH_LENGTHS = 30
_ENOUGH_SPEEDS = 8
_SPEED_WINDOW = 256
_LENGTH_SHARE, _SPEED_SHARE = 0.99, 0.05
_SHARE_OF_JOB = 0.5
"""Of a job's whole time: answers that need more of it are begun in the rest. Waiting for a longer job is no plan."""


class Lengths:
    """Lengths of one cell's answers, in tokens."""

    def __init__(self) -> None:
        self._ended: Counter[int] = Counter()
        self.number = 0

    def add(self, tokens: int) -> None:
        """One answer that ended, by itself or at its own limit."""
        self._ended[_step(tokens)] += 1
        self.number += 1

    def quantile(self, share: float, so_far: Iterable[float] = ()) -> float | None:
        """The length that ``share`` of the answers do not exceed; None where too little is known to say.

        ``so_far`` are tokens of answers in flight: each will be longer than that.
        """
        if self.number < _ENOUGH_LENGTHS:
            return None
        in_flight = Counter(_step(tokens) for tokens in so_far)
        at_risk, surviving = self.number + sum(in_flight.values()), 1.0
        for step in sorted({*self._ended, *in_flight}):
            surviving *= 1 - self._ended[step] / at_risk
            at_risk -= self._ended[step] + in_flight[step]
            if surviving <= 1 - share + 1e-12:
                return math.exp(step * _STEP)
        return None


def _step(tokens: float) -> int:
    return math.ceil(math.log(max(tokens, 1.0)) / _STEP)


class Speed:
    """Tokens per second of one sequence, over the last answers, waiting included."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=_SPEED_WINDOW)

    def add(self, tokens: int, seconds: float) -> None:
        if tokens > 0 and seconds > 0:
            self._last.append(tokens / seconds)

    def slow(self) -> float | None:
        """What 95 % of the answers exceed; None until measured."""
        return self._at(_SPEED_SHARE)

    def middle(self) -> float | None:
        return self._at(0.5)

    def _at(self, share: float) -> float | None:
        if len(self._last) < _ENOUGH_SPEEDS:
            return None
        return sorted(self._last)[int(share * len(self._last))]


@dataclass
class Admission:
    """``seconds_left`` at the start is the whole job's; None: no limit, everything is admitted."""

    whole_seconds: float | None
    speed: Speed = field(default_factory=Speed)
    _lengths: dict[str, Lengths] = field(default_factory=dict)

    def lengths(self, cell: str) -> Lengths:
        """Of one cell (``request_digest`` and scenario), measured so far."""
        return self._lengths.setdefault(cell, Lengths())

    def saw(self, cell: str, tokens: int, seconds: float, num_choices: int = 1) -> None:
        """One request that was answered: completion tokens of all its choices."""
        each = tokens // max(num_choices, 1)
        for _ in range(num_choices):
            self.lengths(cell).add(each)
        self.speed.add(each, seconds)

    def expected_seconds(self, cell: str, max_tokens: int, ages: Iterable[float], saved_tokens: int = 0) -> float:
        """Of the next request of the cell; 0 while nothing is measured. ``ages``: seconds of those in flight."""
        slow, middle = self.speed.slow(), self.speed.middle()
        if slow is None or middle is None:
            return 0.0
        length = self.lengths(cell).quantile(_LENGTH_SHARE, (age * middle for age in ages))
        tokens = min(length if length is not None else max_tokens, max_tokens)
        return max(tokens - saved_tokens, 1.0) / slow

    def admits(
        self, seconds_left: float | None, cell: str, max_tokens: int, ages: Iterable[float], saved_tokens: int = 0
    ) -> bool:
        """Whether a request that begins now is expected to end in the seconds that are left.

        While nothing is measured it is admitted, since only answers measure; and what needs more than half of the
        whole job is admitted in the job's first half.
        """
        if seconds_left is None or self.whole_seconds is None:
            return True
        if seconds_left <= 0:
            return False
        slow = self.speed.slow()
        if slow is not None and max_tokens / slow <= seconds_left:
            return True
        needed = self.expected_seconds(cell, max_tokens, ages, saved_tokens)
        return min(needed, _SHARE_OF_JOB * self.whole_seconds) <= seconds_left
