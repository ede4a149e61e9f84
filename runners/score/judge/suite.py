"""Kind ``suite``: the test program runs in the sample's process; the judge counts what it can and believes the rest.

Theory of operation. What the keeper says (``sandbox.inside.suites.keeper``) is a fact: how each step ended, what was
printed, how long it took. What a warm test's process says is a claim, and is believed only whole: every test of the
judge's own list by name, each once, none more, the run's nonce at the end, no evidence of a patched comparer. The exit
status alone never counts.

Both verdicts are of the same run. Official: the tests passed and nothing that only a forger does was seen (reason
``tamper``). Strict: nothing was seen either that a forger may do and honest programs seldom do, unless the problem's
own reference does it too. What the environment fails at is a SandboxBroken, never a verdict.
"""

from __future__ import annotations

import base64
import functools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....ingest.benchmarks.declaration import Task
from ....ingest.benchmarks.suites import NONCE, PROGRAM, RISK, STEPS, TAMPER
from ..sandbox.connection import SandboxBroken
from ..sandbox.inside.suites import tamper
from ..sandbox.suite_box import Place
from . import decode, oracles, suite_claims
from .execution import Bench, Claims, start
from .outcome import Outcome, PartOutcome, failed

_STRETCH = 2.0
"""What the keeper gives a sample that waits for a processor (``sandbox.inside.suites.keeper``)."""
_SPARE_SECONDS = 90.0
"""For a look at the text, and for the keeper to end everything: past it the machine failed, not the sample."""
_FLAGS = "flags"


@dataclass(frozen=True)
class Seen:
    """One run. ``part`` leaves tampering out of account; ``flags``: (level, name) of what was seen."""

    part: PartOutcome
    flags: frozenset[tuple[str, str]]


def grade(bench: Bench, task: Task, program: str, names: Sequence[str]) -> dict[str, Outcome]:
    """Outcomes by oracle, of one run; SandboxBroken where the environment failed."""
    seen = run(bench, task, program)
    return {name: Outcome(judged(seen, is_strict=name == oracles.STRICT), None) for name in names}


def run(bench: Bench, task: Task, program: str) -> Seen:
    """One run of a program, and what was seen of it."""
    place = bench.places[task.payload["environment"]]
    connection = bench.suite(place)
    nonce = secrets.token_hex(16)
    spec, limits = _spec(task, place, program, nonce), _limits(bench, task)
    seconds = _STRETCH * sum(limits) + _SPARE_SECONDS
    with start(bench, connection, _with_limits(spec, limits), seconds) as claims:
        lines = lines_of(claims)
    part = _of_steps(bench, task, lines, nonce) if task.payload["runner"] == STEPS else None
    if part is not None:
        return Seen(part, _flags(task, lines))
    told = suite_claims.read(task, lines, nonce)
    for shown in told.case_seconds:
        bench.usage.case_seconds.append(shown)
    bench.usage.limit_shares["base"] = told.wall_seconds * bench.rules.limit_scale / limits[0]
    return Seen(told.part, _flags(task, lines) | told.evidence)


def judged(seen: Seen, *, is_strict: bool) -> PartOutcome:
    """A flag never makes a pass, and never hides another reason to fail."""
    levels = {level for level, _ in seen.flags}
    if TAMPER in levels or (is_strict and RISK in levels and seen.part.verdict == "pass"):
        return PartOutcome("fail", "tamper", None, seen.part.num_run, 0)
    return seen.part


def _limits(bench: Bench, task: Task) -> list[float]:
    payload = task.payload
    own = [step["seconds"] for step in payload["steps"]] if payload["runner"] == STEPS else [payload["seconds"]]
    return [seconds * bench.rules.limit_scale for seconds in own]


def _with_limits(spec: Mapping[str, Any], limits: Sequence[float]) -> dict[str, Any]:
    if "steps" not in spec:
        return {**spec, "seconds": limits[0]}
    steps = [{**step, "seconds": seconds} for step, seconds in zip(spec["steps"], limits, strict=True)]
    return {**spec, "steps": steps}


def _spec(task: Task, place: Place, program: str, nonce: str) -> dict[str, Any]:
    """What the keeper is told; see ``sandbox.inside.suites``."""
    payload, environment = task.payload, place.environment
    is_lexical = payload["runner"] == STEPS
    patterns = [[one.level, one.name, one.expression] for one in environment.patterns] if is_lexical else None
    shared = {
        "runner": payload["runner"], "limits": environment.limits, "variables": place.variables(), "nonce": nonce,
        "patterns": patterns, "is_scanned": not is_lexical or bool(patterns),
        "sample": _filled(payload.get("scanned") or PROGRAM, program, ""),
    }  # fmt: skip
    if is_lexical:
        files = {path: _filled(text, program, nonce) for path, text in payload["files"].items()}
        steps = [{**step, "stdin": _filled(step["stdin"], program, nonce)} for step in payload["steps"]]
        return {**shared, "files": files, "steps": steps}
    return {
        **shared, "style": payload["style"], "program": _filled(payload["program"], program, ""),
        "test": payload["test"], "tests": payload["tests"], "entry_point": payload["entry_point"],
        "calls": payload.get("calls", []), "canaries": payload.get("canaries", []),
    }  # fmt: skip


