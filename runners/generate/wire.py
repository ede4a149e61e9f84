"""One request over HTTP and what can become of it: an answer, Refused (never asked again), or Broken (asked again).

The SDK carries it (addresses, keys, errors), without its retries, which are silent, and without its models: a body is
sent as bytes and an answer read as JSON, 1.1 ms of CPU at 64 requests in flight, 1.4 at 256 (loopback).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .timeouts import Timeouts
from .tries import Tries
from .trouble import Broken, Refused, refusal

_KEEP_ALIVE_SECONDS = 4.0
"""Below the 5 s after which uvicorn closes an idle connection: a reset while we write to it looks like a crash."""


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

    @property
    def is_plain(self) -> bool:
        """Loopback without TLS: no certificates to load (25 ms of CPU), no proxy, and no way out by a redirect."""
        return self.is_loopback and self.base_url.startswith("http://")

    @property
    def root(self) -> str:
        """Address that ``/tokenize``, ``/version`` and the like hang below."""
        return self.base_url.removesuffix("/").removesuffix("/v1")


class Wire:
    """Async context manager: the connections to one endpoint. Whoever asks bounds what is in flight, not the pool."""

    def __init__(self, endpoint: Endpoint, keep: Callable[..., None] | None = None) -> None:
        self.endpoint = endpoint
        self._keep = keep
        self._openai: Any = None

    async def __aenter__(self) -> Wire:
        import httpx2
        import openai

        self._response_type = httpx2.Response
        self._transport_error = httpx2.HTTPError
        self._status_error, self._connection_error = openai.APIStatusError, openai.APIConnectionError
        self._openai = openai.AsyncOpenAI(
            base_url=self.endpoint.base_url,
            api_key=self.endpoint.api_key or "none",
            timeout=httpx2.Timeout(None, connect=self.endpoint.timeouts.connect),
            max_retries=0,
            default_headers={"Accept-Encoding": "identity"},
            http_client=openai.DefaultAsyncHttpxClient(**self._connections(httpx2)),
        )
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._openai.close()

    def _connections(self, httpx2: Any) -> dict[str, Any]:
        """How the SDK's HTTP client connects."""
        limits = httpx2.Limits(
            max_connections=None, max_keepalive_connections=None, keepalive_expiry=_KEEP_ALIVE_SECONDS
        )
        options: dict[str, Any] = {"limits": limits, "trust_env": not self.endpoint.is_loopback}
        if self.endpoint.is_plain:
            from .pools import Pools

            uds = self.endpoint.uds
            options |= {"transport": Pools(str(uds) if uds else None, limits), "follow_redirects": False}
        if self.endpoint.uds is not None:
            asyncio.get_running_loop().set_exception_handler(_without_late_wakes)
        return options

    async def answer(self, path: str, body: Mapping[str, Any], seconds: float) -> Any:
        """The JSON that comes back; Broken when it is not there after ``seconds``."""
        async with self._bounded("no answer", seconds), self._sent(path, body, is_streamed=False) as response:
            return _json(response.content)

    @asynccontextmanager
    async def opened(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[Any]:
        """The response with its head read and its body still to come; closed at the end of the block."""
        async with self._sent(path, body, is_streamed=True) as response:
            try:
                yield response
            finally:
                await response.aclose()

    async def read(self, response: Any) -> Any:
        """The JSON of a response whose body is still to come: a server that does not stream."""
        return _json(await response.aread())

    async def look(self, path: str, body: Mapping[str, Any] | None = None, seconds: float = 60.0) -> Any:
        """JSON of ``<root><path>`` (GET without a body), None where the server has no such thing.

        What a prompt is cut into decides how much is asked for, so it is recorded like an answer. A lost connection is
        tried again; Unreachable when the attempts are used up.
        """
        tries = Tries(self.endpoint)
        while True:
            try:
                return await self._looked(self.endpoint.root + path, body, seconds)
            except Refused as error:
                if error.status in (401, 403):
                    raise
                return None
            except Broken as error:
                if error.status in (500, 501):
                    return None
                await tries.wait(error)  # uvicorn closes a connection after a 500 and does not say so

    async def _looked(self, url: str, body: Mapping[str, Any] | None, seconds: float) -> Any:
        async with self._bounded("no answer", seconds), self._sent(url, body, is_streamed=False) as response:
            answer = _json(response.content)
        if self._keep is not None and body is not None:
            self._keep(url.removeprefix(self.endpoint.root), body, 200, answer)
        return answer

    @asynccontextmanager
    async def _sent(self, path: str, body: Mapping[str, Any] | None, *, is_streamed: bool) -> AsyncIterator[Any]:
        try:
            if body is None:
                yield await self._openai.get(path, cast_to=self._response_type)
            else:
                content = json.dumps(body, separators=(",", ":")).encode("ascii")
                yield await self._openai.post(
                    path.removeprefix("/v1"), content=content, cast_to=self._response_type, stream=is_streamed
                )
        except self._status_error as error:
            raise refusal(error.status_code, error.body, error.response.headers, body or {}) from error
        except (self._connection_error, self._transport_error) as error:
            raise Broken(f"{type(error).__name__}: {error}") from error

    @asynccontextmanager
    async def _bounded(self, what: str, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise Broken(f"{what} in {seconds:.0f} s") from error


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise Broken("an answer that is not JSON") from error


def _without_late_wakes(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A read of a Unix socket that is cancelled in the turn in which its data come is woken all the same, in vain:
    anyio 4.16 lets the loop set the result of the cancelled future, which would print a traceback per request."""
    if not isinstance(context.get("exception"), asyncio.InvalidStateError):
        loop.default_exception_handler(context)
