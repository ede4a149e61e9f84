"""How long to wait for an answer: limits that follow from its length and from the speed seen, not from one constant.

A fixed 600 s kills a thinking answer of 32,768 tokens below 55 tokens/s, and asking again makes it a second time. So
what is not set by hand is derived per request. The formulas are those of the project's notes on thinking models, §6.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

_SLACK_SECONDS = 60.0
"""For everything that is not queue, prefill or decoding: compilation at the first request took 19 s."""
_LEAST_GAP_SECONDS = 120.0
"""An engine that preempts a sequence recomputes it before its next token."""
_UNMEASURED_TOKENS_PER_SECOND = 2.0
_UNMEASURED_PREFILL_TOKENS_PER_SECOND = 200.0
_UNMEASURED_QUEUE_SECONDS = 540.0
_WINDOW = 512
"""Answers that the pace is taken from: the newest, since concurrency changes it."""


@dataclass(frozen=True)
class Timeouts:
    """Limits in seconds; 0 stands for "derived per request" (``resolved``).

    ``whole`` bounds an answer that comes in one piece. A streamed one is bounded by ``first_token`` and ``gap``, and
    by ``whole`` only as far as its length allows.
    """

    connect: float = 5.0
    first_token: float = 0.0
    gap: float = 0.0
    whole: float = 0.0

    @classmethod
    def derived(
        cls,
        answer_tokens: int,
        prompt_tokens: int = 0,
        tokens_per_second: float = _UNMEASURED_TOKENS_PER_SECOND,
        prefill_tokens_per_second: float = _UNMEASURED_PREFILL_TOKENS_PER_SECOND,
        queue_p99_seconds: float = _UNMEASURED_QUEUE_SECONDS,
        longest_gap_seconds: float = 0.0,
    ) -> Timeouts:
        """Limits for one answer of at most ``answer_tokens`` (the smaller of ``max_tokens`` and window - prompt).

        ``tokens_per_second`` is the 5th percentile per sequence at this concurrency.
        """
        prefill = prompt_tokens / prefill_tokens_per_second
        return cls(
            first_token=_SLACK_SECONDS + queue_p99_seconds + 3 * prefill,
            gap=max(_LEAST_GAP_SECONDS, 5 * longest_gap_seconds),
            whole=_SLACK_SECONDS + queue_p99_seconds + prefill + 1.5 * answer_tokens / tokens_per_second,
        )

    def resolved(self, derived: Timeouts, *, is_streamed: bool) -> Timeouts:
        """These limits, with ``derived`` where they are 0; a streamed answer never has less than it needs."""
        whole = max(self.whole, derived.whole) if is_streamed else self.whole or derived.whole
        return replace(
            self, first_token=self.first_token or derived.first_token, gap=self.gap or derived.gap, whole=whole
        )


@dataclass
class Pace:
    """What the last answers of one server took; memory is constant."""

    _tokens_per_second: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _first_token_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    longest_gap_seconds: float = 0.0

    def saw(
        self, seconds: float, num_tokens: float, first_token_seconds: float | None, longest_gap_seconds: float | None
    ) -> None:
        """One answer that ended."""
        if num_tokens > 0 and seconds > 0:
            self._tokens_per_second.append(num_tokens / seconds)
        if first_token_seconds is not None:
            self._first_token_seconds.append(first_token_seconds)
        self.longest_gap_seconds = max(self.longest_gap_seconds, longest_gap_seconds or 0.0)

    def timeouts(self, answer_tokens: int, prompt_tokens: int) -> Timeouts:
        """Limits for the next answer; unmeasured speeds are assumed slow.

        A server that hides thinking is silent until the answer: before it is known for how long, the first token may
        take as long as a whole answer, afterwards twice the longest silence seen.
        """
        slowest = _quantile(self._tokens_per_second, 0.05, _UNMEASURED_TOKENS_PER_SECOND)
        queue = _quantile(self._first_token_seconds, 0.99, _UNMEASURED_QUEUE_SECONDS)
        derived = Timeouts.derived(
            answer_tokens,
            prompt_tokens,
            tokens_per_second=slowest,
            queue_p99_seconds=queue,
            longest_gap_seconds=self.longest_gap_seconds,
        )
        is_measured = len(self._first_token_seconds) >= _ENOUGH
        silent = 2 * max(self._first_token_seconds) if is_measured else derived.whole
        return replace(derived, first_token=max(derived.first_token, silent))


_ENOUGH = 32
"""Answers below which a percentile says nothing."""


def _quantile(values: deque[float], share: float, unmeasured: float) -> float:
    if len(values) < _ENOUGH:
        return unmeasured
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]
