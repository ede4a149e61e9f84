"""The judge's side of one server: start jobs, read what children claim, stop them by the clock.

Theory of operation. Per job this side makes the result pipe itself and hands the write end through the server to the
child, so that a server never sees answers. The child's pidfd comes back the same way: killing by pidfd cannot hit
another process, works for a stopped child and across pid namespaces. Reading is bounded in time and in bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ....ingest import errors
from .inside import wire
from .inside.child import REQUEST_FD, RESULT_FD
from .inside.clock import MAX_STRETCH

_REPLY_SECONDS = 30.0
_IMPORT_HINT = "install benchforge again in the environment (or image) that scores"
_MAX_REGISTERED = 8
_PIPE_BYTES = 1 << 20
_SET_PIPE_SIZE = 1031


class SandboxBroken(Exception):
    """The sandbox failed, not the sample: the attempt has no verdict."""


@dataclass(frozen=True)
class Ending:
    """How a child ended and what it used. ``killed``: by us, for time or output."""

    signal: int
    exit_code: int
    cpu_seconds: float
    peak_memory_bytes: int
    wall_seconds: float


class Connection:
    """One server. Not for use by two threads at once."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._control.settimeout(_REPLY_SECONDS)
        self._registered: dict[str, None] = {}
        self._number = 0

    def hello(self) -> tuple[dict[str, Any], list[int]]:
        """The server's greeting; raises SandboxUnavailable when it could not import what its children need."""
        message, fds = self._receive()
        missing = message.get("missing")
        if missing:
            wire.close_all(fds)
            names = ", ".join(str(name) for name in missing)
            raise errors.SandboxUnavailable(f"Inside the sandbox {names} does not import.", _IMPORT_HINT)
        return message, fds

    def go(self) -> None:
        self._send_bytes(b"go")

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Say what to open and to limit; an O_PATH descriptor of our ``/proc`` goes along (see ``inside.clock``)."""
        try:
            proc = [os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)]
        except OSError:
            proc = []
        try:
            self._send_bytes(pickle.dumps(dict(settings)), proc)
        finally:
            wire.close_all(proc)

    def spawn(self, flavour: str) -> Connection:
        """A server of another flavour, forked from this one."""
        ours, theirs = socket.socketpair()
        self._send("spawn", flavour, [theirs.fileno()])
        theirs.close()
        connection = Connection(ours)
        try:
            connection.hello()
        except BaseException:
            connection.close()
            raise
        return connection

    def register(self, key: str, pickled_inputs: bytes) -> None:
        """Give the server a task's inputs, once; the least recently registered tasks are forgotten."""
        if key in self._registered:
            return
        drop = list(self._registered)[: max(0, len(self._registered) - _MAX_REGISTERED + 1)]
        for name in drop:
            del self._registered[name]
        self._send("inputs", {"key": key, "inputs": pickled_inputs, "drop": drop})
        self._registered[key] = None

    def is_registered(self, key: str) -> bool:
        return key in self._registered

    def start(self, spec: Mapping[str, Any], inputs: str = "", fds: Mapping[int, int] | None = None) -> Running:
        """Fork a child for one program. ``spec``: see ``inside.child``, with ``limits`` as Limits.

        ``fds``: the child's number -> ours, besides the result pipe.
        """
        self._number += 1
        reader, writer = os.pipe()
        with contextlib.suppress(OSError):
            _set_pipe_size(writer)
        given = {RESULT_FD: writer, **(fds or {})}
        # the server passes it on unread: what lies in its memory, every later child can search
        told = wire.written({**spec, "limits": asdict(spec["limits"])})
        try:
            job = {"number": self._number, "inputs": inputs, "fds": list(given)}
            self._send("run", job, [told, *given.values()])
            started, descriptors = self._receive()
        except BaseException:
            os.close(reader)
            raise
        finally:
            wire.close_all([writer, told])
        if not started.get("started") or len(descriptors) != 1:
            wire.close_all([reader, *descriptors])
            raise SandboxBroken("the server did not start a child")
        return Running(self, reader, descriptors[0])

    def ending(self) -> dict[str, Any]:
        return self._receive()[0]

    def close(self) -> None:
        self._control.close()

    def _send(self, name: str, content: Any, fds: Sequence[int] = ()) -> None:
        self._send_bytes(pickle.dumps((name, content)), fds)

    def _send_bytes(self, payload: bytes, fds: Sequence[int] = ()) -> None:
        try:
            wire.send(self._control, payload, fds)
        except (wire.Closed, TimeoutError) as error:
            raise SandboxBroken(f"the server is gone: {error}") from error

    def _receive(self) -> tuple[dict[str, Any], list[int]]:
        try:
            payload, fds = wire.receive(self._control, wire.MAX_REPLY_BYTES)
            return json.loads(payload), fds
        except (wire.Closed, TimeoutError, ValueError) as error:
            raise SandboxBroken(f"the server is gone: {error}") from error


