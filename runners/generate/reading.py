"""Reads one streamed answer: when its tokens came, how long the next may take, and what there is of it at any time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from .stream import Assembly, Events, Prefix
from .timeouts import Timeouts
from .trouble import Broken, refusal

OnTokens = Callable[[Prefix], None]
PREFIX_EVERY_SECONDS = 10.0
"""Seconds of a stream that a SIGKILL costs at most, beside those since the prefixes were saved."""


class Reading:
    """One attempt. ``on_tokens`` gets the answer so far every ten seconds, and once more when it is cut."""

    def __init__(
        self, body: Mapping[str, Any], *, is_chat: bool, timeouts: Timeouts, on_tokens: OnTokens | None, is_kept: bool
    ) -> None:
        self._body = body
        self._timeouts = timeouts
        self._on_tokens = on_tokens
        self._assembly = Assembly(is_chat=is_chat)
        self.chunks: list[str] | None = [] if is_kept else None
        """Data of every event as it came, for the recorder."""
        self._started = self._last = self._handed_over = time.monotonic()
        self.first_token_seconds: float | None = None
        self.longest_gap_seconds: float | None = None

    @property
    def num_tokens(self) -> int:
        return self._assembly.num_tokens

    def prefix(self) -> Prefix | None:
        return self._assembly.prefix()

    def hand_over(self) -> None:
        """Give the answer so far away, where somebody wants it and it can be continued."""
        prefix = self._assembly.prefix() if self._on_tokens else None
        if prefix is not None and self._on_tokens is not None:
            self._on_tokens(prefix)

    async def read(self, response: Any, limit: asyncio.Timeout) -> dict[str, Any]:
        """The whole answer; ``limit`` is moved with every token. Broken when the stream ends before the answer."""
        events = Events()
        async for received in response.aiter_raw():
            brought = 0
            for data in events.feed(received):
                if data == b"[DONE]":
                    return self._whole()
                brought += self._feed(data)
            if brought:
                self._tokens_came(limit)
        return self._whole()

    def too_late(self) -> str:
        """Which limit was passed."""
        if self.first_token_seconds is None:
            return f"no token in {self._timeouts.first_token:.0f} s"
        if time.monotonic() - self._last >= self._timeouts.gap:
            return f"no further token in {self._timeouts.gap:.0f} s"
        return f"no end in {self._timeouts.whole:.0f} s"

    def _feed(self, data: bytes) -> int:
        try:
            brought = self._assembly.feed(data)
        except (ValueError, TypeError, AttributeError) as error:
            raise Broken(f"an event of the stream is malformed ({error})") from error
        if self._assembly.error is not None:
            code = self._assembly.error.get("code")
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
            raise refusal(status, self._assembly.error, {}, self._body)
        if self.chunks is not None:
            self.chunks.append(data.decode("utf-8"))
        return brought

    def _tokens_came(self, limit: asyncio.Timeout) -> None:
        now = time.monotonic()
        if self.first_token_seconds is None:
            self.first_token_seconds = now - self._started
        else:
            self.longest_gap_seconds = max(self.longest_gap_seconds or 0.0, now - self._last)
        self._last = now
        left = min(self._timeouts.gap, self._started + self._timeouts.whole - now)
        limit.reschedule(asyncio.get_running_loop().time() + left)
        if self._on_tokens is not None and now - self._handed_over >= PREFIX_EVERY_SECONDS:
            self._handed_over = now
            self.hand_over()

    def _whole(self) -> dict[str, Any]:
        if not self._assembly.is_complete:
            raise Broken("a stream that ended before its answer")
        return self._assembly.response()
