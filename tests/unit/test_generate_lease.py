"""The lease of a shard: exactly one holder, and an heir as soon as nobody holds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.errors import Incomplete
from benchforge.runners.generate.lease import leased


def _lease_of(tmp_path: Path, age_seconds: float = 0.0, **content: Any) -> Path:
    lease = tmp_path / "lease"
    here = {"host": os.uname().nodename, "pid": os.getpid(), "job": None, "token": "old"}
    lease.write_text(json.dumps({**here, **content}))
    os.utime(lease, (time.time() - age_seconds,) * 2)
    return lease


def test_a_lease_of_a_process_that_is_gone_is_taken_over(tmp_path: Path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lease = _lease_of(tmp_path, pid=ended.pid)
    with leased(tmp_path, "s"):
        assert json.loads(lease.read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("age_seconds", "is_stale"), [(0.0, False), (50.0, False), (61.0, True)])
def test_a_lease_of_another_host_is_stale_after_three_beats(tmp_path: Path, age_seconds: float, is_stale: bool):
    _lease_of(tmp_path, age_seconds, host="elsewhere")
    if is_stale:
        with leased(tmp_path, "s", beat_seconds=20.0):
            pass
    else:
        with pytest.raises(Incomplete, match="on elsewhere"), leased(tmp_path, "s", beat_seconds=20.0):
            pass


def test_a_requeued_job_is_its_own_heir_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _lease_of(tmp_path, host="elsewhere", job="77")
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    with leased(tmp_path, "s"):
        pass


def test_of_many_heirs_exactly_one_wins(tmp_path: Path):
    _lease_of(tmp_path, age_seconds=1e6, host="elsewhere")
    won, lost, both = [], [], threading.Barrier(8)
    release = threading.Event()

    def try_once() -> None:
        both.wait()
        try:
            with leased(tmp_path, "s"):
                won.append(1)
                release.wait(30)
        except Incomplete:
            lost.append(1)
            if len(lost) == 7:
                release.set()

    threads = [threading.Thread(target=try_once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
