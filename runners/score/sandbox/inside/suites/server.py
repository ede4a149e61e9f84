"""The warm process of a suite's environment: imports its libraries, forks one keeper per sample, holds no answer.

Theory of operation. The same talk over descriptor 0 as ``inside.server``: settings in, greeting out, then a job per
message, whose result pipe and text pass through to the keeper unread. It runs in the interpreter of the environment,
which brings other libraries, and perhaps another version, than ours.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pickle
import select
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from .. import confine, seccomp, wire
from . import keeper, runs  # noqa: F401 - imported once for all samples


def main() -> None:
    """Serve on descriptor 0 until it closes."""
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    payload, fds = wire.receive(control)
    wire.close_all(fds)
    Server(control, pickle.loads(payload)).greet()


class Server:
    """``settings``: readable, devices (paths), preload (modules), warm_up (source), has_loopback, limits."""

    def __init__(self, control: socket.socket, settings: Mapping[str, Any]) -> None:
        self._control = control
        self._settings = settings
        self._absent = _preloaded(settings["preload"], settings["warm_up"])
        self._plan = keeper.Plan(
            os.getpid(), confine.open_paths(settings["readable"]), confine.open_paths(settings["devices"]),
            settings["has_loopback"],
        )  # fmt: skip
        seccomp.prepare(may_write=True, profile=seccomp.LOOPBACK if settings["has_loopback"] else seccomp.PROCESSES)
        gc.collect()
        gc.freeze()

    def greet(self) -> None:
        """Say what holds here, tried out in a sample's place; then serve when told to."""
        layers, complaint = keeper.rehearsed(self._plan, self._settings["limits"])
        pidfd = os.pidfd_open(os.getpid())
        hello = {
            "hello": True, "layers": layers, "python": sys.version.split()[0], "missing": [],
            "complaint": complaint,
            "absent": self._absent,
        }  # fmt: skip
        self._reply(hello, [pidfd])
        os.close(pidfd)
        go, _ = wire.receive(self._control)
        if go == b"go":
            confine.hide_from_peers()
            self.serve()

    def serve(self) -> None:
        try:
            while True:
                payload, fds = wire.receive(self._control)
                _, content = pickle.loads(payload)
                self._run(content, fds)
        except wire.Closed:
            os._exit(0)

    def _run(self, job: Mapping[str, Any], fds: list[int]) -> None:
        """One sample at a time; the judge's side that goes away takes it along."""
        pid = os.fork()
        if pid == 0:
            keeper.keep(self._plan, fds[0], fds[1])
        wire.close_all(fds)
        pidfd = os.pidfd_open(pid)
        self._reply({"started": True}, [pidfd])
        if not self._has_ended(pidfd):
            os.kill(pid, signal.SIGKILL)
        os.close(pidfd)
        _, status, usage = os.wait4(pid, 0)
        seconds = usage.ru_utime + usage.ru_stime
        self._reply({"status": status, "cpu": seconds, "memory": usage.ru_maxrss * 1024})

    def _has_ended(self, pidfd: int) -> bool:
        """Waited for; False when the judge's side is gone (nothing but its end comes while a sample runs)."""
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        return pidfd in {fd for fd, _ in poll.poll()}

    def _reply(self, message: Mapping[str, Any], fds: list[int] | None = None) -> None:
        wire.send(self._control, json.dumps(message).encode(), fds or [])


def _preloaded(modules: list[str], warm_up: str) -> list[str]:
    """Import them; those that are not there, each with the reason."""
    absent = []
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:
            absent.append(f"{name} ({type(error).__name__}: {' '.join(str(error).split())[:120]})")
    if warm_up:
        try:
            exec(compile(warm_up, "<warm_up>", "exec"), {"__name__": "__warm_up__"})
        except BaseException as error:
            absent.append(f"warm_up ({type(error).__name__}: {' '.join(str(error).split())[:120]})")
    return absent
