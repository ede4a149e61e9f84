"""LiveCodeBench: contest problems by release, to be asked; recorded samples; one problem with tests, to be judged.

Releases grow: a problem of release 1 counts in every later test set (counts pinned in ``seeds/benchmarks.csv``; facts
of LiveCodeBench/LiveCodeBench@28fef95, ``README.md``). Other scenarios have a fixed set: 479 execution samples, 442 for
test generation, and repair over release 4. Asking is in ``livecodebench_prompts``, the problems of a release in
``livecodebench_problems``, their hidden tests in ``livecodebench_tests``: a task holds where they lie, and the judge
opens one problem's at a time (``with_tests``).
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..errors import BadInput, NotStaged
from . import livecodebench_execution, livecodebench_problems, livecodebench_prompts
from .declaration import Benchmark, Design, Extraction, Oracles, Task, Version
from .livecodebench_tests import opened
from .versions import licence_of, versions_of

NAME = "livecodebench"
MAX_INT_DIGITS = 50_000
"""Upstream's limit; the interpreter's own would refuse longer integers than 4,300 digits in a test."""


def _load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    if scenario == livecodebench_execution.SCENARIO:
        return livecodebench_execution.load(directory)
    return livecodebench_problems.load(directory, version, scenario)


def _stage_beside(paths: Iterable[Path], directories: Sequence[Path]) -> Mapping[Path, int]:
    """Hidden tests by release, and the problems of code execution where the files hold them."""
    found = list(paths)
    livecodebench_execution.stage(found, directories)
    return livecodebench_problems.stage_hidden(found, directories)


BENCHMARK = Benchmark(
    name=NAME,
    title="LiveCodeBench",
    kind="stdin",
    scenarios=("generation", "execution", "testgen", "repair"),
    test_sets={
        "generation": ("v1", "v2", "v3", "v4", "v5", "v6"),
        "execution": ("full",),
        "testgen": ("full",),
        "repair": ("v4",),
    },
    versions=livecodebench_problems.releases(versions_of(NAME)),
    extraction=Extraction(official="livecodebench_last_two_fences", corrected="livecodebench_corrected"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design(
        "clusters", "problems of one contest share authors, theme and day; execution samples share a problem"
    ),
    licence=licence_of(NAME),
    load=_load,
    assemble=livecodebench_problems.assemble,
    import_only=("testgen", "repair"),
    stage_hidden=_stage_beside,
    why_not_judged=livecodebench_problems.why_not_judged,
    protocols=tuple(livecodebench_prompts.protocols()),
    aliases={
        "lcb": "",
        "livecodebench_generation": "generation",
        "livecodebench_execution": "execution",
        "lcb_codegen": "generation",
    },
)


def with_tests(task: Task) -> Task:
    """The same task with its tests in the payload, for the judge. Raises NotStaged where none are staged, BadInput.

    The payload keeps ``tests``: their digest names what was opened.
    """
    stored = task.payload.get("tests")
    if stored is None:
        raise NotStaged(
            f"problem {task.task_id} of {NAME} has no tests on this machine",
            f"benchforge stage {NAME} --version RELEASE --from DIR, DIR with upstream's test*.jsonl",
        )
    tests = opened(stored)
    try:
        return replace(task, payload={**task.payload, **_payload(tests.inputs, tests.outputs, tests.fn_name)})
    except (ValueError, RecursionError) as error:
        raise BadInput(f"problem {task.task_id} has tests that cannot be read: {_about(error)}", "") from error


def _payload(inputs: Sequence[str], outputs: Sequence[str], fn_name: str | None) -> dict[str, Any]:
    return _stdin_payload(inputs, outputs) if fn_name is None else _calls_payload(inputs, outputs, fn_name)


def task_of(record: Mapping[str, Any], test_sets: Sequence[str] = ()) -> Task:
    """One code generation problem in the dataset's layout; raises BadInput for anything else.

    Tests are either ``input_output`` (JSON text with ``inputs``, ``outputs``, ``fn_name``, what upstream's
    ``get_evaluation_sample`` gives), or ``public_test_cases`` and ``private_test_cases``, decoded, with
    ``metadata.func_name``.
    """
    task_id = str(record.get("question_id"))
    try:
        inputs, outputs, name = _tests(record)
        kind = "stdin" if name is None else "calls"
        payload = _payload(inputs, outputs, name)
        day = record.get("contest_date")
        contest_date = None if day is None else datetime.date.fromisoformat(str(day)[:10])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadInput(
            f"LiveCodeBench problem {task_id} has no tests that can be read: {_about(error)}.", ""
        ) from error
    contest = record.get("contest_id")
    return Task(
        NAME,
        "generation",
        task_id,
        kind,
        str(record.get("question_content") or ""),
        {"harness": NAME, **payload},
        tuple(test_sets),
        task_id,
        num_base_cases=len(inputs),
        stratum=record.get("difficulty"),
        cluster=f"{record.get('platform', '')}/{contest}" if contest else None,
        contest_date=contest_date,
    )


def _about(error: Exception) -> str:
    """What is wrong with the record, in words about the record."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower()} at column {error.colno} of a test's JSON"
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, RecursionError):
        return "a test is nested too deeply"
    if isinstance(error, _Unreadable):
        return str(error)
    return "inputs, outputs or the date are not of the right type"


class _Unreadable(ValueError):
    """Of our own wording."""


def _tests(record: Mapping[str, Any]) -> tuple[list[str], list[str], str | None]:
    """Inputs and outputs in upstream's order (public tests first), and the method's name or None."""
    if "input_output" in record:
        given = json.loads(record["input_output"])
        inputs, outputs, name = list(given["inputs"]), list(given["outputs"]), given.get("fn_name")
    else:
        tests = [*record["public_test_cases"], *record["private_test_cases"]]
        inputs, outputs = [test["input"] for test in tests], [test["output"] for test in tests]
        name = (record.get("metadata") or {}).get("func_name")
    if len(inputs) != len(outputs) or not inputs:
        raise _Unreadable(f"there are {len(inputs)} inputs and {len(outputs)} outputs")
    if not all(isinstance(text, str) for text in (*inputs, *outputs, name or "")):
        raise _Unreadable("inputs, outputs and the name of the method must be texts")
    return inputs, outputs, name


def _stdin_payload(inputs: Sequence[str], outputs: Sequence[str]) -> dict[str, Any]:
    return {"cases": [{"stdin": given, "stdout": wanted} for given, wanted in zip(inputs, outputs, strict=True)]}


def _calls_payload(inputs: Sequence[str], outputs: Sequence[str], name: str) -> dict[str, Any]:
    """One JSON value per line and argument."""
    return {
        "entry_point": name,
        "base_inputs": [[_value(line) for line in text.split("\n")] for text in inputs],
        "expected": {"base": [_value(text) for text in outputs]},
    }


def _value(text: str) -> Any:
    is_long = _LONG_NUMBER.search(text)  # without one json's own reader will do, which is three times as fast
    return json.loads(text, parse_int=_whole_number) if is_long else json.loads(text)


_FEW_DIGITS = 4000
_LONG_NUMBER = re.compile(rf"\d{{{_FEW_DIGITS}}}")


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_INT_DIGITS:
        raise _Unreadable(f"an integer has {len(digits)} digits, more than {MAX_INT_DIGITS}")
    return int(digits) if len(digits) < _FEW_DIGITS else int(Decimal(digits))
