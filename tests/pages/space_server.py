"""The Space as a process of its own on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPACE = Path(__file__).parents[2] / "runners" / "publish" / "space"
START_SECONDS = 180
"""Generous: other work on the machine may hold it up for long."""


@contextmanager
def served(python: str, **environment: str) -> Iterator[str]:
    """The Space's address on loopback; ended with all that it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    known = {
        name: value for name, value in os.environ.items() if not name.startswith(("BENCHFORGE_", "HF_", "GRADIO_"))
    }
    process = subprocess.Popen(
        [python, str(SPACE / "app.py")],
        env={**known, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), **environment},
        start_new_session=True,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}/"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the Space ended with {process.returncode} before it answered"
        try:
            urllib.request.urlopen(address, timeout=10).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the Space did not answer within {START_SECONDS} s")
