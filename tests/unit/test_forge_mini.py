"""forge_mini: every reference passes its own tests, every wrong answer is wrong in the way its name says."""

from __future__ import annotations

import ast
import contextlib
import copy
import gzip
import io
import json
import math
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import forge_mini
from benchforge.ingest.benchmarks.versions import seed_rows
from benchforge.ingest.errors import BadInput
from benchforge.runners.generate import bundled

BENCHMARK = forge_mini.BENCHMARK
TASKS = {task.task_id: task for task in forge_mini.load(Path(), BENCHMARK.version(), "default")}
ATTEMPTS = [json.loads(line) for line in (forge_mini.DIRECTORY / "attempts.jsonl").read_text().splitlines()]
DISTINCT_MODELS = 10


def passes(task: Any, program: str) -> list[bool]:
    """[base] or [base, plus]. Only for programs of this repository: nothing is sandboxed here."""
    return {"calls": _calls, "check": _check, "stdin": _stdin, "expression": _expression}[task.kind](task, program)


def _calls(task: Any, program: str) -> list[bool]:
    return [
        all(_same_call(task, program, case) for case in task.payload[f"{part}_inputs"]) for part in ("base", "plus")
    ]


def _same_call(task: Any, program: str, arguments: list[Any]) -> bool:
    results = []
    for source in (task.payload["reference"], program):
        space: dict[str, Any] = {}
        try:
            exec(source, space)
            results.append(space[task.payload["entry_point"]](*copy.deepcopy(arguments)))
        except Exception as error:
            results.append(error)
    expected, got = results
    assert not isinstance(expected, Exception), f"the reference of {task.task_id} raises {expected!r}"
    return type(got) is type(expected) and _close(expected, got, task.payload["atol"])


def _close(expected: Any, got: Any, atol: float) -> bool:
    if isinstance(expected, list) and atol:
        return len(expected) == len(got) and all(_close(a, b, atol) for a, b in zip(expected, got, strict=True))
    return math.isclose(expected, got, abs_tol=atol) if atol and expected is not None else expected == got


def _check(task: Any, program: str) -> list[bool]:
    space: dict[str, Any] = {}
    exec(program, space)
    judge: dict[str, Any] = {}
    exec(task.payload["test"], judge)
    with contextlib.suppress(Exception):
        judge["check"](space[task.payload["entry_point"]])
        return [True]
    return [False]


def _stdin(task: Any, program: str) -> list[bool]:
    return [all(_prints(program, case) for case in task.payload[part]) for part in ("cases", "plus_cases")]


def _prints(program: str, case: dict[str, str]) -> bool:
    printed, before = io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(case["stdin"])
    try:
        with contextlib.redirect_stdout(printed):
            exec(program, {"__name__": "__main__"})
    except Exception:
        return False
    finally:
        sys.stdin = before
    return printed.getvalue().strip() == case["stdout"].strip()


def _expression(task: Any, program: str) -> list[bool]:
    space: dict[str, Any] = {}
    exec(task.payload["code"], space)
    expected = ast.literal_eval(task.payload["output"])
    with contextlib.suppress(Exception):
        return [eval(program, space) == expected]
    return [False]


@pytest.mark.parametrize("task_id", TASKS)
def test_reference_passes_its_own_tests(task_id: str):
    task = TASKS[task_id]
    assert task.reference
    assert all(passes(task, task.reference))


@pytest.mark.parametrize("attempt", [a for a in ATTEMPTS if a["attempt"] != "slow"], ids=lambda a: str(a["task_id"]))
def test_attempts_are_right_or_wrong_as_they_are_named(attempt: dict[str, str]):
    verdicts = passes(TASKS[attempt["task_id"]], attempt["text"])
    if attempt["attempt"] == "alternative":
        assert all(verdicts)
    elif attempt["attempt"] == "careless" and len(verdicts) == 2:
        assert verdicts == [True, False]
    else:
        assert not verdicts[0]


