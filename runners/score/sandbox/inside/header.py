"""The header that LiveCodeBench's harness puts before a program, executed once in the server for all of its children.

Theory of operation. Star imports of eighteen modules bind six hundred names; doing so in every child costs a fifth of a
sample, most of it for pages that are copied because objects on them are counted. The server executes the header
(``prepare``), and a child uses that very module: it has it to itself, as it has all else of the server's memory. What
``sys`` holds differently in a child (its streams and arguments) is put in place there; the limit for recursion, which
the last line sets, is set by the child when upstream would. A test compares the module with a fresh one by every name.

Facts of LiveCodeBench/LiveCodeBench@28fef95 ``lcb_runner/evaluation/testing_util.py``: the modules, their order, the
limits.
"""

from __future__ import annotations

import io
import os
import sys
from types import CodeType, ModuleType
from typing import Any, TextIO

GUARD = "livecodebench"
_MODULES = (
    "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics", "itertools",
    "functools", "operator", "io", "sys", "json",
)  # fmt: skip
RECURSION_LIMIT = INT_DIGITS_LIMIT = 50_000
HEADER = "".join(
    [f"from {name} import *\n" for name in (*_MODULES, "builtins", "typing")]
    + [f"import {name}\n" for name in _MODULES]
    + [f"sys.setrecursionlimit({RECURSION_LIMIT})\n"]
)
_OF_THE_CHILD = ("argv", "stdin", "stdout", "stderr")
"""Names of ``sys`` in the header that mean something else in a child than in the server."""
BEHIND = "\n" * HEADER.count("\n") + "pass\n"
"""Stands for the header in what is compiled: no docstring and no ``__future__`` comes after it."""


class _Prepared:
    """What every child needs alike: to make it there costs a fifth of a sample and the copies of two hundred pages."""

    def __init__(self) -> None:
        self.profile = ""
        self.module: ModuleType | None = None
        self.streams: tuple[TextIO, TextIO, TextIO] | None = None


_prepared = _Prepared()


def prepare(profile: str) -> None:
    """For the children of a server with this guard on: the header executed, and streams where they get silent ones."""
    _prepared.profile, _prepared.module = profile, execute()
    if profile == GUARD:
        _prepared.streams = _silent_streams()


def streams() -> tuple[TextIO, TextIO, TextIO]:
    """Text on descriptors 0 to 2 with nothing behind any of them: in a child they are /dev/null."""
    return _prepared.streams or _text_streams()


def _silent_streams() -> tuple[TextIO, TextIO, TextIO]:
    """What a child would make: whether a stream can be told to seek is asked when it is made."""
    kept = [(fd, os.dup(fd)) for fd in range(3)]
    null = os.open("/dev/null", os.O_RDWR)
    try:
        for fd, _ in kept:
            os.dup2(null, fd)
        return _text_streams()
    finally:
        for fd, copy in kept:
            os.dup2(copy, fd)
            os.close(copy)
        os.close(null)


def _text_streams() -> tuple[TextIO, TextIO, TextIO]:
    return tuple(  # type: ignore[return-value]
        io.open(fd, mode, encoding="utf-8", closefd=False)  # noqa: UP020
        for fd, mode in ((0, "r"), (1, "w"), (2, "w"))
    )


def execute() -> ModuleType:
    """A module with every name of the header; the limit that its last line sets is left as it is."""
    module, limit = ModuleType("tmp_sol", ""), sys.getrecursionlimit()
    exec(compile(HEADER, "<string>", "exec", dont_inherit=True), module.__dict__)
    sys.setrecursionlimit(limit)
    return module


def module_behind(profile: str) -> ModuleType:
    """The server's own where it has one: nothing else uses it in this process."""
    if _prepared.module is None or _prepared.profile != profile:
        return execute()
    for name in _OF_THE_CHILD:
        _prepared.module.__dict__[name] = getattr(sys, name)
    return _prepared.module


def names() -> dict[str, Any]:
    """What the header defines, for programs that run as they are but are owed the names; sets its two limits too."""
    found = vars(module_behind("none"))
    sys.setrecursionlimit(RECURSION_LIMIT)
    sys.set_int_max_str_digits(INT_DIGITS_LIMIT)
    return found


def compiled(text: str, *, is_behind: bool) -> CodeType:
    """Code of a program's text, behind the header or as it is; raises what ``compile`` does."""
    return compile(BEHIND + text if is_behind else text, "<string>", "exec", dont_inherit=True)
