"""Generate one shard: ask for what the journal lacks, append every answer durably, seal when all rows are there.

Resumable at any instant: an answer counts once its journal line is on disk; a kill loses at most the requests in
flight, and a sample that is in the journal is never asked for again. Two processes on one shard exclude each other.
"""

from __future__ import annotations

import asyncio
import datetime
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ...ingest.benchmarks.declaration import Prompt, Task
from ...ingest.errors import BenchforgeError, ConfigurationChanged, Incomplete, Interrupted
from ...ingest.manifest import Run, Shard, run_id
from ...ingest.planning.models import ServedModel
from ...ingest.planning.task_sets import TaskSet, dataset_digest, prompts_digest, protocol_of
from .client import Client, Refused
from .engines import Engine
from .lease import leased
from .request import request_of
from .rows import Malformed, restored, sample_row

Advance = Callable[[int], None]
Key = tuple[str, int]
"""(task id, sample index)."""

_HOPELESS_STATUS = (401, 403)
_HOPELESS_REFUSALS = 100
"""Refusals in a row, without one answer between, after which the rest is not asked for."""


@dataclass(frozen=True)
class Generated:
    """What one attempt did: rows sealed, samples asked for now, samples that the journal held."""

    shard_id: str
    num_rows: int
    num_asked: int
    num_resumed: int


@dataclass
class _Tally:
    num_asked: int = 0
    num_resumed: int = 0
    num_refused: int = 0
    refused_in_a_row: int = 0
    first_refusal: Refused | None = None


@dataclass
class ShardGenerator:
    """Everything that one shard needs; ``generate()`` runs it to its end or raises."""

    run: Run
    shard: Shard
    task_set: TaskSet
    engine: Engine
    served_as: str
    concurrency: int = 64
    limit: int | None = None
    """Ask for at most this many samples now."""
    _tally: _Tally = field(default_factory=_Tally)

    @property
    def num_asked(self) -> int:
        """Samples answered by this attempt."""
        return self._tally.num_asked

    def generate(self, *, is_forced: bool = False, advance: Advance = lambda number: None) -> Generated:
        """Ask, journal, seal. Raises Incomplete (samples refused, or a limit), Interrupted, ConfigurationChanged."""
        started, clock = _utc_now(), time.monotonic()
        journal_directory = self.run.journal("generate", self.shard.shard_id).path.parent
        with leased(journal_directory, self.shard.shard_id):
            try:
                generated = self._generate(is_forced, advance)
            except BaseException as error:
                self._record(started, clock, _cause(error), str(error) or type(error).__name__)
                raise
            self._record(started, clock, "done", None)
            return generated

    def _generate(self, is_forced: bool, advance: Advance) -> Generated:
        self._refuse_change()
        journal = self.run.journal("generate", self.shard.shard_id)
        if is_forced:
            self.run.clear_done("generate", self.shard.shard_id)
            journal.discard()
        present = self._present()
        missing = [key for key in self._keys() if key not in present]
        self._tally.num_resumed = len(present)
        advance(len(present))
        with _stoppable() as stop:
            asyncio.run(self._ask_all(iter(missing[: self.limit]), advance, stop))
        return self._seal()

    def _tasks(self) -> dict[str, Task]:
        wanted = self.shard.task_ids
        return {task.task_id: task for task in self.task_set.tasks if wanted is None or task.task_id in wanted}

    def _keys(self) -> list[Key]:
        """Every planned (task, sample index), in order."""
        indices = range(self.shard.first_sample, self.shard.first_sample + self.shard.num_samples)
        return [(task_id, index) for task_id in self._tasks() for index in indices]

    def _present(self) -> set[Key]:
        """What the journal holds. ConfigurationChanged when it was asked for in another way."""
        present = set()
        for row in self.run.journal("generate", self.shard.shard_id).rows():
            self._refuse_other(row)
            present.add((row["task_id"], row["sample_index"]))
        return present & set(self._keys())

    def _refuse_other(self, row: Mapping[str, Any]) -> None:
        if row["request_digest"] == self.shard.request_digest and row["seed"] == self._seed(row["sample_index"]):
            return
        asked = {**self.shard.request, "seed": self._seed(row["sample_index"])}
        del asked["prompt_digest"]  # there of all prompts, here of one
        differing = [name for name in sorted(asked) if name in row and row[name] != asked[name]]
        name = differing[0] if differing else "request_digest"
        before, after = row.get(name), asked.get(name, self.shard.request_digest)
        raise _changed(self.shard, name, before, after)

    def _seed(self, sample_index: int) -> int:
        return (self.shard.seed or 0) + sample_index

    def _refuse_change(self) -> None:
        """The problems and prompts of this machine must be those that were planned."""
        protocol = protocol_of(self.task_set.benchmark, self.shard.protocol)
        here = {
            "dataset_digest": dataset_digest(self.task_set.benchmark, self.task_set.version),
            "prompt_digest": prompts_digest(self.task_set, protocol),
        }
        for name, value in here.items():
            if self.shard.request[name] != value:
                raise _changed(self.shard, name, self.shard.request[name], value)

    async def _ask_all(self, keys: Iterator[Key], advance: Advance, stop: Callable[..., None]) -> None:
        """Workers pull from one iterator, so the bounded concurrency stays full to the end."""
        protocol = protocol_of(self.task_set.benchmark, self.shard.protocol)
        tasks = self._tasks()
        async with Client(self.engine.endpoint) as client:

            async def work() -> None:
                for task_id, index in keys:
                    task = tasks[task_id]
                    advance(await self._ask(client, task, protocol.render(task, self.task_set.strings), index))

            workers = [asyncio.create_task(work()) for _ in range(self.concurrency)]
            stop(asyncio.get_running_loop(), workers)
            await _first_failure(workers)

    async def _ask(self, client: Client, task: Task, prompt: Prompt, sample_index: int) -> int:
        """1 when the sample was answered and is on disk, 0 when the server refused it."""
        request = request_of(self.shard, prompt, sample_index, ServedModel(self.shard.model, self.served_as))
        try:
            reply = await client.ask(request)
        except Refused as error:
            self._count_refusal(error)
            return 0
        try:
            row = sample_row(self.shard, task, sample_index, prompt, request, reply, self.engine.version)
        except Malformed as error:
            self._count_refusal(Refused(200, error.message))
            return 0
        row["engine"] = self.engine.name
        self.run.journal("generate", self.shard.shard_id).append(row)
        self._tally.num_asked += 1
        self._tally.refused_in_a_row = 0
        return 1

    def _count_refusal(self, error: Refused) -> None:
        """One sample the server will not answer stops no other; a server that answers none is given up."""
        tally = self._tally
        tally.first_refusal = tally.first_refusal or error
        tally.num_refused += 1
        tally.refused_in_a_row += 1
        if error.status in _HOPELESS_STATUS or tally.refused_in_a_row >= _HOPELESS_REFUSALS:
            raise error

    def _seal(self) -> Generated:
        rows: dict[Key, dict[str, Any]] = {}
        planned = set(self._keys())
        for row in self.run.journal("generate", self.shard.shard_id).rows():
            key = (row["task_id"], row["sample_index"])
            if key in planned:
                rows.setdefault(key, restored(row))
        if len(rows) != self.shard.expected_rows:
            raise self._incomplete(self.shard.expected_rows - len(rows))
        self.run.seal("generate", self.shard.shard_id, {"samples": list(rows.values())}, len(rows))
        return Generated(self.shard.shard_id, len(rows), self._tally.num_asked, self._tally.num_resumed)

    def _incomplete(self, num_missing: int) -> Incomplete:
        shard, refusal = self.shard, self._tally.first_refusal
        because = f": {refusal.message}" if refusal else ""
        return Incomplete(
            f"{num_missing} of {shard.expected_rows} samples of shard {shard.shard_id} ({shard.model} on "
            f"{shard.benchmark} {shard.scenario}) are missing{because}",
            "run the same command again",
        )

    def _record(self, started: datetime.datetime, clock: float, cause: str, detail: str | None) -> None:
        shard_id = self.shard.shard_id
        attempt = self.run.next_attempt("generate", shard_id)
        self.run.record_attempt(
            {
                "run_id": run_id(shard_id, "generate", attempt),
                "shard_id": shard_id,
                "stage": "generate",
                "benchmark": self.shard.benchmark,
                "model": self.shard.model,
                "scenario": self.shard.scenario,
                "request_digest": self.shard.request_digest,
                "num_planned": self.shard.num_planned,
                "attempt": attempt,
                "node": platform.node(),
                "wall_seconds": time.monotonic() - clock,
                "num_rows": self._tally.num_asked,
                "engine": self.engine.name,
                "engine_version": self.engine.version or None,
                "cause": cause,
                "detail": detail,
                "started_at": started,
                "ended_at": _utc_now(),
            }
        )


