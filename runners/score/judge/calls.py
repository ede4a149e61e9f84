"""Kind ``calls``: arguments in, returned values compared, base and plus apart.

Theory of operation. The child gets program and inputs and claims values, one line each, on a pipe that it may write to
as it likes; the expected values stay here. A claim passes by its value and its place in the order, and by nothing else.

One child executes the program for the base inputs and again for the plus inputs; comparison follows case by case, and a
child is stopped as soon as nothing more is asked of it. Of a part that did not get its child to itself only a pass is
taken; anything else is judged again in a fresh one, so that what the part before left behind fails no program.

Most answers are right, and a right answer of plain type is sent in the very bytes of the expected one: those are
compared as they are. Everything else is decoded and read by the oracles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ....ingest.benchmarks.declaration import Task
from . import decode, oracles
from .execution import GUARD, Answer, Bench, Claims, Ended, call_spec, read_frame, start
from .expected import ANSWER, Expected, ExpectedStore, register
from .outcome import Outcome, PartOutcome, failed, passed

_ENCODE_FACTOR = 4.0
_LINGER_SECONDS = 0.05
_LINGER_BYTES = 1 << 16
"""What a part that has failed already may take to end by itself, and say, before its child is given up."""
_PARTS = ("base", "plus")


def grade(bench: Bench, store: ExpectedStore, task: Task, program: str, names: Sequence[str]) -> dict[str, Outcome]:
    """Both parts under every oracle asked for; ``plus`` is None for a task that has no extra cases."""
    panels: dict[str, _Panel] = {}
    waiting = [part for part in _PARTS if part == "base" or task.payload.get(f"{part}_inputs")]
    while waiting:
        fresh = [_Panel(bench, task, part, store.part(task, part), names) for part in waiting]
        _run(bench, task, program, fresh)
        panels.update((panel.part, panel) for panel in fresh if panel.is_over)
        waiting = [panel.part for panel in fresh if not panel.is_over]
        if not _asks_for_more(bench, panels["base"]):
            break
    for part in _PARTS:
        if part in panels:
            bench.usage.record_part(part, panels[part].case_seconds, panels[part].unscaled_limits)
    plus = panels["plus"].outcomes if "plus" in panels else dict.fromkeys(names)
    return {name: Outcome(panels["base"].outcomes[name], plus[name]) for name in names}


class _Panel:
    """The oracles of one part, each at its own point: still passing, or failed once and done."""

    def __init__(self, bench: Bench, task: Task, part: str, expected: Expected, names: Sequence[str]) -> None:
        rules = bench.rules
        self.part = part
        self.limits = rules.case_limits(expected.seconds, task.payload)
        # encoding is our work, not the program's: it gets time of its own
        self.seconds = rules.part_seconds(self.limits) + _ENCODE_FACTOR * expected.encode_seconds
        self.unscaled_limits = [limit / rules.limit_scale for limit in self.limits]
        self._oracles = {name: oracles.BY_NAME[name](task, rules) for name in names}
        self._is_comparable = expected.is_plain and oracles.special_oracle(task) is None
        self._inputs = task.payload[f"{part}_inputs"]
        self._expected = expected
        self._num_seen = 0
        self._num_noted: dict[str, int] = {}
        self.case_seconds: Sequence[float] = ()
        self.outcomes: dict[str, PartOutcome] = {}
        self.is_over = False

    @property
    def is_decided(self) -> bool:
        return len(self.outcomes) == len(self._oracles)

    def has_passed(self, reason: str) -> bool:
        """Whether a report that ended so is complete, and right for every oracle."""
        return not reason and not self.outcomes and self._num_seen == len(self._expected.lines)

    def verdicts(self) -> Iterator[PartOutcome]:
        return iter(self.outcomes.values())

    def take(self, lines: Sequence[bytes], position: int) -> int:
        """How many of the lines from here on are the very bytes of the next expected answers; they are done with."""
        if not self._is_comparable or self.outcomes:
            return 0
        expected = self._expected.lines[self._num_seen :]
        given = lines[position : position + len(expected)]
        number = len(given)
        if given != expected[:number]:
            number = next(index for index, pair in enumerate(zip(given, expected, strict=False)) if pair[0] != pair[1])
        self._num_seen += number
        return number

    def read(self, line: bytes) -> str | None:
        """One line of the report. None: more is to come; else the reason why the part broke off, empty where it did
        not. Raises Malformed."""
        if line.startswith(ANSWER):
            if self.is_decided:
                return None
            if self._num_seen >= len(self._expected.lines):
                raise decode.Malformed("case")
            self._see(decode.parse(line[len(ANSWER) :]))
            return None
        frame = read_frame(line)
        if isinstance(frame, Answer):
            raise decode.Malformed("frame")
        if self.is_decided:
            return ""
        if isinstance(frame, Ended) and frame.num_cases != self._num_seen:
            raise decode.Malformed("end")
        if len(frame.case_seconds) not in (0, self._num_seen):
            raise decode.Malformed("times")
        self.case_seconds = frame.case_seconds
        if isinstance(frame, Ended):
            return ""
        if frame.case not in (self._num_seen, -1) or (frame.case < 0 and self._num_seen):
            raise decode.Malformed("case")
        self._stop(frame.reason, frame.case)
        return frame.reason

    def _see(self, tree: Any) -> None:
        case = self._num_seen
        try:
            value = decode.value(tree)
            verdicts = {name: self._accepts(name, value, case) for name in self._open()}
            reason = oracles.why_wrong(value)
        except (RecursionError, MemoryError):
            verdicts, reason = dict.fromkeys(self._open(), False), "wrong_answer"
        self._num_seen += 1
        for name, is_right in verdicts.items():
            if not is_right:
                self.outcomes[name] = failed(reason, case, case)

    def _accepts(self, name: str, value: Any, case: int) -> bool:
        oracle = self._oracles[name]
        for skipped in range(self._num_noted.get(name, 0), case):
            oracle.note(self._expected.value(skipped))
        self._num_noted[name] = case + 1
        return oracle.accepts(value, self._expected.value(case), self._inputs[case])

    def _open(self) -> list[str]:
        return [name for name in self._oracles if name not in self.outcomes]

    def _stop(self, reason: str, case: int) -> None:
        """The program raised: in a case, or (case -1) while it loaded."""
        for name in self._open():
            self.outcomes[name] = failed(reason, case if case >= 0 else None, self._num_seen)

    def end(self, reason: str) -> None:
        """Nothing more comes. ``reason`` is empty after a complete report."""
        is_complete = not reason and self._num_seen == len(self._expected.lines)
        for name in self._open():
            self.outcomes[name] = passed(self._num_seen) if is_complete else self._broken(name, reason or "tamper")
        self.is_over = True

    def _broken(self, name: str, reason: str) -> PartOutcome:
        # upstream calls every child that leaves no status a timeout, a crash and os._exit included
        is_timeout = reason == "timeout" or (reason == "killed" and name == oracles.OFFICIAL)
        case = self._num_seen if self._num_seen < len(self._expected.lines) else None
        return failed(reason, case, self._num_seen, "timeout" if is_timeout else "fail")


def _run(bench: Bench, task: Task, program: str, panels: Sequence[_Panel]) -> None:
    """One child for as many of the parts as it gets through; the first one is over afterwards."""
    connection = bench.server(program, task.payload.get("reference"), GUARD)
    key = register(connection, task)
    limits = {panel.part: panel.limits for panel in panels}
    spec = call_spec(program, task.payload["entry_point"], limits, collect=oracles.needs_iteration(task))
    total = sum(panel.seconds for panel in panels)
    with start(bench, connection, spec, panels[0].seconds, key, total_seconds=total) as claims:
        for number, panel in enumerate(panels):
            if number > 0:
                claims.allow(panel.seconds)
            reason, goes_on = _heard(claims, panel, is_last=panel is panels[-1])
            # what went wrong may be the earlier part's doing, and silence its wish for another child
            if number > 0 and not panel.has_passed(reason):
                return
            panel.end(reason)
            if not goes_on or not _asks_for_more(bench, panel):
                return


def _asks_for_more(bench: Bench, base: _Panel) -> bool:
    """Whether extra cases are judged after these: where an oracle has accepted the base ones, or in any case."""
    return bench.rules.always_judges_plus or any(part.verdict == "pass" for part in base.verdicts())


def _heard(claims: Claims, panel: _Panel, *, is_last: bool) -> tuple[str, bool]:
    """Read the panel's part to its end, or until nothing more is asked of it.

    Gives the reason if it broke off, and whether the child goes on to the next part.
    """
    is_lingering = False
    while lines := claims.waiting_lines():
        position = 0
        while position < len(lines):
            number = panel.take(lines, position)
            position += number
            if number:
                continue
            try:
                reason = panel.read(lines[position])
            except (decode.Malformed, RecursionError, MemoryError):
                return "tamper", False
            position += 1
            if reason is not None:
                claims.consume(position)
                return reason, True
            if panel.is_decided and is_last:
                return "", False
            if panel.is_decided and not is_lingering:
                claims.linger(_LINGER_SECONDS, _LINGER_BYTES)
                is_lingering = True
        claims.consume(position)
    return claims.why_it_broke_off(), False
