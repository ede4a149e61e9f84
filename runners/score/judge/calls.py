"""Kind ``calls``: arguments in, returned values compared, base and plus apart.

Each part is one fresh child that executes the program and calls it with every input in order, as the official harness
does; comparison follows case by case, and the child is stopped as soon as every oracle that was asked has seen a
failure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....ingest.benchmarks.declaration import Task
from . import decode, oracles
from .execution import Answer, Bench, Raised, call_spec, start
from .expected import Expected, ExpectedStore, register
from .outcome import Outcome, PartOutcome, failed, passed

_ENCODE_FACTOR = 4.0


def grade(bench: Bench, store: ExpectedStore, task: Task, program: str, names: Sequence[str]) -> dict[str, Outcome]:
    """Both parts under every oracle asked for; ``plus`` is None for a task that has no extra cases."""
    base = _part(bench, store, task, "base", program, names)
    is_wanted = bench.rules.always_judges_plus or any(part.verdict == "pass" for part in base.values())
    has_plus = is_wanted and bool(task.payload.get("plus_inputs"))
    plus = _part(bench, store, task, "plus", program, names) if has_plus else dict.fromkeys(names)
    return {name: Outcome(base[name], plus[name]) for name in names}


class _Panel:
    """The oracles of one part, each at its own point: still passing, or failed once and done."""

    def __init__(self, bench: Bench, task: Task, part: str, expected: Expected, names: Sequence[str]) -> None:
        self._oracles = {name: oracles.BY_NAME[name](task, bench.rules) for name in names}
        self._inputs = task.payload[f"{part}_inputs"]
        self._expected = expected
        self._num_seen = 0
        self.outcomes: dict[str, PartOutcome] = {}

    @property
    def is_decided(self) -> bool:
        return len(self.outcomes) == len(self._oracles)

    def see(self, answer: Answer) -> None:
        """Compare one answer; raises Malformed for a case out of place."""
        case = self._num_seen
        if answer.case != case or case >= len(self._expected.values):
            raise decode.Malformed("case")
        try:
            value = decode.value(answer.tree)
            verdicts = {name: self._accepts(name, value, case) for name in self._open()}
            reason = oracles.why_wrong(value)
        except (RecursionError, MemoryError):
            verdicts, reason = dict.fromkeys(self._open(), False), "wrong_answer"
        self._num_seen += 1
        for name, is_right in verdicts.items():
            if not is_right:
                self.outcomes[name] = failed(reason, case, case)

    def _accepts(self, name: str, value: Any, case: int) -> bool:
        inputs = self._inputs[case]
        return self._oracles[name].accepts(value, self._expected.values[case], inputs)

    def _open(self) -> list[str]:
        return [name for name in self._oracles if name not in self.outcomes]

    def end(self, reason: str) -> None:
        """Nothing more comes. ``reason`` is empty after a complete report."""
        is_complete = not reason and self._num_seen == len(self._expected.values)
        for name in self._open():
            self.outcomes[name] = passed(self._num_seen) if is_complete else self._broken(name, reason or "tamper")

    def stop(self, reason: str, case: int) -> None:
        """The program raised: in a case, or (case -1) while it loaded."""
        for name in self._open():
            self.outcomes[name] = failed(reason, case if case >= 0 else None, self._num_seen)

    def _broken(self, name: str, reason: str) -> PartOutcome:
        # upstream calls every child that leaves no status a timeout, a crash and os._exit included
        is_timeout = reason == "timeout" or (reason == "killed" and name == oracles.OFFICIAL)
        case = self._num_seen if self._num_seen < len(self._expected.values) else None
        return failed(reason, case, self._num_seen, "timeout" if is_timeout else "fail")


def _part(
    bench: Bench, store: ExpectedStore, task: Task, part: str, program: str, names: Sequence[str]
) -> Mapping[str, PartOutcome]:
    expected = store.part(task, part)
    limits = bench.rules.case_limits(expected.seconds, task.payload)
    # encoding is our work, not the program's: it gets time of its own
    seconds = bench.rules.part_seconds(limits) + _ENCODE_FACTOR * expected.encode_seconds
    connection = bench.server(program, task.payload.get("reference"))
    key = register(connection, task, part)
    spec = call_spec(program, task.payload["entry_point"], limits, collect=oracles.needs_iteration(task))
    panel = _Panel(bench, task, part, expected, names)
    with start(bench, connection, spec, seconds, key) as claims:
        for frame in claims:
            if isinstance(frame, Answer):
                bench.usage.case_seconds.append(frame.seconds)
                try:
                    panel.see(frame)
                except decode.Malformed:
                    panel.end("tamper")
            elif isinstance(frame, Raised):
                panel.stop(frame.reason, frame.case)
            else:
                panel.end(frame.reason)
            if panel.is_decided:
                break
    return panel.outcomes
