"""What every kind of task shares: a sandbox that can be replaced, and one run of a program read line by line.

Theory of operation. A ``Bench`` belongs to one worker. It owns a sandbox, opens a new one after a failure, and adds up
what the children used. A ``Claims`` is one run: it checks the frame of the report (ready first, cases in order, each
once, an end mark) before anybody looks at a value. A report that breaks off is a verdict, never a pass; one that does
not begin is a failure of ours (SandboxBroken), because the sample had not run yet.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import truediv
from typing import Any

from ..sandbox import PRELOAD_SECONDS, Sandbox
from ..sandbox.connection import MAX_STRETCH, Connection, Ending, Running, SandboxBroken
from ..sandbox.inside.confine import Limits
from ..sandbox.layers import NO_LAYER_OFF
from ..sandbox.suite_box import Place
from . import decode
from .rules import Rules

MAX_LINE_BYTES = 32 << 20
MAX_PART_BYTES = 256 << 20
_SPARE_CPU_SECONDS = 30
GUARD = "evalplus"
_MAX_SECONDS = 1e6
_PATIENT_SECONDS = 20.0
"""What replaces a shorter limit while a test has the kill by the clock switched off."""


@dataclass
class Usage:
    """What the children of one job used."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_memory_bytes: int = 0
    case_seconds: list[float] = field(default_factory=list)
    limit_shares: dict[str, float] = field(default_factory=dict)
    """Part -> the largest share of its official limit that a case took; 1.0 is at the limit."""

    def add(self, ending: Ending) -> None:
        self.cpu_seconds += ending.cpu_seconds
        self.wall_seconds += ending.wall_seconds
        self.peak_memory_bytes = max(self.peak_memory_bytes, ending.peak_memory_bytes)

    def record(self, part: str, seconds: float, limit_seconds: float) -> None:
        """One case of a part, and the limit it had when nothing scales it."""
        self.case_seconds.append(seconds)
        self.limit_shares[part] = max(self.limit_shares.get(part, 0.0), seconds / limit_seconds)

    def record_part(self, part: str, seconds: Sequence[float], limits_seconds: Sequence[float]) -> None:
        """All cases of a part that were seen, and the limits they had when nothing scales them."""
        self.case_seconds += seconds
        if seconds:
            self.limit_shares[part] = max(map(truediv, seconds, limits_seconds))


@dataclass(frozen=True)
class Answer:
    """A claimed return value, still as a tree."""

    case: int
    seconds: float
    encode_seconds: float
    tree: Any
    is_plain: bool = False
    """Claims that real descriptors would have given the same."""


@dataclass(frozen=True)
class Raised:
    """A claimed exception; ``case`` is -1 while the program loaded."""

    case: int
    reason: str
    case_seconds: Sequence[float] = ()
    is_plain: bool = False


@dataclass(frozen=True)
class Ended:
    """No more frames. ``reason`` is empty after a complete report of ``num_cases``.

    ``case_seconds``, ``encode_seconds``: of the kind ``calls``, whose answers do not bring their times.
    """

    reason: str
    num_cases: int = 0
    case_seconds: Sequence[float] = ()
    encode_seconds: float = 0.0


class Bench:
    """A worker's place to execute: the sandbox, its rules, the usage of the job at hand."""

    def __init__(
        self,
        open_sandbox: Callable[..., Sandbox],
        rules: Rules,
        expect: Callable[[float], None],
        without: frozenset[str] = NO_LAYER_OFF,
        places: Mapping[str, Place] | None = None,
    ) -> None:
        """``open_sandbox`` opens one of the place that it is given, of our own interpreter without; ``places``:
        environments of suites by name."""
        self._open = open_sandbox
        self.places = places or {}
        self._suites: dict[str, Sandbox] = {}
        self.without = without
        self._sandbox: Sandbox | None = None
        self.rules = rules
        self.usage = Usage()
        self.expect = expect
        """Tells the supervisor how many seconds the next step may take."""
        self.touch: Callable[[int], None] = lambda num_bytes: None
        """Tells the supervisor that so many bytes of claims are worked on from now."""

    @property
    def sandbox(self) -> Sandbox:
        if self._sandbox is None:
            self._sandbox = self._open()
        return self._sandbox

    def suite(self, place: Place) -> Connection:
        """The warm server of a suite's environment."""
        return self.suite_sandbox(place).server("lean")

    def suite_sandbox(self, place: Place) -> Sandbox:
        name = place.environment.name
        if name not in self._suites:
            self.expect(PRELOAD_SECONDS)
            self._suites[name] = self._open(place)
        return self._suites[name]

    def renew(self) -> None:
        """Throw the sandboxes away; the next use opens a fresh one."""
        for sandbox in (self._sandbox, *self._suites.values()):
            if sandbox is not None:
                sandbox.close()
        self._sandbox, self._suites = None, {}

    def server(self, program: str, reference: str | None = None, guard: str = "") -> Connection:
        """The numpy server where the source or the task's reference mentions it, else the lean one."""
        wants_numpy = "numpy" in program or "numpy" in (reference or "")
        return self.sandbox.server("numpy" if wants_numpy else "lean", guard)

    def limits(self, seconds: float) -> Limits:
        """For a child that may run so long. Without a namespace of its own a user's other processes count as well."""
        is_counted_alone = self.sandbox.mode != "inner-only"
        return Limits(
            memory_bytes=self.rules.memory_bytes,
            cpu_seconds=int(seconds) + _SPARE_CPU_SECONDS,
            num_tasks=128 if is_counted_alone else 8192,
        )


