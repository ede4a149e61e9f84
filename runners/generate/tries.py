"""How often one request is asked, and the pauses between."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from ...ingest.errors import Incomplete
from .stream import Prefix
from .trouble import Broken

if TYPE_CHECKING:
    from .wire import Endpoint

_sleep = asyncio.sleep
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 30.0
_PATIENCE_WHEN_BUSY = 4
"""A 429 is a server that works: it may be said that many times as often as an attempt may break."""


class Unreachable(Incomplete):
    """Every attempt ended in 429, 5xx, a time-out or a lost connection.

    What they cost, and had made, is for whoever asks again.
    """

    num_attempts = 0
    tokens_discarded = 0
    prefix: Prefix | None = None


class Tries:
    """Attempts of one request, and the pauses between them."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.num_attempts = 1
        self._num_busy = 0
        self._num_broken = 0

    async def wait(self, error: Broken) -> None:
        """Pause before the next attempt; Unreachable when there is none."""
        is_busy = error.status == 429
        self._num_busy += is_busy
        self._num_broken += not is_busy
        most = self._endpoint.max_attempts
        if self._num_broken >= most or self._num_busy >= most * _PATIENCE_WHEN_BUSY:
            end = Unreachable(
                f"no answer from {self._endpoint.base_url} in {self.num_attempts} attempts ({error})",
                "start the server, or correct engine.base_url, and run the same command again",
            )
            end.num_attempts = self.num_attempts
            raise end from error
        pause = error.pause_seconds
        await _sleep(_pause_seconds(self.num_attempts) if pause is None else pause * random.uniform(1.0, 1.1))
        self.num_attempts += 1


def _pause_seconds(attempt: int) -> float:
    """Doubling, capped, with full jitter: many clients that lost one server do not come back at once."""
    return random.uniform(0.5, 1.0) * min(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)
