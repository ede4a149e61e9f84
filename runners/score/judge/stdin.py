"""Kind ``stdin``: whole programs that read standard input and print.

Theory of operation. What a program prints goes to a file that the judge made and reads after the child is dead; the
expected text stays here, and the result pipe says no more than that the program ended well.

Each case is a child of its own with real descriptors: 0 and 1 are anonymous files in memory made here, so a program may
read and write as it likes (``open(0)``, ``sys.stdin.buffer``, ``os.write``). The output is read from the file after
the child is dead; its size is bounded by RLIMIT_FSIZE. Answers: stripped text, line by line, each line equal as text
or as a row of decimal numbers, the rule of LiveCodeBench@28fef95 ``testing_util.py``. ``strict`` ignores the amount
of blanks inside a line as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from ....ingest.benchmarks.declaration import Task
from . import oracles
from .execution import Bench, Ended, Raised, start
from .outcome import Outcome, PartOutcome, failed, passed

_MAX_OUTPUT_BYTES = 16 << 20


def grade(
    bench: Bench, task: Task, program: str, names: Sequence[str], *, is_recorded: bool = True, first: int = 0
) -> dict[str, Outcome]:
    """Base cases, and plus cases where the task has them. ``is_recorded``: seconds per case are kept.

    ``first``: the base cases before this one are known to pass.
    """
    base = _part(bench, task, task.payload["cases"], program, names, "base" if is_recorded else "", first)
    plus_cases = task.payload.get("plus_cases")
    named = "plus" if is_recorded else ""
    plus = _part(bench, task, plus_cases, program, names, named) if plus_cases else dict.fromkeys(names)
    return {name: Outcome(base[name], plus[name]) for name in names}


def _part(
    bench: Bench, task: Task, cases: Sequence[Mapping[str, str]], program: str, names: Sequence[str], recorded_as: str,
    first: int = 0,
) -> dict[str, PartOutcome]:  # fmt: skip
    outcomes: dict[str, PartOutcome] = {}
    for number, case in enumerate(cases[first:], start=first):
        printed, failure = _run(bench, task, program, case["stdin"], recorded_as)
        for name in names:
            if name in outcomes:
                continue
            reason = failure or why_text_differs(printed, case["stdout"], is_strict=name == oracles.STRICT)
            if reason:
                outcomes[name] = failed(reason, number, number, "timeout" if reason == "timeout" else "fail")
        if len(outcomes) == len(names):
            break
    return {name: outcomes.get(name) or passed(len(cases)) for name in names}


def _run(bench: Bench, task: Task, program: str, stdin: str, recorded_as: str) -> tuple[str, str]:
    """What one run printed, and the reason if it failed."""
    own = task.payload.get("limit_seconds")
    limit_seconds = bench.rules.stdin_seconds if own is None else own
    seconds = limit_seconds * bench.rules.limit_scale
    used_before = bench.usage.wall_seconds
    files = [os.memfd_create("stdin"), os.memfd_create("stdout")]
    try:
        _fill(files[0], stdin.encode())
        spec = {"kind": "stdin", "program": program, "guard": "none", "harness": task.payload.get("harness", "")}
        with start(bench, bench.server(program), spec, seconds, fds={0: files[0], 1: files[1]}) as claims:
            frame = claims.next()
        if recorded_as:
            bench.usage.record(recorded_as, min(bench.usage.wall_seconds - used_before, seconds), limit_seconds)
        if isinstance(frame, Raised):
            return "", frame.reason
        if not isinstance(frame, Ended) or frame.reason:
            return "", frame.reason if isinstance(frame, Ended) else "tamper"
        printed = os.pread(files[1], _MAX_OUTPUT_BYTES + 1, 0)
        return ("", "output_limit") if len(printed) > _MAX_OUTPUT_BYTES else (printed.decode(errors="replace"), "")
    finally:
        for fd in files:
            os.close(fd)


def _fill(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
    os.lseek(fd, 0, os.SEEK_SET)


def why_text_differs(printed: str, expected: str, *, is_strict: bool = False) -> str:
    """Line by line after stripping; a line matches as text, or token by token as decimal numbers. Empty: it matches.

    ``exception``: a token that is a signalling NaN cannot be compared; upstream records that as a runtime error.
    """
    printed, expected = printed.strip(), expected.strip()
    if printed == expected:
        return ""  # a test may have a hundred thousand lines
    # counted first: a program may print millions of lines
    if printed.count("\n") != expected.count("\n"):
        return "wrong_answer"
    ours, theirs = ([line.strip() for line in text.split("\n")] for text in (printed, expected))
    try:
        is_same = all(_same_line(a, b, is_strict) for a, b in zip(ours, theirs, strict=True))
    except InvalidOperation:
        return "wrong_answer" if is_strict else "exception"
    return "" if is_same else "wrong_answer"


def _same_line(ours: str, theirs: str, is_strict: bool) -> bool:
    if ours == theirs:
        return True
    wanted = theirs.split()
    # no further than needed: a program may print millions of numbers
    given = ours.split(None, len(wanted))
    if len(given) != len(wanted):
        return False
    numbers = _decimals(given)
    # a signalling NaN is a number that refuses to be compared: InvalidOperation
    return (is_strict and given == wanted) or (numbers is not None and numbers == _decimals(wanted))


def _decimals(tokens: Sequence[str]) -> list[Decimal] | None:
    try:
        return [Decimal(token) for token in tokens]
    except InvalidOperation:
        return None
