"""BigCodeBench on problems of our own in its format: loader, ways of asking, extraction."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import bigcodebench, registry, suites
from benchforge.ingest.benchmarks.bigcodebench_environment import ENVIRONMENT
from benchforge.ingest.benchmarks.declaration import Artifact
from benchforge.ingest.errors import BadInput, NotStaged
from benchforge.ingest.formats.source_files import json_rows
from benchforge.ingest.keys import sha256_file
from benchforge.ingest.staging.source_text import HarnessString, text_at
from benchforge.runners.score.extract.bigcodebench import corrected, sanitize, sanitized
from benchforge.runners.score.readiness.environments import findings
from benchforge.runners.score.suites import open_places, place_of, write_gate

ROOT = Path(__file__).resolve().parents[2]
STACK = {
    "task_id": "BigCodeBench/13",
    "complete_prompt": 'import math\ndef task_func(n):\n    """\n    Boxes in a pyramid of n layers.\n    """\n',
    "instruct_prompt": "Boxes in a pyramid of n layers. Start with:\n```\nimport math\ndef task_func(n):\n```",
    "canonical_solution": "    return sum(k * k for k in range(n + 1))",
    "code_prompt": "import math\ndef task_func(n):\n",
    "test": "import unittest\n\nclass TestCases(unittest.TestCase):\n"
    "    def test_two(self):\n        self.assertEqual(task_func(2), 5)\n"
    "    def test_none(self):\n        self.assertEqual(task_func(0), 0)\n\n"
    "class Unused(unittest.TestCase):\n    def test_never(self):\n        self.fail()\n",
    "entry_point": "task_func",
    "libs": "['math']",
}
STRINGS = {"bigcodebench.instruction_prefix": "Write it:", "bigcodebench.response_prefix": "Here:"}


def staged(folder: Path, *problems: dict[str, Any]) -> tuple[Path, Any]:
    path = folder / "BigCodeBench.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in problems))
    version = registry()["bigcodebench"].version("hard-a3b8985")
    return folder, replace(version, artifacts=(Artifact(path.name, sha256_file(path), "made"),))


def test_the_hard_set_is_read_from_the_whole_file_and_tests_are_counted_from_the_class_that_is_run(tmp_path: Path):
    other = {**STACK, "task_id": "BigCodeBench/0"}
    (task,) = bigcodebench.load(*staged(tmp_path, other, STACK), "complete")
    assert (task.task_id, task.test_sets, task.num_base_cases) == ("BigCodeBench/13", ("hard",), 2)
    assert task.payload["tests"] == ["TestCases.test_none", "TestCases.test_two"]
    assert task.payload["program"].endswith(f"{STACK['code_prompt']}\n    pass\n{suites.PROGRAM}")
    assert task.reference == f"{STACK['complete_prompt']}\n{STACK['canonical_solution']}"
    whole = task.payload["program"].replace(suites.PROGRAM, task.reference or "")
    names: dict[str, Any] = {}
    exec(whole, names)
    assert names["task_func"](2) == 5


def test_a_file_of_another_release_and_a_problem_without_tests_are_refused(tmp_path: Path):
    folder, version = staged(tmp_path, {name: value for name, value in STACK.items() if name != "code_prompt"})
    with pytest.raises(BadInput, match="line 1 lacks code_prompt"):
        list(bigcodebench.load(folder, version, "complete"))
    folder, version = staged(tmp_path, {**STACK, "test": "class TestCases:\n    pass\n"})
    with pytest.raises(BadInput, match="no test"):
        list(bigcodebench.load(folder, version, "complete"))
    (folder / "BigCodeBench.jsonl").write_text("{}\n")
    with pytest.raises(BadInput, match="is not the pinned hard-a3b8985"):
        list(bigcodebench.load(folder, version, "complete"))


def test_each_split_is_asked_as_the_harness_asks(tmp_path: Path):
    benchmark, place = registry()["bigcodebench"], staged(tmp_path, STACK)
    tasks = {scenario: next(iter(bigcodebench.load(*place, scenario))) for scenario in benchmark.scenarios}
    official = {name: benchmark.protocols_of(name, "chat")[0].render(tasks[name], STRINGS) for name in tasks}
    assert official["complete"].messages == (
        ("user", f"Write it:\n```\n{STACK['complete_prompt'].strip()}\n```\n"),
        ("assistant", "Here:\n```python\n"),
    )
    assert official["instruct"].messages[0] == ("user", f"Write it:\n{STACK['instruct_prompt']}\n")
    (base,) = benchmark.protocols_of("complete", "completions")
    assert base.render(tasks["complete"], {}).text == STACK["complete_prompt"]
    assert base.stop[-1] == "\nassert " and base.max_tokens == 1280
    assert benchmark.protocols_of("instruct", "completions") == ()


def test_a_text_that_is_the_default_of_a_parameter_is_found(tmp_path: Path):
    path = tmp_path / "generate.py"
    path.write_text("def run(model, first='one', second: str = 'two', *, last='x'):\n    third = 'three'\n")
    found = [text_at(path, HarnessString("x", "", "run", name, "")) for name in ("first", "second", "third", "model")]
    assert found == ["one", "two", "three", None]


BODY = "import math\ndef task_func(n):\n    helper(n)\n\ndef helper(n):\n    print(n)\n"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (BODY, "import math\ndef task_func(n):\n    helper(n)\ndef helper(n):\n    print(n)"),
        (
            f"So:\n```python\n{BODY}```\nDone.",
            "import math\ndef task_func(n):\n    helper(n)\ndef helper(n):\n    print(n)",
        ),
        ("def task_func(n):\n    return n\nr = task_func(3)\nprint(r)", "def task_func(n):\n    return n"),
        ("def task_func(n): return n\nx = 1", "def task_func(n): return n\nx = 1"),
        ("no code at all (", "no code at all ("),
        ("", ""),
    ],
    ids=["no return is needed", "fenced", "a demonstration", "one line: the run itself", "prose", "nothing"],
)
def test_what_the_official_sanitizer_keeps(text: str, kept: str):
    assert sanitized(text, "task_func") == kept


def test_programs_run_as_they_are_and_base_completions_with_their_prompt():
    context = {"prompt": STACK["complete_prompt"], "entry_point": "task_func", "scenario": "complete"}
    assert sanitize("x = 1\nprint(x)", {**context, "text_form": "program"}) == "x = 1\nprint(x)"
    recorded = sanitize("    return n\nprint(1)", {**context, "text_form": "completion"})
    assert recorded == STACK["complete_prompt"] + "    return n\nprint(1)"
    asked = {**context, "text_form": "raw", "protocol": "official_base"}
    assert sanitize("\treturn n\n", asked).endswith('"""\n    return n')
    assert corrected("\treturn n\n", asked) == sanitize("\treturn n\n", asked)


