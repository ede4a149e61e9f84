"""What no resource limit of a process bounds: files without content, and work that a sample's values cause here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.runners.score.judge import Job, Judge, supervised
from benchforge.runners.score.sandbox import Sandbox, opening

from .conftest import BOTH, make_task, total_task

RIGHT = "def total(xs):\n    return sum(xs)\n"
MODES = ("bubblewrap", "unshare", "inner-only")
MANY_FILES = """
import posix
def total(xs):
    number = 0
    while True:
        posix.close(posix.open(str(number), posix.O_CREAT | posix.O_WRONLY))
        number += 1
"""


@pytest.mark.parametrize("mode", ["bubblewrap", "unshare"])
def test_a_program_that_makes_files_without_end_is_stopped_before_its_time(mode: str) -> None:
    task = total_task(limit_seconds=300.0)
    try:
        Sandbox.open(mode).close()
    except SandboxUnavailable as error:
        pytest.skip(f"{mode}: {error.message}")
    with Judge({task.task_id: task}, mode) as judge:
        jobs = [Job(name, task.task_id, program, BOTH) for name, program in (("many", MANY_FILES), ("right", RIGHT))]
        seen = {job.key: graded for job, graded in judge.grade(jobs)}
    assert seen["many"].outcomes["official"].base.reason == "killed"
    assert seen["right"].outcomes["official"].base.verdict == "pass"
    assert [graded.attempt for graded in seen.values()] == [1, 1]


def test_a_value_that_keeps_the_test_of_a_dataset_busy_is_the_samples_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own alarm cannot interrupt a loop inside one call of C."""
    test = "def check(candidate):\n    assert sum(range(candidate(1))) == 0\n"
    payload = {"entry_point": "count", "prompt": "def count(n):\n    '''n.'''\n", "limit_seconds": 1.0, "test": test}
    argv = supervised._worker_argv()
    setting = f"import {supervised.__package__}.worker as worker; worker.CLAIMS_CPU_SECONDS = 2.0; "
    code = argv[-1].replace("from ", f"{setting}from ", 1)
    monkeypatch.setattr(supervised, "_worker_argv", lambda: [*argv[:-1], code])
    with Judge({"count": make_task("count", "check", payload)}) as judge:
        programs = {"hostile": "def count(n):\n    return 10**15\n", "right": "def count(n):\n    return 0\n"}
        jobs = [Job(name, "count", program, BOTH) for name, program in programs.items()]
        seen = {job.key: graded.outcomes["official"].base for job, graded in judge.grade(jobs)}
    assert (seen["hostile"].verdict, seen["hostile"].reason) == ("fail", "output_limit")
    assert seen["right"].verdict == "pass"


FORKS = """
import posix
def total(xs):
    pids = []
    try:
        for _ in range(500):
            pid = posix.fork()
            if pid == 0:
                posix.pause() if hasattr(posix, 'pause') else __import__('signal').pause()
            pids.append(pid)
    except OSError:
        pass
    return len(pids)
"""


@pytest.mark.parametrize("mode", ["bubblewrap", "unshare"])
def test_the_number_of_processes_is_bounded_also_where_nothing_forbids_them(mode: str) -> None:
    """RLIMIT_NPROC binds after root is dropped, in a namespace as well: seccomp is switched off to see it."""
    task = total_task(base_inputs=[[[1]]], plus_inputs=[], expected={"base": [500], "plus": []}, limit_seconds=20.0)
    try:
        Sandbox.open(mode).close()
    except SandboxUnavailable as error:
        pytest.skip(f"{mode}: {error.message}")
    with Judge({task.task_id: task}, mode, is_unsafe=True, without=frozenset(("seccomp",))) as judge:
        ((_, bounded),) = judge.grade([Job(None, task.task_id, FORKS, BOTH)])
    with Judge({task.task_id: task}, mode, is_unsafe=True, without=frozenset(("seccomp", "rlimits"))) as judge:
        ((_, unbounded),) = judge.grade([Job(None, task.task_id, FORKS, BOTH)])
    assert bounded.outcomes["official"].base.reason == "wrong_answer"
    assert unbounded.outcomes["official"].base.verdict == "pass"


@pytest.mark.parametrize("mode", MODES)
def test_whoever_starts_it_nothing_inside_is_root(mode: str) -> None:
    try:
        sandbox = Sandbox.open(mode)
    except SandboxUnavailable as error:
        pytest.skip(f"{mode}: {error.message}")
    with sandbox:
        found = [sandbox._process.pid, *below(sandbox._process.pid)]
        for pid in found:
            status = Path(f"/proc/{pid}/status").read_text()
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            expected = str(opening.UNPRIVILEGED_ID if os.getuid() == 0 else os.getuid())
            assert set(fields["Uid"].split()) == {expected}
            assert set(fields["Groups"].split()) <= ({expected} if os.getuid() == 0 else set(fields["Groups"].split()))
        # the last is the server
        assert fields["NoNewPrivs"] == "1"
        assert fields["CapEff"] == fields["CapPrm"] == fields["CapAmb"] == "0" * 16


def below(pid: int) -> list[int]:
    """All processes below ``pid``, parents before children."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for word in task.read_text().split():
            found += [int(word), *below(int(word))]
    return found


def test_an_ordinary_user_gets_a_sandbox_too(tmp_path: Path) -> None:
    """The modes again, started by somebody who is not root."""
    if os.getuid() != 0:
        pytest.skip("the other tests run as an ordinary user already")
    if any(not folder.stat().st_mode & 0o005 for folder in Path(sys.base_prefix).parents):
        pytest.skip("the interpreter lies where an ordinary user cannot enter")
    code = (
        "import os, sys; os.setgroups([]); os.setgid(64712); os.setuid(64712)\n"
        f"sys.path[:] = {sys.path!r}\n"
        "from benchforge.runners.score.sandbox import Sandbox\n"
        f"for mode in {MODES!r}:\n    with Sandbox.open(mode) as sandbox:\n        print(mode, *sandbox.layers)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    for line, mode in zip(done.stdout.splitlines(), MODES, strict=True):
        assert line.split()[0] == mode
        assert {"no_new_privs", "seccomp", "rlimits", "unprivileged_uid"} <= set(line.split())
