"""forge_mini: self-written problems of every kind, so that the whole road runs with nothing to download.

``bundled/forge_mini/problems.jsonl`` is the benchmark: one problem per line, test inputs as Python literals (JSON has
no tuples and no sets). Tasks of four kinds share one scenario; a task without extra cases counts for ``plus`` with its
base cases. ``limit_seconds`` in the payload shortens the judge's limit, so that a run-away answer costs little.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import keys
from ..errors import BadInput
from .declaration import CARD_TOKENS, Benchmark, Design, Extraction, Oracles, Prompt, Protocol, Task, Version
from .versions import licence_of, versions_of

DIRECTORY = Path(__file__).resolve().parent.parent / "bundled" / "forge_mini"
PROBLEMS = "problems.jsonl"

_FENCE = "Put the final answer into one fenced Python code block and end your reply with it."
_ASKS: Mapping[str, str] = {
    "calls": f"Write the Python function below. {_FENCE}",
    "check": f"Write the Python function below; hidden assertions call it. {_FENCE}",
    "stdin": f"Write a Python program that reads standard input and prints its answer. {_FENCE}",
    "output": f"Say what this call returns, as one Python literal. {_FENCE}",
    "input": f"Find arguments for which the function f returns the given value, as one call of f. {_FENCE}",
}


def load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """Tasks in file order from the bundled file; ``directory`` is not used: nothing is staged.

    Raises BadInput when the bundled file is not the pinned one.
    """
    path = DIRECTORY / PROBLEMS
    if keys.sha256_file(path) != version.artifacts[0].sha256:
        raise BadInput(f"{path} is not forge_mini {version.name}: its digest differs", "install benchforge again")
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield _task(json.loads(line), scenario)


def render(task: Task, strings: Mapping[str, str]) -> Prompt:
    """One user message: what is wanted, then the problem."""
    ask = _ASKS[task.payload["direction"] if task.kind == "expression" else task.kind]
    return Prompt(messages=(("user", f"{ask}\n\n{task.prompt.rstrip()}\n"),))


def _task(problem: Mapping[str, Any], scenario: str) -> Task:
    payload = _PAYLOADS[problem["kind"]](problem)
    num_base, num_plus = _case_counts(problem)
    return Task(
        benchmark="forge_mini",
        scenario=scenario,
        task_id=problem["task_id"],
        kind=problem["kind"],
        prompt=problem.get("prompt") or _expression_prompt(problem),
        payload={
            **payload,
            "limit_seconds": problem["limit_seconds"],
            "extract": {"answer": "expression" if problem["kind"] == "expression" else "program"},
        },
        test_sets=("base", "plus"),
        source_problem=problem["task_id"],
        num_base_cases=num_base,
        num_plus_cases=num_plus,
        reference=problem["reference"],
    )


def _calls(problem: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "entry_point": problem["entry_point"],
        "base_inputs": [ast.literal_eval(text) for text in problem["base"]],
        "plus_inputs": [ast.literal_eval(text) for text in problem["plus"]],
        "atol": problem["atol"],
        "reference": problem["reference"],
        "expected": None,
    }


def _picked(*names: str) -> Any:
    return lambda problem: {name: problem[name] for name in names}


_PAYLOADS: Mapping[str, Any] = {
    "calls": _calls,
    "check": _picked("entry_point", "prompt", "test"),
    "stdin": _picked("cases", "plus_cases"),
    "expression": _picked("code", "input", "output", "direction"),
}


def _case_counts(problem: Mapping[str, Any]) -> tuple[int, int | None]:
    if problem["kind"] == "calls":
        return len(problem["base"]), len(problem["plus"])
    if problem["kind"] == "stdin":
        return len(problem["cases"]), len(problem["plus_cases"])
    return 1, None


def _expression_prompt(problem: Mapping[str, Any]) -> str:
    if problem["direction"] == "output":
        return f"{problem['code']}\nf({problem['input']})\n"
    return f"{problem['code']}\nThe value to reach: {problem['output']}\n"


BENCHMARK = Benchmark(
    name="forge_mini",
    title="forge_mini",
    kind="calls",
    scenarios=("default",),
    test_sets={"default": ("base", "plus")},
    versions=versions_of("forge_mini"),
    extraction=Extraction(official="forge_last_block", corrected="forge_best_block"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design("iid", "problems written one by one, none derived from another"),
    licence=licence_of("forge_mini"),
    load=load,
    protocols=(Protocol("official", render, max_tokens=512), Protocol("card", render, max_tokens=CARD_TOKENS)),
    needs_staging=False,
)
