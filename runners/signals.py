"""Signals as exceptions: TERM, HUP, USR1, USR2, INT end a stage between two appends, all flushed, exit code 75."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from ..ingest.errors import Interrupted

_NAMES = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")


@contextmanager
def interruptible(outcome: str = "what was finished is kept", heeds_ignored: Sequence[str] = ()) -> Iterator[None]:
    """Raise Interrupted in the main thread when such a signal arrives; the old handlers come back afterwards.

    ``outcome`` is what the sentence says of the work done. A signal that is ignored (``nohup``) stays so, except those
    in ``heeds_ignored``: a batch script ignores them until the program that it starts has its handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    heeded = {getattr(signal, name) for name in heeds_ignored if hasattr(signal, name)}
    heard = [number for number in numbers if number in heeded or signal.getsignal(number) is not signal.SIG_IGN]

    def interrupt(number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        raise Interrupted(f"stopped by {name}; {outcome}", "run the same command again", name)

    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted; {outcome}", "run the same command again", "SIGINT") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
