"""Signals and kills: a process of its own, so that real ones are sent; a script stands in for ``scontrol``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.errors import Incomplete, Interrupted
from benchforge.ingest.manifest import Run
from benchforge.runners.generate.job import Job
from benchforge.runners.generate.schedule import Pool
from planned_run import ROWS, Server, assert_whole, causes, generate, journal_rows, planned, serving, wait_until

CONCURRENCY = 2


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        running.pause_seconds = 0.05
        yield running


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return planned(tmp_path)


@contextmanager
def started(server: Server, scratch: Path, *more: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """``benchforge generate`` with USR1 and TERM ignored at its start, as a batch script has them."""
    words = ["generate", "--scratch", str(scratch), "--engine", "endpoint", "--base-url", server.base_url]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchforge", *words, "--concurrency", str(CONCURRENCY), *more],
        env={**os.environ, "HOME": str(scratch), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_ignore,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _ignore() -> None:
    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def wait_for_rows(run: Run, process: subprocess.Popen[str], number: int) -> None:
    def is_there() -> bool:
        assert process.poll() is None, process.communicate()[1]
        return len(journal_rows(run)) >= number

    wait_until(is_there, "the process never got that far")


@pytest.mark.parametrize(
    ("number", "cause"),
    [(signal.SIGTERM, "preempted"), (signal.SIGUSR1, "notice"), (signal.SIGINT, "cancelled")],
)
def test_a_signal_keeps_what_was_answered_and_ends_in_75(
    run: Run, server: Server, tmp_path: Path, number: signal.Signals, cause: str
):
    with started(server, tmp_path) as process:
        wait_for_rows(run, process, 3)
        process.send_signal(number)
        _, talk = process.communicate(timeout=120)
    assert process.returncode == 75, talk
    assert "what was answered is kept" in talk
    before = len(journal_rows(run))
    assert 3 <= before < ROWS
    server.pause_seconds = 0.0
    (done,) = generate(run, server)
    assert (done.num_asked, done.num_resumed) == (ROWS - before, before)
    assert sum(server.asked.values()) <= ROWS + CONCURRENCY, "at most the requests in flight are asked twice"
    assert_whole(run)
    assert causes(run) == {cause: 1, "done": 1}


def test_kills_at_any_instant_lose_at_most_what_is_in_flight(run: Run, server: Server, tmp_path: Path):
    for kills in range(2):
        with started(server, tmp_path) as process:
            wait_for_rows(run, process, 10 * (kills + 1))
            process.kill()
            process.wait()
    server.pause_seconds = 0.0
    generate(run, server)
    assert_whole(run)
    assert sum(server.asked.values()) <= ROWS + 2 * CONCURRENCY
    assert causes(run) == {"crashed": 2, "done": 1}, "the heir writes down what killed attempts could not"


def scontrol(tmp_path: Path, exit_code: int) -> Path:
    """A folder whose ``scontrol`` writes down what it was called with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "scontrol"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\nexit {exit_code}\n')
    program.chmod(0o755)
    return folder


def test_under_slurm_a_notice_asks_for_a_requeue_and_waits_to_be_killed(run: Run, server: Server, tmp_path: Path):
    path = f"{scontrol(tmp_path, 0)}:{os.environ['PATH']}"
    with started(server, tmp_path, SLURM_JOB_ID="77", SLURM_RESTART_COUNT="1", PATH=path) as process:
        wait_for_rows(run, process, 3)
        process.send_signal(signal.SIGUSR1)
        called = tmp_path / "called"
        wait_until(lambda: called.exists() and "requeue" in called.read_text(), "scontrol was never called")
        *asked, last = called.read_text().splitlines()
        assert set(asked) == {"-o show job 77"} and last == "requeue 77", "asked why, then for a requeue"
        [attempt] = run.lake.read("runs").to_pylist()
        assert (attempt["cause"], attempt["job_id"]) == ("notice", "77.1")
        assert attempt["num_rows"] == len(journal_rows(run)), "flushed before SLURM is asked"
        assert process.poll() is None, "a process that leaves by itself makes its job FAILED"
    server.pause_seconds = 0.0
    generate(run, server)
    assert_whole(run)


