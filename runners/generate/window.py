"""The keys of one shard as numbers, so that a hundred thousand samples take bytes each and not objects."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...ingest.manifest import Shard

Key = tuple[str, int]
"""(task id, sample index)."""

_MISSING, _TAKEN, _ANSWERED = 0, 1, 2
_NOWHERE = 2**64 - 1


class Window:
    """Planned keys in task order; of each whether it is missing, taken or answered, and where its line stands."""

    def __init__(self, shard: Shard, task_ids: Sequence[str]) -> None:
        self.task_ids = tuple(task_ids)
        self.first, self.num_samples = shard.first_sample, shard.num_samples
        self._position = {task_id: position for position, task_id in enumerate(self.task_ids)}
        self._state = bytearray(len(self))
        self._offset = array("Q", [_NOWHERE]) * len(self)
        self._order: Sequence[int] = range(len(self))
        self._next = 0
        self._again: list[int] = []
        self.num_answered = self.num_taken = 0

    def __len__(self) -> int:
        return len(self.task_ids) * self.num_samples

    def key(self, number: int) -> Key:
        position, index = divmod(number, self.num_samples)
        return self.task_ids[position], self.first + index

    def number(self, row: Mapping[str, Any]) -> int | None:
        """Of a journal row; None for one that is not planned here."""
        position, index = self._position.get(row["task_id"]), row["sample_index"] - self.first
        if position is None or not 0 <= index < self.num_samples:
            return None
        return position * self.num_samples + index

    @property
    def num_waiting(self) -> int:
        """Neither answered nor taken; samples given up count no more once ``give_up`` was called."""
        return len(self) - self.num_answered - self.num_taken

    def answered(self, number: int, offset: int) -> bool:
        """The key's line stands at ``offset``; False (and nothing changes) when it had one: the first counts."""
        state = self._state[number]
        if state == _ANSWERED:
            return False
        self.num_taken -= state == _TAKEN
        self.num_answered += 1
        self._state[number], self._offset[number] = _ANSWERED, offset
        return True

    def order_by(self, expected: Sequence[float]) -> None:
        """Longest expected first: ``expected`` holds one number per task. Samples of a task stay beside each other."""
        tasks = sorted(range(len(self.task_ids)), key=lambda position: -expected[position])
        numbers = (task * self.num_samples + index for task in tasks for index in range(self.num_samples))
        self._order = array("Q", numbers)
        self._next = 0

    def peek(self) -> int | None:
        """The next missing key, None when all are answered or taken."""
        if self._again:
            return self._again[-1]
        while self._next < len(self._order) and self._state[self._order[self._next]] != _MISSING:
            self._next += 1
        return self._order[self._next] if self._next < len(self._order) else None

    def take(self, at_most: int = 1) -> list[int]:
        """The next missing keys of one task, with sample indices in a row; single ones of those given back."""
        number = self.peek()
        if number is None:
            return []
        taken = [self._again.pop()] if self._again else [number, *self._followers(number, at_most)]
        for one in taken:
            self._state[one] = _TAKEN
        self.num_taken += len(taken)
        return taken

    def _followers(self, number: int, at_most: int) -> Iterator[int]:
        """Keys after ``number`` that one request may ask for with it."""
        end = (number // self.num_samples + 1) * self.num_samples
        for follower in range(number + 1, min(number + at_most, end)):
            if self._state[follower] != _MISSING:
                return
            yield follower

    def give_back(self, number: int) -> None:
        """A taken key that got no answer and is to be asked for again, by itself."""
        if self._state[number] == _TAKEN:
            self._state[number] = _MISSING
            self.num_taken -= 1
            self._again.append(number)

    def placed(self) -> Iterator[tuple[Key, int]]:
        """(key, offset of its line) of the answered ones, sorted by task id and sample index."""
        for task_id in sorted(self.task_ids):
            start = self._position[task_id] * self.num_samples
            for number in range(start, start + self.num_samples):
                if self._state[number] == _ANSWERED:
                    yield self.key(number), self._offset[number]
