"""Ctrl-C in a command that writes: 75, one sentence, and the same command again ends as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..own_problems import WEIGH, written

HELPER = Path(__file__).with_name("interrupts.py")
ROOT = Path(__file__).resolve().parents[2]
DEMO = str(ROOT / "ingest" / "bundled" / "demo.yaml")
OWN = ["--scratch", "scratch", "--run-name", "own"]
SECOND = ["import", "evalplus", "second.jsonl", "--benchmark", "forge_mini", "--model", "lab__coder", *OWN]
IMPORT = ["import", "evalplus", "samples.jsonl", "--benchmark", "forge_mini", "--model", "lab__coder", *OWN]
MARTS = ["--file", "marts.duckdb"]

COMMANDS: dict[str, tuple[list[list[str]], list[str]]] = {
    "plan": ([], ["plan", "--config", DEMO, "--scratch", "scratch"]),
    "import": ([], [*IMPORT, "--temperature", "0"]),
    "compact": ([[*IMPORT, "--temperature", "0"], [*SECOND, "--temperature", "0.2"]], ["compact", *OWN]),
    "export": ([[*IMPORT, "--temperature", "0"]], ["export", "evalplus", "--benchmark", "forge_mini", "--model",
                "lab__coder", "--output", "out/samples.jsonl", *OWN]),
    "sql as csv": ([], ["sql", *MARTS, "from headline", "--format", "csv", "--output", "out/headline.csv"]),
    "sql as parquet": ([], ["sql", *MARTS, "from headline", "--format", "parquet", "--output", "out/headline.parquet"]),
    "report": ([], ["report", *MARTS, "--output", "out/report", "--benchmark", "livecodebench", "--model",
                    "unknown__claude-2"]),
    "audit": ([], ["audit", "graded.jsonl", "--no-regrade", "--html", "out/audit.html"]),
    "ingest-problems": ([], ["ingest-problems", "problems.jsonl", "--name", "spring", "--scratch", "scratch"]),
}  # fmt: skip
"""Name -> commands before it, and the command."""

NUM_MOMENTS = 4
_MEASURED = re.compile(r"(/(?:runs|timings)/.*part-\w+)-\w+")
"""Parts with times in them have another digest in every run."""


@pytest.fixture(scope="module")
def helper() -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, str(HELPER)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def run(helper: subprocess.Popen[str], words: list[str], folder: Path, moment: int = 0) -> dict[str, Any]:
    assert helper.stdin is not None and helper.stdout is not None
    asked = {"words": words, "folder": str(folder), "root": str(folder), "moment": moment, "told": str(folder.parent)}
    print(json.dumps(asked), file=helper.stdin, flush=True)
    return json.loads(helper.stdout.readline())


def tree(folder: Path) -> dict[str, str]:
    """Every file by name; what is written for people to have also by its bytes."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    kept = {".csv", ".parquet", ".jsonl", ".html"}
    return {
        _MEASURED.sub(r"\1", path.relative_to(folder).as_posix()): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.relative_to(folder).parts[0] == "out" or (path.suffix in kept and path.parent.name == "lake")
        else ""
        for path in files
    }


def place(folder: Path, marts: Path, before: list[list[str]], helper: subprocess.Popen[str]) -> Path:
    folder.mkdir()
    (folder / "out").mkdir()
    os.link(marts, folder / "marts.duckdb")
    text = (ROOT / "ingest" / "bundled" / "forge_mini" / "problems.jsonl").read_text(encoding="utf-8")
    problems = [json.loads(line) for line in text.splitlines()]
    rows = [{"task_id": problem["task_id"], "solution": "pass"} for problem in problems]
    written(folder / "samples.jsonl", *rows)
    written(folder / "second.jsonl", *reversed(rows))
    graded = [{"task_id": f"HumanEval/{i}", "completion": "    pass\n", "passed": i % 2 == 0} for i in range(164)]
    written(folder / "graded.jsonl", *graded)
    written(folder / "problems.jsonl", WEIGH)
    for words in before:
        done = run(helper, words, folder)
        assert done["code"] == 0, done["said"]
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_leaves_nothing_half_written(
    name: str, helper: subprocess.Popen[str], recorded_marts: Path, tmp_path: Path
):
    before, words = COMMANDS[name]
    undisturbed = place(tmp_path / "undisturbed", recorded_marts, before, helper)
    start = tree(undisturbed)
    whole = run(helper, words, undisturbed)
    assert whole["code"] in (0, 1) and whole["changes"] > 0, whole["said"]
    expected = tree(undisturbed)
    assert expected != start
    num = whole["changes"]
    for moment in sorted({1 + (num - 1) * step // (NUM_MOMENTS - 1) for step in range(NUM_MOMENTS)}):
        folder = place(tmp_path / f"moment-{moment}", recorded_marts, before, helper)
        done = run(helper, words, folder, moment)
        assert done["code"] in (75, whole["code"]), f"{moment} of {num}: {done['said']}"
        assert "Traceback" not in done["said"], done["said"]
        left = tree(folder)
        assert {file: digest for file, digest in left.items() if digest} in (
            {file: digest for file, digest in start.items() if digest},
            {file: digest for file, digest in expected.items() if digest},
        ), f"half-written at {moment} of {num}"
        again = run(helper, words, folder)
        assert again["code"] == whole["code"], f"after {moment} of {num}: {again['said']}"
        assert tree(folder) == expected, f"after {moment} of {num}"
