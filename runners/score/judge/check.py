"""Kind ``check`` (original HumanEval): the dataset's test runs here, the sample elsewhere.

Theory of operation. ``check(candidate)`` is dataset code: trusted, executed in this worker (a process of its own,
which its supervisor can restart), in a namespace that holds the prompt's helper functions and nothing of the sample.
``candidate`` is a stub: every call goes over a pipe to the child and comes back as plain data. So a sample can
neither redefine ``check`` nor leave a decorator dangling before it, nor return an object that equals everything. What
it returns may still keep the test busy: an alarm ends loops of Python, and the supervisor what no alarm interrupts
(one call of C over a huge number), by the processor time that this worker may use on claims.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import time
from collections.abc import Iterator, Sequence
from types import CodeType
from typing import Any, NoReturn

from ....ingest import errors
from ....ingest.benchmarks.declaration import Task
from ..sandbox.inside.child import REQUEST_FD
from . import decode
from .execution import Answer, Bench, Claims, Ended, Raised, start
from .outcome import Outcome, PartOutcome, failed, passed


class CandidateFailed(Exception):
    """The candidate raised, or broke off; a test that expects an exception may catch it."""


class _OutOfTime(BaseException):
    pass


def grade(bench: Bench, task: Task, program: str, names: Sequence[str]) -> dict[str, Outcome]:
    """One case: the whole test. Both oracles read it alike."""
    outcome = Outcome(_judged(bench, task, program), None)
    return dict.fromkeys(names, outcome)


def _judged(bench: Bench, task: Task, program: str) -> PartOutcome:
    own = task.payload.get("limit_seconds")
    seconds = (bench.rules.check_seconds if own is None else own) * bench.rules.limit_scale
    spec = {"kind": "served", "program": program, "entry_point": task.payload["entry_point"], "guard": "humaneval"}
    reader, writer = os.pipe()
    try:
        connection = bench.server(program, task.payload["test"])
        claims = start(bench, connection, spec, seconds, fds={REQUEST_FD: reader})
    finally:
        os.close(reader)
    started = time.monotonic()
    with os.fdopen(writer, "wb", buffering=0) as requests, claims:
        judged = _run(task, _Stub(claims, requests, bench), seconds)
    # one budget for the whole test, its own work included
    bench.usage.limit_shares["base"] = (time.monotonic() - started) * bench.rules.limit_scale / seconds
    return judged


class _Stub:
    """What the test calls. Remembers why it failed, because a test may swallow the exception."""

    def __init__(self, claims: Claims, requests: Any, bench: Bench) -> None:
        self._claims, self._requests, self._bench = claims, requests, bench
        self.reason = ""
        self.is_broken = False
        self.is_called = False

    def load(self) -> None:
        """The program's first frame; raises CandidateFailed when it did not load."""
        self._value(self._claims.next())

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if self.is_broken:
            raise CandidateFailed(self.reason)
        request = pickle.dumps(self._given_back((arguments, keywords)))
        self.is_called = True
        with contextlib.suppress(OSError):  # a child that is gone: its report says why
            self._requests.write(request)
        return self._value(self._claims.next())

    def _given_back(self, arguments: Any) -> Any:
        try:
            return decode.for_child(arguments)
        except decode.Malformed as error:
            if not self.is_called:
                return arguments  # the test's own: pickle says what is wrong with them
            # what the candidate returned before: nothing is here that could stand for it
            self.reason, self.is_broken = "opaque_type", True
            raise CandidateFailed(self.reason) from error

    def _value(self, frame: Answer | Raised | Ended) -> Any:
        if isinstance(frame, Answer):
            self._bench.usage.case_seconds.append(frame.seconds)
            try:
                return decode.value(frame.tree)
            except (decode.Malformed, RecursionError, MemoryError):
                frame = Ended("tamper")
        self.reason = frame.reason or "tamper"
        self.is_broken = isinstance(frame, Ended)
        raise CandidateFailed(self.reason)


def _run(task: Task, stub: _Stub, seconds: float) -> PartOutcome:
    is_defined = False
    try:
        with _alarm(seconds + 0.5), _staying():
            stub.load()
            test = _test_of(task, stub)
            is_defined = True
            test(stub)
    except _OutOfTime:
        return failed("timeout", 0, 0, "timeout")
    except CandidateFailed:
        return failed(stub.reason, 0, 0, "timeout" if stub.reason == "timeout" else "fail")
    except (errors.BadInput, KeyboardInterrupt):
        raise
    except BaseException as error:
        # before the first call nothing of the program took part; afterwards the test stumbled over what it got
        # (a TypeError in abs(), a missing key, …)
        if not stub.is_called and not (is_defined and isinstance(error, AssertionError)):
            raise _broken(task, error) from error
        return failed("wrong_answer", 0, 0)
    if stub.is_broken:
        return failed(stub.reason, 0, 0, "timeout" if stub.reason == "timeout" else "fail")
    return passed(1)


def _broken(task: Task, error: BaseException) -> errors.BadInput:
    name = type(error).__name__
    return errors.BadInput(f"The test of task {task.task_id} fails by itself, before it calls the program ({name}).")


def _test_of(task: Task, stub: _Stub) -> Any:
    """``check`` in a namespace with the prompt's helpers; a test that calls the entry point by name gets the stub."""
    namespace: dict[str, Any] = {"__name__": "__test__"}
    exec(_compiled(task, task.payload["prompt"] + "\n    pass\n", "prompt"), namespace)
    namespace[task.payload["entry_point"]] = stub
    exec(_compiled(task, task.payload["test"], "test"), namespace)
    if not callable(namespace.get("check")):
        raise errors.BadInput(f"The test of task {task.task_id} does not define check(candidate).")
    return namespace["check"]


def _compiled(task: Task, source: str, name: str) -> CodeType:
    try:
        return compile(source, f"<{name}>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise errors.BadInput(f"The {name} of task {task.task_id} is not Python.") from error


@contextlib.contextmanager
def _staying() -> Iterator[None]:
    """A test that leaves the process would look like a machine that failed."""
    leave = os._exit

    def refuse(status: int) -> NoReturn:
        raise SystemExit(status)

    os._exit = refuse
    try:
        yield
    finally:
        os._exit = leave


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def expire(signum: int, frame: Any) -> None:
        raise _OutOfTime

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
