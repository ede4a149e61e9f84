"""One process per program: confined first, then it executes the sample and claims answers.

Theory of operation. The server forks; the child closes every descriptor but its pipes, confines itself (``confine``),
says ``ready``, and only then touches the sample. From there on everything in this process may be forged by the
sample, the result pipe included: it holds no answer, no other task, no secret, so that the best a forger can do is to
write the right values, which means to compute them. It leaves by ``os._exit``; its exit status means nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import io
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import confine, expressions, guard, header, livecodebench
from .calls import Sink, emptied, load, run_calls, seed
from .clock import Clock, open_waits
from .report import LOADING, Report, compiled

RESULT_FD, REQUEST_FD = 3, 4
_now = time.perf_counter
_chdir = os.chdir  # a guarded server has taken the name away


def run(spec: Mapping[str, Any], inputs: Sequence[Any], fds: Mapping[int, int], plan: Plan) -> None:
    """The whole life of a child; never returns. ``fds``: our number -> inherited descriptor."""
    try:
        if "parent_death" not in plan.without:
            confine.die_with_parent(plan.server_pid)
        waits_fd = _raised(open_waits(plan.proc))
        kept = [fd for fd in (plan.ruleset, waits_fd) if fd is not None]
        _keep_only(fds, kept, closes="closed_descriptors" not in plan.without)
        if plan.scratch is not None:
            _chdir(plan.scratch)
        report = Report(RESULT_FD)
        limits, may_write = confine.Limits(**spec["limits"]), plan.scratch is not None
        layers = confine.confine(limits, plan.ruleset, may_write=may_write, without=plan.without)
        if plan.ruleset is not None:
            os.close(plan.ruleset)
        seed()
        report.ready(layers)
        KINDS[spec["kind"]](spec, inputs, report, Clock(waits_fd))
    except BaseException:
        os._exit(70)
    os._exit(0)


class Plan:
    """What the server prepared once for all of its children."""

    def __init__(
        self, server_pid: int, ruleset: int | None, scratch: str | None, proc: int | None, without: Sequence[str]
    ) -> None:
        self.server_pid = server_pid
        self.ruleset = ruleset
        self.scratch = scratch
        self.proc = proc
        self.without = without


def _keep_only(fds: Mapping[int, int], kept: Sequence[int], *, closes: bool = True) -> None:
    """Descriptors 0-2 and the pipes in place, the ruleset for Landlock, nothing else."""
    moved = {number: _above(fd) for number, fd in fds.items()}
    null = _above(os.open("/dev/null", os.O_RDWR))
    for number in range(5):
        if number in moved:
            os.dup2(moved[number], number)
        elif number <= 2:
            os.dup2(null, number)
    if not closes:
        return
    needed = {0, 1, 2, *kept, *(number for number in moved)}
    floor = 0
    for number in sorted(needed):
        if number > floor:  # an empty range that starts at 0 would close everything
            os.closerange(floor, number)
        floor = number + 1
    os.closerange(floor, 4096)


def _above(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_DUPFD, 900)


def _raised(fd: int | None) -> int | None:
    """The descriptor at a number that no program meets by chance."""
    if fd is None:
        return None
    moved = _above(fd)
    os.close(fd)
    return moved


def _loaded(spec: Mapping[str, Any], sink: Sink) -> Callable[..., Any]:
    """Guard, silence, execute, look the entry point up."""
    guard.apply(spec["guard"])
    return load(spec, compiled(spec["program"]), sink)


def _apply(spec: Mapping[str, Any], inputs: Sequence[Any], report: Report, clock: Clock) -> None:
    """One call with positional and keyword arguments that the judge passes on as plain data."""
    clock.install()
    try:
        function = _loaded(spec, Sink())
        value, seconds = clock.timed(lambda: function(*spec["arguments"], **spec["keywords"]), spec["case_limits"][0])
    except BaseException as error:
        report.exception(0, error)
        return
    report.answer(0, seconds, value)
    report.end(1)


def _served(spec: Mapping[str, Any], inputs: Sequence[Any], report: Report, clock: Clock) -> None:
    """Answer calls that arrive one by one: the test runs elsewhere and holds only a stub of this function."""
    import pickle

    sink = Sink()
    requests = io.BufferedReader(io.FileIO(REQUEST_FD))
    try:
        function = _loaded(spec, sink)
    except BaseException as error:
        report.exception(LOADING, error)
        return
    report.answer(LOADING, 0.0, None)
    case = 0
    while True:
        try:
            arguments, keywords = pickle.load(requests)
        except EOFError:
            report.end(case)
            return
        sys.stdout = sys.stderr = sys.stdin = sink
        started = _now()
        try:
            value = function(*arguments, **keywords)
        except BaseException as error:
            report.exception(case, error)
        else:
            report.answer(case, _now() - started, value)
        case += 1
        sink = emptied(sink)


def _evaluated(spec: Mapping[str, Any], inputs: Sequence[Any], report: Report, clock: Clock) -> None:
    """Expressions: see ``expressions``; the answer is a value, or the arguments of a call."""
    clock.install()
    sys.stdout = sys.stderr = sys.stdin = Sink()
    try:
        step = expressions.prepare(spec)
        guard.apply(spec["guard"])
        value, seconds = clock.timed(step, spec["case_limits"][0])
    except BaseException as error:
        report.exception(0, error)
        return
    report.answer(0, seconds, value, is_digested=spec["step"] != "arguments")
    report.end(1)


def _program(spec: Mapping[str, Any], inputs: Sequence[Any], report: Report, clock: Clock) -> None:
    """A whole program on descriptors 0 and 1; the judge reads descriptor 1's file after this process is gone."""
    guard.apply(spec["guard"])
    os.lseek(0, 0, os.SEEK_SET)
    # as at the start of an interpreter: what a program replaces stays open under its second name
    sys.stdin = sys.__stdin__ = _text_stream(0, "r")
    sys.stdout = sys.__stdout__ = _text_stream(1, "w")
    sys.stderr = sys.__stderr__ = _text_stream(2, "w")
    names = header.names() if spec.get("harness") == "livecodebench" else {}
    names["__name__"] = "__main__"
    try:
        code = compiled(spec["program"])
        try:
            exec(code, names)
        except SystemExit as leaving:
            if leaving.code not in (None, 0):
                raise
        _leave()
    except BaseException as error:
        report.exception(0, error)
        return
    report.end(1)


