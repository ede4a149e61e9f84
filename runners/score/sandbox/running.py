"""One child at work, as the judge's side sees it: what it claims, until when, and how it ended.

Theory of operation. The child's only channel is a pipe whose read end is here; the server's socket says when the child
started (with its pidfd; a child that is over within milliseconds skips this) and how it ended. What the child writes is
picked up at ticks of a clock and when it has ended, not line by line: waking this side for each of a hundred answers
costs more than the answers. A pipe that is full makes the child wait for the next tick. A child that is asked question
by question (``is_interactive``) is read as it writes. Reading is bounded in time and in bytes; killing goes by pidfd,
which cannot hit another process and works for a stopped child and across pid namespaces.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .inside import wire
from .inside.clock import MAX_STRETCH

if TYPE_CHECKING:
    from .connection import Connection

_FIRST_TICK_SECONDS, _LAST_TICK_SECONDS = 0.002, 0.02
_START_SECONDS = 30.0
_CHUNK_BYTES = 1 << 20
_MAX_LINES = 100_000
"""Read at one tick; more is a flood, and a list of empty lines is a hundred times as large as they are."""


class SandboxBroken(Exception):
    """The sandbox failed, not the sample: the attempt has no verdict."""


@dataclass(frozen=True)
class Ending:
    """How a child ended and what it used."""

    signal: int
    exit_code: int
    cpu_seconds: float
    peak_memory_bytes: int
    wall_seconds: float


class Running:
    """Use ``batches`` until it ends, then ``finish``."""

    def __init__(self, connection: Connection, reader: int, seconds: float, *, is_interactive: bool) -> None:
        """``seconds``: what the child may take, from when the server started it (see ``allow``): what the server still
        clears away of the program before is not this one's time."""
        self._connection = connection
        self._reader = reader
        self._is_interactive = is_interactive
        self._pidfd: int | None = None
        self._report: dict[str, Any] | None = None
        self._pending: list[bytes] = []
        self._num_bytes = self._num_pending = 0
        self._max_bytes: int | None = None
        self._gives_back = True
        self._started = time.monotonic()
        self._deadline = self._latest = self._credited = 0.0
        self._ending: Ending | None = None
        self.is_out_of_time = False
        self.is_over_limit = False
        os.set_blocking(reader, False)
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """From now on so many seconds, less the time the child waits for a processor on a busy node.

        At most ``MAX_STRETCH`` times as long in all.
        """
        self._begin(seconds)
        self._credited = self._seconds_waited()

    def _begin(self, seconds: float) -> None:
        now = time.monotonic()
        self._seconds = seconds
        self._num_bytes, self._max_bytes, self._gives_back = 0, None, True
        if self._pidfd is None and self._report is None:
            seconds = max(seconds, _START_SECONDS)
        self._deadline, self._latest = now + seconds, now + MAX_STRETCH * seconds

    def linger(self, seconds: float, num_bytes: int) -> None:
        """From now on so many seconds by the clock and so many bytes more; none of it is given back."""
        self.allow(seconds)
        self._latest = self._deadline
        self._max_bytes, self._gives_back = num_bytes, False

    def batches(self, max_bytes: int, max_line_bytes: int) -> Iterator[list[bytes]]:
        """Complete lines as they come, several at a time, until the child is over, out of time or over a cap.

        ``is_out_of_time`` / ``is_over_limit`` say which it was.
        """
        tick_seconds = _FIRST_TICK_SECONDS
        while True:
            is_over = self._wait(min(tick_seconds, max(0.0, self._seconds_left())))
            complete = self._complete_lines(max_bytes, max_line_bytes)
            if complete:
                paused = time.monotonic()
                yield complete
                if self._gives_back:  # what the reader does with a line is not the program's time
                    self._deadline += time.monotonic() - paused
                    self._latest += time.monotonic() - paused
            if is_over or self.is_over_limit:
                return
            if self._seconds_left() <= 0:
                self.is_out_of_time = True
                return
            tick_seconds = min(2 * tick_seconds, _LAST_TICK_SECONDS)

    def kill(self) -> None:
        if self._report is None and self._pidfd is None:
            self._hear()
        if self._report is None and self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def finish(self) -> Ending:
        """End the child if it still runs, and say how it went; raises SandboxBroken when the server cannot tell."""
        if self._ending is None:
            try:
                self.kill()
                while self._report is None:
                    self._hear()
                self._ending = _ending(self._report, time.monotonic() - self._started)
            finally:
                wire.close_all([self._reader, *([self._pidfd] if self._pidfd is not None else [])])
                self._reader, self._pidfd = -1, None
        return self._ending

    def _wait(self, seconds: float) -> bool:
        """Until the server says something, a child that is asked answers, or the time is over; whether it ended."""
        poller = select.poll()
        poller.register(self._connection.fileno(), select.POLLIN)
        if self._is_interactive:
            poller.register(self._reader, select.POLLIN)
        for fd, _ in poller.poll(seconds * 1000):
            if fd == self._connection.fileno():
                self._hear()
        return self._report is not None

    def _hear(self) -> None:
        """One message of the server: the child started, or it ended."""
        message, fds = self._connection.receive()
        if message.get("started") and len(fds) == 1 and self._pidfd is None:
            self._pidfd, self._started = fds[0], time.monotonic()
            self._begin(self._seconds)  # what it has waited so far is next to nothing, and costs more to ask for
            return
        wire.close_all(fds)
        if "status" not in message:
            raise SandboxBroken("the server did not start a child")
        self._report = message

    def _complete_lines(self, max_bytes: int, max_line_bytes: int) -> list[bytes]:
        complete: list[bytes] = []
        max_bytes = max_bytes if self._max_bytes is None else self._max_bytes
        while not self.is_over_limit:
            try:
                chunk = os.read(self._reader, _CHUNK_BYTES)
            except BlockingIOError:
                break
            if not chunk:
                self._is_interactive = False  # nothing more will come: the server says why
                break
            self._num_bytes += len(chunk)
            *lines, rest = chunk.split(b"\n")
            if lines:
                lines[0] = b"".join((*self._pending, lines[0]))
                self._pending, self._num_pending = [], 0
                complete += lines
            self._pending.append(rest)
            self._num_pending += len(rest)
            is_flooded = self._num_bytes > max_bytes or len(complete) > _MAX_LINES
            self.is_over_limit = is_flooded or self._num_pending > max_line_bytes
        return complete

    def _seconds_left(self) -> float:
        left = min(self._deadline, self._latest) - time.monotonic()
        if left > 0:
            return left
        waited = self._seconds_waited()
        self._deadline += max(0.0, waited - self._credited)
        self._credited = max(waited, self._credited)
        return min(self._deadline, self._latest) - time.monotonic()

    def _seconds_waited(self) -> float:
        """Seconds the child was ready to run and had no processor, as the kernel counts them; 0 where it does not.

        A verdict must not depend on the load of the node: with two graders on one processor half of a program's wall
        time is somebody else's (seen: Mbpp/599 needs 40 of its 61 seconds alone, and ran out of time beside others).
        """
        if self._pidfd is None:
            return 0.0
        try:
            facts = Path(f"/proc/self/fdinfo/{self._pidfd}").read_text(encoding="ascii")
            pid = next(line.split()[1] for line in facts.splitlines() if line.startswith("Pid:"))
            return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
        except (OSError, StopIteration, ValueError, IndexError):
            return 0.0


def _ending(report: dict[str, Any], wall_seconds: float) -> Ending:
    try:
        status, cpu_seconds, memory = int(report["status"]), float(report["cpu"]), int(report["memory"])
    except (KeyError, TypeError, ValueError) as error:
        raise SandboxBroken(f"the server's report makes no sense: {error}") from error
    exit_code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Ending(number, exit_code, cpu_seconds, memory, wall_seconds)
