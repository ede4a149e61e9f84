"""macOS as contracted: everything but grading works where Linux's calls do not exist.

The calls are hidden, the platform's name is changed, and the command runs in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEMO = str(ROOT / "ingest" / "bundled" / "demo.yaml")
HIDDEN = (
    "sched_getaffinity",
    "sched_setaffinity",
    "pidfd_open",
    "unshare",
    "setns",
    "memfd_create",
    "eventfd",
    "splice",
)

PREAMBLE = f"""
import os, signal, sys, sysconfig
# parts of Python itself that ask for the real name
import asyncio, multiprocessing, ssl, subprocess, urllib.request, zoneinfo
sysconfig.get_config_vars()
for name in {HIDDEN!r}:
    if hasattr(os, name):
        delattr(os, name)
if hasattr(signal, "pidfd_send_signal"):
    del signal.pidfd_send_signal
import ctypes
ctypes.CDLL = None
sys.platform = "darwin"
from benchforge.runners.cli.main import main
"""


def on_another_system(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"{PREAMBLE}\nsys.argv = ['benchforge', *{list(arguments)!r}]\nmain()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=240)


def test_grading_refuses_in_one_sentence(tmp_path: Path):
    done = on_another_system("score", "--scratch", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("benchforge: scoring needs Linux")
    assert "Traceback" not in done.stderr and "hint:" in done.stderr


def test_plan_generate_and_status_work(tmp_path: Path):
    options = ["--config", DEMO, "--scratch", str(tmp_path), "--model", "forge__perfect"]
    for words in (["plan", *options], ["generate", *options], ["status", *options[:4]]):
        done = on_another_system(*words)
        assert done.returncode == 0, done.stderr
    assert "done" in done.stdout


def test_import_works(tmp_path: Path):
    problems = (ROOT / "ingest" / "bundled" / "forge_mini" / "problems.jsonl").read_text().splitlines()
    ids = [json.loads(line).get("task_id") or json.loads(line)["id"] for line in problems]
    rows = [{"task_id": name, "sample_index": 0, "passed": True} for name in ids]
    file = tmp_path / "graded.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ["--benchmark", "forge_mini", "--model", "lab__x", "--temperature", "0", "--scratch", str(tmp_path)]
    done = on_another_system("import", "benchforge", str(file), *options)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["aggregate"])
def test_build_and_question_work(road, tmp_path: Path, command: str):
    output = str(tmp_path / "marts.duckdb")
    done = on_another_system(command, "--lake", str(road.lake), "--output", output)
    assert done.returncode == 0, done.stderr
    done = on_another_system("sql", "--file", output, "select count(*) from leaderboard")
    assert done.returncode == 0, done.stderr
