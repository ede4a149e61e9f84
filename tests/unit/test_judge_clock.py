"""The soft limit of a case gives waiting back, in bounds."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("programs are executed on Linux only", allow_module_level=True)

from benchforge.runners.score.sandbox.inside import clock as clock_module
from benchforge.runners.score.sandbox.inside.clock import MAX_STRETCH, Clock, open_waits
from benchforge.runners.score.sandbox.inside.report import Expired

LIMIT_SECONDS = 0.05


@pytest.fixture(autouse=True)
def _alarm() -> Iterator[None]:
    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def waits(tmp_path: Path) -> Iterator[int]:
    """A file that says what a test wants the kernel to say."""
    path = tmp_path / "schedstat"
    path.write_text("1 0 1\n")
    fd = os.open(path, os.O_RDWR)
    yield fd
    os.close(fd)


def seconds_until_expired(clock: Clock, meanwhile: bytes = b"") -> float:
    clock.install()
    started = time.perf_counter()
    with pytest.raises(Expired):
        clock.timed(
            lambda: (meanwhile and os.pwrite(clock._waits_fd or -1, meanwhile, 0), time.sleep(60)), LIMIT_SECONDS
        )
    return time.perf_counter() - started


def test_time_without_a_processor_is_given_back(waits: int):
    assert seconds_until_expired(Clock(waits), b"1 30000000 1\n") >= LIMIT_SECONDS + 0.03


def test_no_more_is_given_back_than_the_stretch(waits: int):
    # a sample that forges the file, or a node that gives nothing at all: it ends all the same
    assert seconds_until_expired(Clock(waits), b"1 900000000000 1\n") >= MAX_STRETCH * LIMIT_SECONDS


@pytest.mark.parametrize("content", [b"nonsense", b"1 -5000000000 1\n"])
def test_a_file_that_makes_no_sense_gives_nothing_and_breaks_nothing(waits: int, content: bytes):
    assert seconds_until_expired(Clock(waits), content) >= LIMIT_SECONDS


def test_without_the_file_a_sleeping_program_expires():
    assert seconds_until_expired(Clock(None)) >= LIMIT_SECONDS


def test_a_program_at_the_end_of_its_stack_expires_and_does_not_run_on(monkeypatch: pytest.MonkeyPatch, waits: int):
    clock = Clock(waits)
    clock.start(30)

    def no_room(*_: object) -> bytes:
        raise RecursionError

    monkeypatch.setattr(clock_module, "_read_at", no_room)
    with pytest.raises(Expired):
        clock._fired(signal.SIGALRM, None)


def test_the_kernels_own_file_opens_below_a_descriptor_of_proc():
    proc = os.open("/proc", os.O_PATH)
    try:
        fd = open_waits(proc)
        if fd is None:
            pytest.skip("this kernel keeps no schedstat")
        assert len(os.pread(fd, 100, 0).split()) == 3
        os.close(fd)
    finally:
        os.close(proc)
    assert open_waits(None) is None
