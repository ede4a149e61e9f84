"""LiveCodeBench's harness as a program meets it, in the child: what it changes, what it mocks, what it forgets.

Theory of operation. This runs in the sample's process after confinement, so nothing here is trusted: it claims what the
program printed or returned, case by case, and the judge compares. No expected output ever comes here; inputs come all
at once, as upstream. One process runs every test of a task, so that what a program leaves behind (one ``Solution``
instance, module globals, files, threads) meets the next test.

Everything odd is a fact of LiveCodeBench/LiveCodeBench@28fef95 ``lcb_runner/evaluation/testing_util.py`` and decides
verdicts: a header of star imports (its ``open`` is the real one, its ``stdout`` the uncaptured one); programs for
standard input become the body of a function, top-level imports aside, so that ``global`` finds nothing; a ``sys.stdin``
that cannot be iterated and always reads everything; SystemExit ends a test well. An exception that is not an
``Exception`` leaves no result: the process ends here without a word, which the judge calls ``killed``.
"""

from __future__ import annotations

import builtins
import contextlib
import faulthandler
import io
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from . import guard, header, plain, wrapping
from .clock import Clock
from .report import LOADING, Expired, Report

_ARGUMENTS = ("main.py", "--scenario", "codegeneration")
"""The harness is a command with options, and a program sees them: ``fileinput`` takes each for a file to read."""
_FAR = 0.5
"""Of the limit of a test: a program that took less will not reach it on the other road."""
_MAX_SHARED_CHARACTERS = 8 << 20
_now = time.perf_counter
_text_of = io.StringIO.getvalue


class TimeoutException(Expired):
    """The name matters: upstream takes any exception whose ``repr`` holds it, in any case, for its time limit."""


def run_calls(spec: Mapping[str, Any], inputs: Sequence[Sequence[Any]], report: Report, clock: Clock) -> None:
    """Call one method of one ``Solution`` (or a function) with every input in order."""

    def answer(function: Callable[..., Any], arguments: Sequence[Any]) -> tuple[Any, float]:
        value, seconds = clock.timed(lambda: function(*arguments), spec["case_seconds"])
        # by the program's own iteration, if it made a kind of tuple of its own
        return (list(value) if isinstance(value, tuple) else value), seconds

    _run(spec, inputs, report, clock, _Source.called, answer, report.answer)


def run_stdin(spec: Mapping[str, Any], inputs: Sequence[str], report: Report, clock: Clock) -> None:
    """Call the program, made a function, once per input with standard input and output replaced."""

    is_plain = spec.get("is_shared", False) and plain.is_plain(spec["program"])
    stream: _Stdin | None = None

    def answer(function: Callable[..., Any], text: str) -> tuple[str, float]:
        nonlocal stream
        stream = given = _Stdin(text)
        return _printed(lambda: _fed(function, text, given), clock, spec["case_seconds"])

    def claim(case: int, seconds: float, value: Any) -> None:
        is_far = seconds < _FAR * spec["case_seconds"] and len(value) < _MAX_SHARED_CHARACTERS and value.isascii()
        report.printed(case, seconds, value, is_plain=is_far and is_plain_so_far())

    def is_plain_so_far() -> bool:
        return is_plain and (stream is None or stream.is_read_one_way())

    _run(spec, inputs, report, clock, _Source.wrapped, answer, claim, is_plain_so_far)


def _run(
    spec: Mapping[str, Any], inputs: Sequence[Any], report: Report, clock: Clock, read: Callable[[str], _Source],
    answer: Callable[..., tuple[Any, float]], claim: Callable[..., None],
    is_plain: Callable[[], bool] = lambda: False,
) -> None:  # fmt: skip
    _prepare(clock)
    try:
        clock.start(spec["case_seconds"])
        source = read(spec["program"])
        function = _loaded(source, spec["entry_point"] or wrapping.FUNCTION, clock, spec["case_seconds"])
    except Exception as error:
        clock.stop()
        report.exception(LOADING, error)
        return
    for case, given in enumerate(inputs):
        try:
            # upstream does, and it fails for a program that replaced sys.stderr by something without a descriptor
            faulthandler.enable()
            value, seconds = answer(function, given)
        except Exception as error:
            clock.stop()
            _report_failure(report, case, error, is_plain())
            return
        finally:
            faulthandler.disable()
        claim(case, seconds, value)
        value = None
    report.end(len(inputs))


def _prepare(clock: Clock) -> None:
    guard.apply(header.GUARD)
    sys.set_int_max_str_digits(header.INT_DIGITS_LIMIT)
    sys.argv = list(_ARGUMENTS)
    with contextlib.suppress(Exception):
        sys.stdin.close()  # as multiprocessing does: ``sys.__stdin__`` is closed
    sys.stdin, sys.stdout, sys.stderr = header.streams()
    clock.install(_expired)


def _expired() -> TimeoutException:
    """A program that swallows the exception goes on, with a line of the harness in its output."""
    print("the time of this test is over")
    return TimeoutException()


def _report_failure(report: Report, case: int, error: Exception, is_plain: bool) -> None:
    try:
        is_timeout = "timeoutexception" in repr(error).lower()
    except Exception as second:
        report.exception(case, second)
        return
    report.exception(case, TimeoutException() if is_timeout else error, is_plain=is_plain)


