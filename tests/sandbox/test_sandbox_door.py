"""``benchforge judge`` as it is called: a process, a file or a pipe, lines out."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.errors import BadInput, SandboxUnavailable
from benchforge.runners.score.door import Means, grade_rows
from benchforge.runners.score.judge import Graded, Job, Judge
from benchforge.runners.score.judge.recent import NUM_KEPT
from benchforge.runners.score.sandbox import Sandbox

from .conftest import BOTH, make_task

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "benchforge", "judge")


def crux(name: Any, solution: str, output: str = "'oof'", target: str = "cruxeval_o", **fields: str) -> dict[str, Any]:
    task = {"code": "def f(text):\n    return text[::-1]", "input": "'foo'", "output": output, **fields}
    return {"id": name, "target": target, "task": task, "solution": solution}


def plus(name: Any, solution: str, reference: str = "    return abs(x)\n", **task: Any) -> dict[str, Any]:
    fields = {
        "prompt": "def size(x):\n", "entry_point": "size", "canonical_solution": reference, "base_input": [[3], [0]],
        "plus_input": [[-4]], "atol": 0, **task,
    }  # fmt: skip
    return {"id": name, "target": "humanevalplus", "task": fields, "solution": f"def size(x):\n{solution}"}


def judged(path: Path, given: Iterable[dict[str, Any] | bytes], *words: str) -> subprocess.CompletedProcess[str]:
    rows = path / "rows.jsonl"
    rows.write_bytes(b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in given))
    return subprocess.run([*COMMAND, str(rows), *words], capture_output=True, text=True, cwd=ROOT)


def lines_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def test_rows_that_cannot_be_graded_are_lines_among_the_others(tmp_path: Path) -> None:
    test = "def check(candidate):\n    assert candidate(-2) == 2\n"
    whatever = plus("any answer", "    return (x for x in [])\n", "    return object()\n", entry_point="are_equivalent")
    whatever = json.loads(json.dumps({**whatever, "target": "mbppplus"}).replace("def size", "def are_equivalent"))
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    given: list[tuple[dict[str, Any] | bytes, str]] = [
        (plus("right", "    return abs(x)\n"), "pass"),
        (b'{"id": "cut', "not JSON"),
        (plus("raises", "    return 1\n", "    raise ValueError\n"), "gives no answer to base case 0 (exception)"),
        (plus("leaves", "    return 1\n", "    import os; os._exit(0)\n"), "gives no answer to base case 0 (killed)"),
        (plus("no python", "    return 1\n", "    return (\n"), "gives no answer to base case 0 (syntax)"),
        (
            plus("generator", "    return 1\n", "    return (y for y in [x])\n"),
            "base case 0 with a value that cannot be told",
        ),
        (plus("deep", "    return 1\n", "    for _ in range(300): x = [x]\n    return x\n"), "cannot be told"),
        (plus("inside", "    return 1\n", "    return {1: object()}\n"), "cannot be told"),
        (plus("lists", "    return [(x, {x})]\n", "    return [(x, {x})]\n"), "pass"),
        (whatever, "pass"),
        (plus("half right", "    return x\n"), "fail"),
        (crux("no literal", "1", output="f("), "is not a literal"),
        (crux("deep literal", "1", output="-" * 200000 + "1"), "is not a literal"),
        (crux("no code", "f('foo')", target="cruxeval_i", code="def f("), "code of task no code is not Python"),
        (crux("nul", "'oof'", code="\0"), "code of task nul is not Python"),
        (crux("surrogate", "'oof'", code="'\ud800'"), "code of task surrogate is not Python"),
        (crux("blank", "'oof'", code=" \n"), "code of task blank is empty"),
        (crux("g alone", "f('foo')", target="cruxeval_i", code="def g(x): return x"), "does not define f"),
        (crux("assigned", "f('oof')", target="cruxeval_i", code="f = lambda x: x"), "pass"),
        (plus("tolerant", "    return 1\n", atol=10**400), "atol is an integer of many digits"),
        (crux("reversed", "'o' * 2 + 'f'"), "pass"),
        (crux("argument", "f('foo')", target="cruxeval_i"), "pass"),
        ({**plus("check", "    return abs(x)\n", test=test), "target": "humaneval"}, "pass"),
        ({**plus("no test", "    return abs(x)\n", test="def check("), "target": "humaneval"}, "is not Python"),
        ({**plus("no check", "    return abs(x)\n", test="pass"), "target": "humaneval"}, "does not define check"),
        (plus("too deep", "    return 1\n", base_input=[[deep]]), "Task too deep is nested too deeply"),
        (plus("\ud800 name", "    return '\0'\n"), "fail"),
        (plus("right", "    return max(x, -x)\n"), "pass"),
        ({**plus("empty", ""), "solution": " \n"}, "fail"),
    ]
    done = judged(tmp_path, [row for row, _ in given], "--jobs", "2")
    assert done.returncode == 0, done.stderr
    lines = lines_of(done)
    assert [line["id"] for line in lines] == [row["id"] if isinstance(row, dict) else None for row, _ in given]
    for line, (_, wanted) in zip(lines, given, strict=True):
        assert line.get("official", line.get("error", "")) == wanted or wanted in line.get("error", ""), line
    half = next(line for line in lines if line["id"] == "half right")
    assert (half["reason"], half["part"], half["first_failing_case"]) == ("wrong_answer", "plus", 0)
    assert {"seccomp", "rlimits", "unprivileged_uid"} <= set(half["layers"]) and half["sandbox_mode"]
    assert lines[-1]["reason"] == "empty" and lines[-1]["first_failing_case"] is None


TESTS_ALONE = [
    ("import sys\nsys.exit(0)\n", "SystemExit"),
    ("import os\nos._exit(0)\n", "SystemExit"),
    ("assert False\n", "AssertionError"),
    ("import no_such_module\n", "ModuleNotFoundError"),
    ("def check():\n    pass\n", "TypeError"),
    ("def check(candidate, other):\n    pass\n", "TypeError"),
    ("def check(candidate):\n    assert absent(candidate(1))\n", "NameError"),
    ("def check(candidate):\n    import os\n    os._exit(0)\n", "SystemExit"),
    # the program took part in these
    ("def check(candidate):\n    assert False\n", ""),
    ("def check(candidate):\n    given = candidate(1)\n    assert absent(given)\n", ""),
    ("def check(candidate):\n    import sys\n    sys.exit(candidate(1))\n", ""),
]
"""Test -> what it fails with before it calls the program; nothing where the program took part."""


def test_a_test_that_fails_by_itself_is_the_tasks_fault() -> None:
    fields = {"entry_point": "same", "prompt": "def same(x):\n"}
    tasks = {test: make_task(test, "check", {**fields, "test": test}) for test, _ in TESTS_ALONE}
    jobs = [Job(wanted, test, "def same(x):\n    return x\n", BOTH) for test, wanted in TESTS_ALONE]
    with Judge(tasks) as judge:
        for job, result in judge.attempts(jobs):
            if job.key:
                assert isinstance(result, BadInput) and f"before it calls the program ({job.key})" in result.message
            else:
                assert isinstance(result, Graded) and result.outcomes["official"].base.reason == "wrong_answer"


def test_a_pipe_gets_each_line_before_the_next_row_is_written() -> None:
    with subprocess.Popen(
        [*COMMAND, "-", "--jobs", "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        for number in range(3):
            process.stdin.write(json.dumps(crux(number, "'oof'" if number else "'off'")) + "\n")
            process.stdin.flush()
            line = json.loads(process.stdout.readline())
            assert (line["id"], line["official"]) == (number, "pass" if number else "fail")
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_the_slowest_row_first_keeps_the_order() -> None:
    slow = plus("slow", "    import time; time.sleep(0.5)\n    return abs(x)\n")
    lines: list[dict[str, Any]] = []
    rows = [slow, *(plus(number, "    return abs(x)\n") for number in range(6))]
    stream = io.BytesIO("\n".join(map(json.dumps, rows)).encode())
    assert grade_rows(stream, Means(num_workers=2), lines.append) == 0
    assert [(line["id"], line["official"]) for line in lines] == [(row["id"], "pass") for row in rows]


def test_a_task_that_was_forgotten_is_told_again() -> None:
    outputs = [repr(f"{number}oof") for number in (*range(NUM_KEPT + 3), 0, 1)]
    given = [crux(number, output, output) for number, output in enumerate(outputs)]
    lines: list[dict[str, Any]] = []
    grade_rows(io.BytesIO("\n".join(map(json.dumps, given)).encode()), Means(), lines.append)
    assert [(line["id"], line.get("official")) for line in lines] == [(row["id"], "pass") for row in given]


def test_extra_cases_of_a_program_that_failed_the_base_ones_are_left_out() -> None:
    late = plus("late", "    while x < 0:\n        pass\n    return 99\n")
    lines: list[dict[str, Any]] = []
    grade_rows(io.BytesIO(json.dumps(late).encode()), Means(), lines.append)
    (line,) = lines
    assert (line["official"], line["reason"], line["part"]) == ("fail", "wrong_answer", "base")
    # the extra case alone would run into its limit of four seconds
    assert line["cpu_seconds"] < 2


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    for parent in (place, *list(place.parents)[:3]):
        parent.chmod(0o755)
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(plus("a", "    return abs(x)\n")))
    environment = {**os.environ, "TMPDIR": str(place)}
    done = subprocess.run([*COMMAND, str(rows)], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert (done.returncode, lines_of(done)[0]["official"]) == (0, "pass")
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("mode", ["bubblewrap", "unshare", "inner-only"])
def test_a_temporary_folder_that_others_cannot_enter_will_do(tmp_path: Path, mode: str) -> None:
    try:
        Sandbox.open(mode).close()
    except SandboxUnavailable as error:
        pytest.skip(error.message)
    place = tmp_path / "closed"
    place.mkdir(mode=0o700)
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(plus("a", "    return abs(x)\n")))
    environment = {**os.environ, "TMPDIR": str(place)}
    words = [*COMMAND, str(rows), "--sandbox-mode", mode]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    assert lines_of(done)[0]["official"] == "pass" and list(place.iterdir()) == []


def descendants(pid: int) -> set[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in children}.union(*(descendants(int(child)) for child in children))


def is_running(pid: int) -> bool:
    """Of those that have ended some wait for whoever adopted them."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1] not in b"ZX"
    except OSError:
        return False


