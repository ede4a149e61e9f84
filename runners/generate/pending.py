"""Generate the pending shards of a run: chosen from manifest and markers, worked through by one pool."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...ingest.benchmarks import registry
from ...ingest.errors import BenchforgeError, Incomplete, Interrupted, UsageError
from ...ingest.manifest import Run, Shard
from ...ingest.planning.models import ServedModel
from ...ingest.planning.task_sets import load_task_set
from ...ingest.tasks import record_tasks
from ..selection import Selection, pending_shards, task_set_of
from .admission import Admission
from .ceilings import Ceilings, count_spent, price_of
from .engines import Engine
from .expected import CellLengths, cell_of, sealed_lengths
from .gate import Budget, Gate
from .job import HEEDED, Job
from .ledger import Attempt
from .probe import refuse_deviations
from .schedule import Meter, Pool
from .server import Probe, Server
from .shard import Generated, OpenShard, Problems
from .work import Asker, Demand

_SIGNALS = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP")


@dataclass(frozen=True)
class Means:
    """What asking runs with: where problems lie, how models are served, and what limits it."""

    datasets_root: Path
    served: Mapping[str, ServedModel] = field(default_factory=dict)
    demand: Demand = field(default_factory=Demand)
    job: Job = field(default_factory=Job)
    token_ceiling: int = 0
    money_ceiling: float = 0.0
    probe: Probe | None = None
    """Asks a server what it honours; None: it is believed."""
    allow: Collection[str] = ()
    """Deviations that are accepted by name."""
    recorder: Any = None
    say: Callable[[str], None] = lambda text: None
    """Where a sentence about the server goes that no row holds."""
    budget: Budget | None = None
    """What all tasks of the run spend together; None: nobody counts."""

    def served_model(self, name: str) -> ServedModel:
        """A model that no row describes is served under its key."""
        return self.served.get(name) or ServedModel(name, name)


class Silent:
    """A meter that shows nothing."""

    def resumed(self, num_samples: int) -> None: ...

    def answered(self, num_samples: int, num_tokens: int) -> None: ...


def to_generate(run: Run, selection: Selection) -> list[Shard]:
    """Planned and not generated yet; UsageError when nothing was planned at all."""
    if not run.manifest.shards():
        raise UsageError(f"nothing is planned in {run.root}", "benchforge plan")
    return pending_shards(run, "generate", selection, lambda shard: shard.stage == "generate")


def generate_pending(
    run: Run,
    shards: Sequence[Shard],
    engine: Engine,
    means: Means,
    *,
    is_forced: bool = False,
    meter: Meter | None = None,
    done: Callable[[Generated], None] = lambda generated: None,
) -> None:
    """Ask for what is missing of ``shards``; ``done`` hears of each as it is sealed.

    An incomplete shard stops no other. Raises Incomplete (exit 3) at the end when samples are missing, at once when
    the server is gone or a disk is full; Interrupted after a signal, when everything is on disk. Under SLURM, after
    USR1, it asks for a requeue instead and waits to be ended.
    """
    try:
        means.job.refuse_missed_notice()
        received: list[str] = []
        with _heard(received) as watch:
            unfinished = asyncio.run(_generate(run, shards, engine, means, is_forced, meter or Silent(), done, watch))
        if received and unfinished:
            raise Interrupted(f"stopped by {received[0]}", "run the same command again", received[0])
    except Interrupted as error:
        means.job.answer_notice(error)
        raise
    if unfinished:
        raise _summary(unfinished)


async def _generate(
    run: Run,
    shards: Sequence[Shard],
    engine: Engine,
    means: Means,
    is_forced: bool,
    meter: Meter,
    done: Callable[[Generated], None],
    watch: Callable[[Pool], None],
) -> list[BenchforgeError]:
    ceilings = Ceilings(means.token_ceiling, means.money_ceiling)
    if ceilings.is_set:
        count_spent(run, means.served_model, ceilings)
    gate = Gate(means.job, Admission(means.job.seconds_left()), ceilings, means.budget)
    async with Server(engine, means.recorder, means.probe) as server:
        opener = _Opener(run, shards, server, means, gate, is_forced)
        asker = Asker(server, means.demand, opener.cell, gate)
        pool = Pool(server, asker, gate, means.demand, shards, opener.open, meter, done)
        watch(pool)
        await pool.run()
    for remark in server.remarks:
        means.say(remark)
    return pool.unfinished


class _Opener:
    """Opens shard after shard; what shards have in common (problems, lengths, abilities) is loaded once."""

    def __init__(
        self, run: Run, shards: Sequence[Shard], server: Server, means: Means, gate: Gate, is_forced: bool
    ) -> None:
        self._run, self._shards, self._server, self._means = run, shards, server, means
        self._gate, self._is_forced = gate, is_forced
        self._problems: tuple[tuple[str, str, str], Problems] | None = None
        self._cells: dict[str, CellLengths] = {}

    def cell(self, shard: Shard) -> CellLengths:
        """Lengths of the shard's cell, as measured by now."""
        name = cell_of(shard)
        if name not in self._cells:
            self._cells[name] = CellLengths(self._gate.admission.lengths(name))
        return self._cells[name]

    async def open(self, shard: Shard) -> OpenShard:
        served = self._means.served_model(shard.model)
        of_model = [other for other in self._shards if other.model == shard.model]
        abilities = await self._server.abilities(served, of_model)
        if abilities is not None:
            refuse_deviations(abilities, [shard], self._means.allow)
        return await asyncio.to_thread(self._open, shard, served, abilities)

    def _open(self, shard: Shard, served: ServedModel, abilities: Any) -> OpenShard:
        problems = self._problems_of(shard)
        is_new = cell_of(shard) not in self._cells
        cell = self.cell(shard)
        if is_new:
            for task_id, tokens in sealed_lengths(self._run, shard):
                cell.add(task_id, tokens)
        engine = self._server.engine
        num_gpus = served.tensor_parallel_size if engine.gpu else self._means.job.num_gpus
        attempt = Attempt(self._run, shard, engine, self._means.job, num_gpus)
        price = price_of(served, self._gate.ceilings)
        return OpenShard.open(self._run, shard, problems, served, attempt, cell, abilities, price, self._is_forced)

    def _problems_of(self, shard: Shard) -> Problems:
        """Those of the shard before, where they are the same: shards come ordered by them."""
        wanted = task_set_of(shard)
        if self._problems is None or self._problems[0] != wanted:
            name, version, scenario = wanted
            task_set = load_task_set(registry()[name], scenario, version, self._means.datasets_root)
            record_tasks(self._run.lake, task_set.tasks, version, shard.dataset_digest)
            self._problems = wanted, Problems(task_set)
        return self._problems[1]