# --- the program -----------------------------------------------------------------------------------------------------


class _Source(NamedTuple):
    """What is executed: a text, its code where it was compiled already, and whether the header stands before it."""

    text: str
    is_behind_header: bool
    code: CodeType | None = None

    @staticmethod
    def called(program: str) -> _Source:
        """A program that defines what is called."""
        return _Source(program, True)

    @staticmethod
    def wrapped(program: str) -> _Source:
        """A program for standard input made a function; as it is, and without the header, where that fails."""
        text = wrapping.by_text(program)
        if text is not None:
            with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                return _Source(text, True, header.compiled(text, is_behind=True))
        text = wrapping.by_tree(program)
        return _Source(program, False) if text is None else _Source(text, True)


def _loaded(source: _Source, name: str, clock: Clock, limit_seconds: float) -> Callable[..., Any]:
    """What the tests will call. Any text with ``class Solution`` in it is taken for one that defines that class."""
    clock.start(limit_seconds)
    try:
        if source.is_behind_header:
            code = source.code or header.compiled(source.text, is_behind=True)
            module = header.module_behind(header.GUARD)
            sys.setrecursionlimit(header.RECURSION_LIMIT)
        else:
            code, module = header.compiled(source.text, is_behind=False), ModuleType("tmp_sol", "")
        exec(code, module.__dict__)
        holder = module.Solution() if "class Solution" in source.text else module
    finally:
        clock.stop()
    return getattr(holder, name)


# --- standard input and output ---------------------------------------------------------------------------------------


def _printed(function: Callable[[], Any], clock: Clock, limit_seconds: float) -> tuple[str, float]:
    """What the program wrote to ``sys.stdout``, exactly text whatever it made of that object, and its seconds."""
    kept, captured = sys.stdout, io.StringIO()
    captured.close = lambda _: 1  # type: ignore[method-assign,assignment,misc]  # so that closing it is a TypeError
    sys.stdout = captured
    try:
        _, seconds = clock.timed(function, limit_seconds)
    finally:
        sys.stdout = kept
    return _text_of(captured), seconds


def _fed(function: Callable[[], Any], text: str, stream: _Stdin) -> None:
    """Run with every road to the input that upstream mocks; SystemExit is a good end.

    The three methods are set on the object that ``sys.stdin`` was before: only a program that imported it by name
    (``from sys import stdin``) meets them there, and gets lines without their ends.
    """
    lines = iter(text.split("\n"))
    before = sys.stdin
    with (
        _replaced(before, "read", lambda *_: text),
        _replaced(before, "readlines", lambda *_: text.split("\n")),
        _replaced(before, "readline", lambda *_: next(lines)),
        _replaced(sys, "stdin", stream),
        _replaced(builtins, "open", lambda *_, **__: _Opened(text)),
        contextlib.suppress(SystemExit),
    ):
        function()


@contextlib.contextmanager
def _replaced(target: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute set for a while; afterwards as before, or gone where it was not the object's own."""
    is_own = name in vars(target)
    kept = vars(target).get(name)
    setattr(target, name, value)
    try:
        yield
    finally:
        if is_own:
            setattr(target, name, kept)
        else:
            delattr(target, name)


class _Stdin:
    """``sys.stdin`` of one test. No iteration; ``read`` and ``readlines`` tell everything however much was read."""

    def __init__(self, text: str) -> None:
        self._text, self._stream = text, io.StringIO(text)
        self._num_read_whole, self._is_mixed, self._is_by_line = 0, False, False
        self.read = self._whole
        self.readlines = lambda *_: text.split("\n")
        self.readline = self._stream.readline
        self.buffer = _Bytes(text.encode("utf-8"), self._note_whole)

    def is_read_one_way(self) -> bool:
        """Line by line, or whole and once; from a text whose line ends and letters no decoding changes."""
        self._note_lines()
        is_one_way = not self._is_mixed and self._num_read_whole + self._is_by_line <= 1
        return is_one_way and self._text.isascii() and "\r" not in self._text

    def close(self) -> None:
        """``exit()`` does so before it raises."""
        self._note_lines()
        self._stream.close()

    def _note_lines(self) -> None:
        self._is_by_line |= not self._stream.closed and self._stream.tell() > 0

    def _whole(self, *limits: Any) -> str:
        self._note_whole(*limits)
        return self._text

    def _note_whole(self, *limits: Any) -> None:
        self._num_read_whole += 1
        self._is_mixed |= bool(limits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Bytes:
    """Its ``buffer``: everything, or the first line again and again."""

    def __init__(self, data: bytes, note: Callable[..., None]) -> None:
        first, _, _ = data.partition(b"\n")

        def read(*limits: Any) -> bytes:
            note(*limits)
            return data

        self.read = read
        self.readline = lambda *_: first + b"\n"


class _Opened(io.StringIO):
    """What ``builtins.open`` gives: the input, whatever was to be opened. (The header's ``open`` is not this one.)"""

    def write(self, text: str, /) -> int:
        return len(text)
