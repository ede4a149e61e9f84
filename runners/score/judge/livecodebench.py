"""LiveCodeBench code generation, both forms of task (``stdin``, ``calls``) and both verdicts.

Theory of operation. ``official``: one child runs every test in order, with the transforms and mocks of the pinned
harness (``sandbox.inside.livecodebench``), and claims text or values; the answers stay here and are compared here.
``strict``: for values, the same child read by another oracle; for text, the program as it is on real descriptors, one
child per case (``stdin``), its threads awaited. Where the child says that real descriptors would have changed nothing
(``sandbox.inside.plain``), its text is read by both oracles, and only the cases after that are run again: such a word
is not believed for a verdict, because what was printed is compared here either way.

Official verdicts keep the code that LiveCodeBench/LiveCodeBench@28fef95 records (``upstream_code``):

=====  ==========================================  ========================================================
code   there                                       here (verdict, reason)
=====  ==========================================  ========================================================
True   every test passed                           pass, ok
-2     wrong answer                                fail, wrong_answer or opaque_type
-3     a test ran over 6 s                         timeout, timeout
-4     an exception, in a test or while loading    fail, exception, memory, syntax or empty; a program that
                                                   loads for over 6 s: fail, timeout
-5     no result: the global limit, a crash, or    timeout, killed (global limit); fail, killed (it ended);
       an exception that is no ``Exception``       fail, tamper or output_limit (ours alone)
=====  ==========================================  ========================================================

Upstream means -1 for the global limit, but loses it to an IndexError and records -5.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ....ingest.benchmarks.declaration import Task
from ..sandbox.connection import Connection
from ..sandbox.inside.header import GUARD
from . import decode, oracles, stdin
from .execution import Answer, Bench, Raised, start
from .livecodebench_answers import official_text, official_value, strict_text, strict_value
from .outcome import Outcome, PartOutcome, failed, passed

HARNESS = GUARD
Compare = Callable[[Any, Any], str]
"""(answer, expected) -> reason, empty where right."""


def grade(bench: Bench, task: Task, program: str, names: Sequence[str]) -> dict[str, Outcome]:
    """Every test is in the base part; LiveCodeBench has no plus."""
    if task.kind == "calls":
        parts = _calls(bench, task, program, names)
        return {name: Outcome(part, None) for name, part in parts.items()}
    if oracles.OFFICIAL not in names:
        return stdin.grade(bench, task, program, names)
    panel = _stdin_panel(bench, task, program, names)
    outcomes = {name: Outcome(part, None) for name, part in panel.outcomes.items()}
    if rest := [name for name in names if name not in outcomes]:
        outcomes |= stdin.grade(bench, task, program, rest, is_recorded=False, first=panel.num_shared)
    return outcomes


def is_complete(task: Task) -> bool:
    """Whether a task brings its tests along, as rows with tasks inline do."""
    return "cases" in task.payload or "base_inputs" in task.payload


def upstream_code(part: PartOutcome) -> int | bool:
    """The code that the pinned harness gives a sample with this official outcome."""
    if part.verdict == "pass":
        return True
    if part.reason in ("wrong_answer", "opaque_type"):
        return -2
    if part.reason == "timeout":
        return -3 if part.verdict == "timeout" else -4
    return -5 if part.reason in ("killed", "tamper", "output_limit") else -4


def _stdin_panel(bench: Bench, task: Task, program: str, names: Sequence[str]) -> _SharedPanel:
    """The official outcome, and the strict one as far as both roads are one."""
    cases = task.payload["cases"]
    compare: dict[str, Compare] = {oracles.OFFICIAL: official_text, oracles.STRICT: strict_text}
    panel = _SharedPanel([case["stdout"] for case in cases], _text, {name: compare[name] for name in names})
    spec = {"kind": "livecodebench_stdin", "entry_point": "", "is_shared": len(names) > 1}
    _run(bench, task, program, [case["stdin"] for case in cases], spec, panel)
    return panel


def _calls(bench: Bench, task: Task, program: str, names: Sequence[str]) -> Mapping[str, PartOutcome]:
    compare: dict[str, Compare] = {oracles.OFFICIAL: official_value, oracles.STRICT: strict_value}
    panel = _Panel(task.payload["expected"]["base"], decode.value, {name: compare[name] for name in names})
    spec = {"kind": "livecodebench_calls", "entry_point": task.payload["entry_point"]}
    _run(bench, task, program, task.payload["base_inputs"], spec, panel)
    return panel.outcomes


def _text(tree: Any) -> str:
    if type(tree) is not str:
        raise decode.Malformed("text expected")
    return tree


class _Panel:
    """Each oracle on its way through the cases: still passing, or decided at its first failure."""

    def __init__(self, expected: Sequence[Any], read: Callable[[Any], Any], compare: Mapping[str, Compare]) -> None:
        self._expected, self._read, self._compare = expected, read, dict(compare)
        self._num_seen = 0
        self.outcomes: dict[str, PartOutcome] = {}

    @property
    def is_decided(self) -> bool:
        return len(self.outcomes) == len(self._compare)

    def see(self, answer: Answer) -> None:
        """Compare one answer; a case out of place or a tree that makes no sense is tampering."""
        case = self._num_seen
        try:
            if answer.case != case or case >= len(self._expected):
                raise decode.Malformed("case")
            value = self._read(answer.tree)
        except (decode.Malformed, RecursionError, MemoryError):
            self._decide("tamper")
            return
        self._num_seen += 1
        for name in self._open():
            if reason := self._compare[name](value, self._expected[case]):
                self.outcomes[name] = failed(reason, case, case)

    def stop(self, raised: Raised) -> None:
        """An exception: in the case that was due, or (case -1) while the program loaded."""
        if raised.case not in (-1, self._num_seen):
            self._decide("tamper")
            return
        verdict = "timeout" if raised.reason == "timeout" and raised.case >= 0 else "fail"
        case = raised.case if raised.case >= 0 else None
        for name in self._open():
            self.outcomes[name] = failed(raised.reason, case, self._num_seen, verdict)

    def end(self, reason: str) -> None:
        """Nothing more comes. ``reason`` is empty after a complete report."""
        if not reason and self._num_seen == len(self._expected):
            self.outcomes |= dict.fromkeys(self._open(), passed(self._num_seen))
        elif reason == "timeout":
            self._decide("killed", "timeout")
        else:
            self._decide(reason or "tamper")

    def _decide(self, reason: str, verdict: str = "fail") -> None:
        case = self._num_seen if self._num_seen < len(self._expected) else None
        for name in self._open():
            self.outcomes[name] = failed(reason, case, self._num_seen, verdict)

    def _open(self) -> list[str]:
        return [name for name in self._compare if name not in self.outcomes]


class _SharedPanel(_Panel):
    """The strict oracle listens as long as the child says that real descriptors would have changed nothing."""

    num_shared = 0
    """Cases that the strict oracle has passed when the roads part."""

    def see(self, answer: Answer) -> None:
        if not answer.is_plain:
            self._part_ways()
        super().see(answer)

    def stop(self, raised: Raised) -> None:
        """A loop is one on both roads; an exception may come of a name that only a function lacks."""
        if not (raised.is_plain and raised.reason == "timeout"):
            self._part_ways()
        super().stop(raised)

    def end(self, reason: str) -> None:
        if reason:
            self._part_ways()
        super().end(reason)

    def _part_ways(self) -> None:
        if oracles.STRICT in self._open():
            del self._compare[oracles.STRICT]
            self.num_shared = self._num_seen


def _run(bench: Bench, task: Task, program: str, inputs: Sequence[Any], spec: Mapping[str, Any], panel: _Panel) -> None:
    case_seconds, seconds = bench.rules.livecodebench_limits(len(inputs), task.payload)
    limits = replace(bench.limits(seconds), stack_bytes=bench.rules.livecodebench_stack_bytes)
    full = {**spec, "program": program, "case_seconds": case_seconds, "limits": limits}
    connection = bench.server(program, guard=GUARD)
    unscaled_seconds = case_seconds / bench.rules.limit_scale
    with start(bench, connection, full, seconds, _register(connection, task, inputs)) as claims:
        for frame in claims:
            if isinstance(frame, Answer):
                bench.usage.record("base", frame.seconds, unscaled_seconds)
                panel.see(frame)
            elif isinstance(frame, Raised):
                panel.stop(frame)
            else:
                panel.end(frame.reason)
            if panel.is_decided:
                break


def _register(connection: Connection, task: Task, inputs: Sequence[Any]) -> str:
    """Hand the inputs to the server, once per task; they go without the expected outputs."""
    stored = task.payload.get("tests")
    # of tests that were read from a file the digest is known: they can be a hundred megabytes
    key = f"{stored.sha256 if stored else task.task_digest}:{HARNESS}"
    if not connection.is_registered(key):
        connection.register(key, pickle.dumps(inputs))
    return key
