"""Whatever dies around a program costs another attempt, never a verdict; what a program does to the judge does cost it.

The killings come from outside, in the middle of jobs, as an operator or a kernel short of memory would do them.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.runners.score.judge import Graded, Job, Judge, PartOutcome
from benchforge.runners.score.sandbox import Sandbox

from .conftest import BOTH, TASKS, total_task

SLOW = "import time\ndef total(xs):\n    time.sleep(0.15)\n    return sum(xs)\n"
MODES = ("bubblewrap", "unshare", "inner-only")


def children(pid: int) -> list[int]:
    """Direct children, oldest first."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(word) for word in task.read_text().split()]
    return sorted(found)


def descendants(pid: int) -> list[int]:
    return [below for child in children(pid) for below in (child, *descendants(child))]


def servers(pid: int) -> list[int]:
    """Processes below ``pid`` that run the fork server: lean first, then what was forked from it."""
    return [
        below
        for below in descendants(pid)
        if b"inside.server import main" in Path(f"/proc/{below}/cmdline").read_bytes()
    ]


TARGETS: dict[str, Callable[[int], int]] = {
    "the worker": lambda worker: worker,
    "the first process of the sandbox": lambda worker: children(worker)[0],
    "the lean server": lambda worker: servers(worker)[0],
}


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    try:
        Sandbox.open(request.param).close()
    except SandboxUnavailable as error:
        pytest.skip(f"{request.param}: {error.message}")
    return request.param


def killed_soon(find: Callable[[], int]) -> threading.Thread:
    """Kill what ``find`` names once something is there and has worked for a moment."""

    def kill() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                os.kill(find(), signal.SIGKILL)
                return
            except (IndexError, OSError):
                time.sleep(0.01)

    thread = threading.Timer(0.25, kill)
    thread.start()
    return thread


@pytest.mark.parametrize("target", TARGETS)
def test_a_death_in_the_middle_of_jobs_costs_an_attempt_and_nothing_else(mode: str, target: str) -> None:
    jobs = [Job(number, "total", f"{SLOW}# {number}\n", BOTH) for number in range(4)]
    with Judge(TASKS, mode) as judge:
        assert judge.mode == mode
        worker = judge._workers[0]._process.pid
        thread = killed_soon(lambda: TARGETS[target](worker))
        seen = {job.key: graded for job, graded in judge.grade(jobs)}
        thread.join()
    assert sorted(seen) == [0, 1, 2, 3]
    assert {part.verdict for graded in seen.values() for part in parts(graded)} == {"pass"}
    assert max(graded.attempt for graded in seen.values()) == 2


def parts(graded: Graded) -> Iterator[PartOutcome]:
    for outcome in graded.outcomes.values():
        yield from (part for part in (outcome.base, outcome.plus) if part is not None)


def test_a_dead_numpy_server_costs_the_next_program_that_needs_it_one_attempt() -> None:
    program = "import numpy\ndef total(xs):\n    return sum(xs)\n"
    with Judge(TASKS) as judge:
        assert judge.mode
        ((_, first),) = judge.grade([Job(None, "total", program, BOTH)])
        os.kill(servers(judge._workers[0]._process.pid)[-1], signal.SIGKILL)
        ((_, second),) = judge.grade([Job(None, "total", program, BOTH)])
    assert (first.attempt, second.attempt) == (1, 2)
    assert {part.verdict for part in parts(second)} == {"pass"}


@pytest.mark.parametrize("find", [lambda top: top, lambda top: servers(top)[0], lambda top: servers(top)[-1]])
def test_a_dead_extraction_server_loses_no_text(find: Callable[[int], int]) -> None:
    text = "def total(xs):\n    return sum(xs)\n"
    with Judge(TASKS) as judge:
        first = judge.extract("plain", text, {})
        assert judge._extractor is not None
        os.kill(find(judge._extractor._process.pid), signal.SIGKILL)
        assert judge.extract("plain", text, {}) == first


