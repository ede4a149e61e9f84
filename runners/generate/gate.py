"""What may begin now: the time that is left, what is left of the budget, and the ceilings."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ...ingest.errors import BenchforgeError
from ...ingest.manifest import Shard
from .admission import Admission
from .ceilings import Ceilings
from .expected import cell_of
from .job import Job
from .ledger import OutOfTime
from .shard import OpenShard

InFlight = Iterable[tuple[Shard, float]]
"""(shard, monotonic time of its start) of every request that was not answered yet."""


class Budget(Protocol):
    """GPU time that many tasks spend together."""

    def look(self) -> float:
        """Count anew what all of them spent; seconds until the next look is due. OSError where that fails."""
        ...

    def seconds_left(self) -> float:
        """Until it is spent, as far as the last look tells; arithmetic only."""
        ...

    def refusal(self) -> BenchforgeError: ...


@dataclass
class Gate:
    job: Job
    admission: Admission
    ceilings: Ceilings
    budget: Budget | None = None

    def admits(self, opened: OpenShard, num_samples: int, in_flight: InFlight) -> bool:
        """Whether the shard's next request, of ``num_samples`` choices, may begin."""
        number = opened.window.peek()
        if number is None:
            return False
        saved = opened.prefixes.get(opened.window.key(number))
        if self.too_late(opened.shard, in_flight, len(saved.token_ids) if saved else 0):
            return False
        if not self.ceilings.is_set:
            return True
        most = opened.shard.request["max_tokens"] * num_samples
        return self.ceilings.admits(opened.price, _characters(opened, number), most)

    def too_late(self, shard: Shard, in_flight: InFlight, saved_tokens: int = 0) -> BenchforgeError | None:
        """Why an answer of the shard's cell that begins now is not expected to end in time; None where it is."""
        left, budget_left = self.job.seconds_left(), self._budget_left()
        if left is None and budget_left is None:
            return None
        cell, now = cell_of(shard), time.monotonic()
        ages = [now - started for other, started in in_flight if cell_of(other) == cell]
        most = shard.request["max_tokens"]
        if budget_left is not None and budget_left <= self.admission.expected_seconds(cell, most, ages, saved_tokens):
            assert self.budget is not None
            return self.budget.refusal()
        return None if self.admission.admits(left, cell, most, ages, saved_tokens) else out_of_time(shard)

    def _budget_left(self) -> float | None:
        return None if self.budget is None else self.budget.seconds_left()

    def reserve(self, opened: OpenShard, number: int, max_tokens: int, sign: int) -> None:
        """A request for key ``number`` begins (1) or is over (-1)."""
        if self.ceilings.is_set:
            self.ceilings.reserve(opened.price, _characters(opened, number), max_tokens, sign)

    def why(self, opened: OpenShard) -> BenchforgeError:
        """Why the rest of a shard was not begun."""
        if late := self.too_late(opened.shard, ()):
            return late
        return self.ceilings.reached() if self.ceilings.is_set else opened.incomplete()


def out_of_time(shard: Shard) -> OutOfTime:
    return OutOfTime(
        f"the rest of shard {shard.shard_id} ({shard.model} on {shard.benchmark} {shard.scenario}) is not expected to "
        "end before the job does; it stays pending",
        "run the same command again, with more time",
    )


def _characters(opened: OpenShard, number: int) -> int:
    return opened.problems.prompt_characters(opened.protocol, opened.window.key(number)[0])