def _filled(text: str, program: str, nonce: str) -> str:
    """The nonce first: a program that holds the slot's name does not get what stands for it."""
    return text.replace(NONCE, nonce).replace(PROGRAM, program)


def lines_of(claims: Claims) -> list[list[Any]]:
    """What the keeper said between ready and end; SandboxBroken where it did not come to its end."""
    found: list[list[Any]] = []
    while waiting := claims.waiting_lines():  # to its end: what it used is reported when it is gone
        found += map(_parsed, waiting)
        claims.consume(len(waiting))
    if found and found[-1][0] == "broken":
        raise SandboxBroken(f"a suite's environment failed: {found[-1][1]}")
    if not found or found[-1][0] != "end":
        raise SandboxBroken(f"a suite's keeper did not come to its end ({claims.why_it_broke_off()})")
    return found[:-1]


def _parsed(line: bytes) -> list[Any]:
    try:
        message = decode.parse(line)
    except (decode.Malformed, RecursionError, MemoryError) as error:
        raise SandboxBroken("a suite's keeper made no sense") from error
    if type(message) is not list or not message:
        raise SandboxBroken("a suite's keeper made no sense")
    return message


def _flags(task: Task, lines: Sequence[Sequence[Any]]) -> frozenset[tuple[str, str]]:
    """Flags of the text, less those that the problem's own solution raises (trusted, so it may be looked at here)."""
    raised = {(str(level), str(name)) for line in lines if line[0] == _FLAGS for level, name in line[1]}
    raised = {flag for flag in raised if flag[0] in (TAMPER, RISK)}
    if not raised or task.payload["runner"] == STEPS:
        return frozenset(raised)
    return frozenset(raised - _flags_of_reference(task.payload.get("scanned") or PROGRAM, task.reference or ""))


@functools.lru_cache(maxsize=64)
def _flags_of_reference(template: str, reference: str) -> frozenset[tuple[str, str]]:
    found = tamper.flags_of(_filled(template, reference, ""))
    return frozenset((level, name) for level, name in found)


def _of_steps(bench: Bench, task: Task, lines: Sequence[Sequence[Any]], nonce: str) -> PartOutcome:
    ended = [(task.payload["steps"][line[1]], line[2]) for line in lines if line[0] == "step"]
    if not ended:
        raise SandboxBroken("no step of a suite's task was run")
    num_tests = task.num_base_cases or 1
    step, facts = ended[-1]
    bench.usage.case_seconds += [facts["wall_seconds"] for _, facts in ended]
    shares = [facts["wall_seconds"] / step["seconds"] for step, facts in ended]
    bench.usage.limit_shares["base"] = max(shares)
    reason = _why_failed(task.payload["rule"], step, facts)
    if not reason and len(ended) == len(task.payload["steps"]):
        reason = _why_not_passed(task.payload["rule"], facts, nonce)
        if not reason:
            return PartOutcome("pass", "ok", None, num_tests, num_tests)
    return failed(reason or "killed", None, 0, "timeout" if reason == "timeout" else "fail")


def _why_failed(rule: Mapping[str, Any], step: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """The reason of a step that did not end well, or nothing."""
    if facts["cause"]:
        return str(facts["cause"])
    if not facts["exit_code"] and not facts["signal"]:
        return ""
    if any(sign in text for text in _texts(facts) for sign in rule["syntax"]):
        return "syntax"
    if any(sign in text for text in _texts(facts) for sign in rule.get("wrong", ())):
        return "wrong_answer"
    return str(step["failure"])


def _why_not_passed(rule: Mapping[str, Any], facts: Mapping[str, Any], nonce: str) -> str:
    """Status 0: whether what must be printed after the tests is the last line, and stands there once."""
    if not rule["last_line"]:
        return ""
    wanted = rule["last_line"].replace(NONCE, nonce)
    printed = [line.strip() for line in _texts(facts)[0].splitlines() if line.strip()]
    return "" if printed[-1:] == [wanted] and printed.count(wanted) == 1 else str(rule["missing"])


def _texts(facts: Mapping[str, Any]) -> list[str]:
    return [base64.b64decode(text).decode("utf-8", "replace") for text in facts["outputs"]]


__all__ = ["Seen", "grade", "judged", "lines_of", "run"]
