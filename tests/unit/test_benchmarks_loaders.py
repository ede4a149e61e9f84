"""Problem files become tasks: on small files of our own, and on the real ones where they are there."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest import keys
from benchforge.ingest.benchmarks import cruxeval, humaneval, humanevalplus, mbppplus, registry
from benchforge.ingest.benchmarks.declaration import Artifact, Version
from benchforge.ingest.errors import BadInput
from benchforge.ingest.staging.staged import load_tasks
from benchforge.ingest.staging.strings import RETURNED

CALLS = {
    "task_id": "Mbpp/106",
    "prompt": 'def add(a, b):\n    """Join them."""\n',
    "entry_point": "add",
    "canonical_solution": "    return tuple(a) + b\n",
    "base_input": [[[1, 2], [3]]],
    "plus_input": [[[], []], [[5], [6, 7]]],
    "atol": 0,
}


def staged(folder: Path, *problems: dict[str, Any]) -> Version:
    content = "".join(json.dumps(problem) + "\n" for problem in problems)
    (folder / "problems.jsonl").write_text(content)
    return Version("t", (Artifact("problems.jsonl", keys.sha256_text(content), "test"),))


def test_calls_hold_inputs_and_reference(tmp_path):
    (task,) = humanevalplus.load(tmp_path, staged(tmp_path, CALLS), "default")
    assert (task.kind, task.num_base_cases, task.num_plus_cases, task.has_plus) == ("calls", 1, 2, True)
    assert task.payload["base_inputs"] == [[[1, 2], [3]]]
    assert task.payload["reference"] == CALLS["prompt"] + CALLS["canonical_solution"] == task.reference


def test_mbpp_arguments_are_what_the_reference_was_written_for(tmp_path):
    (task,) = mbppplus.load(tmp_path, staged(tmp_path, CALLS), "default")
    assert task.payload["base_inputs"] == [[[1, 2], (3,)]]
    assert task.payload["plus_inputs"] == [[[], ()], [[5], (6, 7)]]


@pytest.mark.parametrize(
    ("number", "stored", "restored"),
    [
        (2, [[1, 2], [3]], [(1, 2), (3,)]),
        (63, [[[1, 2], [3]]], [[(1, 2), (3,)]]),
        (259, [[[1, 2]], [[3]]], [((1, 2),), ((3,),)]),
        (278, [[1, [2, 3], "a"]], [(1, (2, 3), "a")]),
        (580, [[1, [2, [3]]]], [(1, (2, (3,)))]),
        (115, [[[1, 2], [], {}]], [[{1, 2}, {}, {}]]),
        (252, ["(1+2j)"], [1 + 2j]),
        (124, ["0", "1j"], [0.0, 1j]),
        (75, [[[1, 2]], 3], [[(1, 2)], 3]),
        (250, [[1, 2], 3], [(1, 2), 3]),
        (307, [[1, 2], 3, 4], [(1, 2), 3, 4]),
        (722, [{"a": [1, 2]}, 3, 4], [{"a": (1, 2)}, 3, 4]),
        (3, [[1, 2]], [[1, 2]]),
    ],
)
def test_mbpp_inputs_by_task(number: int, stored: list[Any], restored: list[Any]):
    (found,) = mbppplus.restore_inputs(f"Mbpp/{number}", [stored])
    assert found == restored
    assert [type(value) for value in found] == [type(value) for value in restored]


def test_expressions_know_their_direction(tmp_path):
    version = staged(tmp_path, {"id": "s", "code": "def f(x):\n    return x", "input": "3", "output": "3"})
    (answer,) = cruxeval.load(tmp_path, version, "cruxeval_o")
    (question,) = cruxeval.load(tmp_path, version, "cruxeval_i")
    assert (answer.payload["direction"], answer.reference) == ("output", "3")
    assert (question.payload["direction"], question.reference) == ("input", "f(3)")
    assert answer.task_digest != question.task_digest


def test_checks_hold_their_test(tmp_path):
    problem = {**CALLS, "task_id": "HumanEval/0", "test": "def check(candidate): pass"}
    (task,) = humaneval.load(tmp_path, staged(tmp_path, problem), "default")
    assert (task.kind, task.payload["test"], task.has_plus) == ("check", problem["test"], False)


def test_another_file_under_the_right_name_is_refused(tmp_path):
    version = staged(tmp_path, CALLS)
    (tmp_path / "problems.jsonl").write_text("{}\n")
    with pytest.raises(BadInput, match="not the pinned t"):
        list(humanevalplus.load(tmp_path, version, "default"))


def test_a_problem_that_lacks_a_field_names_it(tmp_path):
    version = staged(tmp_path, {key: value for key, value in CALLS.items() if key != "atol"})
    with pytest.raises(BadInput, match="line 1 lacks atol"):
        list(humanevalplus.load(tmp_path, version, "default"))


def test_prompts_are_composed_as_declared(tmp_path):
    (task,) = humanevalplus.load(tmp_path, staged(tmp_path, CALLS), "default")
    strings = {"evalplus.instruction_prefix": "ASK", "evalplus.response_prefix": "BEGIN"}
    chat, api, base, card = (protocol.render(task, strings) for protocol in humanevalplus.BENCHMARK.protocols)
    problem = CALLS["prompt"].strip()
    assert chat.messages == (("user", f"ASK\n```\n{problem}\n```\n"), ("assistant", "BEGIN\n```python\n"))
    assert api.messages == (("user", f"ASK\n```python\n{problem}\n```"),)
    assert base.text == problem + "\n"
    assert card == api


def test_slots_of_a_template_are_filled_from_the_task(tmp_path):
    version = staged(tmp_path, {"id": "s", "code": "C{}", "input": "I", "output": "O"})
    (task,) = cruxeval.load(tmp_path, version, "cruxeval_o")
    strings = {"cruxeval.system": "S", "cruxeval.direct_output": "{{x}} {code} {input}"}
    direct = cruxeval.BENCHMARK.protocols[0]
    assert direct.render(task, strings).messages == (("system", "S"), ("user", "{x} C{} I"))
    assert RETURNED == "return"


@pytest.fixture(scope="session")
def datasets(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real problem files, staged."""
    from benchforge.ingest.staging.files import every_pinned_file, plan_what_is_there, write_staged

    root = tmp_path_factory.mktemp("datasets")
    write_staged(plan_what_is_there(every_pinned_file(root), shared_data))
    return root


