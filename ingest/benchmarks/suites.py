"""What an opt-in suite declares: where its programs run, how, and what of it the judge counts by itself.

Theory of operation. In a suite the test program runs in the process of the program that it tests, so a pass can be
forged (trust tier ``suite``). What a benchmark's file hands over is data alone: an ``Environment`` (an interpreter or
toolchain beside ours, what it needs, what is shown of it) and per task a payload made by ``warm`` or ``steps``. The
judge's side knows by number and name which tests must have run, and believes no exit status.

Two runners:

``warm``   A server in the environment's own interpreter, its libraries imported before the first fork; one process per
           sample, in a PID namespace of its own. Program and test run in it (style ``unittest``: classes of TestCase;
           style ``calls``: named expressions over the test's own functions).
``steps``  Files written to a fresh scratch, then commands one after the other (compile, run), each with a limit. The
           process that starts them and reads their output is not the sample's, and cannot be reached by it.

Slots in texts: ``PROGRAM`` stands for the program that is judged, ``NONCE`` for 32 hexadecimal digits that are drawn
anew for each run, after the program was written.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadInput

PROGRAM = "{{BENCHFORGE_PROGRAM}}"
NONCE = "{{BENCHFORGE_NONCE}}"
UNITTEST, CALLS = "unittest", "calls"
STUB = "pass\n"
"""A Python program that does nothing: no test may pass it."""
WARM, STEPS = "warm", "steps"
TAMPER, RISK = "tamper", "tamper_risk"
"""Levels of a flag: refused under both verdicts, or counted officially and not strictly."""


@dataclass(frozen=True)
class Requirement:
    """A library or a tool that an environment needs, and the command that installs it.

    ``probe`` is run inside the sandbox of the environment and must exit with 0; where it is empty, ``name`` is a module
    that the environment's interpreter must import. ``version``: text that the probe's output (or the module's
    distribution) must hold; empty: any.
    """

    name: str
    install: str
    probe: tuple[str, ...] = ()
    version: str = ""
    is_optional: bool = False
    """Missing, it is named and closes no gate: the tasks that need it are errata with that reason."""


@dataclass(frozen=True)
class Limits:
    """Walls of one sample. ``memory_bytes`` is RLIMIT_AS as the official harness sets it (None: it sets none, or the
    runtime reserves more than it uses: Java, Node); what all processes of a sample really hold together may never be
    more than ``resident_bytes``, their files together never more than ``scratch_bytes``."""

    memory_bytes: int | None = None
    resident_bytes: int = 4 << 30
    scratch_bytes: int = 512 << 20
    file_bytes: int = 256 << 20
    stack_bytes: int | None = 8 << 20
    num_tasks: int = 256
    """Processes and threads."""
    num_files: int = 1024
    output_bytes: int = 1 << 20
    """Of one step's output that is kept (its end); a step that writes 64 times as much is ended."""


@dataclass(frozen=True)
class Pattern:
    """A lexical sign of tampering for languages that are not parsed: a name, its level, a regular expression (re)."""

    name: str
    level: str
    expression: str


