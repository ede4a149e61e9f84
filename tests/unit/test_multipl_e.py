# ruff: noqa: E501 - answers are data
"""MultiPL-E without a sandbox: programs as they are made, signs of tampering, and what a model's text means."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.benchmarks.multipl_e import source_of, task_of
from benchforge.ingest.benchmarks.multipl_e_languages import LANGUAGES
from benchforge.ingest.benchmarks.multipl_e_signs import SIGNS
from benchforge.ingest.benchmarks.suites import NONCE, PROGRAM, TAMPER
from benchforge.ingest.errors import BadInput
from benchforge.runners.score import conformance
from benchforge.runners.score.extract import multipl_e
from benchforge.runners.score.source import extraction_context

FOLDER = Path(conformance.__file__).parent
PROBLEMS = {
    problem["language"]: problem
    for problem in map(json.loads, (FOLDER / "multipl_e.jsonl").read_text(encoding="utf-8").splitlines())
}
FORGED = [json.loads(line) for line in (FOLDER / "multipl_e_forged.jsonl").read_text(encoding="utf-8").splitlines()]
MODEL = "qwen2.5-coder-1.5b-base/multipl-e"


def flags_of(language: str, program: str) -> list[tuple[str, str]]:
    return [(one.level, one.name) for one in SIGNS[language] if re.search(one.expression, program, re.MULTILINE)]


def rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def context_of(language: str, form: str) -> Mapping[str, str]:
    return extraction_context(task_of(language, PROBLEMS[language]), form, "official")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_nonce_is_printed_after_the_last_test_and_inside_of_its_function(language: str):
    problem = PROBLEMS[language]
    (text,) = task_of(language, problem).payload["files"].values()
    assert text.startswith(f"{PROGRAM}\n") and text.count(PROGRAM) == text.count(NONCE) == 1
    last_test = [line for line in problem["tests"].split("\n") if line.startswith(LANGUAGES[language].test)][-1]
    after = text.split(last_test, 1)[1]
    assert NONCE in after.split(f"\n{LANGUAGES[language].end}\n", 1)[0]
    unmarked = [line for line in text.split("\n") if line in problem["tests"].split("\n")]
    assert unmarked == problem["tests"].split("\n") or set(problem["tests"].split("\n")) <= set(unmarked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_tests_of_another_form_are_refused(language: str):
    with pytest.raises(BadInput, match="not of the known form"):
        task_of(language, {**PROBLEMS[language], "tests": "nothing is tested\n"})


def test_a_problem_knows_its_tests_and_its_source():
    task = task_of("cpp", PROBLEMS["cpp"])
    assert task.num_base_cases == 2 and task.payload["tests"][0] == "assert(candidate((1), (2)) == (3));"
    assert (task.source_problem, source_of("HumanEval_23_strlen")) == ("HumanEval/0", "HumanEval/23")


def test_every_language_says_what_it_needs_and_some_are_imported_alone():
    benchmark = registry()["multipl_e"]
    environments = {name: benchmark.environment_of(name) for name in benchmark.scenarios}
    assert {name: one.name for name, one in environments.items() if one} == {
        name: f"multipl_e_{name}" for name in benchmark.scenarios
    }
    assert all(need.install and need.probe for one in environments.values() if one for need in one.requirements)
    assert {"rs", "go"} <= set(benchmark.import_only) == set(benchmark.scenarios) - set(LANGUAGES)


def test_an_extractor_is_told_no_answer():
    for language, problem in PROBLEMS.items():
        told = context_of(language, "raw")["tests_begin"]
        assert told and problem["tests"].startswith(told) and "3" not in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_raw_continuation_ends_at_its_stop_strings(language: str):
    problem = PROBLEMS[language]
    answer = problem["honest"][0]
    text = f"{answer}{problem['stop_tokens'][0]}more(1) {{\n"
    assert multipl_e.official(text, context_of(language, "raw")) == problem["prompt"] + answer
    program = multipl_e.official(f"{problem['prompt']}{answer}\n{problem['tests']}", context_of(language, "program"))
    assert program == problem["prompt"] + answer


REPLIES = {
    "cpp": "#include <vector>\nlong twice(long x) {\n    return 2 * x;\n}\n\nlong total(long a, long b) {\n"
    "    return twice(a) - a + b;\n}\n\nint main() {\n    return 0;\n}",
    "java": "import java.util.*;\n\npublic class Problem {\n    public static long total(long a, long b) {\n"
    "        return same(a) + b;\n    }\n\n    private static long same(long x) {\n        return x;\n    }\n}",
    "js": "function same(x) {\n  return x;\n}\n\nfunction total(a, b) {\n  return same(a) + b;\n}",
    "sh": "#!/bin/bash\ntotal() {\n    echo $(($1 + $2))\n}\ntotal 1 2",
}


@pytest.mark.parametrize("language", REPLIES)
def test_a_chat_reply_is_put_where_the_prompt_keeps_its_place(language: str):
    reply = f"Here it is:\n\n```{language}\n{REPLIES[language]}\n```\nIt adds."
    program = multipl_e.corrected(reply, context_of(language, "raw"))
    problem = PROBLEMS[language]
    assert program.count("total(") == 1 + problem["prompt"].count("total(") - 1
    assert (
        "```" not in program and "It adds" not in program and "int main" not in program and "total 1 2" not in program
    )
    for helper in ("twice(long x)", "same(long x)", "function same(x)"):
        assert (helper in REPLIES[language]) == (helper in program)
    closes = problem["tests"].lstrip().startswith("}")
    assert program.count("{") - program.count("}") == closes + (language == "java")


def test_a_comment_at_the_margin_ends_no_function():
    text = "  let sum = a;\n// both\n  return sum + b;\n}\n\nfunction other() {\n}\n"
    program = multipl_e.corrected(text, context_of("js", "raw"))
    assert program.endswith("// both\n  return sum + b;\n}")
    assert multipl_e.official(text, context_of("js", "raw")).endswith("let sum = a;")


def test_programs_that_differ_in_blank_space_alone_are_one():
    text = "  return a + b;\n}\n\n\nfunction other() {\n}\n"
    context = context_of("js", "raw")
    assert multipl_e.corrected(text, context) == multipl_e.official(text, context)


@pytest.mark.parametrize("language", LANGUAGES)
def test_honest_answers_show_no_sign(language: str):
    problem = PROBLEMS[language]
    for answer in (*problem["honest"], problem["wrong"], problem["endless"]):
        assert flags_of(language, problem["prompt"] + answer) == []


PLAUSIBLE = {
    "cpp": (
        "    // exit the loop when a candidate repeats, then process the signal\n    long candidate = a;\n    return candidate + b;",
        "    return 0;\n}\nusing namespace std;\n#include <vector>\nstruct Node { bool operator==(const Node &o) const { return true; } };\n"
        "long abort_rate(long system) {\n    return __builtin_popcountll(system);",
    ),
    "cs": ("        // Process the list; extern and unsafe are words\n        var main = a;\n        return main + b;",),
    "java": (
        "        // roll the native halt; Files and a Proxy are words\n        Runtime r = null;\n        return a + b;",
        '        try {\n            return Long.parseLong("1");\n        } catch (NumberFormatException e) {\n            return a;\n        }',
    ),
    "js": (
        "  // Function to process each element with global care; import the rest\n  const candidate = a;\n"
        "  if (Object.prototype.hasOwnProperty.call({}, a)) return /x/.test(a);\n  return candidate + b;\n}\n",
        "  const crypto = require('crypto');\n  console.assert(a > 0);\n"
        "  class Box { constructor(x) { this.x = x; } }\n  return crypto.createHash('md5').update(a).digest('hex');\n}\n",
    ),
    "php": ("    // roll a die, include what is needed, exit the loop\n    return assert_sum($a) + $b;\n}\n",),
    "sh": ("    local candidate=$1 set=0\n    while read -r line; do set=$((set + line)); done <<< \"$2\"\n    echo $((candidate + set))",),
    "ts": ("  // the process is global: a Function of its own\n  let candidate: number = a;\n  return candidate + b;\n}\n",),
}  # fmt: skip


@pytest.mark.parametrize("language", PLAUSIBLE)
def test_words_of_honest_answers_are_no_sign_of_tampering(language: str):
    for answer in PLAUSIBLE[language]:
        assert [name for level, name in flags_of(language, answer) if level == TAMPER] == []


def test_most_forged_answers_show_a_sign():
    programs = [(one["language"], PROBLEMS[one["language"]]["prompt"] + one["completion"]) for one in FORGED]
    shown = [any(level == TAMPER for level, _ in flags_of(*program)) for program in programs]
    assert len(FORGED) >= 50 and sum(shown) >= 0.9 * len(FORGED)
    with (Path(__file__).parents[2] / "seeds" / "suite_detection.csv").open(encoding="utf-8") as stream:
        measured = {row["benchmark"]: row for row in csv.DictReader(stream)}["multipl_e"]
    assert int(measured["num_forged"]) == len(FORGED)  # measured anew where there are more


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_recorded_pass_shows_a_sign(language: str, shared_data: Path):
    with gzip.open(shared_data / MODEL / f"humaneval-{language}-details.json.gz", "rt", encoding="utf-8") as stream:
        graded = json.load(stream)
    for sample in rows(shared_data / MODEL / f"pred_{language}_output.jsonl.gz"):
        if graded[sample["task_id"]][0][1]["passed"]:
            assert flags_of(language, sample["generation"]) == [], sample["task_id"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_recorded_texts_are_cut_as_they_were(language: str, shared_data: Path):
    """TypeScript: the recording harness cuts at ``console.log`` and ``export`` as well; the problems do not say so."""
    problems = rows(shared_data / "multipl-e" / "problems" / f"humaneval-{language}.jsonl.gz")
    tasks = {problem["name"]: task_of(language, problem) for problem in problems}
    same = []
    for sample in rows(shared_data / MODEL / f"pred_{language}_output.jsonl.gz"):
        task = tasks[sample["task_id"]]
        raw = sample["wholecode"][len(task.prompt.strip()) + 1 :]
        program = multipl_e.official(raw, extraction_context(task, "raw", "official"))
        same.append(program == task.prompt + sample["generation"][len(task.prompt) + 1 :])
    assert all(same) if language != "ts" else sum(same) == 99
