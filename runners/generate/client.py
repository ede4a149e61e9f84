"""The client: one request, asked until it is answered or refused.

Retried with exponential backoff and jitter: 429, every 5xx, time-outs and lost connections, at most ``max_attempts``
times. Never retried: any other 4xx, which would only fail again. The SDK's own retries are off: they are silent, and
its 600 s default makes a long answer three times.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...ingest.errors import BenchforgeError, Incomplete
from .request import Request
from .timeouts import Timeouts

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 30.0
_RETRIED_STATUS = frozenset({408, 409, 425, 429, *range(500, 600)})


@dataclass(frozen=True)
class Endpoint:
    """Where to ask, and how long to insist. ``base_url`` ends in ``/v1``; ``uds`` is a Unix socket to reach it by."""

    base_url: str
    api_key: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    max_attempts: int = 5
    uds: Path | None = None

    @property
    def is_loopback(self) -> bool:
        """A server on this machine is never reached through a proxy of the environment."""
        host = urlsplit(self.base_url).hostname or ""
        return self.uds is not None or host in ("localhost", "::1") or host.startswith("127.")


@dataclass(frozen=True)
class Prefix:
    """A greedy answer so far: what is needed to let a server go on with it. ``text`` may lag behind ``token_ids``."""

    prompt_token_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Reply:
    """A 200 answer in the shape of a non-streamed one, and what it took.

    ``latency_seconds`` (and first token, longest gap: streamed answers only) are of the attempt that succeeded;
    ``tokens_discarded`` counts what broken attempts had already received. ``resumed_at`` is the number of tokens that
    a saved prefix gave, None for an answer made in one go.
    """

    response: Mapping[str, Any]
    attempts: int
    latency_seconds: float
    first_token_seconds: float | None = None
    longest_gap_seconds: float | None = None
    tokens_discarded: int = 0
    resumed_at: int | None = None


class Refused(BenchforgeError):
    """The server answered 4xx: the request itself is wrong for it, so it is not asked again."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the server refused a request with {status}: {message}", "see the server's log")
        self.status = status


class Unreachable(Incomplete):
    """Every attempt ended in 429, 5xx, a time-out or a lost connection."""


class Client:
    """Async context manager around ``openai.AsyncOpenAI`` for one endpoint."""

    def __init__(self, endpoint: Endpoint, recorder: Any = None) -> None:
        self.endpoint = endpoint
        self._recorder = recorder
        self._openai: Any = None

    async def __aenter__(self) -> Client:
        import openai

        self._openai = openai.AsyncOpenAI(
            base_url=self.endpoint.base_url,
            api_key=self.endpoint.api_key or "none",
            timeout=self.endpoint.timeouts.whole or 600.0,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=not self.endpoint.is_loopback),
        )
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._openai.close()

    async def ask(
        self, request: Request, *, prefix: Prefix | None = None, on_tokens: Callable[[Prefix], None] | None = None
    ) -> Reply:
        """Post one request. Raises Refused for a 4xx and Unreachable when the attempts are used up."""
        trouble = ""
        for attempt in range(1, self.endpoint.max_attempts + 1):
            started = time.monotonic()
            try:
                response = await self._post(request)
                return Reply(response, attempt, time.monotonic() - started)
            except _Passing as error:
                trouble = str(error)
                if attempt < self.endpoint.max_attempts:
                    await asyncio.sleep(error.pause_seconds or _pause_seconds(attempt))
        raise Unreachable(
            f"no answer from {self.endpoint.base_url} in {self.endpoint.max_attempts} attempts ({trouble})",
            "start the server, or correct engine.base_url, and run the same command again",
        )

    async def _post(self, request: Request) -> Mapping[str, Any]:
        import openai

        try:
            answer = await self._openai.post(
                request.path.removeprefix("/v1"), body=dict(request.body), cast_to=dict[str, Any]
            )
        except openai.APIStatusError as error:
            if error.status_code in _RETRIED_STATUS:
                raise _Passing(f"status {error.status_code}", _asked_pause(error.response.headers)) from error
            raise Refused(error.status_code, _message(error)) from error
        except (openai.APIConnectionError, openai.APIResponseValidationError) as error:
            raise _Passing(type(error).__name__) from error
        return _with_choices(answer)


class _Passing(Exception):
    """Trouble that may pass; ``pause_seconds`` where the server said how long."""

    def __init__(self, message: str, pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.pause_seconds = pause_seconds


def _with_choices(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, Mapping) or not answer.get("choices"):
        raise _Passing("an answer without choices")
    return answer


def _pause_seconds(attempt: int) -> float:
    """Doubling, capped, with full jitter: many clients that lost one server do not come back at once."""
    return random.uniform(0.5, 1.0) * min(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return min(float(text), _LONGEST_PAUSE_SECONDS) if text.replace(".", "", 1).isdigit() else None


def _message(error: Any) -> str:
    body = error.body
    if isinstance(body, Mapping) and body.get("message"):
        return str(body["message"])
    return str(error)
