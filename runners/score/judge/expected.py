"""Expected values and reference times of ``calls`` tasks: from the task, or by running its reference once.

Theory of operation. Expected values exist in this process and in a folder that only its user may enter, and go nowhere.
The reference runs in the sandbox like everything else (inputs copied before each call, as evalplus' ``trusted_exec``
does) and its answers are kept as it sent them, one line each, beside the seconds each case took: one file per task
digest and Python version. Waiting for a processor is not counted; and the times of the pinned datasets are shipped
(``ingest.reference_times``), so that limits depend neither on the load nor on the speed of the machine that scores.
They stay on the judge's side.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ....ingest import errors, reference_times, schemas
from ....ingest.benchmarks.declaration import Task
from ..sandbox.connection import Connection
from ..sandbox.inside import codec
from . import decode, oracles
from .execution import Answer, Bench, Ended, Raised, call_spec, read_frame, start

_NUM_KEPT = 2
ANSWER = b"="
"""First byte of a line that is an answer (see ``sandbox.inside.report``)."""
_LOAD_SECONDS = 60.0
_MANY_BRACKETS = 100
"""A line with fewer is not nested too deeply to be decoded."""
_NOT_PLAIN = (b'"!":"na"', b'"!":"?"', b'"!":"it"', b'"!":"D"', b"NaN")
"""In these, equal bytes are not equal values."""


class Expected:
    """Of one part: answers as a child would send them, seconds of the reference per case, and to encode them all."""

    def __init__(
        self, lines: Sequence[bytes], seconds: Sequence[float], encode_seconds: float, *, is_presence: bool = False
    ) -> None:
        """``is_presence``: what counts of an answer is only whether there was one."""
        self.lines = lines
        self.seconds = seconds
        self.encode_seconds = encode_seconds
        self._is_presence = is_presence
        self._values: dict[int, Any] = {}

    @cached_property
    def is_plain(self) -> bool:
        """Whether an answer in the same bytes is an equal answer."""
        text = b"\n".join(self.lines)
        return not any(mark in text for mark in _NOT_PLAIN)

    def value(self, case: int) -> Any:
        """The expected answer as a value; raises Malformed for a damaged record."""
        if case not in self._values:
            value = decode.value(decode.parse(self.lines[case][len(ANSWER) :]))
            self._values[case] = value is not None if self._is_presence else value
        return self._values[case]


_NOTHING = Expected([], (), 0.0)


class ExpectedStore:
    """Looks tasks up in memory, then on disk, then runs the reference."""

    def __init__(self, directory: Path, bench: Bench, *, is_shipped: bool = True) -> None:
        """``is_shipped``: the times that we ship count, not those of this machine."""
        self._is_shipped = is_shipped
        self._directory = directory
        self._bench = bench
        self._kept: OrderedDict[tuple[str, str], Mapping[str, Expected]] = OrderedDict()

    def part(self, task: Task, part: str) -> Expected:
        """Raises BadInput when the task has neither expected values nor a reference that answers."""
        key = (task.benchmark, task.task_digest)  # what counts as an answer depends on the benchmark too
        if key not in self._kept:
            self._bench.expect(_LOAD_SECONDS)
            self._kept[key] = self._find(task)
            while len(self._kept) > _NUM_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key].get(part, _NOTHING)

    def _find(self, task: Task) -> Mapping[str, Expected]:
        given = task.payload.get("expected")
        if given is not None:
            return {part: _given(given[part]) for part in schemas.PARTS if part in given}
        parts = self._stored(task)
        if parts is None:
            parts = {part: self._answers(task, part) for part in schemas.PARTS if task.payload.get(f"{part}_inputs")}
            self._store(task, parts)
        return {name: self._timed(task, name, part) for name, part in parts.items()}

    def _timed(self, task: Task, name: str, part: Expected) -> Expected:
        """With the times that are shipped for this task, where there are any: limits do not depend on the machine."""
        known = reference_times.shipped().get((task.task_digest, name)) if self._is_shipped else None
        if known is None or known.num_cases != len(part.lines):
            return part
        return _expected(task, part.lines, known.seconds, known.encode_seconds)

    def _path(self, task: Task) -> Path:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return self._directory / f"{task.task_digest}-python{version}.answers"

    def _stored(self, task: Task) -> Mapping[str, Expected] | None:
        """The record on disk; None where there is none, or a damaged one."""
        try:
            head, *lines = self._path(task).read_bytes().split(b"\n")
            parts, first = {}, 0
            for name, told in json.loads(head).items():
                encoded = lines[first : first + len(told["seconds"])]
                parts[name] = _expected(task, encoded, told["seconds"], told["encode_seconds"])
                first += len(encoded)
            return parts if len(lines) == first + 1 else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _store(self, task: Task, parts: Mapping[str, Expected]) -> None:
        """Written beside its place and moved there, so that a reader never sees half a file; OSError on a full disk."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        head = {name: {"seconds": part.seconds, "encode_seconds": part.encode_seconds} for name, part in parts.items()}
        lines = [json.dumps(head).encode(), *(line for part in parts.values() for line in part.lines)]
        fd, name = tempfile.mkstemp(dir=self._directory, prefix=".expected-")
        try:
            with os.fdopen(fd, "wb") as stream:
                stream.writelines(line + b"\n" for line in lines)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(self._path(task))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _answers(self, task: Task, part: str) -> Expected:
        inputs, program = task.payload[f"{part}_inputs"], task.payload.get("reference") or task.reference
        if program is None:
            raise errors.BadInput(f"Task {task.task_id} has neither expected values nor a reference program.")
        connection = self._bench.server(program)
        key = register(connection, task)
        seconds = self._bench.rules.reference_seconds
        spec = call_spec(
            program, task.payload["entry_point"], {part: [seconds] * len(inputs)}, fresh_inputs=True,
            is_reference=True, collect=oracles.needs_iteration(task), guard="none",
        )  # fmt: skip
        with start(self._bench, connection, spec, seconds, key, is_measured=False) as claims:
            answers: list[bytes] = []
            while lines := claims.waiting_lines():
                for line in lines:
                    if line.startswith(ANSWER):
                        answers.append(line)
                        continue
                    frame = _frame(line)
                    if not isinstance(frame, Ended) or frame.reason or len(frame.case_seconds) != len(inputs):
                        raise _no_answer(task, part, len(answers), frame)
                    self._check_tellable(task, part, answers[: len(inputs)])
                    return _expected(task, answers[: len(inputs)], frame.case_seconds, frame.encode_seconds)
                claims.consume(len(lines))
            raise _no_answer(task, part, len(answers), Ended(claims.why_it_broke_off()))

    def _check_tellable(self, task: Task, part: str, lines: Sequence[bytes]) -> None:
        """Raises BadInput where an expected value cannot be told, so that not even the reference would pass.

        An oracle that asks for less than equality may still accept it; NaN is told, and officially equal to nothing.
        """
        inputs = task.payload[f"{part}_inputs"]
        for case, line in enumerate(lines):
            if not _is_tellable(line) and not self._accepts_itself(task, line, inputs[case]):
                raise errors.BadInput(
                    f"The reference of task {task.task_id} answers {part} case {case} with a value that cannot be told."
                )

    def _accepts_itself(self, task: Task, line: bytes, inputs: Sequence[Any]) -> bool:
        try:
            answer, expected = (_expected(task, [line], (), 0.0).value(0) for _ in range(2))
            return oracles.OfficialCalls(task, self._bench.rules).accepts(answer, expected, inputs)
        except (decode.Malformed, RecursionError, MemoryError):
            return False


