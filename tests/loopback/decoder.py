"""An engine on the loopback, in a process of its own: sequences share its tokens per second, clients may go away.

One asyncio process that speaks just enough HTTP/1.1 and OpenAI; a request costs it 0.1 ms of CPU. Lengths are
log-normal and follow from prompt and seed alone, so the same request takes the same tokens and gives the same text.
Counters live in shared memory: they outlive the process, which tests kill. The listening socket is the parent's, so
that another process can take over.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import json
import math
import mmap
import os
import random
import signal
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any

_COUNTERS = (
    "num_answers", "num_choices", "tokens_answered", "tokens_lost", "num_arrivals", "num_resets_asked", "num_resets",
    "in_flight", "most_in_flight", "full_since", "busy_at_full", "busy", "last_arrival", "busy_at_last_arrival",
)  # fmt: skip


class Counters:
    """Floats in memory that parent and children share. ``busy`` is the integral of requests in flight over seconds."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8 * len(_COUNTERS))

    def get(self, name: str) -> float:
        return struct.unpack_from("d", self._memory, 8 * _COUNTERS.index(name))[0]

    def set(self, name: str, value: float) -> None:
        struct.pack_into("d", self._memory, 8 * _COUNTERS.index(name), value)

    def add(self, name: str, value: float = 1.0) -> None:
        self.set(name, self.get(name) + value)

    def share_full(self, concurrency: int) -> float:
        """Of the slots, from the first moment when all were taken to the last arrival."""
        seconds = self.get("last_arrival") - self.get("full_since")
        return (self.get("busy_at_last_arrival") - self.get("busy_at_full")) / (concurrency * seconds)


@dataclass(frozen=True)
class Habits:
    """What the engine is like. ``tokens_per_second`` is of one sequence alone; together they make at most ``most``."""

    median_tokens: float = 300.0
    sigma: float = 0.7
    tokens_per_second: float = 40.0
    most_tokens_per_second: float = 1e9
    full_at: int = 64
    text_bytes: int = 0
    """Length of an answer; 0: four bytes per token."""
    short_of_choices: float = 0.0
    """Share of requests for many choices that get one."""


def num_tokens(habits: Habits, prompt: str, seed: int) -> int:
    """Length of the answer to one prompt under one seed."""
    drawn = random.Random(f"{prompt} {seed}").gauss(0.0, 1.0)
    return max(1, round(habits.median_tokens * math.exp(habits.sigma * drawn)))


