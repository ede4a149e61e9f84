"""One pool of requests over many shards: the slots of the engine stay full from the first sample to the last.

While the last answers of a shard are on their way, the next one's requests begin: shards are opened ahead, each with
its own lease, journal and seal. A slot hands its answer to the system at once and asks on while the fsync runs in a
thread; the answer counts when that fsync returned.
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol

from ...ingest.errors import BenchforgeError, Incomplete, Interrupted, Unwritable
from ...ingest.manifest import Shard
from .client import Refused, Unreachable
from .gate import Gate
from .prefixes import may_resume
from .server import Server
from .shard import Generated, OpenShard, SealedMeanwhile
from .waiting import Background, Changes, first_failure
from .work import Answered, Asker, Demand, Work

_AHEAD = 2
"""Requests kept ready, in multiples of the concurrency."""
SAVE_EVERY_SECONDS = 30.0
"""Between two savings of greedy answers in flight."""


class Meter(Protocol):
    """What is told about the way: samples that were there, and samples answered with their tokens."""

    def resumed(self, num_samples: int) -> None: ...

    def answered(self, num_samples: int, num_tokens: int) -> None: ...


class Pool:
    """``run()`` works through the shards or raises; ``unfinished`` says why shards ended without a seal."""

    def __init__(
        self,
        server: Server,
        asker: Asker,
        gate: Gate,
        demand: Demand,
        pending: Sequence[Shard],
        opening: Callable[[Shard], Awaitable[OpenShard]],
        meter: Meter,
        done: Callable[[Generated], None],
    ) -> None:
        self._server, self._asker, self._gate, self._demand = server, asker, gate, demand
        self._pending, self._opening, self._meter, self._done = deque(pending), opening, meter, done
        self.unfinished: list[BenchforgeError] = []
        self._open: list[OpenShard] = []
        self._in_flight: dict[Work, None] = {}
        self._background, self._changes = Background(), Changes()
        self._stopped, self._stopped_hard = asyncio.Event(), asyncio.Event()
        self._signal_name = ""
        self._is_opening, self._is_draining = True, False
        self._num_left = demand.limit
        self._charged = time.monotonic()

    def stop(self, signal_name: str) -> None:
        """Begin nothing new; end when what is in flight ended or the time for it is over. On the loop's thread."""
        is_first, self._signal_name = not self._signal_name, self._signal_name or signal_name
        self._stopped.set()
        if not is_first or self._gate.job.drain_seconds(signal_name) <= 0:
            self._stopped_hard.set()

    async def run(self) -> None:
        """Ask for everything that is missing. Raises Interrupted, Unreachable, Refused (hopeless), Incomplete (disk).

        Everything answered is on disk afterwards and every shard closed, whatever is raised.
        """
        slots = [asyncio.create_task(self._slot()) for _ in range(self._demand.concurrency)]
        work = asyncio.create_task(first_failure([asyncio.create_task(self._open_ahead()), *slots]))
        beside = [asyncio.create_task(self._save_regularly()), asyncio.create_task(self._look_at_budget())]
        error: BaseException | None = None
        try:
            await self._until_over(work)
            await self._background.succeeded()
        except OSError as problem:
            error = full_disk(problem)
            raise error from problem
        except BaseException as problem:
            error = problem
            raise
        finally:
            for task in (work, *beside):
                task.cancel()
            await asyncio.gather(work, *beside, return_exceptions=True)
            await self._wind_up(error)

    # ---- the end -----------------------------------------------------------------------------------------------

    async def _until_over(self, work: asyncio.Task[None]) -> None:
        stopped = asyncio.create_task(self._stopped.wait())
        await asyncio.wait({work, stopped, self._background.trouble}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._background.trouble.done():
            self._background.trouble.result()
        if work.done():
            work.result()
        else:
            await self._drain(work)

    async def _drain(self, work: asyncio.Task[None]) -> None:
        """After a signal: flush first, then let end what can."""
        self._is_draining = True
        self._changes.tell()
        await self._save_prefixes()
        hard = asyncio.create_task(self._stopped_hard.wait())
        seconds = self._gate.job.drain_seconds(self._signal_name)
        await asyncio.wait({work, hard}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        hard.cancel()
        if work.done() and work.exception() is None:
            await self._background.succeeded()
            if not self._open and not self._pending:
                return  # the last answers made everything whole: another run would find nothing to ask for
        raise Interrupted(
            f"stopped by {self._signal_name}; what was answered is kept",
            "run the same command again",
            self._signal_name,
        )

    async def _wind_up(self, error: BaseException | None) -> None:
        """Wait for what threads still do, save greedy answers, close what is open."""
        await self._background.ended()
        if error is not None:
            await self._save_prefixes()
        for opened in self._open:
            reason = error or self._why(opened)
            if error is None:
                self.unfinished.append(reason)  # type: ignore[arg-type]
            await asyncio.to_thread(self._close, opened, reason)
        self._open.clear()

    def _why(self, opened: OpenShard) -> BenchforgeError:
        return opened.incomplete() if self._num_left == 0 else self._gate.why(opened)

    # ---- slots -------------------------------------------------------------------------------------------------

    async def _slot(self) -> None:
        """One request after the other; at most one answer of a slot waits for its fsync while the next is asked."""
        unsynced: asyncio.Task[None] | None = None
        while (work := await self._next()) is not None:
            answered = await self._answer(work)
            syncing = self._committed(work.opened, answered) if answered.num_new else None
            if unsynced is not None:
                await asyncio.shield(unsynced)
            unsynced = syncing

    async def _next(self) -> Work | None:
        while not self._is_draining and self._num_left != 0:
            for opened in self._open:
                if opened.ended_by is None and self._admits(opened):
                    return self._begin(opened)
            if not self._is_opening and not self._in_flight:
                return None  # what is left was not admitted, and nothing will change that
            await self._changes.wait()
        return None

    def _begin(self, opened: OpenShard) -> Work:
        at_most = self._samples_per_request(opened)
        numbers = opened.window.take(at_most if self._num_left is None else min(at_most, self._num_left))
        work = Work(opened, numbers, [opened.window.key(number) for number in numbers])
        if len(numbers) == 1:
            work.latest = opened.prefixes.get(work.keys[0])
        self._charge()
        opened.num_in_flight += 1
        self._in_flight[work] = None
        self._gate.reserve(opened, numbers[0], work.max_tokens, 1)
        if self._num_left is not None:
            self._num_left -= len(numbers)
        return work

    async def _answer(self, work: Work) -> Answered:
        """Nothing when the server refused, or when the answer shows that the cell cannot be measured on it."""
        answered = Answered()
        try:
            answered = await self._asker.answer(work)
        except BenchforgeError as error:
            if isinstance(error, Incomplete | Refused):
                raise
            work.opened.ended_by = error
        finally:
            self._end(work, answered)
        return answered

    def _end(self, work: Work, answered: Answered) -> None:
        opened = work.opened
        self._charge()
        opened.num_in_flight -= 1
        opened.num_unsynced += answered.num_new
        del self._in_flight[work]
        self._gate.reserve(opened, work.numbers[0], work.max_tokens, -1)
        for number in answered.again:
            opened.window.give_back(number)
        if work.latest is not None and not answered.num_new:
            opened.prefixes[work.keys[0]] = work.latest
        if self._num_left is not None:
            self._num_left += len(answered.again)
        self._settle(opened)
        self._changes.tell()

    def _committed(self, opened: OpenShard, answered: Answered) -> asyncio.Task[None]:
        return self._background.start(self._commit(opened, answered))

    async def _commit(self, opened: OpenShard, answered: Answered) -> None:
        await asyncio.shield(opened.commits.commit())
        opened.num_unsynced -= answered.num_new
        self._meter.answered(answered.num_new, answered.num_tokens)
        self._settle(opened)

    def _samples_per_request(self, opened: OpenShard) -> int:
        return min(self._demand.samples_per_request, opened.samples_per_request)

    def _admits(self, opened: OpenShard) -> bool:
        return self._gate.admits(opened, self._samples_per_request(opened), self._started())

    def _started(self) -> Iterator[tuple[Shard, float]]:
        return ((work.opened.shard, work.started) for work in self._in_flight)

    # ---- shards ------------------------------------------------------------------------------------------------

    async def _open_ahead(self) -> None:
        """Keep enough requests ready that no slot waits for a shard to be opened."""
        try:
            while self._pending and not self._is_draining and self._num_left != 0:
                if self._num_ready() >= _AHEAD * self._demand.concurrency:
                    await self._changes.wait()
                    continue
                shard = self._pending.popleft()
                if late := self._gate.too_late(shard, self._started()):
                    self.unfinished.append(late)
                else:
                    await asyncio.shield(self._background.start(self._open_one(shard)))
        finally:
            self._is_opening = False
            self._changes.tell()

    def _num_ready(self) -> int:
        return sum(opened.window.num_waiting for opened in self._open if self._admits(opened))

    async def _open_one(self, shard: Shard) -> None:
        try:
            opened = await self._opening(shard)
        except SealedMeanwhile:
            self._meter.resumed(shard.expected_rows)
            return
        except BenchforgeError as error:
            if isinstance(error, Unreachable):
                raise
            self.unfinished.append(error)
            return
        opened.attempt.num_restarts = -self._server.num_restarts
        self._charge()
        self._open.append(opened)
        self._meter.resumed(opened.num_resumed)
        self._settle(opened)
        self._changes.tell()

    def _settle(self, opened: OpenShard) -> None:
        """Seal what is whole, close what can get no further; called whenever a shard may have become either."""
        is_ended = opened.is_whole or (opened.is_over and not self._is_draining)
        if is_ended and opened in self._open:
            self._charge()
            self._open.remove(opened)
            self._background.start(self._finish(opened))

    async def _finish(self, opened: OpenShard) -> None:
        try:
            if not opened.is_whole:
                raise opened.ended_by or opened.incomplete()
            generated = await asyncio.to_thread(opened.seal)
            await asyncio.to_thread(self._close, opened, None)
        except BaseException as error:
            problem = full_disk(error) if isinstance(error, OSError) else error
            await asyncio.to_thread(self._close, opened, problem)
            if not isinstance(problem, BenchforgeError):
                raise
            self.unfinished.append(problem)
        else:
            self._done(generated)

    def _close(self, opened: OpenShard, error: BaseException | None) -> None:
        opened.attempt.num_restarts += self._server.num_restarts
        opened.close(error)

    # ---- greedy answers in flight, and bookkeeping -------------------------------------------------------------

    async def _save_regularly(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_SECONDS)
            await self._save_prefixes()

    async def _look_at_budget(self) -> None:
        """What other tasks spend stops this one too: looked at beside the work, weighed before each request."""
        budget, pause_seconds = self._gate.budget, SAVE_EVERY_SECONDS
        while budget is not None:
            with suppress(OSError):  # between two looks it is counted on
                pause_seconds = await asyncio.to_thread(budget.look)
            self._changes.tell()
            await asyncio.sleep(pause_seconds)

    async def _save_prefixes(self) -> None:
        """Of every open shard that may go on inside an answer."""
        for opened in [one for one in self._open if may_resume(one.shard)]:
            of_shard = [work for work in self._in_flight if work.opened is opened]
            latest = {work.keys[0]: work.latest for work in of_shard if work.latest is not None}
            try:
                await asyncio.to_thread(opened.save_prefixes, latest)
            except OSError:
                return  # they save time, no row depends on them

    def _charge(self) -> None:
        """GPU seconds since the last change, shared among open shards by their requests in flight."""
        now = time.monotonic()
        seconds, self._charged = now - self._charged, now
        total = sum(opened.num_in_flight for opened in self._open)
        for opened in self._open:
            share = opened.num_in_flight / total if total else 1 / len(self._open)
            opened.attempt.gpu_seconds += seconds * share * (opened.attempt.num_gpus or 0)


def full_disk(error: OSError) -> Unwritable:
    """What an answer that could not be written ends in."""
    causes = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up"}
    cause = causes.get(error.errno or 0, f"the journal or the lake cannot be written ({error.strerror or error})")
    return Unwritable(f"{cause}; what was written before is kept", "free space there and run the same command again")