def _is_tellable(line: bytes) -> bool:
    """Whether the line is a value that can be decoded, with nothing opaque in it."""
    if b'"!":' not in line and line.count(b"[") < _MANY_BRACKETS:
        return True
    try:
        return not _holds_opaque(decode.value(decode.parse(line[len(ANSWER) :])))
    except (decode.Malformed, RecursionError, MemoryError):
        return False


def _holds_opaque(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_opaque, value.keys())) or any(map(_holds_opaque, value.values()))
    if isinstance(value, list | tuple | set | frozenset) or type(value) is type({}.keys()):
        return any(map(_holds_opaque, value))
    is_array_of_objects = getattr(getattr(value, "dtype", None), "kind", "") == "O"
    return isinstance(value, decode.Opaque) or (is_array_of_objects and _holds_opaque(value.ravel().tolist()))


def register(connection: Connection, task: Task) -> str:
    """Hand a task's inputs to a server, once."""
    key = task.task_digest
    if not connection.is_registered(key):
        inputs = {part: task.payload.get(f"{part}_inputs") or [] for part in schemas.PARTS}
        connection.register(key, pickle.dumps(inputs, pickle.HIGHEST_PROTOCOL))
    return key


def _expected(task: Task, lines: Sequence[bytes], seconds: Sequence[float], encode_seconds: float) -> Expected:
    return Expected(lines, seconds, encode_seconds, is_presence=oracles.expects_presence(task))


def _given(values: Sequence[Any]) -> Expected:
    return Expected([ANSWER + codec.encode(value).encode("ascii") for value in values], [0.0] * len(values), 0.0)


def _frame(line: bytes) -> Answer | Raised | Ended:
    try:
        return read_frame(line)
    except (decode.Malformed, RecursionError, MemoryError):
        return Ended("tamper")


def _no_answer(task: Task, part: str, case: int, frame: Answer | Raised | Ended) -> errors.BadInput:
    reason = "tamper" if isinstance(frame, Answer) else frame.reason or "tamper"
    return errors.BadInput(
        f"The reference of task {task.task_id} gives no answer to {part} case {case} ({reason}).",
        "check that the staged problem file is the pinned one",
    )
