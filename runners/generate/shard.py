"""One shard while it is asked for: its lease, journal and keys; sealed into the lake when all rows are there.

Resumable at any instant: an answer counts once its journal line is on disk; a kill loses at most the requests in
flight, and a sample that is in the journal is never asked for again. Two processes on one shard exclude each other.
Nothing of a shard is held in memory but a few bytes per key: rows go to the journal and come back in batches.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...ingest.benchmarks.declaration import Prompt, Protocol, Task
from ...ingest.errors import BenchforgeError, ConfigurationChanged, Incomplete
from ...ingest.journal import OpenJournal
from ...ingest.lake_batches import write_batches
from ...ingest.manifest import Run, Shard
from ...ingest.planning.models import ServedModel
from ...ingest.planning.task_sets import TaskSet, dataset_digest, prompts_digest, protocol_of
from .ceilings import Price
from .client import Prefix
from .commits import Commits
from .expected import CellLengths
from .lease import Lease
from .ledger import Attempt
from .prefixes import Saved, prefixes_path, read_prefixes, write_prefixes
from .probe import Abilities
from .sealing import batches_of
from .window import Key, Window

_FREE = Price()


class SealedMeanwhile(BenchforgeError):
    """Another process finished the shard between our choice of it and our lease: there is nothing to ask for."""


@dataclass(frozen=True)
class Generated:
    """What one attempt did: rows sealed, samples asked for now, samples that the journal held."""

    shard_id: str
    num_rows: int
    num_asked: int
    num_resumed: int


@dataclass
class Problems:
    """Tasks of one cell with what is derived from them once for all of its shards."""

    task_set: TaskSet
    _digests: dict[str, str] = field(default_factory=dict)
    _lengths: dict[str, list[int]] = field(default_factory=dict)

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        return {task.task_id: task for task in self.task_set.tasks}

    def prompt(self, protocol: Protocol, task_id: str) -> Prompt:
        return protocol.render(self.tasks[task_id], self.task_set.strings)

    def digest(self, protocol: Protocol) -> str:
        """Of all prompts under the protocol."""
        if protocol.name not in self._digests:
            self._digests[protocol.name] = prompts_digest(self.task_set, protocol)
        return self._digests[protocol.name]

    def prompt_characters(self, protocol: Protocol, task_id: str) -> int:
        if protocol.name not in self._lengths:
            prompts = (self.prompt(protocol, one) for one in self.tasks)
            self._lengths[protocol.name] = [_characters(prompt) for prompt in prompts]
        return self._lengths[protocol.name][self._position[task_id]]

    @cached_property
    def _position(self) -> Mapping[str, int]:
        return {task_id: position for position, task_id in enumerate(self.tasks)}


class OpenShard:
    """Holds the shard's lease from ``open`` to ``close``. Keys are taken, answered, and in the end sealed."""

    def __init__(
        self,
        run: Run,
        shard: Shard,
        problems: Problems,
        served: ServedModel,
        attempt: Attempt,
        lease: Lease,
        abilities: Abilities | None = None,
        price: Price = _FREE,
    ) -> None:
        self.run, self.shard, self.problems, self.served = run, shard, problems, served
        self.attempt, self.lease = attempt, lease
        self.protocol = protocol_of(problems.task_set.benchmark, shard.protocol)
        self.window = Window(shard, _task_ids(shard, problems))
        self.price, self.abilities = price, abilities
        self.commits = Commits(self.sync)
        self.prefixes: Saved = {}
        self.num_resumed = self.num_asked = self.num_in_flight = self.num_unsynced = 0
        self.samples_per_request = 1 if _is_single(shard, abilities) else sys.maxsize
        """At most; one once the server refused a request for many."""
        self.first_refusal: BenchforgeError | None = None
        self._refused_number = sys.maxsize
        self.ended_by: BaseException | None = None
        """What makes the rest of the shard not worth asking for."""
        self._journal: OpenJournal | None = None

    @classmethod
    def open(
        cls,
        run: Run,
        shard: Shard,
        problems: Problems,
        served: ServedModel,
        attempt: Attempt,
        cell: CellLengths,
        abilities: Abilities | None = None,
        price: Price = _FREE,
        is_forced: bool = False,
    ) -> OpenShard:
        """Lease, look at what the journal holds, put the rest in order.

        Raises Incomplete (another process has it), SealedMeanwhile, ConfigurationChanged, OSError (disk full).
        """
        lease = Lease.take(run.journal("generate", shard.shard_id).path.parent, shard.shard_id)
        try:
            if lease.heir_of is not None:
                attempt.record_heir_of(lease.heir_of)
            if not is_forced and run.is_done("generate", shard.shard_id):
                raise SealedMeanwhile(f"shard {shard.shard_id} was finished by another process")
            opened = cls(run, shard, problems, served, attempt, lease, abilities, price)
            opened._begin(cell, is_forced)
            return opened
        except SealedMeanwhile:
            lease.release()
            raise
        except BaseException as error:
            with suppress(OSError):
                attempt.record(error)
            lease.release()
            raise

    def _begin(self, cell: CellLengths, is_forced: bool) -> None:
        self._refuse_change()
        journal = self.run.journal("generate", self.shard.shard_id)
        path = prefixes_path(self.run, self.shard)
        if is_forced:
            self.run.clear_done("generate", self.shard.shard_id)
            journal.discard()
            path.unlink(missing_ok=True)
        for offset, row in journal.placed_rows():
            self._count_present(offset, row, cell)
        self.num_resumed = self.window.num_answered
        self.prefixes = read_prefixes(path, self.shard)
        characters = [self.problems.prompt_characters(self.protocol, task_id) for task_id in self.window.task_ids]
        self.window.order_by(cell.expected(self.window.task_ids, characters))
        self._journal = journal.open()

    def _count_present(self, offset: int, row: Mapping[str, Any], cell: CellLengths) -> None:
        self._refuse_other(row)
        number = self.window.number(row)
        if number is not None and self.window.answered(number, offset):
            cell.add(row["task_id"], row.get("completion_tokens"))

    @property
    def is_whole(self) -> bool:
        """Every planned row is on disk."""
        return self.window.num_answered == self.shard.expected_rows and not self.num_unsynced

    @property
    def is_over(self) -> bool:
        """Nothing is left to ask for, or worth it, and nothing is on its way."""
        is_idle = not self.num_in_flight and not self.num_unsynced
        return is_idle and (self.ended_by is not None or self.window.peek() is None)

    def prompt_of(self, key: Key) -> Prompt:
        return self.problems.prompt(self.protocol, key[0])

    def write(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """Rows handed to the system, not yet durable; how many were new. Incomplete when another took the shard."""
        if self.lease.is_lost:
            self.lease.refuse_lost()
        assert self._journal is not None
        num_new = 0
        for row in rows:
            number = self.window.number(row)
            if number is not None and self.window.answered(number, self._journal.write(row)):
                num_new += 1
                self.prefixes.pop((row["task_id"], row["sample_index"]), None)
        self.num_asked += num_new
        self.attempt.num_rows += num_new
        return num_new

    def sync(self) -> None:
        """Make everything written durable; called in a thread."""
        assert self._journal is not None
        self._journal.sync()

    def save_prefixes(self, in_flight: Mapping[Key, Prefix]) -> None:
        """Those in flight, and those of an earlier attempt that were not taken up yet."""
        write_prefixes(prefixes_path(self.run, self.shard), self.shard, {**self.prefixes, **in_flight})

    def seal(self) -> Generated:
        """Journal to lake, in the memory of one batch. Raises Incomplete when rows are missing, LakeError, OSError."""
        if not self.is_whole:
            raise self.incomplete()
        self.lease.refuse_lost()
        num_rows = self.window.num_answered
        shard_id = self.shard.shard_id
        rows = batches_of(self.run.journal("generate", shard_id), self.window.placed(), shard_id)
        parts = write_batches(self.run.lake, "samples", rows, shard_id)
        self.run.seal_parts("generate", shard_id, parts, num_rows)
        prefixes_path(self.run, self.shard).unlink(missing_ok=True)
        return Generated(shard_id, num_rows, self.num_asked, self.num_resumed)

    def close(self, error: BaseException | None) -> None:
        """End the attempt: its row in the ledger, then the lease. ``error`` is None for a sealed shard."""
        try:
            self.attempt.record(error)
        except OSError:
            if error is None:  # on a full disk the error in hand says more than this one
                raise
        finally:
            if self._journal is not None:
                self._journal.close()
                self._journal = None
            self.lease.release()

    def note_refusal(self, number: int, error: BenchforgeError) -> None:
        """The first in the order of the plan is named, whichever came first: the same sentence every time."""
        if number < self._refused_number:
            self._refused_number, self.first_refusal = number, error

    def incomplete(self) -> Incomplete:
        """How many samples are missing, and why as far as the server said."""
        shard = self.shard
        num_missing = shard.expected_rows - self.window.num_answered
        because = f": {self.first_refusal.message}" if self.first_refusal else ""
        return Incomplete(
            f"{num_missing} of {shard.expected_rows} samples of shard {shard.shard_id} ({shard.model} on "
            f"{shard.benchmark} {shard.scenario}) are missing{because}",
            _and_again(self.first_refusal.hint if self.first_refusal else ""),
        )

    def _refuse_other(self, row: Mapping[str, Any]) -> None:
        """A journal line that was asked for in another way than the shard is now."""
        seed = (self.shard.seed or 0) + row["sample_index"]
        if row["request_digest"] == self.shard.request_digest and row["seed"] == seed:
            return
        asked = {**self.shard.request, "seed": seed}
        del asked["prompt_digest"]  # there of all prompts, here of one
        differing = [name for name in sorted(asked) if name in row and row[name] != asked[name]]
        name = differing[0] if differing else "request_digest"
        raise _changed(self.shard, name, row.get(name), asked.get(name, self.shard.request_digest))

    def _refuse_change(self) -> None:
        """The problems and prompts of this machine must be those that were planned."""
        task_set = self.problems.task_set
        here: Mapping[str, Callable[[], str]] = {
            "dataset_digest": lambda: dataset_digest(task_set.benchmark, task_set.version),
            "prompt_digest": lambda: self.problems.digest(self.protocol),
        }
        for name, value in here.items():
            if self.shard.request[name] != (found := value()):
                raise _changed(self.shard, name, self.shard.request[name], found)


def _task_ids(shard: Shard, problems: Problems) -> list[str]:
    wanted = None if shard.task_ids is None else set(shard.task_ids)
    return [task_id for task_id in problems.tasks if wanted is None or task_id in wanted]


def _is_single(shard: Shard, abilities: Abilities | None) -> bool:
    """vLLM answers 400 to n > 1 at temperature 0, and some servers know n = 1 alone."""
    return shard.request["temperature"] == 0 or (abilities is not None and abilities.n is False)


def _and_again(hint: str) -> str:
    """What mends a refusal, and then the way on: alone, asking again would only be refused again."""
    again = "run the same command again"
    return hint if again in hint else f"{hint}, then {again}" if hint else again


def _characters(prompt: Prompt) -> int:
    return len(prompt.text or "") if prompt.text is not None else sum(len(content) for _, content in prompt.messages)


def _changed(shard: Shard, name: str, before: Any, after: Any) -> ConfigurationChanged:
    return ConfigurationChanged(
        f"shard {shard.shard_id} was begun with {name} = {before!r}, now it would be {after!r}",
        "undo the change, give the changed run another run.name, or redo the shard with --force",
    )
