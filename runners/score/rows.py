"""Rows that carry task and solution inline: one line of JSON -> a task and the program to grade.

The task part is trusted by contract, as a staged problem file is: its reference is run in the sandbox, its test (target
``humaneval``) in a grading process. It is checked for shape all the same, so that a slip in one row is a sentence
about that row. The solution is hostile: it is only ever a string here.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...ingest.benchmarks import cruxeval, evalplus_tasks, humaneval, livecodebench
from ...ingest.benchmarks.declaration import Task
from ...ingest.errors import BadInput
from .sandbox.inside import codec

MAX_PROGRAM_CHARACTERS = 64 << 20
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One program of one task. ``key`` is equal for rows that carry the same task."""

    target: str
    task: Task
    program: str

    @property
    def key(self) -> str:
        return f"{self.target}:{self.task.task_digest}"


@dataclass(frozen=True)
class _Target:
    """What the task of a row holds (name -> type), and the benchmark's own builder of it."""

    fields: Mapping[str, type]
    build: Callable[[Fields], Task]
    name_field: str = "task_id"


_EVALPLUS = {
    "prompt": str, "entry_point": str, "canonical_solution": str, "base_input": list, "plus_input": list, "atol": float,
}  # fmt: skip
_HUMANEVAL = {"prompt": str, "entry_point": str, "test": str}
_CRUXEVAL = {"code": str, "input": str, "output": str}
_LIVECODEBENCH = {"input_output": str}
TARGETS: Mapping[str, _Target] = {
    "humanevalplus": _Target(_EVALPLUS, lambda fields: evalplus_tasks.task_of("humanevalplus", "default", fields)),
    "mbppplus": _Target(_EVALPLUS, lambda fields: evalplus_tasks.task_of("mbppplus", "default", fields)),
    "humaneval": _Target(_HUMANEVAL, lambda fields: humaneval.task_of("default", {"canonical_solution": "", **fields})),
    "cruxeval_o": _Target(_CRUXEVAL, lambda fields: cruxeval.task_of("cruxeval_o", fields), "id"),
    "cruxeval_i": _Target(_CRUXEVAL, lambda fields: cruxeval.task_of("cruxeval_i", fields), "id"),
    "livecodebench_stdin": _Target(_LIVECODEBENCH, lambda fields: _contest(fields, "stdin"), "question_id"),
    "livecodebench_functional": _Target(_LIVECODEBENCH, lambda fields: _contest(fields, "calls"), "question_id"),
}
"""Target of a row -> how its task is read."""


@contextlib.contextmanager
def long_integers() -> Iterator[None]:
    """Integers of as many digits as upstream reads; the interpreter's own limit is 4,300."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(livecodebench.MAX_INT_DIGITS)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


def parsed(line: bytes) -> dict[str, Any]:
    """The object in one line. Lone surrogates, NUL and NaN are let through; raises BadInput."""
    try:
        record = json.loads(line.decode("utf-8", "surrogatepass").removeprefix("\ufeff"))
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadInput(f"The line is not JSON that can be read: {_brief(error)}.") from error
    if type(record) is not dict:
        raise BadInput("The line is not a JSON object.")
    return record


def name_of(record: Fields) -> str | int | None:
    """The row's own name where it has one that can be repeated."""
    name = record.get("id")
    return name if type(name) in (str, int) else None


def row_of(record: Fields) -> Row:
    """The row as something to grade; raises BadInput, one sentence about what is wrong with it."""
    if name_of(record) is None:
        raise BadInput("The row has no id (a text or a whole number).")
    name = record.get("target")
    target = TARGETS.get(name) if type(name) is str else None
    if target is None:
        raise BadInput(f"The target {_shown(name)} is none of {', '.join(TARGETS)}.")
    return Row(str(name), _task(target, record), _program(record))


