"""Raw text to program, byte for byte, on every recorded pair of raw and extracted text. No exception is needed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchforge.runners.score.extract import extractor

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""(set, task id) -> why our program differs from the recorded one."""


def document(path: Path) -> Any:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return json.load(stream)


def rows(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        yield from (json.loads(line) for line in stream if line.strip())


def problems(path: Path, key: str) -> dict[str, Any]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return {row[key]: row for row in map(json.loads, filter(None, content.decode().split("\n")))}


def different(name: str, found: dict[str, str], recorded: dict[str, str]) -> list[str]:
    assert set(found) == set(recorded)
    return [task for task in found if found[task] != recorded[task] and (name, task) not in EXCEPTIONS]


@pytest.mark.parametrize(
    ("folder", "samples", "problem_file", "count"),
    [
        ("qwen2.5-coder-1.5b-base/evalplus/humaneval", "generated", "HumanEvalPlus-v0.1.9", 164),
        ("qwen2.5-coder-1.5b-base/evalplus/mbpp", "generated", "MbppPlus-v0.1.0", 399),
        ("logs/evalplus/qwen2.5-coder-1.5b-dpo", "samples", "HumanEvalPlus-v0.1.10", 164),
        ("logs/evalplus/llama3-8b-instruct-base", "samples", "HumanEvalPlus-v0.1.9", 164),
        ("logs/evalplus/llama3-70B-instruct-base", "samples", "HumanEvalPlus-v0.1.9", 164),
        ("logs/evalplus/llama3-70-bad", "samples", "HumanEvalPlus-v0.1.9", 164),
    ],
)
def test_evalplus(shared_data: Path, folder: str, samples: str, problem_file: str, count: int):
    tasks = problems(shared_data / "evalplus" / f"{problem_file}.jsonl.gz", "task_id")
    recorded = document(shared_data / folder / f"{samples}_eval_results.json.gz")["eval"]
    found: dict[str, str] = {}
    for row in rows(shared_data / folder / f"{samples}.jsonl.gz"):
        form = "program" if "solution" in row else "completion"
        task = tasks[row["task_id"]]
        context = {
            "text_form": form,
            "prompt": task["prompt"],
            "entry_point": task["entry_point"],
            "protocol": "direct",
        }
        found[row["task_id"]] = extractor("evalplus_sanitize")(row.get("solution", row.get("completion")), context)
    assert len(found) == count
    assert different(folder, found, {task: entry[0]["solution"] for task, entry in recorded.items()}) == []


@pytest.mark.parametrize(("folder", "scenario"), [("input-cot", "cruxeval_i"), ("output-cot", "cruxeval_o")])
def test_cruxeval(shared_data: Path, folder: str, scenario: str):
    tasks = problems(shared_data / "cruxeval" / "cruxeval.jsonl", "id")
    root = shared_data / "qwen2.5-coder-1.5b-base" / "cruxeval" / folder
    raw, recorded = document(root / "completion_raw.json.gz"), document(root / "completion.json.gz")
    found: dict[str, str] = {}
    for task_id, (text,) in raw.items():
        task = tasks[task_id]
        left, right = (f"f({task['input']})", "??") if scenario == "cruxeval_o" else ("f(??)", task["output"])
        prompt = f"{task['code']}\nassert {left} == {right}"
        context = {"text_form": "raw", "prompt": prompt, "scenario": scenario, "protocol": "cot"}
        found[task_id] = extractor("cruxeval_official")(text, context)
    assert len(found) == 800
    assert different(folder, found, {task: answers[0] for task, answers in recorded.items()}) == []


@pytest.mark.parametrize(("model", "count"), [("O1-Mini-2024-09-12", 880), ("Qwen2.5-Ins-7B", 1055)])
def test_livecodebench(shared_data: Path, model: str, count: int):
    pairs = [
        (raw, program)
        for row in rows(shared_data / "livecodebench" / "codegen" / f"{model}.jsonl.gz")
        for raw, program in zip(row["output_list"], row["code_list"], strict=True)
    ]
    assert len(pairs) == count
    extract = extractor("livecodebench_last_two_fences")
    assert [raw for raw, program in pairs if extract(raw, {"text_form": "raw"}) != program] == []