def text_of(prompt: str, seed: int, length: int) -> str:
    """The answer: says what it answers, then padding."""
    head = f"{hashlib.sha256(prompt.encode()).hexdigest()[:12]} {seed} "
    return (head + "x = 1\n" * (length // 6 + 1))[: max(length, len(head))]


@dataclass(order=True)
class _Sequence:
    ends_at: float
    """Tokens that every sequence will have made by then."""
    number: int
    length: int = field(compare=False)
    began_at: float = field(compare=False)
    body: dict[str, Any] = field(compare=False)
    connection: _Connection | None = field(compare=False)


class Decoder:
    """Sequences in flight; time is counted in tokens that each of them has made."""

    def __init__(self, habits: Habits, counters: Counters) -> None:
        self.habits, self.counters = habits, counters
        self._heap: list[_Sequence] = []
        self._made, self._at, self._number, self._in_flight = 0.0, time.monotonic(), 0, 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, body: dict[str, Any], connection: _Connection) -> _Sequence:
        self._advance()
        prompt = prompt_of(body)
        length = max(num_tokens(self.habits, prompt, body["seed"] + index) for index in range(body.get("n") or 1))
        length = min(length, body.get("max_tokens") or length)
        self._number += 1
        sequence = _Sequence(self._made + length, self._number, length, self._made, body, connection)
        heapq.heappush(self._heap, sequence)
        self._change(1)
        counters = self.counters
        counters.add("num_arrivals")
        counters.set("last_arrival", self._at)
        counters.set("busy_at_last_arrival", counters.get("busy"))
        self._plan()
        return sequence

    def abort(self, sequence: _Sequence) -> None:
        """The client went away: what was made is lost."""
        self._advance()
        if sequence.connection is not None:
            self.counters.add("tokens_lost", max(0.0, self._made - sequence.began_at))
            sequence.connection = None
            self._change(-1)
        self._plan()

    def _change(self, number: int) -> None:
        self._in_flight += number
        counters = self.counters
        counters.set("in_flight", self._in_flight)
        if self._in_flight > counters.get("most_in_flight"):
            counters.set("most_in_flight", self._in_flight)
        if self._in_flight >= self.habits.full_at and not counters.get("full_since"):
            counters.set("full_since", self._at)
            counters.set("busy_at_full", counters.get("busy"))

    def _speed(self) -> float:
        return min(self.habits.tokens_per_second, self.habits.most_tokens_per_second / max(self._in_flight, 1))

    def _advance(self) -> None:
        now = time.monotonic()
        seconds, self._at = now - self._at, now
        self._made += seconds * self._speed()
        self.counters.add("busy", seconds * self._in_flight)

    def _plan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        while self._heap and self._heap[0].connection is None:
            heapq.heappop(self._heap)
        if self._heap:
            seconds = max(0.0, (self._heap[0].ends_at - self._made) / self._speed())
            self._timer = asyncio.get_running_loop().call_later(seconds, self._finish)

    def _finish(self) -> None:
        self._advance()
        while self._heap and (self._heap[0].connection is None or self._heap[0].ends_at <= self._made + 1e-6):
            sequence = heapq.heappop(self._heap)
            if sequence.connection is not None:
                connection, sequence.connection = sequence.connection, None
                self._change(-1)
                connection.answer(sequence)
        self._plan()


def prompt_of(body: dict[str, Any]) -> str:
    return body["prompt"] if "prompt" in body else "\n".join(message["content"] for message in body["messages"])


class _Connection(asyncio.Protocol):
    def __init__(self, decoder: Decoder, connections: set[_Connection]) -> None:
        self._decoder, self._connections = decoder, connections
        self._buffer = b""
        self._sequence: _Sequence | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        if self._sequence is not None:
            self._decoder.abort(self._sequence)

    def reset(self) -> None:
        """RST: unread and unsent bytes are gone on both sides."""
        linger = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        if len(rest) >= length:
            self._buffer = rest[length:]
            self._sequence = self._decoder.begin(json.loads(rest[:length]), self)

    def answer(self, sequence: _Sequence) -> None:
        self._sequence = None
        body, habits = sequence.body, self._decoder.habits
        prompt, number = prompt_of(body), body.get("n") or 1
        if number > 1 and random.random() < habits.short_of_choices:
            number = 1
        choices, used = [], 0
        for index in range(number):
            tokens = min(num_tokens(habits, prompt, body["seed"] + index), body.get("max_tokens") or 10**9)
            text = text_of(prompt, body["seed"] + index, habits.text_bytes or 4 * tokens)
            finish = "length" if tokens == body.get("max_tokens") else "stop"
            choices.append({"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": finish})
            used += tokens
        usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": used}
        document = {"object": "chat.completion", "model": body["model"], "choices": choices, "usage": usage}
        content = json.dumps(document).encode()
        counters = self._decoder.counters
        counters.add("num_answers")
        counters.add("num_choices", number)
        counters.add("tokens_answered", used)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        self.transport.write(head.encode() + content)


def listen() -> socket.socket:
    """On a port of the system's choice."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    listening.listen(1024)
    return listening


def start(listening: socket.socket, habits: Habits, counters: Counters) -> int:
    """Pid of a process that serves until it is killed, or until its parent is gone."""
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
                signal.signal(number, signal.SIG_DFL)
            asyncio.run(_serve(listening, habits, counters, parent))
        finally:
            os._exit(1)
    return pid


async def _serve(listening: socket.socket, habits: Habits, counters: Counters, parent: int) -> None:
    decoder, connections = Decoder(habits, counters), set()
    loop = asyncio.get_running_loop()
    listening.setblocking(False)
    counters.set("in_flight", 0)
    await loop.create_server(lambda: _Connection(decoder, connections), sock=listening, backlog=1024)
    while os.getppid() == parent:
        await asyncio.sleep(0.01)
        if counters.get("num_resets") < counters.get("num_resets_asked"):
            counters.set("num_resets", counters.get("num_resets_asked"))
            for connection in list(connections):
                connection.reset()
