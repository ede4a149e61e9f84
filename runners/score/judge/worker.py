"""One grading process: owns a sandbox and the expected values, takes jobs, sends outcomes.

Theory of operation. The supervisor (``pool``) starts this process with one end of a socket as descriptor 0 and talks
pickle with it, both trusted. Decoding and comparing what samples claim happens here and not in the supervisor,
because it is the one place where hostile data costs work. Two things tell a sample's fault from ours:

before a child starts the worker says how long that may take; a worker that is silent for longer (by the wall clock)
has a machine that failed it. From the first claim on, and again before every large one, it says that a sample's words
are being worked on; from then it may use ``CLAIMS_CPU_SECONDS`` of processor, more for a large claim, before it
speaks again, whatever the load of the node, and a worker that used them was held up by the sample. Memory is bounded
by a limit on this process, so what a claim unfolds to ends in a MemoryError here and not in the machine's. A failure
of the sandbox is retried in a fresh one; it never becomes a verdict.
"""

from __future__ import annotations

import errno
import os
import pickle
import resource
import socket
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ....ingest import errors
from ....ingest.benchmarks.declaration import Task
from ....ingest.benchmarks.livecodebench import with_tests
from ..sandbox import Sandbox
from ..sandbox.connection import SandboxBroken
from ..sandbox.inside import confine, wire
from ..sandbox.layers import NO_LAYER_OFF
from ..sandbox.suite_box import Place
from . import calls, check, expression, livecodebench, oracles, stdin, suite
from .execution import Bench, Usage
from .expected import ExpectedStore
from .outcome import Graded, Outcome, failed
from .recent import remember
from .rules import Rules
from .supervised import held_up, too_deep

NUM_ATTEMPTS = 3
SPARE_SECONDS = 60.0
CLAIMS_CPU_SECONDS = 5.0
CLAIMS_CPU_SECONDS_PER_BYTE = 1e-6
"""Three times what the costliest honest answer needed (11 MB of empty dicts, decoded twice and compared: 4.4 s)."""
MEMORY_BYTES = 6 << 30
_LARGE_CLAIM_BYTES = 1 << 16
_QUIET_CPU_SECONDS = 1.0
"""An honest report of many small claims: the worker speaks up so often while it reads one."""
_DISK_ERRORS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOTDIR, errno.EEXIST))


def main() -> None:
    """Serve on descriptor 0 until it closes; whatever ends the supervisor ends this and the sandbox below."""
    confine.die_with_parent(os.getppid())
    control = socket.socket(fileno=0)
    payload, _ = wire.receive(control)
    settings = pickle.loads(payload)
    _limit_memory()
    Worker(control, **settings).serve()


