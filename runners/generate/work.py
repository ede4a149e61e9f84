"""One request of the pool: taken, asked, and its rows handed to the journal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...ingest.manifest import Shard
from .client import Prefix, Refused, Reply, Unreachable
from .expected import CellLengths
from .gate import Gate
from .prefixes import may_resume
from .request import STREAM_FROM_TOKENS, Request, request_of
from .rows import Malformed, sample_rows
from .server import Server
from .shard import OpenShard
from .window import Key

_HOPELESS_STATUS = (401, 403)
_HOPELESS_REFUSALS = 100
"""Refusals in a row, without one answer between, after which the rest is not asked for."""


@dataclass(frozen=True)
class Demand:
    """How requests are made: how many side by side, samples in each, from which length on streamed, how many at all."""

    concurrency: int = 64
    samples_per_request: int = 1
    stream_from_tokens: int = STREAM_FROM_TOKENS
    limit: int | None = None
    """Samples asked for in this call; the rest stays pending."""


@dataclass(eq=False)
class Work:
    """One request from the moment it is taken. ``latest`` is the answer so far, where it could be continued."""

    opened: OpenShard
    numbers: list[int]
    keys: list[Key]
    latest: Prefix | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def max_tokens(self) -> int:
        """Of all its choices together."""
        return self.opened.shard.request["max_tokens"] * len(self.numbers)


@dataclass(frozen=True)
class Answered:
    """What came of a request: rows handed to the system, their tokens, keys that are to be asked for again."""

    num_new: int = 0
    num_tokens: int = 0
    again: tuple[int, ...] = ()


class Asker:
    """Turns work into rows. What a server refuses is counted; a server that refuses everything is given up."""

    def __init__(self, server: Server, demand: Demand, cells: Callable[[Shard], CellLengths], gate: Gate) -> None:
        self._server, self._demand, self._cells, self._gate = server, demand, cells, gate
        self._refused_in_a_row = self._num_answered = 0

    async def answer(self, work: Work) -> Answered:
        """Raises Refused where nothing is worth asking for, Unreachable, OSError; NotHonoured and BadInput as they
        come from an answer: then the cell cannot be measured on this server."""
        num_answered = self._num_answered
        try:
            reply = await self._reply(work)
            self._refused_in_a_row = 0
            self._num_answered += 1
        except Unreachable as error:
            if self._num_answered == num_answered:
                raise
            work.opened.note_refusal(work.numbers[0], error)  # the server is there, for other requests
            return Answered()
        except Refused as error:
            return self._count_refusal(work, error)
        except Malformed as error:
            return self._count_refusal(work, Refused(200, error.message))
        num_new = work.opened.write(work.rows)
        came = {row["sample_index"] for row in work.rows}
        missing = (number for number, (_, index) in zip(work.numbers, work.keys, strict=True) if index not in came)
        return Answered(num_new, self._learn(work, reply), tuple(missing))

    async def _reply(self, work: Work) -> Reply:
        opened, (task_id, first_index) = work.opened, work.keys[0]
        prompt = opened.prompt_of(work.keys[0])
        number, streams_from = len(work.keys), self._demand.stream_from_tokens
        request = request_of(opened.shard, prompt, first_index, opened.served, opened.abilities, number, streams_from)
        reply = await self._ask(work, request)
        indices = [index for _, index in work.keys]
        task, engine = opened.problems.tasks[task_id], self._server.engine
        work.rows = sample_rows(
            opened.shard, task, indices, prompt, request, reply, engine, opened.abilities, opened.served
        )
        return reply

    async def _ask(self, work: Work, request: Request) -> Reply:
        def progress(latest: Prefix) -> None:
            work.latest = latest

        abilities = work.opened.abilities
        is_alone = len(work.keys) == 1 and may_resume(work.opened.shard)
        if is_alone and abilities is not None and abilities.prefixes:
            return await self._server.ask(work.opened.served, request, work.latest, progress)
        return await self._server.ask(work.opened.served, request)

    def _learn(self, work: Work, reply: Reply) -> int:
        """Lengths, speed and cost of an answer; its completion tokens."""
        usage = reply.response.get("usage") or {}
        prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        each = completion // max(len(work.rows), 1)
        cell = self._cells(work.opened.shard)
        for row in work.rows:
            cell.add(row["task_id"], each)
        self._gate.admission.speed.add(each - (reply.resumed_at or 0), reply.latency_seconds)
        spent = completion or work.max_tokens  # by a server that does not count: at its most
        self._gate.ceilings.spend(work.opened.price, prompt, spent + reply.tokens_discarded)
        return completion

    def _count_refusal(self, work: Work, error: Refused) -> Answered:
        """One sample the server will not answer stops no other; a server that answers none is given up."""
        opened = work.opened
        self._refused_in_a_row += 1
        if error.status in _HOPELESS_STATUS or self._refused_in_a_row >= _HOPELESS_REFUSALS:
            raise error
        if len(work.numbers) > 1:  # perhaps it is the number that it refuses: ask singly from now on
            opened.samples_per_request = 1
            return Answered(again=tuple(work.numbers))
        opened.note_refusal(work.numbers[0], error)
        return Answered()


def _count(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 < value < 2**31 else 0
