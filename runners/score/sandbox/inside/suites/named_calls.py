"""Style ``calls``: expressions over the functions of a test program, which take the program's text."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from .evidence import Evidence
from .unittests import silence

TEXT = "PROGRAM_TEXT"
_now = time.perf_counter


def run(spec: Mapping[str, Any], say: Callable[..., None], evidence: Evidence, watches_returns: bool) -> int:
    """Execute the test, evaluate each expression once, then those that must raise; the number of expressions."""
    silence()
    names: dict[str, Any] = {"__name__": "__test__", TEXT: spec["program"]}
    try:
        exec(compile(spec["test"], "<test>", "exec", dont_inherit=True), names)
    except BaseException as error:
        say("load", "test", "exception", type(error).__name__[:60])
        return 0
    for name, expression in spec["calls"]:
        started = _now()
        say("test", name, _outcome(expression, names), round(_now() - started, 6))
        evidence.try_assertions()
    for name, expression in spec["canaries"]:
        if _outcome(expression, names) == "ok":
            evidence.add("tamper", f"canary passed: {name}")
    return len(spec["calls"])


def _outcome(expression: str, names: dict[str, Any]) -> str:
    try:
        eval(compile(expression, "<call>", "eval", dont_inherit=True), names)
    except AssertionError:
        return "fail"
    except SyntaxError:
        return "syntax"
    except MemoryError:
        return "memory"
    except BaseException:
        return "error"
    return "ok"