def _task(target: _Target, record: Fields) -> Task:
    fields = record.get("task")
    if type(fields) is not dict:
        raise BadInput("The row has no task object.")
    for name, kind in target.fields.items():
        _require(fields, name, kind)
    named = {target.name_field: str(fields.get(target.name_field, record["id"]))}
    try:
        task = target.build({**fields, **named})
        _check(task)
    except (KeyError, IndexError, TypeError, ValueError, RecursionError, MemoryError) as error:
        raise BadInput(f"The task cannot be read: {_brief(error)}.") from error
    return task


def _require(fields: Fields, name: str, kind: type) -> None:
    if name not in fields:
        raise BadInput(f"The task lacks {name}.")
    value = fields[name]
    is_right = type(value) is kind or (kind is float and type(value) is int)
    if not is_right or (kind is float and not 0 <= value <= sys.float_info.max):
        raise BadInput(f"The task's {name} is {_shown(value)}, not {_KINDS[kind]}.")


_KINDS = {str: "a text", list: "a list", float: "a number from 0 on"}


def _check(task: Task) -> None:
    """What every task must hold before a program can pass it; also reckons the digest, which fails on odd values."""
    payload = task.payload
    _ = task.task_digest
    if "entry_point" in payload and not payload["entry_point"].isidentifier():
        raise BadInput(f"The entry point {_shown(payload['entry_point'])} is no name.")
    cases = payload.get("cases", payload.get("base_inputs"))
    if cases is not None and not cases:
        raise BadInput("The task has no base case, so that every program would pass it.")
    if any(type(given) is not list for part in ("base_inputs", "plus_inputs") for given in payload.get(part) or ()):
        raise BadInput("An input of the task is not a list of arguments.")
    for case in payload.get("cases", ()):
        (case["stdin"] + case["stdout"]).encode()


def _contest(fields: Fields, kind: str) -> Task:
    task = livecodebench.task_of(fields)
    if task.kind != kind:
        raise BadInput(f"The task's fn_name does not go with its target: this is a task of kind {task.kind}.")
    for case, value in enumerate(task.payload.get("expected", {}).get("base", ())):
        if '"!":"?"' in codec.encode(value):
            raise BadInput(f"The output of test {case} is nested too deeply to be judged.")
    return task


def _program(record: Fields) -> str:
    if "solution_recipe" in record:
        return _from_recipe(record["solution_recipe"])
    program = record.get("solution")
    if type(program) is not str:
        raise BadInput("The row has neither a solution (a text) nor a solution_recipe.")
    _limit(len(program))
    return program


def _from_recipe(recipe: Any) -> str:
    names = ("prefix", "repeat", "suffix")
    if type(recipe) is not dict or any(type(recipe.get(name)) is not str for name in names):
        raise BadInput("The solution_recipe lacks one of the texts prefix, repeat, suffix.")
    prefix, repeat, suffix = (recipe[name] for name in names)
    times = recipe.get("times")
    if type(times) is not int or times < 0:
        raise BadInput(f"The recipe's times is {_shown(times)}, not a whole number from 0 on.")
    _limit(len(prefix) + len(repeat) * times + len(suffix))
    return prefix + repeat * times + suffix


def _limit(num_characters: int) -> None:
    if num_characters > MAX_PROGRAM_CHARACTERS:
        raise BadInput(f"The solution is longer than {MAX_PROGRAM_CHARACTERS} characters.")


def _shown(value: Any) -> str:
    """A value in a sentence: short, printable, whatever it is."""
    if type(value) in (list, dict):
        return f"a {type(value).__name__}"
    if type(value) is int and value.bit_length() > 200:
        return "an integer of many digits"
    return ascii(value)[:60]


def _brief(error: BaseException) -> str:
    """What went wrong without the text it went wrong on."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    if isinstance(error, KeyError):
        return f"{_shown(error.args[0] if error.args else '')} is missing"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if "integer string conversion" in str(error):
        return f"it holds an integer of more than {livecodebench.MAX_INT_DIGITS} digits"
    if isinstance(error, UnicodeError):
        return "it is not UTF-8 text, or holds text that cannot be written as UTF-8"
    sentence = " ".join(str(error).split(";")[0].split())
    return f"{type(error).__name__}: {sentence.encode('ascii', 'backslashreplace').decode()[:100]}"
