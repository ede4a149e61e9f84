"""Signals as exceptions: TERM and USR1 end a stage between two appends, with everything flushed and exit code 75."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..ingest.errors import Interrupted

_NAMES = ("SIGTERM", "SIGUSR1")


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise Interrupted in the main thread when TERM or USR1 arrives; the old handlers come back afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    name = signal.Signals(number).name
    raise Interrupted(f"stopped by {name}; what was finished is kept", "run the same command again")
