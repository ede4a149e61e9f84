"""Connections to a server on this machine, in several pools.

A pool of httpcore looks at each of its connections twice per request: at 256 in flight that is a third of a request's
CPU. Eight pools of 32 look at an eighth of them.
"""

from __future__ import annotations

from itertools import cycle

import httpx2

NUM_POOLS = 8


class Pools(httpx2.AsyncBaseTransport):
    """Requests in turn to ``NUM_POOLS`` transports; ``uds`` is a Unix socket to reach the server by."""

    def __init__(self, uds: str | None, limits: httpx2.Limits) -> None:
        self._all = [httpx2.AsyncHTTPTransport(uds=uds, limits=limits, verify=False) for _ in range(NUM_POOLS)]
        self._next = cycle(self._all)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await next(self._next).handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._all:
            await transport.aclose()
