"""The judge's side of one server: say what to open and to limit, hand over inputs, start jobs.

Theory of operation. Per job this side makes the result pipe itself and hands the write end through the server to the
child, so that a server never sees answers. The child's pidfd comes back the same way. What then happens to the child
is ``running``'s.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pickle
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from ....ingest import errors
from .inside import wire
from .inside.child import REQUEST_FD, RESULT_FD
from .inside.clock import MAX_STRETCH
from .running import Ending, Running, SandboxBroken

_REPLY_SECONDS = 30.0
_IMPORT_HINT = "install benchforge again in the environment (or image) that scores"
_MAX_REGISTERED = 8
_MAX_REGISTERED_BYTES = 32 << 20
"""Of inputs in a server's memory, unless the newest alone are more: contest problems have up to a hundred megabytes."""
_PIPE_BYTES = 1 << 20
_SET_PIPE_SIZE = 1031


class Connection:
    """One server. Not for use by two threads at once."""

    def __init__(self, control: socket.socket, reply_seconds: float = _REPLY_SECONDS) -> None:
        """``reply_seconds``: what an answer of the server may take; a suite's imports its libraries first."""
        self._control = control
        self._control.settimeout(reply_seconds)
        self._registered: dict[str, int] = {}
        """Task -> bytes of its inputs."""

    def hello(self) -> tuple[dict[str, Any], list[int]]:
        """The server's greeting; raises SandboxUnavailable when it could not import what its children need."""
        message, fds = self.receive()
        if complaint := message.get("complaint"):
            wire.close_all(fds)
            raise errors.SandboxUnavailable(
                f"Programs of suites cannot have namespaces of their own here ({str(complaint)[:200]}).",
                "allow unprivileged user namespaces, and a /proc that nothing is mounted over",
            )
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
        drop = self._crowded_out(len(pickled_inputs))
        for name in drop:
            del self._registered[name]
        self._send("inputs", {"key": key, "inputs": pickled_inputs, "drop": drop})
        self._registered[key] = len(pickled_inputs)

    def _crowded_out(self, num_bytes: int) -> list[str]:
        """What has to go for inputs of so many bytes, the oldest first."""
        drop: list[str] = []
        number, held = len(self._registered), sum(self._registered.values())
        for name, size in self._registered.items():
            if number < _MAX_REGISTERED and held + num_bytes <= _MAX_REGISTERED_BYTES:
                break
            drop.append(name)
            number, held = number - 1, held - size
        return drop

    def is_registered(self, key: str) -> bool:
        return key in self._registered

    def start(
        self, spec: Mapping[str, Any], seconds: float, inputs: str = "", fds: Mapping[int, int] | None = None
    ) -> Running:
        """Fork a child for one program. ``spec``: see ``inside.child``, with ``limits`` as Limits.

        ``seconds``: see ``Running``. ``fds``: the child's number -> ours, besides the result pipe.
        """
        reader, writer = os.pipe()
        with contextlib.suppress(OSError):
            fcntl.fcntl(writer, _SET_PIPE_SIZE, _PIPE_BYTES)
        given = {RESULT_FD: writer, **(fds or {})}
        # the server passes it on unread: what lies in its memory, every later child can search
        told = wire.written({**spec, "limits": vars(spec["limits"])})
        try:
            self._send("run", {"inputs": inputs, "fds": list(given)}, [told, *given.values()])
        except BaseException:
            os.close(reader)
            raise
        finally:
            wire.close_all([writer, told])
        return Running(self, reader, seconds, is_interactive=REQUEST_FD in given)

    def fileno(self) -> int:
        return self._control.fileno()

    def close(self) -> None:
        self._control.close()

    def _send(self, name: str, content: Any, fds: Sequence[int] = ()) -> None:
        self._send_bytes(pickle.dumps((name, content)), fds)

    def _send_bytes(self, payload: bytes, fds: Sequence[int] = ()) -> None:
        try:
            wire.send(self._control, payload, fds)
        except (wire.Closed, TimeoutError) as error:
            raise SandboxBroken(f"the server is gone: {error}") from error

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """The server's next message and its descriptors; raises SandboxBroken."""
        try:
            payload, fds = wire.receive(self._control, wire.MAX_REPLY_BYTES)
            return json.loads(payload), fds
        except (wire.Closed, TimeoutError, ValueError) as error:
            raise SandboxBroken(f"the server is gone: {error}") from error


__all__ = ["MAX_STRETCH", "REQUEST_FD", "RESULT_FD", "Connection", "Ending", "Running", "SandboxBroken"]