def _limit_memory() -> None:
    """The soft limit alone: what is started from here sets its own."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))


class Worker:
    """Settings: ``mode``, ``is_unsafe``, ``rules``, ``directory`` of expected values, ``place`` for sandboxes,
    ``without`` for tests (see ``sandbox.layers``), ``places`` of suites' environments."""

    def __init__(
        self,
        control: socket.socket,
        mode: str | None,
        is_unsafe: bool,
        rules: Rules,
        directory: Path,
        place: str,
        without: frozenset[str] = NO_LAYER_OFF,
        places: Mapping[str, Place] | None = None,
    ) -> None:
        self._control = control
        # the supervisor removes it, so that a worker that is killed leaves nothing behind
        tempfile.tempdir = place
        self._bench = Bench(
            lambda place=None: Sandbox.open(mode, is_unsafe=is_unsafe, without=without, place=place),
            rules, self._expect, without, places,
        )  # fmt: skip
        self._bench.touch = self._touch
        self._is_touched, self._touched_at = False, 0.0
        self._store = ExpectedStore(directory, self._bench)
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._opened: Task | None = None
        """The task whose tests were read last: a worker holds those of one problem."""

    def serve(self) -> None:
        try:
            self._greet()
            while True:
                payload, _ = wire.receive(self._control)
                self._answer(*pickle.loads(payload))
        except wire.Closed:
            pass
        finally:
            self._bench.renew()

    def _greet(self) -> None:
        """Say hello with everything a program will need in place, or what is missing."""
        try:
            place = next(iter(self._bench.places.values()), None)
            sandbox = self._bench.sandbox if place is None else self._bench.suite_sandbox(place)
            if place is None:
                sandbox.server("numpy")
            self._send("hello", (sandbox.mode, sandbox.layers))
        except SandboxBroken as error:
            self._send("refused", errors.SandboxUnavailable(f"The sandbox does not stay up: {error}."))
        except (errors.BenchforgeError, OSError) as error:
            self._refuse(error)

    def _answer(self, task: Task | None, task_id: str, program: str, names: Sequence[str], attempt: int) -> None:
        task = task if task is not None else self._tasks[task_id]
        remember(self._tasks, task_id, task)
        try:
            task = self._with_tests(task)
        except (errors.BenchforgeError, OSError) as error:
            self._refuse(error)
            return
        last = ""
        for number in range(attempt, NUM_ATTEMPTS + 1):
            try:
                self._send("graded", self._grade(task, program, names, number))
                return
            except SandboxBroken as error:
                last = str(error)
                self._bench.renew()
            except (MemoryError, RecursionError) as error:
                if self._is_touched:
                    self._send("graded", held_up(task, names, number))
                elif isinstance(error, RecursionError):
                    self._send("refused", too_deep(task))
                else:
                    raise
                return
            except (errors.BenchforgeError, OSError) as error:
                self._refuse(error)
                return
        self._send("broken", last)

    def _with_tests(self, task: Task) -> Task:
        """Tests that lie in a file of their own are read here, once for all programs of a task in a row."""
        if task.payload.get("harness") != livecodebench.HARNESS or livecodebench.is_complete(task):
            return task
        if self._opened is None or self._opened.payload["tests"] != task.payload.get("tests"):
            self._opened = None  # given back before the next is read
            self._opened = with_tests(task)
        return self._opened

    def _refuse(self, error: errors.BenchforgeError | OSError) -> None:
        """Hand over what no other attempt can change; any other OSError is a fault of this process and ends it."""
        if isinstance(error, OSError) and error.errno not in _DISK_ERRORS:
            raise error
        self._send("refused", error)

    def _grade(self, task: Task, program: str, names: Sequence[str], attempt: int) -> Graded:
        self._bench.usage = usage = Usage()
        outcomes = grade(self._bench, self._store, task, program, names)
        shares = (usage.limit_shares.get("base"), usage.limit_shares.get("plus"))
        cases = tuple(usage.case_seconds)
        return Graded(outcomes, usage.cpu_seconds, usage.wall_seconds, usage.peak_memory_bytes, cases, attempt, shares)

    def _expect(self, seconds: float) -> None:
        self._is_touched = False
        self._send("limit", seconds + SPARE_SECONDS)

    def _touch(self, num_bytes: int) -> None:
        """Before a claim of so many bytes is looked at."""
        now = time.thread_time()
        is_due = num_bytes > _LARGE_CLAIM_BYTES or now - self._touched_at > _QUIET_CPU_SECONDS
        if is_due or not self._is_touched:
            self._is_touched, self._touched_at = True, now
            self._send("claims", CLAIMS_CPU_SECONDS + num_bytes * CLAIMS_CPU_SECONDS_PER_BYTE)

    def _send(self, name: str, content: Any) -> None:
        wire.send(self._control, pickle.dumps((name, content)))


def grade(bench: Bench, store: ExpectedStore, task: Task, program: str, names: Sequence[str]) -> Mapping[str, Outcome]:
    """Judge one program; an unknown oracle or kind raises UsageError."""
    unknown = sorted(set(names) - set(oracles.NAMES))
    if unknown or task.kind not in _KINDS:
        raise errors.UsageError(
            f"Task {task.task_id} asks for {', '.join(unknown) or 'kind ' + task.kind}, not known here."
        )
    if not program.strip():
        return dict.fromkeys(names, empty_outcome(task))
    if task.payload.get("harness") == livecodebench.HARNESS:
        return livecodebench.grade(bench, task, program, names)
    return _KINDS[task.kind](bench, store, task, program, names)


def empty_outcome(task: Task) -> Outcome:
    """No program: fails without being run."""
    nothing = failed("empty", None, 0)
    has_plus = bool(task.payload.get("plus_inputs") or task.payload.get("plus_cases"))
    return Outcome(nothing, nothing if has_plus else None)


_KINDS: Mapping[str, Callable[[Bench, ExpectedStore, Task, str, Sequence[str]], dict[str, Outcome]]] = {
    "calls": calls.grade,
    "check": lambda bench, store, task, program, names: check.grade(bench, task, program, names),
    "stdin": lambda bench, store, task, program, names: stdin.grade(bench, task, program, names),
    "expression": lambda bench, store, task, program, names: expression.grade(bench, task, program, names),
    "suite": lambda bench, store, task, program, names: suite.grade(bench, task, program, names),
}
