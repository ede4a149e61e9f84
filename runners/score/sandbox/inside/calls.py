"""Kind ``calls``: one function, every input of every part in order, until one raises.

Parts (base, plus) are officially processes of their own. Here they share one, each with a fresh namespace and with the
state that programs usually touch put back, because a fork costs more than most programs: see ``_Found``. Where what it
looks at is not as it was, the process ends after the part at hand and the judge starts another one for the rest.
Nothing here is trusted by anybody: a program that lies to these checks changes the state of its own process.
"""

from __future__ import annotations

import _thread
import copy
import io
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import codec, guard
from .clock import Clock
from .report import LOADING, Report, compiled
from .unseeded import random

SEED = 20240229
_listdir = os.listdir
_num_threads = _thread._count
_text_position = io.StringIO.tell
_now = time.perf_counter_ns


class Sink(io.StringIO):
    """Standard streams of a guarded sample: writes go nowhere that matters, reads raise OSError."""

    def read(self, *_: Any) -> str:
        raise OSError

    readline = readlines = read  # type: ignore[assignment]

    def readable(self) -> bool:
        return False


def emptied(sink: Sink) -> Sink:
    """A sink with nothing in it: officially every call gets a new one."""
    return Sink() if sink.closed or _text_position(sink) else sink


def seed() -> None:
    """The same random numbers in every run: officially they are left to chance."""
    random.seed(SEED)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(SEED)


def load(spec: Mapping[str, Any], code: Any, sink: Sink) -> Callable[..., Any]:
    """Silence, execute, look the entry point up."""
    sys.stdout = sys.stderr = sys.stdin = sink
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    return namespace[spec["entry_point"]]


def run_calls(
    spec: Mapping[str, Any], inputs: Mapping[str, Sequence[Sequence[Any]]], report: Report, clock: Clock
) -> None:
    """``spec["case_limits"]``: part -> seconds per case; ``inputs``: part -> argument lists."""
    parts = spec["case_limits"]
    guard.apply(spec["guard"])
    clock.install()
    try:
        code = compiled(spec["program"])
    except BaseException as error:
        for _ in parts:
            report.exception(LOADING, error)
        return
    found = _Found()
    for number, part in enumerate(parts):
        if number > 0:
            if not found.is_as_it_was():
                return
            found.put_back()
            clock.install()
        _run_part(spec, code, inputs.get(part, ()), parts[part], report, clock)


def _run_part(
    spec: Mapping[str, Any], code: Any, inputs: Sequence[Sequence[Any]], limits: Sequence[float], report: Report,
    clock: Clock,
) -> None:  # fmt: skip
    sink, times, encode_nanoseconds = Sink(), [], 0
    collect, is_fresh, is_reference = spec["collect"], spec["fresh_inputs"], spec["is_reference"]
    start, stop, send = clock.start, clock.stop, report.value
    try:
        function = load(spec, code, sink)
    except BaseException as error:
        report.exception(LOADING, error)
        return
    for case, arguments in enumerate(inputs):
        if is_fresh:
            arguments = copy.deepcopy(arguments)
        sink = emptied(sink)
        sys.stdout = sys.stderr = sys.stdin = sink
        if is_reference:
            clock.sample()
        try:
            start(limits[case])
            try:
                value = function(*arguments)
                if collect:
                    value = codec.collect(value)
            finally:
                stop()
        except BaseException as error:
            report.exception(case, error, times)
            return
        times.append(int(1e9 * (clock.seconds_not_waited() if is_reference else clock.seconds)))
        started = _now() if is_reference else 0
        send(value)
        encode_nanoseconds += _now() - started if is_reference else 0
        value = None
    report.end(len(inputs), times, encode_nanoseconds)


class _Found:
    """What a part finds when it begins, as far as programs are known to change it."""

    def __init__(self) -> None:
        self._recursion_limit = sys.getrecursionlimit()
        self._digits = sys.get_int_max_str_digits()

    def is_as_it_was(self) -> bool:
        """Nothing runs on and nothing lies in the scratch.

        What else a program may have changed is not looked for (to look at every builtin copies a fifth of the pages
        that a child copies at all): the judge takes a pass from here, and asks a fresh process for anything else.
        """
        try:
            names = _listdir(".")
        except OSError:  # no directory of its own, so nothing was written
            names = []
        return not names and not _num_threads()

    def put_back(self) -> None:
        sys.setrecursionlimit(self._recursion_limit)
        sys.set_int_max_str_digits(self._digits)
        decimal = sys.modules.get("decimal")
        if decimal is not None:
            decimal.setcontext(decimal.DefaultContext.copy())
        seed()