@contextmanager
def _heard(received: list[str]) -> Iterator[Callable[[Pool], None]]:
    """Yields ``watch(pool)``: signals then stop the pool between two steps of its loop, so that no line is torn.

    ``received`` gets their names. USR1 and TERM count even if they were ignored until now (``trap ''`` in the batch
    script); an ignored INT or HUP (``nohup``) stays so. Afterwards the old handlers are back.
    """
    pools: list[tuple[asyncio.AbstractEventLoop, Pool]] = []

    def hear(number: int, frame: Any) -> None:
        name = signal.Signals(number).name
        received.append(name)
        for loop, pool in pools:
            if not loop.is_closed():
                loop.call_soon_threadsafe(pool.stop, name)

    def watch(pool: Pool) -> None:
        pools.append((asyncio.get_running_loop(), pool))
        for name in received:  # before there was a loop
            pool.stop(name)

    before = {number: signal.signal(number, hear) for number in _heeded()}
    try:
        yield watch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heeded() -> list[int]:
    if threading.current_thread() is not threading.main_thread():
        return []
    numbers: list[int] = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    always = {getattr(signal, name, None) for name in HEEDED}
    return [number for number in numbers if number in always or signal.getsignal(number) is not signal.SIG_IGN]


def _summary(unfinished: Sequence[BenchforgeError]) -> BenchforgeError:
    """What cannot be mended by running again comes first."""
    lasting = [error for error in unfinished if not isinstance(error, Incomplete)]
    first = [*lasting, *unfinished][0]
    if len(unfinished) == 1 or lasting:
        return first
    return type(first)(f"{len(unfinished)} shards are not finished: {first.message}", first.hint)
