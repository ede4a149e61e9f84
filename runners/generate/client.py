"""The client: one request, asked until it is answered or refused.

Retried with exponential backoff and jitter: 429, every 5xx, time-outs, lost connections and streams that end in the
middle, at most ``max_attempts`` times. Never retried: any other 4xx, which would only fail again. A greedy answer that
broke goes on from what had come of it; a sampled one is made again with its seed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from . import continuation
from .observed import Observed
from .reading import OnTokens, Reading
from .request import CHAT, Request, limit_of
from .room import Rooms, prompt_bytes
from .stream import Prefix
from .timeouts import Pace, Timeouts
from .tries import Tries, Unreachable
from .trouble import Broken, Refused
from .wire import Endpoint, Wire

if TYPE_CHECKING:
    from .probe import Abilities

__all__ = ["Client", "Endpoint", "OnTokens", "Prefix", "Refused", "Reply", "Timeouts", "Unreachable"]

_UNFINISHED = ("abort", "error")
"""Finish reasons of an engine that gave up, not of a model (vLLM's ``v1/engine``: FinishReason)."""


class Recorder(Protocol):
    """Keeps exchanges: whole answers and refusals as JSON, streamed ones as their events (``exchanges.Recorder``)."""

    def keep(
        self,
        path: str,
        body: Mapping[str, Any],
        status: int,
        response: Mapping[str, Any] | None,
        chunks: list[str] | None = None,
    ) -> None: ...


@dataclass(frozen=True)
class Reply:
    """A 200 answer in the shape of a non-streamed one, and what it took.

    ``latency_seconds`` (and first token, longest gap: streamed answers only) are of the attempt that succeeded;
    ``tokens_discarded`` counts what broken attempts had received and the answer does not hold. ``resumed_at`` is the
    number of tokens that a prefix gave, None for an answer made in one go. ``max_tokens_effective`` is what the window
    left of ``max_tokens``, where the prompt was counted before it was sent.
    """

    response: Mapping[str, Any]
    attempts: int
    latency_seconds: float
    first_token_seconds: float | None = None
    longest_gap_seconds: float | None = None
    tokens_discarded: int = 0
    resumed_at: int | None = None
    max_tokens_effective: int | None = None


class Client:
    """Async context manager for one endpoint. Set ``abilities`` once they are known: then prompts are counted."""

    def __init__(self, endpoint: Endpoint, recorder: Recorder | None = None) -> None:
        self.endpoint = endpoint
        self.abilities: Abilities | None = None
        self.observed = Observed()
        self.wire = Wire(endpoint, recorder.keep if recorder else None)
        """For what is not an answer: versions, tokens, counters."""
        self._pace = Pace()
        self._recorder = recorder
        self._rooms = Rooms(self.wire)

    async def __aenter__(self) -> Client:
        await self.wire.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.wire.__aexit__(*exception)

    async def ask(self, request: Request, *, prefix: Prefix | None = None, on_tokens: OnTokens | None = None) -> Reply:
        """Post one request until it is answered.

        ``prefix`` is what a killed run had of this answer; ``on_tokens`` gets such prefixes of a greedy stream with
        token ids: every ten seconds, and when it breaks or is cancelled. Raises Refused for a 4xx and for a prompt
        that leaves no room, and Unreachable when the attempts are used up.
        """
        room = await self._room(request)
        asking = _Asking(request, prefix)
        tries = Tries(self.endpoint)
        while True:
            started = time.monotonic()
            try:
                taken = await self._attempt(asking, on_tokens)
                break
            except Broken as error:
                asking.broke(error)
                if asking.prefix is not None and on_tokens is not None:
                    on_tokens(asking.prefix)
                await self._wait(tries, error, asking)
            except _Unfit as error:
                asking.gave_up(error)
            except Refused as error:
                self._keep(request, error.status, {"error": {"message": error.reason}}, None)
                raise
        seconds = time.monotonic() - started
        resumed_at = len(asking.prefix.token_ids) if asking.prefix else None
        self._learn(request, taken, seconds, resumed_at or 0)
        return Reply(
            taken.response,
            tries.num_attempts,
            seconds,
            taken.first_token_seconds,
            taken.longest_gap_seconds,
            asking.tokens_discarded,
            resumed_at,
            room,
        )

    async def _wait(self, tries: Tries, error: Broken, asking: _Asking) -> None:
        try:
            await tries.wait(error)
        except Unreachable as end:
            end.tokens_discarded, end.prefix = asking.tokens_discarded, asking.prefix
            raise

    async def _room(self, request: Request) -> int | None:
        abilities = self.abilities
        if abilities is None or not abilities.tokenize or abilities.window_tokens is None:
            return None
        return await self._rooms.max_tokens(request, abilities.window_tokens)

    async def _attempt(self, asking: _Asking, on_tokens: OnTokens | None) -> _Taken:
        if asking.prefix is None:
            return await self._taken(asking.request, on_tokens)
        detokenize = partial(self._detokenize, asking.request.body.get("model"))
        prefix = await continuation.with_whole_text(asking.prefix, detokenize)
        if prefix is None:
            raise _Unfit(len(asking.prefix.token_ids))
        asking.shorten(prefix)
        taken = await self._continued(asking.request, prefix, on_tokens)
        response = await continuation.merged(asking.request, prefix, taken.response, detokenize)
        if response is None:
            raise _Unfit(len(prefix.token_ids) + (_num_tokens(taken.response) or 0))
        return _Taken(response, None, taken.first_token_seconds, taken.longest_gap_seconds)

    async def _taken(self, request: Request, on_tokens: OnTokens | None) -> _Taken:
        timeouts = self._timeouts(request)
        if request.body.get("stream"):
            return await self._streamed(request, timeouts, on_tokens)
        return _Taken(_checked(await self.wire.answer(request.path, request.body, timeouts.whole)))

    async def _streamed(self, request: Request, timeouts: Timeouts, on_tokens: OnTokens | None) -> _Taken:
        """Read a stream; what it had brought is with the trouble that ends it early."""
        is_continued = continuation.can_continue(request) and (self.abilities is None or self.abilities.prefixes)
        reading = Reading(
            request.body,
            is_chat=request.path == CHAT,
            timeouts=timeouts,
            on_tokens=on_tokens if is_continued else None,
            is_kept=self._recorder is not None,
        )
        try:
            return await self._read(request, timeouts, reading)
        except Broken as error:
            error.num_tokens = max(error.num_tokens, reading.num_tokens)
            error.prefix = reading.prefix() if is_continued else None
            raise
        except asyncio.CancelledError:
            reading.hand_over()
            raise

    async def _read(self, request: Request, timeouts: Timeouts, reading: Reading) -> _Taken:
        try:
            async with (
                asyncio.timeout(timeouts.first_token) as limit,
                self.wire.opened(request.path, request.body) as response,
            ):
                if not response.headers.get("content-type", "").startswith("text/event-stream"):
                    limit.reschedule(asyncio.get_running_loop().time() + timeouts.whole)
                    return _Taken(_checked(await self.wire.read(response)))
                answer = _checked(await reading.read(response, limit))
        except TimeoutError as error:
            raise Broken(reading.too_late()) from error
        return _Taken(answer, reading.chunks, reading.first_token_seconds, reading.longest_gap_seconds)

    async def _continued(self, request: Request, prefix: Prefix, on_tokens: OnTokens | None) -> _Taken:
        """What comes after ``prefix``, as an answer of its own."""

        def longer(more: Prefix) -> Prefix:
            return Prefix(prefix.prompt_token_ids, (*prefix.token_ids, *more.token_ids), prefix.text + more.text)

        hand_on: OnTokens | None = None if on_tokens is None else lambda more: on_tokens(longer(more))
        try:
            return await self._taken(continuation.continuing(request, prefix), hand_on)
        except Broken as error:
            error.prefix = longer(error.prefix) if error.prefix else prefix
            raise
        except Refused as error:  # it may be the ids that are refused: asked as a whole, the server says what is wrong
            raise _Unfit(len(prefix.token_ids)) from error

    async def _detokenize(self, model: Any, ids: Sequence[int]) -> str | None:
        answer = await self.wire.look("/detokenize", {"model": model, "tokens": list(ids)})
        text = answer.get("prompt") if isinstance(answer, Mapping) else None
        return text if isinstance(text, str) else None

    def _timeouts(self, request: Request) -> Timeouts:
        window = self.abilities.window_tokens if self.abilities else None
        asked = limit_of(request.body) or window or 0
        derived = self._pace.timeouts(min(asked, window or asked), prompt_bytes(request.body) // 3)
        return self.endpoint.timeouts.resolved(derived, is_streamed=bool(request.body.get("stream")))

    def _learn(self, request: Request, taken: _Taken, seconds: float, num_resumed: int) -> None:
        self.observed.saw(request.body, taken.response)
        num_made = (_num_tokens(taken.response) or 0) / len(taken.response["choices"]) - num_resumed
        self._pace.saw(seconds, num_made, taken.first_token_seconds, taken.longest_gap_seconds)
        self._keep(request, 200, None if taken.chunks else taken.response, taken.chunks or None)

    def _keep(
        self, request: Request, status: int, response: Mapping[str, Any] | None, chunks: list[str] | None
    ) -> None:
        if self._recorder is not None:
            self._recorder.keep(request.path, request.body, status, response, chunks)


@dataclass
class _Taken:
    """One attempt that succeeded."""

    response: Mapping[str, Any]
    chunks: list[str] | None = None
    first_token_seconds: float | None = None
    longest_gap_seconds: float | None = None


class _Unfit(Exception):
    """A prefix and what a server made of it do not go together; ``num_tokens`` were made in vain."""

    def __init__(self, num_tokens: int) -> None:
        super().__init__(num_tokens)
        self.num_tokens = num_tokens


class _Asking:
    """A request, and what there is of its answer."""

    def __init__(self, request: Request, prefix: Prefix | None) -> None:
        self.request = request
        self.tokens_discarded = 0
        self.prefix = prefix if prefix and self._is_good(prefix) else None
        if prefix and not self.prefix:
            self.tokens_discarded = len(prefix.token_ids)

    def broke(self, error: Broken) -> None:
        """Keep what had come, if a server can go on with it."""
        if error.prefix is not None and self._is_good(error.prefix):
            self.prefix = error.prefix
        else:
            self.tokens_discarded += error.num_tokens

    def shorten(self, prefix: Prefix) -> None:
        """Go on from ``prefix``, which ends where a character does."""
        self.tokens_discarded += len(self.prefix.token_ids) - len(prefix.token_ids) if self.prefix else 0
        self.prefix = prefix

    def gave_up(self, error: _Unfit) -> None:
        self.prefix = None
        self.tokens_discarded += error.num_tokens

    def _is_good(self, prefix: Prefix) -> bool:
        return continuation.can_continue(self.request) and continuation.is_begun(self.request, prefix)


def _checked(answer: Any) -> Mapping[str, Any]:
    """An answer that has choices, all of them ended by the model or by a limit."""
    choices = answer.get("choices") if isinstance(answer, Mapping) else None
    if not isinstance(choices, list) or not choices:
        raise Broken("an answer without choices")
    reasons = [choice.get("finish_reason") for choice in choices if isinstance(choice, Mapping)]
    given_up = [reason for reason in reasons if reason in _UNFINISHED]
    if given_up:
        error = Broken(f"the server ended an answer with {given_up[0]!r}")
        error.num_tokens = _num_tokens(answer) or 0
        raise error
    return answer


def _num_tokens(response: Mapping[str, Any]) -> int | None:
    usage = response.get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, Mapping) else None
    return count if isinstance(count, int) else None