class Claims:
    """One child's report as typed frames, or as raw lines; a context manager, read once."""

    def __init__(self, bench: Bench, running: Running, *, is_measured: bool = True) -> None:
        self._bench, self._running, self._is_measured = bench, running, is_measured
        self._batches = self._read_batches()
        self._batch: list[bytes] = []
        self._position = 0
        self._lines = (line for batch in self._batches for line in batch)
        self._frames = self._read()

    def __enter__(self) -> Claims:
        return self

    def __exit__(self, *_: object) -> None:
        ending = self._running.finish()
        if self._is_measured:
            self._bench.usage.add(ending)

    def __iter__(self) -> Iterator[Answer | Raised | Ended]:
        return self._frames

    def next(self) -> Answer | Raised | Ended:
        return next(self._frames)

    def allow(self, seconds: float) -> None:
        """From now on so many seconds, whatever was left of the time before."""
        self._running.allow(seconds)

    def linger(self, seconds: float, num_bytes: int) -> None:
        """From now on only so many seconds, and so much to read: nothing of it decides anything."""
        self._running.linger(seconds, num_bytes)

    def waiting_lines(self) -> list[bytes]:
        """Lines after the child got ready that nobody has consumed, waited for if need be; empty: nothing more comes.

        Raises SandboxBroken when the child did not get ready.
        """
        while self._position == len(self._batch):
            self._batch, self._position = next(self._batches, []), 0
            if not self._batch:
                return []
        return self._batch[self._position :] if self._position else self._batch

    def consume(self, number: int) -> None:
        """So many of the waiting lines are done with."""
        self._position += number

    def _read_batches(self) -> Iterator[list[bytes]]:
        batches = self._running.batches(MAX_PART_BYTES, MAX_LINE_BYTES)
        first = next(batches, [])
        _check_ready(first)
        for batch in itertools.chain([first[1:]] if len(first) > 1 else [], batches):
            if self._is_measured:  # a reference is ours
                self._bench.touch(sum(map(len, batch)))
            if batch:
                yield batch

    def _read(self) -> Iterator[Answer | Raised | Ended]:
        case = None
        for line in self._lines:
            try:
                frame = read_frame(line)
            except (decode.Malformed, RecursionError, MemoryError):
                frame = Ended("tamper")
            if isinstance(frame, Answer | Raised) and case is not None and frame.case != case + 1:
                frame = Ended("tamper")
            yield frame
            if isinstance(frame, Ended):
                return
            case = frame.case
        yield Ended(self.why_it_broke_off())

    def why_it_broke_off(self) -> str:
        """The reason of a report without an end mark."""
        if self._running.is_out_of_time:
            return "timeout"
        return "output_limit" if self._running.is_over_limit else "killed"


def _check_ready(lines: list[bytes]) -> None:
    try:
        if lines and decode.parse(lines[0])[0] == "ready":
            return
    except (decode.Malformed, RecursionError, IndexError, TypeError, KeyError):
        pass
    raise SandboxBroken("a child did not get ready")


_REASONS = frozenset(("exception", "memory", "timeout", "syntax", "not_one_expression"))


def read_frame(line: bytes) -> Answer | Raised | Ended:
    """One report line, checked by exact type; raises Malformed."""
    message = decode.parse(line)
    if type(message) is not list or not message or not all(type(item) is str for item in message[:1]):
        raise decode.Malformed("frame")
    kind, content = message[0], message[1:]
    if kind in ("a", "A") and [type(item) for item in content[:3]] == [int, float, float] and len(content) == 4:
        if not (0 <= content[1] < _MAX_SECONDS and 0 <= content[2] < _MAX_SECONDS):  # NaN is in no range
            raise decode.Malformed("seconds")
        return Answer(*content, is_plain=kind == "A")
    if kind in ("x", "X") and len(content) in (3, 4) and [type(item) for item in content[:2]] == [int, str]:
        if content[1] not in _REASONS:
            raise decode.Malformed("reason")
        return Raised(content[0], content[1], _seconds(content[3:]), is_plain=kind == "X")
    if kind == "end" and len(content) in (1, 3) and type(content[0]) is int:
        return Ended("", content[0], _seconds(content[1:2]), sum(_seconds([content[2:]])))
    raise decode.Malformed("frame")


def _seconds(given: Sequence[Any]) -> list[float]:
    """The times of a report: none, or one list of nanoseconds; raises Malformed."""
    times = given[0] if given else []
    if type(times) is not list or not all(type(time) is int and 0 <= time < _MAX_SECONDS * 1e9 for time in times):
        raise decode.Malformed("times")
    return [time / 1e9 for time in times]


def start(
    bench: Bench, connection: Connection, spec: Mapping[str, Any], seconds: float, inputs: str = "",
    fds: Mapping[int, int] | None = None, *, total_seconds: float | None = None, is_measured: bool = True,
) -> Claims:  # fmt: skip
    """Start a child with the bench's limits (or the spec's own) and read it for at most ``seconds``.

    ``total_seconds``: where ``allow`` will give it more, what it may take in all.
    """
    if "wall_clock_kill" in bench.without:
        seconds = max(seconds, _PATIENT_SECONDS)
    total = max(seconds, total_seconds or 0.0)
    bench.expect(total * MAX_STRETCH)
    limited = spec if "limits" in spec else {"limits": bench.limits(total), **spec}
    running = connection.start(limited, seconds, inputs, fds)
    return Claims(bench, running, is_measured=is_measured)


def call_spec(program: str, entry_point: str, limits: Mapping[str, Sequence[float]], **options: Any) -> dict[str, Any]:
    """Spec of the kind ``calls``: the parts to run (base, plus) with one limit per case, guard of evalplus."""
    return {
        "kind": "calls", "program": program, "entry_point": entry_point, "guard": GUARD, "collect": False,
        "fresh_inputs": False, "is_reference": False, "case_limits": {name: list(limits[name]) for name in limits},
        **options,
    }  # fmt: skip