def test_a_killed_run_ends_with_its_sandboxes_and_the_next_one_clears_up(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    beside = tmp_path / "benchforge-unlocked"
    beside.mkdir()
    with subprocess.Popen(
        [*COMMAND, "-", "--jobs", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(crux("a", "'oof'")).encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdin.write(json.dumps(plus("b", "    while True:\n        pass\n")).encode() + b"\n")
        process.stdin.flush()
        left = descendants(process.pid)
        process.kill()
    assert len(left) >= 3
    deadline = time.monotonic() + 3
    while any(map(is_running, left)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(is_running, left))
    assert len(list(tmp_path.iterdir())) > 1
    done = subprocess.run([*COMMAND, "-"], input=json.dumps(crux("a", "'oof'")), text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0 and list(tmp_path.iterdir()) == [beside]


def test_unsafe_rows_say_so(tmp_path: Path) -> None:
    done = judged(tmp_path, [crux("a", "'oof'")], "--unsafe", "--sandbox-mode", "rlimit-only")
    (line,) = lines_of(done)
    assert line["is_unsafe"] is True and line["sandbox_mode"] == "inner-only"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("attacks", 25), ("honest", 8)])
def test_every_shared_row_through_the_door(shared_data: Path, name: str, count: int) -> None:
    path = shared_data / "hostile" / f"{name}.jsonl"
    done = subprocess.run([*COMMAND, str(path), "--limit-factor", "0.25"], capture_output=True, text=True, cwd=ROOT)
    lines = lines_of(done)
    given = [json.loads(line) for line in path.read_text().split("\n") if line]
    assert done.returncode == 0 and len(lines) == count
    for row, line in zip(given, lines, strict=True):
        assert line["id"] == row["id"] and line["official"] in row["expect"]["verdict"], line
        assert (line["strict"] == "pass") is (name == "honest"), line
