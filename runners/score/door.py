"""One door for any corpus: rows in, one verdict line per row out, in the order of the rows, in constant memory.

Theory of operation. A thread reads ahead a few lines, so that a slow writer at the other end of a pipe does not hold up
what is graded already. The main thread parses a row when a worker is free for it, hands task and program to the judge
and forgets both with the verdict; what stays is one small line per row that is finished before an earlier one, at most
``_MAX_WINDOW`` of them: then no further row is begun until the oldest one is done. Expected values lie in a folder of
this run, of which the oldest files are removed. A row that cannot be graded gets a line that says why; it never gets a
verdict, and never ends the others.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from ...ingest.benchmarks.declaration import Task
from ...ingest.errors import BadInput, BenchforgeError
from ..folders import Folder
from .judge import OFFICIAL, Graded, Job, Judge, Outcome, SandboxFailed
from .rows import Row, long_integers, name_of, parsed, row_of

Line = dict[str, Any]
Emit = Callable[[Line], None]

COLUMNS = (
    "id", "target", "official", "strict", "reason", "strict_reason", "part", "first_failing_case", "cpu_seconds",
    "wall_seconds", "sandbox_mode", "layers", "is_unsafe", "line", "error",
)  # fmt: skip
"""Keys of a verdict line, then those of an error line (id, target, line, error)."""

_ORACLES = ("official", "strict")
_MAX_LINE_BYTES = 256 << 20
_NUM_READ_AHEAD = 8
_WAIT_SECONDS = 0.05
_MAX_WINDOW = 1000
_NUM_EXPECTED = 1000
_REFERENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Means:
    """How to grade: outer sandbox (None: the best one), sandboxes side by side, factor on the official limits."""

    sandbox_mode: str | None = None
    num_workers: int = 1
    is_unsafe: bool = False
    limit_factor: float = 1.0


def grade_rows(stream: BinaryIO, means: Means, emit: Emit) -> int:
    """Grade every row of a stream and emit its line in input order; the number of rows that the sandbox failed for."""
    # the line says pass or not of the whole task: extra cases of a program that failed the base ones say nothing more
    rules = replace(
        OFFICIAL, limit_scale=means.limit_factor, reference_seconds=_REFERENCE_SECONDS, always_judges_plus=False
    )
    tasks: dict[str, Task] = {}
    with Folder("rows-") as place:
        folder = place / "expected"
        options: dict[str, Any] = {"num_workers": means.num_workers, "is_unsafe": means.is_unsafe}
        with long_integers(), Judge(tasks, means.sandbox_mode, cache_directory=folder, rules=rules, **options) as judge:
            window = _Window(judge, tasks, folder, emit)
            jobs = window.jobs(_Reader(stream))
            while not window.is_done:
                for job, result in judge.attempts(jobs):
                    window.settle(job, result)
            return window.num_failed


class _Reader:
    """Numbered lines of a stream, split at LF alone, read ahead by a thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._queue: queue.Queue[tuple[int, bytes | Exception] | None] = queue.Queue(_NUM_READ_AHEAD)
        threading.Thread(target=self._read, daemon=True).start()

    def next(self, *, is_patient: bool) -> tuple[int, bytes | Exception] | None:
        """The next line, or what reading it raised; None at the end. Raises queue.Empty when impatient."""
        return self._queue.get(timeout=None if is_patient else _WAIT_SECONDS)

    def _read(self) -> None:
        number = 0
        try:
            while line := self._stream.readline(_MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > _MAX_LINE_BYTES:
                    while line and not line.endswith(b"\n"):
                        line = self._stream.readline(_MAX_LINE_BYTES)
                    self._queue.put((number, BadInput(f"The line is longer than {_MAX_LINE_BYTES} bytes.")))
                elif line.strip():
                    self._queue.put((number, line))
        except Exception as error:
            self._queue.put((number + 1, error))
        self._queue.put(None)


@dataclass
class _Slot:
    """A row from its line until it is emitted."""

    number: int
    name: str | int | None = None
    target: str | None = None
    key: str = ""
    line: Line | None = None


class _Window:
    """Rows in flight, and rows that wait for an earlier one."""

    def __init__(self, judge: Judge, tasks: dict[str, Task], folder: Path, emit: Emit) -> None:
        self._judge, self._tasks, self._folder, self._emit = judge, tasks, folder, emit
        self._slots: deque[_Slot] = deque()
        self._users: dict[str, int] = {}
        self._num_settled = 0
        self._is_read = False
        self.num_failed = 0

    @property
    def is_done(self) -> bool:
        return self._is_read and not self._slots

    def jobs(self, reader: _Reader) -> Iterator[Job | None]:
        """Jobs of the rows as workers ask for them; None while the window is full or the writer slow."""
        while True:
            if len(self._slots) >= _MAX_WINDOW:
                yield None
                continue
            try:
                read = reader.next(is_patient=not self._users)
            except queue.Empty:
                yield None
                continue
            if read is None:
                self._is_read = True
                return
            job = self._admit(*read)
            if job is not None:
                yield job

    def _admit(self, number: int, line: bytes | Exception) -> Job | None:
        slot = _Slot(number)
        self._slots.append(slot)
        try:
            row = _read_row(line, slot)
        except BadInput as error:
            slot.line = _error_line(slot, error)
            self._flush()
            return None
        self._tasks[slot.key] = row.task
        self._users[slot.key] = self._users.get(slot.key, 0) + 1
        return Job(slot, slot.key, row.program, _ORACLES)

    def settle(self, job: Job, result: Graded | SandboxFailed | BadInput) -> None:
        """What came of a row; emits it and those that waited for it."""
        slot: _Slot = job.key
        slot.line = self._line(slot, result)
        self.num_failed += isinstance(result, SandboxFailed)
        self._users[slot.key] -= 1
        if not self._users[slot.key]:
            del self._users[slot.key], self._tasks[slot.key]
        self._num_settled += 1
        if self._num_settled % _NUM_EXPECTED == 0:
            _trim(self._folder)
        self._flush()

    def _flush(self) -> None:
        while self._slots and self._slots[0].line is not None:
            self._emit(self._slots.popleft().line or {})

    def _line(self, slot: _Slot, result: Graded | SandboxFailed | BadInput) -> Line:
        if isinstance(result, BenchforgeError):
            return _error_line(slot, result)
        how = {"sandbox_mode": self._judge.mode, "layers": list(self._judge.layers), "is_unsafe": self._judge.is_unsafe}
        return {"id": slot.name, "target": slot.target, **_verdicts(result), **how}


def _read_row(line: bytes | Exception, slot: _Slot) -> Row:
    """The row in a line; what is known of it is noted in its slot first. Raises BadInput, or what reading raised."""
    if isinstance(line, Exception):
        raise line
    record = parsed(line)
    target = record.get("target")
    slot.name, slot.target = name_of(record), target if type(target) is str else None
    row = row_of(record)
    slot.key = row.key
    return row


def _error_line(slot: _Slot, error: BenchforgeError) -> Line:
    is_ours = isinstance(error, SandboxFailed)
    sentence = f"sandbox_error: three attempts in fresh servers failed ({error.reason})." if is_ours else error.message
    return {"id": slot.name, "target": slot.target, "line": slot.number, "error": sentence}


def _verdicts(graded: Graded) -> Mapping[str, Any]:
    verdict, reason, part, case = _whole(graded.outcomes["official"])
    strict, strict_reason, _, _ = _whole(graded.outcomes["strict"])
    return {
        "official": verdict, "strict": strict, "reason": reason, "strict_reason": strict_reason, "part": part,
        "first_failing_case": case, "cpu_seconds": round(graded.cpu_seconds, 6),
        "wall_seconds": round(graded.wall_seconds, 6),
    }  # fmt: skip


def _whole(outcome: Outcome) -> tuple[str, str, str | None, int | None]:
    """Verdict, reason, part and case of the first part that did not pass."""
    for name, part in (("base", outcome.base), ("plus", outcome.plus)):
        if part is not None and part.verdict != "pass":
            return part.verdict, part.reason, name, part.first_failing_case
    return "pass", "ok", None, None


def _trim(folder: Path) -> None:
    """Keep the newest files of expected values; one that is missed is computed again."""
    if not folder.is_dir():
        return
    files = sorted(folder.glob("[!.]*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_NUM_EXPECTED:]:
        path.unlink(missing_ok=True)