def test_a_term_under_slurm_only_flushes(run: Run, server: Server, tmp_path: Path):
    path = f"{scontrol(tmp_path, 0)}:{os.environ['PATH']}"
    with started(server, tmp_path, SLURM_JOB_ID="77", PATH=path) as process:
        wait_for_rows(run, process, 3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 75
    assert (tmp_path / "called").read_text() == "-o show job 77\n", "asked why, never for a requeue"


def test_a_requeue_that_is_refused_ends_in_75(run: Run, server: Server, tmp_path: Path):
    path = f"{scontrol(tmp_path, 1)}:{os.environ['PATH']}"
    with started(server, tmp_path, SLURM_JOB_ID="77", PATH=path) as process:
        wait_for_rows(run, process, 3)
        process.send_signal(signal.SIGUSR1)
        assert process.wait(120) == 75
    asked = (tmp_path / "called").read_text().splitlines()
    assert asked.count("requeue 77") == 1 and set(asked) == {"-o show job 77", "requeue 77"}, "asked once"


def test_a_job_that_was_cancelled_while_its_program_began_stays_cancelled(run: Run, server: Server, tmp_path: Path):
    """TERM was ignored by the script; the queue now says that the job's end is past: that is no lack of time."""
    folder = scontrol(tmp_path, 0)
    (folder / "scontrol").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/called\n[ "$1" != -o ] || echo "JobId=9 JobState=COMPLETING Restarts=0"\n'
    )
    words = {"SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "9", "SLURM_ARRAY_TASK_ID": "1"}
    path = f"{folder}:{os.environ['PATH']}"
    with started(server, tmp_path, **words, SLURM_JOB_END_TIME=str(int(time.time())), PATH=path) as process:
        assert process.wait(120) == 3
    assert (tmp_path / "called").read_text() == "-o show job 9_1\n", "of this task, not of the whole array"
    assert not server.asked


def test_near_the_limit_a_notice_lets_answers_end(run: Run, server: Server):
    """USR1 with a minute left: nothing is begun, what is in flight is kept."""
    server.pause_seconds = 1.0
    job = Job(end=time.monotonic() + 90.0, closing_seconds=0.0)
    ours = os.getpid()

    def notice() -> None:
        wait_until(lambda: sum(server.asked.values()) >= CONCURRENCY, "nothing was asked")
        os.kill(ours, signal.SIGUSR1)

    thread = threading.Thread(target=notice)
    thread.start()
    with pytest.raises(Interrupted, match="SIGUSR1"):
        generate(run, server, CONCURRENCY, means={"job": job})
    thread.join()
    assert len(journal_rows(run)) == sum(server.asked.values()) > 0


def test_a_notice_after_which_everything_is_whole_asks_for_no_other_run(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
):
    """All that is left is in flight when USR1 comes: a requeued job would boot an engine and find nothing to do."""
    heard, ours, requeued = threading.Event(), os.getpid(), []
    monkeypatch.setattr(Job, "_is_requeued", lambda self: requeued.append(self.id) is None)
    answer, stop = server.answer, Pool.stop

    def held(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        found = answer(body)
        num_asked = sum(server.asked.values())
        if num_asked == ROWS:
            os.kill(ours, signal.SIGUSR1)
        assert num_asked <= ROWS - CONCURRENCY or heard.wait(120), "the notice was never heard"
        return found

    def hear(pool: Pool, signal_name: str) -> None:
        stop(pool, signal_name)
        heard.set()

    server.answer, server.pause_seconds = held, 0.0  # type: ignore[method-assign]
    monkeypatch.setattr(Pool, "stop", hear)
    job = Job("77", end=time.monotonic() + 120.0, closing_seconds=0.0)
    (done,) = generate(run, server, CONCURRENCY, means={"job": job})
    assert done.num_rows == ROWS and heard.is_set() and not requeued
    assert_whole(run)
    assert causes(run) == {"done": 1}


def test_time_left_is_known_from_slurm_or_told():
    environment = {"SLURM_JOB_ID": "5", "SLURM_JOB_END_TIME": str(int(time.time()) + 1000)}
    left = Job.current(None, environment).seconds_left()
    assert left is not None
    assert 800 < left + 30 < 1001
    told = Job.current(50.0, environment).seconds_left()
    assert told is not None
    assert told <= 20
    assert Job.current(None, {}).seconds_left() is None
    assert Job.current(None, {"SLURM_JOB_END_TIME": "Unknown"}).seconds_left() is None
    assert Job.current(None, {"SLURM_JOB_START_TIME": str(int(time.time()) - 500)}).age_seconds >= 499


@pytest.mark.parametrize(
    ("name", "left", "drains"),
    [("SIGUSR1", 100.0, True), ("SIGUSR1", 7200.0, False), ("SIGTERM", 100.0, False), ("SIGUSR1", None, False)],
)
def test_only_the_notice_of_the_limit_gives_time(name: str, left: float | None, drains: bool):
    job = Job(end=None if left is None else time.monotonic() + left, closing_seconds=0.0)
    assert (job.drain_seconds(name) > 0) == drains


def test_so_late_that_the_notice_may_have_been_missed_nothing_is_begun(run: Run, server: Server):
    job = Job("77", end=time.monotonic() + 10.0, age_seconds=3600.0)
    with pytest.raises(Interrupted, match="about to end"):
        generate(run, server, means={"job": job})
    assert not server.asked
    for too_short in (Job(end=time.monotonic() + 10.0), Job("77", end=time.monotonic() + 10.0)):
        with pytest.raises(Incomplete, match="not expected to end before the job does"):
            generate(run, server, means={"job": too_short})
    assert not server.asked
    assert causes(run) == {}