@pytest.mark.parametrize(
    ("name", "version", "num_tasks", "num_base", "num_plus"),
    [
        ("humanevalplus", "v0.1.9", 164, 1570, 123739),
        ("humanevalplus", "v0.1.10", 164, 1570, 122683),
        ("mbppplus", "v0.1.0", 399, 1236, 42082),
        ("mbppplus", "v0.2.0", 378, 1174, 39841),
        ("cruxeval", "v1", 800, 800, 0),
        ("humaneval", "v1", 164, 164, 0),
    ],
)
def test_real_files_have_the_published_counts(
    datasets: Path, name: str, version: str, num_tasks: int, num_base: int, num_plus: int
):
    benchmark = registry()[name]
    for scenario in benchmark.scenarios:
        tasks = load_tasks(benchmark, version, scenario, datasets)
        assert len(tasks) == len({task.task_id for task in tasks}) == num_tasks
        assert sum(task.num_base_cases or 0 for task in tasks) == num_base
        assert sum(task.num_plus_cases or 0 for task in tasks) == num_plus


def test_tolerances_are_the_published_ones(datasets: Path):
    tasks = load_tasks(registry()["humanevalplus"], "v0.1.10", "default", datasets)
    tolerances = [task.payload["atol"] for task in tasks]
    assert [tolerances.count(value) for value in (0, 1e-6, 1e-4)] == [161, 2, 1]


def test_prompts_that_were_recorded_are_the_cot_template_with_our_question(shared_data: Path, datasets: Path):
    """The recorded raw files repeat their prompt: each ends, before the reply, with our question and the tags."""
    folder = shared_data / "qwen2.5-coder-1.5b-base" / "cruxeval" / "output-cot"
    with gzip.open(folder / "completion_raw.json.gz", "rt") as stream:
        recorded = json.load(stream)
    tasks = load_tasks(registry()["cruxeval"], None, "cruxeval_o", datasets)
    assert all(task.prompt + "\n[/PYTHON]\n[THOUGHT]\n" in recorded[task.task_id][0] for task in tasks)