_STREAMS: Sequence[tuple[str, str]] = (("<stdin>", "surrogateescape"), ("<stdout>", "surrogateescape"),
                                       ("<stderr>", "backslashreplace"))  # fmt: skip


def _text_stream(fd: int, mode: str) -> io.TextIOWrapper:
    """A standard stream as the interpreter makes it: it has a name and a mode, and leaves the ends of lines alone."""
    name, errors = _STREAMS[fd]
    raw = io.FileIO(fd, mode, closefd=False)
    raw.name = name
    binary: Any = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    stream = io.TextIOWrapper(binary, encoding="utf-8", errors=errors, newline="\n", line_buffering=fd == 2)
    stream.mode = mode  # type: ignore[misc]
    return stream


def _leave() -> None:
    """What the interpreter does at its end, in its order: an answer that a thread or an exit function prints counts."""
    threading = sys.modules.get("threading")
    if threading is not None:
        with contextlib.suppress(Exception):
            threading._shutdown()  # tells executors to finish, then waits for threads
    atexit._run_exitfuncs()
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        stream = getattr(sys, name, None)
        if stream is not None and not getattr(stream, "closed", False):
            stream.flush()


def _extracted(spec: Mapping[str, Any], inputs: Sequence[Any], report: Report, clock: Clock) -> None:
    """Run our extractors on hostile texts, until one of them breaks; only the output strings go back."""
    import importlib

    sys.stdout = sys.stderr = sys.stdin = Sink()
    for number, (path, text, context) in enumerate(spec["items"]):
        module, _, name = path.partition(":")
        try:
            function = getattr(importlib.import_module(f"extract.{module}"), name)
        except (ImportError, AttributeError) as error:
            report.exception(LOADING, error)
            return
        try:
            report.text(function(text, context))
        except BaseException as error:
            report.exception(number, error)
            return
    report.end(len(spec["items"]))


KINDS: Mapping[str, Callable[[Mapping[str, Any], Any, Report, Clock], None]] = {
    "calls": run_calls,
    "apply": _apply,
    "served": _served,
    "expression": _evaluated,
    "stdin": _program,
    "extract": _extracted,
    "livecodebench_calls": livecodebench.run_calls,
    "livecodebench_stdin": livecodebench.run_stdin,
}