class Running:
    """One child at work. Use ``lines`` until it ends, then ``finish``."""

    def __init__(self, connection: Connection, reader: int, pidfd: int) -> None:
        self._connection = connection
        self._reader = reader
        self._pidfd = pidfd
        self._started = time.monotonic()
        self._ending: Ending | None = None
        self.is_out_of_time = False
        self.is_over_limit = False

    def lines(self, seconds: float, max_bytes: int, max_line_bytes: int) -> Iterator[bytes]:
        """Complete lines as they come, until the pipe closes, time runs out or a cap is passed.

        ``seconds`` counts from the start of the child, less the time it waited for a processor on a busy node (at most
        ``MAX_STRETCH`` times as long in all). ``is_out_of_time`` / ``is_over_limit`` say which it was. A descriptor
        that a thread keeps open cannot delay this: the pipe is closed when the child's main thread leaves.
        """
        deadline, latest = self._started + seconds, self._started + MAX_STRETCH * seconds
        credited = 0.0
        poller = select.poll()
        poller.register(self._reader, select.POLLIN)
        pending: list[bytes] = []
        num_bytes = num_pending = 0
        while True:
            left = min(deadline, latest) - time.monotonic()
            if left <= 0 or not poller.poll(max(1, int(left * 1000))):
                waited = self._seconds_waited()
                deadline, credited = deadline + max(0.0, waited - credited), max(waited, credited)
                if min(deadline, latest) - time.monotonic() > 0:
                    continue
                self.is_out_of_time = True
                return
            chunk = os.read(self._reader, 1 << 18)
            if not chunk:
                return
            num_bytes += len(chunk)
            *complete, rest = chunk.split(b"\n")
            if complete:
                complete[0] = b"".join((*pending, complete[0]))
                pending, num_pending = [], 0
            pending.append(rest)
            num_pending += len(rest)
            if num_bytes > max_bytes or num_pending > max_line_bytes:
                self.is_over_limit = True
                return
            paused = time.monotonic()
            yield from complete
            # what the reader does with a line is not the program's time
            deadline += time.monotonic() - paused
            latest += time.monotonic() - paused

    def _seconds_waited(self) -> float:
        """Seconds the child was ready to run and had no processor, as the kernel counts them; 0 where it does not.

        A verdict must not depend on the load of the node: with two graders on one processor half of a program's wall
        time is somebody else's (seen: Mbpp/599 needs 40 of its 61 seconds alone, and ran out of time beside others).
        """
        try:
            facts = Path(f"/proc/self/fdinfo/{self._pidfd}").read_text(encoding="ascii")
            pid = next(line.split()[1] for line in facts.splitlines() if line.startswith("Pid:"))
            return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
        except (OSError, StopIteration, ValueError, IndexError):
            return 0.0

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def finish(self) -> Ending:
        """End the child if it still runs, and say how it went; raises SandboxBroken when the server cannot tell."""
        if self._ending is None:
            self.kill()
            wall_seconds = time.monotonic() - self._started
            wire.close_all([self._reader])
            try:
                report = self._connection.ending()
                status = int(report["status"])
                cpu_seconds, memory = float(report["cpu"]), int(report["memory"])
            except (KeyError, TypeError, ValueError) as error:
                raise SandboxBroken(f"the server's report makes no sense: {error}") from error
            finally:
                wire.close_all([self._pidfd])
            exit_code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
            number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            self._ending = Ending(number, exit_code, cpu_seconds, memory, wall_seconds)
        return self._ending


def _set_pipe_size(fd: int) -> None:
    import fcntl

    fcntl.fcntl(fd, _SET_PIPE_SIZE, _PIPE_BYTES)


__all__ = ["MAX_STRETCH", "REQUEST_FD", "RESULT_FD", "Connection", "Ending", "Running", "SandboxBroken"]