def test_expression_outputs_are_what_the_code_returns():
    for task in (task for task in TASKS.values() if task.kind == "expression"):
        space: dict[str, Any] = {}
        exec(task.payload["code"], space)
        assert eval(f"f({task.payload['input']})", space) == ast.literal_eval(task.payload["output"])


def test_every_kind_is_there_and_the_seed_counts_them():
    kinds = Counter(task.kind for task in TASKS.values())
    assert kinds == {"calls": 26, "check": 5, "stdin": 5, "expression": 6}
    directions = Counter(task.payload["direction"] for task in TASKS.values() if task.kind == "expression")
    assert directions == {"input": 3, "output": 3}
    (row,) = [row for row in seed_rows() if row["benchmark"] == "forge_mini"]
    assert row["cells"] == f"default:base={len(TASKS)} default:plus={len(TASKS)}"


def test_plus_counts_are_given_exactly_where_there_are_extra_cases():
    assert {task.kind for task in TASKS.values() if task.has_plus} == {"calls", "stdin"}
    assert all(
        len(task.payload["plus_inputs"]) == task.num_plus_cases for task in TASKS.values() if task.kind == "calls"
    )


def test_prompts_never_hold_an_answer():
    for task in TASKS.values():
        (message,) = BENCHMARK.protocols[0].render(task, {}).messages
        assert message[0] == "user"
        assert task.prompt.strip() in message[1]
        if task.kind in ("calls", "check", "stdin"):
            body = [line for line in str(task.reference).splitlines() if line.strip()][-1]
            assert body not in message[1].splitlines()


def test_a_changed_problem_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = (forge_mini.DIRECTORY / forge_mini.PROBLEMS).read_text()
    (tmp_path / forge_mini.PROBLEMS).write_text(text.replace("low..high", "low to high"))
    monkeypatch.setattr(forge_mini, "DIRECTORY", tmp_path)
    with pytest.raises(BadInput, match="is not forge_mini v1"):
        list(forge_mini.load(tmp_path, BENCHMARK.version(), "default"))


def completions() -> dict[str, dict[str, list[str]]]:
    files = sorted((forge_mini.DIRECTORY / "completions").glob("*.jsonl"))
    rows = {path.stem: [json.loads(line) for line in path.read_text().splitlines()] for path in files}
    return {model: {row["task_id"]: row["samples"] for row in listed} for model, listed in rows.items()}


def test_completions_name_attempts_and_forms_that_exist():
    known = {(attempt["task_id"], attempt["attempt"]) for attempt in ATTEMPTS}
    for answers in completions().values():
        for task_id, samples in answers.items():
            for name, form in (sample.split("/") for sample in samples):
                assert name == "reference" or (task_id, name) in known
                assert form in bundled.FORMS


def test_models_have_the_shapes_that_the_demo_is_about():
    models = completions()
    assert len(models) == DISTINCT_MODELS
    assert len(models["forge__unfinished"]) < len(TASKS)
    assert {len(samples) for samples in models["forge__short"].values()} == {3}
    assert all(len(set(samples)) <= 3 for samples in models["forge__repeater"].values())
    assert sum(sample.startswith("slow") for [sample] in models["forge__sleeper"].values()) == 4
    right = ("reference", "alternative")
    twins = [
        Counter(sample.split("/")[0] in right for [sample] in models[name].values())
        for name in ("forge__twin-a", "forge__twin-b")
    ]
    assert twins[0] == twins[1]
    assert models["forge__twin-a"] != models["forge__twin-b"]


def test_recorded_exchanges_are_up_to_date():
    """Compared unpacked: another zlib may pack the same lines into other bytes."""
    assert gzip.decompress(bundled.TARGET.read_bytes()) == gzip.decompress(bundled.build()), (
        "run: python -m benchforge.runners.generate.bundled"
    )
    assert bundled.TARGET.stat().st_size < 200_000