@dataclass(frozen=True)
class Environment:
    """Where programs of a suite run. ``name`` is unique over all benchmarks.

    ``runner`` ``warm``: ``python`` (relative to the folder where the environment lies, or absolute) is the interpreter,
    ``preload`` the modules imported before the first fork (one that is missing is left out and named by readiness).
    ``runner`` ``steps``: commands are looked up in ``path``; a folder of the environment (npm packages) comes first.

    ``binds``: further paths of the machine, shown read-only at their own place (missing ones are left out); ``/usr``,
    ``/lib*``, ``/bin`` and ``/etc/alternatives`` always are.
    """

    name: str
    runner: str
    install: str
    """The command that makes it where it lies in a folder; what readiness says first when that is missing."""
    requirements: tuple[Requirement, ...] = ()
    needs_folder: bool = True
    """Whether it lies in a folder of its own (a venv, node_modules); False: packages of the system alone."""
    python: str = "bin/python"
    preload: tuple[str, ...] = ()
    warm_up: str = ""
    """Python that the server runs once after ``preload`` (choose a backend, read a font cache); trusted."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """``{PLACE}`` in a value becomes the folder of the environment as the program sees it."""
    path: str = "/usr/local/bin:/usr/bin:/bin"
    binds: tuple[str, ...] = ()
    has_loopback: bool = False
    """Whether tests may connect to themselves over 127.0.0.1 (a network of the sample's own, with nothing else)."""
    limits: Limits = field(default_factory=Limits)
    patterns: tuple[Pattern, ...] = ()


@dataclass(frozen=True)
class Step:
    """One command of the runner ``steps``. ``argv[0]`` is looked up in the environment's path.

    ``failure``: the reason of a verdict when it exits with another status than 0 (``syntax`` for compilers)."""

    name: str
    argv: tuple[str, ...]
    seconds: float
    failure: str = "exception"
    stdin: str = ""
    removes: tuple[str, ...] = ()
    """Files that are taken away before it begins: the source of a program that is built and holds ``NONCE``."""


@dataclass(frozen=True)
class Rule:
    """When the last step counts as passed, exit status 0 being needed and never enough.

    ``last_line``: what must be the last line of its standard output that is not empty, exactly once in the output
    (holds ``NONCE``); empty: the suite has nothing to print after its tests, and passes only ``official``.
    ``missing``: the reason where the status is 0 and that line is missing. ``syntax``: texts that make a failure's
    reason ``syntax`` where they stand in its output; ``wrong``: the same for ``wrong_answer`` (what a failed assertion
    says).
    """

    last_line: str = NONCE
    missing: str = TAMPER
    syntax: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def steps(
    environment: Environment, files: Mapping[str, str], commands: Sequence[Step], rule: Rule,
    tests: Sequence[str] = (), stub: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Payload of a task that is compiled and run. ``files``: path below the scratch -> text with slots; ``tests``:
    names of what the program text tests, where they can be counted (their number is ``num_base_cases``); ``stub``: a
    program that does nothing and must not pass (empty: none is tried)."""
    _check(bool(commands), f"A task of {environment.name} has no commands.")
    _check(any(PROGRAM in text for text in files.values()), f"No file of {environment.name} holds the program.")
    return {
        "environment": environment.name,
        "runner": STEPS,
        "files": dict(files),
        "steps": [
            {"name": one.name, "argv": list(one.argv), "seconds": one.seconds, "failure": one.failure,
             "stdin": one.stdin, "removes": list(one.removes)} for one in commands
        ],
        "rule": {"last_line": rule.last_line, "missing": rule.missing, "syntax": list(rule.syntax),
                 "wrong": list(rule.wrong)},
        "tests": list(tests),
        "stub": stub,
    }  # fmt: skip


def warm_unittest(
    environment: Environment, test: str, seconds: float, *, program: str = PROGRAM, entry_point: str = ""
) -> dict[str, Any]:
    """Payload of a task that TestCase classes judge, in the module of the program.

    ``test``: source of the test program (trusted); ``program``: text with the slot (what stands before the sample);
    ``seconds``: of program and tests together. The tests are counted here, from the source. BadInput where there are
    none.
    """
    found = _tests_of(test)
    _check(bool(found), f"A test program of {environment.name} defines no test.")
    return {
        "environment": environment.name, "runner": WARM, "style": UNITTEST, "program": program, "test": test,
        "tests": list(found), "may_skip": [name for name, may_skip in found.items() if may_skip], "seconds": seconds,
        "entry_point": entry_point, "scanned": program, "stub": STUB,
    }  # fmt: skip


def warm_calls(
    environment: Environment,
    test: str,
    calls: Sequence[tuple[str, str]],
    seconds: float,
    *,
    canaries: Sequence[tuple[str, str]] = (),
    program: str = PROGRAM,
    scanned: str = "",
) -> dict[str, Any]:
    """Payload of a task whose test program defines functions that take the program's text.

    ``test`` is executed in a namespace of its own (trusted) in which ``PROGRAM_TEXT`` is the text; then each
    (name, expression) is evaluated there in order, and passes when it does not raise. ``canaries``: expressions that
    must raise, in the same namespace, after the tests: one that does not shows that something was patched.
    ``scanned``: what is looked at for signs of tampering, with the slot, where the program alone does not parse.
    """
    _check(bool(calls), f"A task of {environment.name} makes no call.")
    return {
        "environment": environment.name, "runner": WARM, "style": CALLS, "program": program, "test": test,
        "tests": [name for name, _ in calls], "calls": [list(one) for one in calls],
        "canaries": [list(one) for one in canaries], "seconds": seconds, "entry_point": "",
        "scanned": scanned or program, "stub": STUB,
    }  # fmt: skip


def unittest_names(test: str) -> list[str]:
    """``Class.method`` of every test that unittest's loader would find in a (trusted) source, in its order.

    Classes whose bases are TestCase by name, or another class of the same source that is one. BadInput for no Python.
    """
    return list(_tests_of(test))


def _tests_of(test: str) -> dict[str, bool]:
    """Each test, and whether its own source may skip it or expects it to fail."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # dozens of problems have a backslash too many in a text
            classes = [node for node in ast.parse(test).body if isinstance(node, ast.ClassDef)]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadInput("A test program is not Python.") from error
    cases: dict[str, dict[str, bool]] = {}
    for node in classes:
        bases = [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases]
        inherited = {name: may_skip for base in bases for name, may_skip in cases.get(base, {}).items()}
        if any(base in cases or base.endswith("TestCase") for base in bases):
            cases[node.name] = dict(sorted({**inherited, **_methods(node)}.items()))
    return {f"{name}.{method}": may_skip for name, found in cases.items() for method, may_skip in found.items()}


def _methods(node: ast.ClassDef) -> dict[str, bool]:
    is_skipped = any(_says_skip(one) for one in node.decorator_list)
    functions = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {one.name: is_skipped or _says_skip(one) for one in functions if one.name.startswith("test")}


def _says_skip(node: ast.AST) -> bool:
    names = {getattr(item, "attr", getattr(item, "id", "")) for item in ast.walk(node)}
    return any(str(name).lower().startswith(("skip", "expectedfailure")) for name in names)


def _check(is_so: bool, complaint: str) -> None:
    if not is_so:
        raise BadInput(complaint)
