"""Kind ``expression`` (CRUXEval): the value of a call, or arguments that give a value.

Theory of operation. The text is hostile and is parsed in the sandbox only. No child holds both the text and what would
answer it: the output's child has no ``f`` and no input, the input's child no output. The expected value is a literal of
the dataset and stays here.

Official: ``assert OUTPUT == <text>`` after the problem's code, dropped when an output answer repeats ``f(<input>)``
or an input answer has no ``f(`` (facebookresearch/cruxeval@190faf1 ``evaluation/utils_general.py``). Joined as text,
``0 or True`` passes. Here the text must be one expression (output) or one call of ``f`` (input), evaluated apart: the
output's in a child that has neither ``f`` nor the input; the input's arguments in one child, and ``f`` on them in a
fresh one.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from ....ingest import errors
from ....ingest.benchmarks.declaration import Task
from . import decode, oracles
from .execution import Answer, Bench, Ended, Raised, start
from .outcome import Outcome, PartOutcome, failed, passed


def grade(bench: Bench, task: Task, program: str, names: Sequence[str]) -> dict[str, Outcome]:
    """One case. The oracles differ only for output answers that bind looser than ``==`` (see ``_judged``)."""
    _check_code(task)
    expected = _literal(task)
    found = _output(bench, task, program) if task.payload["direction"] == "output" else _input(bench, task, program)
    return {name: Outcome(_judged(name, found, expected), None) for name in names}


def _literal(task: Task) -> Any:
    try:
        return ast.literal_eval(task.payload["output"])
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise errors.BadInput(f"The expected output of task {task.task_id} is not a literal.") from error


def _check_code(task: Task) -> None:
    """Raises BadInput for a problem that no answer could be right for."""
    code = task.payload["code"]
    if not code.strip():
        raise errors.BadInput(f"The code of task {task.task_id} is empty.")
    names = _names_of(code)
    if names is None:
        raise errors.BadInput(f"The code of task {task.task_id} is not Python.")
    if task.payload["direction"] == "input" and "f" not in names:
        raise errors.BadInput(f"The code of task {task.task_id} does not define f.")


@functools.lru_cache(maxsize=16)
def _names_of(code: str) -> frozenset[str] | None:
    """Every name that a statement of the code may bind, at whatever depth; None for what is not Python."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imported = {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    return frozenset(defined | assigned | imported)


class _Found:
    """What the children claim: a value (and whether its text is loose), or why there is none."""

    def __init__(self, reason: str = "", value: Any = None, *, is_loose: bool = False) -> None:
        self.reason = reason
        self.value = value
        self.is_loose = is_loose


def _judged(name: str, found: _Found, expected: Any) -> PartOutcome:
    if found.reason:
        return failed(found.reason, 0, 0, "timeout" if found.reason == "timeout" else "fail")
    if found.is_loose and name == oracles.OFFICIAL:
        # upstream's statement would read `1, 2` or `a or b` after `==` as something else than this value
        return failed("not_one_expression", 0, 0)
    try:
        is_right = bool(found.value == expected)
    except (TypeError, ValueError, ArithmeticError, RecursionError, MemoryError):
        is_right = False
    return passed(1) if is_right else failed(oracles.why_wrong(found.value), 0, 0)


def _output(bench: Bench, task: Task, program: str) -> _Found:
    frame = _evaluate(bench, task, program, "value")
    if not isinstance(frame, Answer):
        return _Found(frame.reason or "killed")
    pair = _pair(frame.tree)
    if pair is None or type(pair[0]) is not bool:
        return _Found("tamper")
    try:
        return _Found(value=decode.value(pair[1]), is_loose=pair[0])
    except (decode.Malformed, RecursionError, MemoryError):
        return _Found("tamper")


def _input(bench: Bench, task: Task, program: str) -> _Found:
    frame = _evaluate(bench, task, program, "arguments")
    if not isinstance(frame, Answer):
        return _Found(frame.reason or "killed")
    given = _plain_arguments(frame.tree)
    if given is None:
        return _found(_evaluate(bench, task, program, "restricted"))
    seconds = _seconds(bench, task)
    spec = {
        "kind": "apply", "program": task.payload["code"], "entry_point": "f", "guard": "humaneval",
        "arguments": given[0], "keywords": given[1], "case_limits": [seconds],
    }  # fmt: skip
    return _found(_first(bench, task, spec))


def _found(frame: Answer | Raised | Ended) -> _Found:
    if not isinstance(frame, Answer):
        return _Found(frame.reason or "killed")
    try:
        return _Found(value=decode.value(frame.tree))
    except (decode.Malformed, RecursionError, MemoryError):
        return _Found("tamper")


def _plain_arguments(tree: Any) -> tuple[list[Any], dict[str, Any]] | None:
    """Arguments as builtin values, or None where they are something else (a lambda, a range)."""
    try:
        if decode.has_opaque(tree):
            return None
        arguments, keywords = decode.value(tree)
        is_named = type(keywords) is dict and all(type(name) is str for name in keywords)
        is_plain = type(arguments) is list and is_named and decode.is_plain(arguments) and decode.is_plain(keywords)
    except (decode.Malformed, RecursionError, MemoryError, TypeError, ValueError):
        return None
    return (arguments, keywords) if is_plain else None


def _evaluate(bench: Bench, task: Task, program: str, step: str) -> Answer | Raised | Ended:
    # what is given to a child can be found in its memory: an output is predicted without f
    code = _imports_of(task.payload["code"]) if step == "value" else task.payload["code"]
    spec = {
        "kind": "expression", "step": step, "program": program, "code": code, "guard": "humaneval",
        "case_limits": [_seconds(bench, task)],
    }  # fmt: skip
    return _first(bench, task, spec)


def _imports_of(code: str) -> str:
    """The import statements of the problem's own code."""
    imports = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(map(ast.unparse, imports))


def _first(bench: Bench, task: Task, spec: Mapping[str, Any]) -> Answer | Raised | Ended:
    connection = bench.server(spec["program"], task.payload["code"])
    with start(bench, connection, spec, _seconds(bench, task) + bench.rules.part_grace_seconds) as claims:
        frame = claims.next()
        if not isinstance(frame, Answer):
            return frame
        bench.usage.record("base", frame.seconds, _seconds(bench, task) / bench.rules.limit_scale)
        ended = claims.next()
        is_complete = isinstance(ended, Ended) and not ended.reason and ended.num_cases == 1 and frame.case == 0
        return frame if is_complete else Ended("tamper")


def _seconds(bench: Bench, task: Task) -> float:
    own = task.payload.get("limit_seconds")
    return (bench.rules.expression_seconds if own is None else own) * bench.rules.limit_scale


def _pair(tree: Any) -> tuple[Any, Any] | None:
    """Both halves of a tagged two-tuple."""
    items = tree.get("v") if type(tree) is dict and tree.get("!") == "t" else None
    return (items[0], items[1]) if type(items) is list and len(items) == 2 else None
