"""The server as the pool sees it: a client per model, started again with its engine when that crashed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...ingest.manifest import Shard
from ...ingest.planning.models import ServedModel
from .client import Client, Endpoint, Prefix, Reply, Unreachable
from .engines import Engine
from .probe import Abilities
from .request import Request

Probe = Callable[[Client, ServedModel, Sequence[Shard]], Awaitable[Abilities]]
_RESTARTS_WITHOUT_ANSWER = 3


class Server:
    """Async context manager around the clients; ``num_restarts`` counts what ``engine.revive`` did."""

    def __init__(self, engine: Engine, recorder: Any = None, probe: Probe | None = None) -> None:
        self.engine = engine
        self.num_restarts = 0
        self.remarks: list[str] = []
        """What the answers showed of their server, once it is closed."""
        self._recorder, self._probe = recorder, probe
        self._endpoint: Endpoint = engine.endpoint
        self._clients: dict[str, Client] = {}
        self._retired: list[Client] = []
        self._lock = asyncio.Lock()
        self._restarts_in_vain = 0
        self._abilities: dict[str, Abilities | None] = {}

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._close_clients()

    async def abilities(self, served: ServedModel, shards: Sequence[Shard]) -> Abilities | None:
        """What the server honours for a model: recorded, or asked once; None where nobody asks."""
        if served.name not in self._abilities:
            known: Mapping[str, Any] = self.engine.facts.get("abilities") or {}
            if served.served_as in known:
                self._abilities[served.name] = Abilities.from_json(known[served.served_as])
            else:
                self._abilities[served.name] = await self._probed(served, shards)
            (await self._client(served)).abilities = self._abilities[served.name]
        return self._abilities[served.name]

    async def ask(
        self,
        served: ServedModel,
        request: Request,
        prefix: Prefix | None = None,
        on_tokens: Callable[[Prefix], None] | None = None,
    ) -> Reply:
        """As ``Client.ask``; an engine of ours that is gone is started again and asked for what is missing."""
        num_attempts = tokens_discarded = 0
        while True:
            num_restarts = self.num_restarts
            try:
                reply = await (await self._client(served)).ask(request, prefix=prefix, on_tokens=on_tokens)
                self._restarts_in_vain = 0
                return replace(
                    reply,
                    attempts=reply.attempts + num_attempts,
                    tokens_discarded=reply.tokens_discarded + tokens_discarded,
                )
            except Unreachable as error:
                if not await self._is_revived(num_restarts):
                    raise
                num_attempts += error.num_attempts
                tokens_discarded += error.tokens_discarded
                prefix = error.prefix

    async def _client(self, served: ServedModel) -> Client:
        if served.name not in self._clients:
            client = self._clients[served.name] = Client(self._endpoint, self._recorder)
            client.abilities = self._abilities.get(served.name)
            await client.__aenter__()
        return self._clients[served.name]

    async def _probed(self, served: ServedModel, shards: Sequence[Shard]) -> Abilities | None:
        if self._probe is None:
            return None
        abilities = await self._probe(await self._client(served), served, shards)
        if self._recorder is not None:
            self._recorder.note("abilities", served.served_as, abilities.as_json())
        return abilities

    async def _is_revived(self, num_restarts: int) -> bool:
        """Of many requests that lost one server the first restarts it, the others wait for that."""
        async with self._lock:
            if self.num_restarts != num_restarts:
                return True
            if self.engine.revive is None or self._restarts_in_vain >= _RESTARTS_WITHOUT_ANSWER:
                return False
            self._restarts_in_vain += 1
            self._endpoint = await asyncio.to_thread(self.engine.revive)
            self._retired += self._clients.values()  # other requests still wait between two attempts on them
            self._clients = {}
            self.num_restarts += 1
            return True

    async def _close_clients(self) -> None:
        for client in [*self._clients.values(), *self._retired]:
            self.remarks += client.observed.remarks()
            await client.__aexit__(None, None, None)
