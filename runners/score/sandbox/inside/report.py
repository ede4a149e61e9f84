"""What a child says on its result pipe: one JSON array per line, written at once.

Theory of operation. The pipe belongs to the sample from its first byte on: every line but the first is a claim, and the
judge believes its order and its values, nothing else. No line carries code or a name that would be looked up.

``["ready", layers]``  before the first byte of the sample runs: without it the failure is ours, not the sample's
``["a", case, seconds, encode_seconds, value]``  an answer (value: see ``codec``)
``=value``             the same in the kind ``calls``, in the order of the cases; the times come at the end
``["x", case, category, name]``  an exception; case -1: while the program loaded (``calls``: and the times)
``["A", …]``, ``["X", …]``  as ``a`` and ``x``, from a run that real descriptors would not have changed (see ``plain``)
``["end", cases]``  every case ran; without it the report is incomplete, whatever the exit status says (``calls``: and
the times, and what encoding took)
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import Any

from . import codec

LOADING = -1
_write = os.write
_now = time.perf_counter
_dumps = json.dumps
_encode = codec.encode


class Expired(Exception):
    """A case ran over its limit. An ordinary exception, as in the official harnesses: a sample can swallow it."""


class NotOneExpression(Exception):
    """The text is not what its kind asks for: one expression, or one call."""


class Report:
    """Writes to one descriptor; a reader that is gone ends the process."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def ready(self, layers: list[str]) -> None:
        named = '","'.join(layers)
        self._line(f'["ready",["{named}"]]' if layers else '["ready",[]]')

    def answer(self, case: int, seconds: float, value: Any, *, is_digested: bool = True) -> None:
        started = _now()
        encoded = _encode(value, is_digested=is_digested)
        self._line(f'["a",{case},{seconds:.9f},{_now() - started:.6f},{encoded}]')

    def printed(self, case: int, seconds: float, text: str, *, is_plain: bool = False) -> None:
        """An answer that is text, in full whatever its size."""
        self._line(f'["{"A" if is_plain else "a"}",{case},{seconds:.9f},0.0,{_dumps(str.__str__(text))}]')

    def value(self, value: Any) -> None:
        """An answer and nothing else: what is right has the very bytes that are expected."""
        self._line("=" + _encode(value))

    def exception(self, case: int, error: BaseException, times: Sequence[int] = (), *, is_plain: bool = False) -> None:
        """``times``: nanoseconds of the cases before, where their answers did not bring them."""
        name = type.__dict__["__name__"].__get__(type(error))[:60]
        self._line(_dumps(["X" if is_plain else "x", case, category(error), name, *([times] if times else [])]))

    def end(self, num_cases: int, times: Sequence[int] = (), encode_nanoseconds: int = 0) -> None:
        """``times``: see ``exception``; ``encode_nanoseconds``: for all answers, where it was measured."""
        more = f",[{','.join(map(str, times))}],{encode_nanoseconds}" if times else ""
        self._line(f'["end",{num_cases}{more}]')

    def text(self, value: str) -> None:
        self._line(_dumps(["text", value]))

    def _line(self, line: str) -> None:
        data = (line + "\n").encode("ascii")
        num_written = _write(self._fd, data)
        while num_written < len(data):
            num_written += _write(self._fd, memoryview(data)[num_written:])


def category(error: BaseException) -> str:
    """One of the judge's reasons."""
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, Expired):
        return "timeout"
    if isinstance(error, NotOneExpression):
        return "not_one_expression"
    if isinstance(error, SyntaxError):
        return "syntax"
    return "exception"


def compiled(source: str) -> Any:
    """Code of a program, free of our own ``__future__`` imports; SyntaxError also for NUL bytes and lone surrogates."""
    try:
        return compile(source, "<string>", "exec", dont_inherit=True)
    except (ValueError, RecursionError) as error:
        raise SyntaxError(str(error)[:80]) from error