def test_the_corrected_reading_keeps_what_the_official_one_loses():
    text = "```python\nimport functools\n@functools.cache\ndef task_func(n):\n    return n\n```"
    context = {
        "prompt": STACK["instruct_prompt"],
        "entry_point": "task_func",
        "text_form": "raw",
        "protocol": "official",
    }
    assert "@functools.cache" not in sanitize(text, context)
    assert "@functools.cache" in corrected(text, context)


def test_libraries_of_the_environment_are_the_pins_that_are_installed():
    lines = (ROOT / "containers" / "suite-bigcodebench.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    lower = {name.lower(): version for name, version in pins.items()}
    for requirement in (one for one in ENVIRONMENT.requirements if not one.is_optional):
        pin = requirement.install.rpartition("pip install ")[2].rstrip(")")
        name, _, version = pin.partition("==")
        assert lower.get(name.lower()) == version == requirement.version, requirement.name


def test_what_the_recorded_sanitizer_made_of_1140_completions_is_made_here_too(shared_data: Path):
    folder = shared_data / "qwen2.5-coder-1.5b-base" / "bigcodebench" / "full"
    raw, wanted = (
        {row["task_id"]: row["solution"] for row in json_rows(folder / f"{name}.jsonl.gz")}
        for name in ("completion", "completion-sanitized-calibrated")
    )
    assert len(raw) == 1140
    assert [task_id for task_id, text in raw.items() if sanitized(text, "task_func") != wanted[task_id]] == []


def test_an_environment_that_is_not_there_is_named_with_what_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It was once said that it had changed, where the variable that names its place was forgotten."""
    benchmark = registry()["bigcodebench"]
    task = bigcodebench.task_of(STACK, "complete", "full")
    write_gate(place_of(ENVIRONMENT, tmp_path), {}, [], "bubblewrap", tmp_path)
    with pytest.raises(NotStaged, match=f"is not in {tmp_path}") as refused:
        open_places(benchmark, [task], tmp_path)
    assert "make suite-bigcodebench" in refused.value.hint and "BENCHFORGE_SUITE_BIGCODEBENCH" in refused.value.hint
    (finding,) = findings(ENVIRONMENT, tmp_path)
    assert (finding.status, finding.fix) == ("FAIL", refused.value.hint)
    monkeypatch.setenv("BENCHFORGE_SUITE_BIGCODEBENCH", str(tmp_path / "no.sif"))
    with pytest.raises(NotStaged, match=r"no\.sif"):
        open_places(benchmark, [task], tmp_path)