def test_a_worker_that_dies_every_time_leaves_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three kills from outside while it works on claims: the machine's failure, whoever was judged."""
    from benchforge.runners.score.judge import SandboxFailed, supervised

    hear = supervised.WorkerProcess.hear

    def hear_and_kill(self: supervised.WorkerProcess) -> tuple[str, object]:
        name, content = hear(self)
        if name == "claims":
            self._process.kill()
            self._process.wait()
        return name, content

    monkeypatch.setattr(supervised.WorkerProcess, "hear", hear_and_kill)
    with Judge(TASKS) as judge, pytest.raises(SandboxFailed):
        list(judge.grade([Job(None, "total", SLOW, BOTH)]))


HOLDS = {
    # compared, never decoded: what one claim may cost is bounded in decode; this stands for what nobody thought of
    "processor": "import time\nvalue = lambda tree: [None for _ in iter(lambda: 0, 1)]\n",
    "memory": "value = lambda tree: bytearray(100 << 30)\n",
    "recursion": "import sys\ndef value(tree):\n    return value(tree)\n",
    "an exception": "value = lambda tree: 1 / 0\n",
    "a crash": "import os\nvalue = lambda tree: os.abort()\n",
}
CRASHES = ("an exception", "a crash")


@pytest.mark.parametrize("what", HOLDS)
def test_claims_that_hold_the_judge_up_are_the_samples_failure(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """A decoder with a hole, put into the worker: the sample fails, the next one is judged as if nothing had been."""
    with_decoder(monkeypatch, HOLDS[what], "worker.CLAIMS_CPU_SECONDS = 1.0")
    programs = {"hostile": "def total(xs):\n    return 'hold'\n", "honest": SLOW}
    with Judge(TASKS) as judge:
        jobs = (Job(name, "total", program, BOTH) for name, program in programs.items())
        seen = {job.key: graded for job, graded in judge.grade(jobs)}
    assert {part.verdict for part in parts(seen["hostile"])} == {"fail"}
    assert {part.verdict for part in parts(seen["honest"])} == {"pass"}
    # the worker that ended by itself was given a second chance
    assert seen["hostile"].attempt == (2 if what in CRASHES else 1)
    if what == "processor" or what in CRASHES:
        assert {part.reason for part in parts(seen["hostile"])} == {"output_limit"}


def test_all_claims_of_a_program_have_one_budget_of_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is looked at quickly enough, and there are many of them."""
    from benchforge.runners.score.judge import supervised

    source = (
        "import time\ndef value(tree):\n    started = time.thread_time()\n"
        "    while time.thread_time() < started + 0.3: pass\n    return 6\n"
    )
    with_decoder(monkeypatch, source, "")
    monkeypatch.setattr(supervised, "PROGRAM_CPU_SECONDS", 1.0)
    task = total_task(base_inputs=[[[1, 2, 3]]] * 12, plus_inputs=[], expected={"base": [6] * 12, "plus": []})
    hostile = "import time\ndef total(xs):\n    time.sleep(0.05)\n    return 'hold'\n"
    with Judge({"total": task}) as judge:
        jobs = (Job(name, "total", program, BOTH) for name, program in (("hostile", hostile), ("honest", SLOW)))
        seen = {job.key: graded for job, graded in judge.grade(jobs)}
    assert {part.reason for part in parts(seen["hostile"])} == {"output_limit"}
    assert {part.verdict for part in parts(seen["honest"])} == {"pass"}


def with_decoder(monkeypatch: pytest.MonkeyPatch, source: str, setting: str) -> None:
    """Workers whose decoder reads the answer 'hold' by the function ``value`` of this source."""
    from benchforge.runners.score.judge import supervised

    package = supervised.__package__
    code = (
        f"import {package}.decode as decode\nimport {package}.worker as worker\n"
        f"honest = decode.value\nnamespace = {{}}\nexec({source!r}, namespace)\n"
        "decode.value = lambda tree: namespace['value'](tree) if tree == 'hold' else honest(tree)\n"
        f"{setting}\nworker.main()\n"
    )
    argv = supervised._worker_argv()
    path = argv[-1].split("; from")[0]
    monkeypatch.setattr(supervised, "_worker_argv", lambda: [*argv[:-1], f"{path}\n{code}"])
