"""One worker as its supervisor holds it: what it is told, what it says, and how long it may be silent.

Theory of operation. Two clocks run against a worker. By the wall: how long it said that the next step takes; a worker
that is past it, or was killed, has a machine that failed it. By its own processor time, from the moment it says that
it works on a sample's claims: what it may use before it speaks again, and for all claims of one program together,
however many they are. Processor time does not pass while a node is busy with others, so a worker that is past this one
was held up by the sample and by nothing else.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import socket
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from ....ingest import errors
from ....ingest.benchmarks.declaration import Task
from ..sandbox import PRELOAD_SECONDS
from ..sandbox.inside import wire
from .outcome import Graded, Job, Outcome, failed
from .recent import remember

_CRASHES = frozenset((1, -4, -6, -7, -8, -11))
"""Exit status of a worker that an exception ended, or a signal that it raised against itself: SIGILL, SIGABRT, SIGBUS,
SIGFPE, SIGSEGV as Linux numbers them (this file is imported on systems that lack some)."""
_START_SECONDS = 90.0
_CLAIMS_SECONDS = 120.0
"""By the wall clock; a worker that had no processor for so long has a machine that failed it."""
_LOOK_SECONDS = 0.05
_CPUCLOCK_SCHED = 2
_DEATH_SECONDS = 5.0
"""What a process may need to end after it closed its socket: memory of gigabytes is given back first."""
PROGRAM_CPU_SECONDS = 10.0
"""Of the judge, for all claims of one program. An honest report's costliest answer needs 4.4 s (see ``worker``)."""


class WorkerProcess:
    """A worker as the supervisor holds it."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        self._control = ours
        self._start_seconds = _START_SECONDS + (PRELOAD_SECONDS if settings.get("places") else 0.0)
        self._process = subprocess.Popen(
            _worker_argv(), stdin=theirs.fileno(), stdout=subprocess.DEVNULL, start_new_session=True,
            # one processor per worker; and threads of linear algebra reserve memory by the number of processors
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )  # fmt: skip
        theirs.close()
        self._known: OrderedDict[str, None] = OrderedDict()
        self.job: Job | None = None
        self.attempt = 1
        self.num_crashes = 0
        self._deadline = 0.0
        self._cpu_limit: float | None = None
        """Processor seconds of the whole process at which it was held up; None while it works on no claim."""
        self._claims_began = self._claims_used = 0.0
        """Processor seconds of the process when this spell of work on claims began; of the program's spells before."""
        wire.send(ours, pickle.dumps(settings))

    def greeted(self) -> tuple[str, tuple[str, ...]]:
        """Mode and layers; raises what kept the worker from opening a sandbox."""
        self._deadline = time.monotonic() + self._start_seconds
        if not readable([self]):
            raise errors.SandboxUnavailable("The grading process does not start.")
        name, content = self.hear()
        while name == "limit":  # a suite's libraries are imported
            readable([self])
            name, content = self.hear()
        if name == "refused":
            raise content
        if name != "hello":
            raise errors.SandboxUnavailable("The grading process does not start.", "see the messages above")
        return content

    def give(self, job: Job, task: Task, attempt: int = 1, num_crashes: int = 0) -> None:
        """Raises BadInput for a task that cannot be handed over; nothing was sent then."""
        is_known = job.task_id in self._known
        message = (None if is_known else task, job.task_id, job.program, job.oracles, attempt)
        try:
            payload = pickle.dumps(message)
        except RecursionError as error:
            raise too_deep(task) from error
        remember(self._known, job.task_id, None)
        self.job, self.attempt, self.num_crashes = job, attempt, num_crashes
        self._deadline, self._cpu_limit = time.monotonic() + _START_SECONDS, None
        self._claims_used = 0.0
        with contextlib.suppress(wire.Closed):  # its death is heard at the next turn
            wire.send(self._control, payload)

    def hear(self) -> tuple[str, Any]:
        """Next message; ("held up", …) or ("silent", …) past a limit, ("died", …) at the end of the process."""
        if not select.select([self._control], [], [], 0)[0]:
            if self.seconds_left() > 0:
                return "wait", None
            return ("silent" if time.monotonic() > self._deadline else "held up"), None
        try:
            payload, _ = wire.receive(self._control)
        except wire.Closed:
            # how it ended can be told only if it is not killed meanwhile
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=_DEATH_SECONDS)
            return "died", None
        name, content = pickle.loads(payload)
        if name == "limit":
            self._deadline = time.monotonic() + content
            if self._cpu_limit is not None:
                self._claims_used += self._cpu_seconds() - self._claims_began
            self._cpu_limit = None
        elif name == "claims":
            self._deadline = max(self._deadline, time.monotonic() + _CLAIMS_SECONDS)
            self._allow_claims(content)
        return name, content

    def _allow_claims(self, cpu_seconds: float) -> None:
        now = self._cpu_seconds()
        if self._cpu_limit is None:
            self._claims_began = now
        self._cpu_limit = min(now + cpu_seconds, self._claims_began + PROGRAM_CPU_SECONDS - self._claims_used)

    def seconds_left(self) -> float:
        """Until it is time to look at this worker again; 0 when it is past a limit."""
        left = self._deadline - time.monotonic()
        if self._cpu_limit is not None:
            spare = self._cpu_limit - self._cpu_seconds()
            left = min(left, spare if spare <= 0 else max(spare, _LOOK_SECONDS))
        return max(0.0, left)

    @property
    def is_crashed_on_claims(self) -> bool:
        """Whether it ended by an error or a signal of its own making, while it worked on a sample's claims."""
        return self._cpu_limit is not None and self._process.returncode in _CRASHES

    def _cpu_seconds(self) -> float:
        """Of the worker itself, its children not counted; a worker that is gone used nothing more."""
        try:
            return time.clock_gettime(_cpu_clock_of(self._process.pid))
        except OSError:
            return 0.0

    def fileno(self) -> int:
        return self._control.fileno()

    def close(self) -> None:
        self._control.close()
        if self.job is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
        self._process.kill()
        self._process.wait()


def _cpu_clock_of(pid: int) -> int:
    """The kernel's number for the processor clock of a process: clock_getcpuclockid(3), which Python does not have."""
    return (~pid << 3) | _CPUCLOCK_SCHED


def readable(processes: list[WorkerProcess]) -> list[WorkerProcess]:
    """Those that said something, or that are past a limit."""
    left = min((process.seconds_left() for process in processes), default=0.0)
    ready, _, _ = select.select(processes, [], [], left)
    return ready or [process for process in processes if process.seconds_left() <= 0]


def too_deep(task: Task) -> errors.BadInput:
    """What a task gets that a stack is too small for: its inputs, or the values expected of it."""
    return errors.BadInput(f"Task {task.task_id} is nested too deeply to be judged.")


def held_up(task: Task, names: Sequence[str], attempt: int) -> Graded:
    """What a sample gets whose claims the comparison could not finish with, in time or in memory."""
    part = failed("output_limit", None, 0)
    has_plus = bool(task.payload.get("plus_inputs") or task.payload.get("plus_cases"))
    return Graded(dict.fromkeys(names, Outcome(part, part if has_plus else None)), 0.0, 0.0, 0, (), attempt)


def _worker_argv() -> list[str]:
    """The same interpreter and search path, wherever the package was found."""
    package = __package__ or "benchforge.runners.score.judge"
    code = f"import sys; sys.path[:] = {sys.path!r}; from {package}.worker import main; main()"
    return [sys.executable, "-c", code]
