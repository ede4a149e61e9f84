"""The definition of the evalplus image: its package steps run, and the harness in it judges beside ours."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchforge.containers.check_definitions import HERE, parse, run_steps

TASKS = ("HumanEval/0", "HumanEval/2", "HumanEval/4", "HumanEval/13")


@pytest.fixture(scope="session")
def harness(package_index: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/opt/harness of the image, as ``%post`` leaves it."""
    work = tmp_path_factory.mktemp("evalplus")
    for folder in (work, *work.parents):  # the sandbox reads it under another id
        if folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    found = run_steps(parse(HERE / "score-evalplus.def"), work)
    if not found[1].is_good and "Could not fetch" in found[1].said:
        pytest.skip(f"no index of packages can be reached: {found[1].said}")
    assert all(one.is_good for one in found), found
    return work / "harness"


def test_the_harness_of_the_image_agrees_with_the_judge(harness: Path, shared_data: Path, tmp_path: Path):
    """Right and wrong programs of a few tasks, by the commands that a user types."""

    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "benchforge", *words, "--scratch", str(tmp_path / "scratch")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done

    typed("stage", "humanevalplus", "--from", str(shared_data / "evalplus"))
    with gzip.open(shared_data / "evalplus" / "HumanEvalPlus-v0.1.10.jsonl.gz", "rt", encoding="utf-8") as stream:
        problems = {row["task_id"]: row for row in map(json.loads, stream)}
    lines = []
    for task_id in TASKS:
        problem = problems[task_id]
        right = problem["prompt"] + problem["canonical_solution"]
        wrong = f"{problem['prompt']}    return None\n"
        lines += [{"task_id": task_id, "solution": text} for text in (right, wrong)]
    samples = tmp_path / "samples.jsonl"
    samples.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    words = ("--benchmark", "humanevalplus", "--model", "lab__two", "--temperature", "0.8", "--partial")
    typed("import", "evalplus", str(samples), *words)
    typed("score", "--model", "lab__two")
    done = typed("score", "--cross-check", "--harness", str(harness), "--format", "json")
    assert json.loads(done.stdout) == []
    assert f"{len(lines)} programs compared with evalplus, {len(lines)} agree" in done.stderr