async def _first_failure(workers: list[asyncio.Task[None]]) -> None:
    """Wait for all; on the first failure (or when stopped) end the others and raise it."""
    try:
        done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    for worker in done:
        if not worker.cancelled() and worker.exception() is not None:
            raise worker.exception()  # type: ignore[misc]


@contextmanager
def _stoppable() -> Iterator[Callable[..., None]]:
    """Yields ``watch(loop, workers)``: INT, TERM and USR1 then end the workers between two journal lines.

    An asyncio handler runs between two steps of the loop, so no line is torn by our own hand. Afterwards the old
    handlers are back and Interrupted (exit 75) is raised if a signal came.
    """
    received: list[str] = []
    is_main = threading.current_thread() is threading.main_thread()
    names = ("SIGINT", "SIGTERM", "SIGUSR1") if is_main else ()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}

    def watch(loop: asyncio.AbstractEventLoop, workers: list[asyncio.Task[None]]) -> None:
        def stop(number: int) -> None:
            received.append(signal.Signals(number).name)
            for worker in workers:
                worker.cancel()

        for number in numbers:
            loop.add_signal_handler(number, stop, number)

    try:
        yield watch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        raise Interrupted(f"stopped by {received[0]}; what was answered is kept", "run the same command again")


def _changed(shard: Shard, name: str, before: Any, after: Any) -> ConfigurationChanged:
    return ConfigurationChanged(
        f"shard {shard.shard_id} was begun with {name} = {before!r}, now it would be {after!r}",
        "undo the change, give the changed run another run.name, or redo the shard with --force",
    )


def _cause(error: BaseException) -> str:
    if isinstance(error, Interrupted):
        return "notice"
    if isinstance(error, KeyboardInterrupt):
        return "cancelled"
    return "cancelled" if isinstance(error, BenchforgeError) else "crashed"


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
