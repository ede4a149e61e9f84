# every line here is one system call that can be named
# ruff: noqa: PTH208
"""The warm process inside the outer sandbox: forks one child per program, and knows nothing worth stealing.

Theory of operation. Descriptor 0 is a Unix socket to the judge's side. From there come tasks' inputs and jobs (pickle:
the sender is trusted; this end is not). Per job the server forks, sends the child's pidfd back (not for a child that is
over at once), waits for its end and reports how it ended and what it used. It never reads a child's result pipe: the
write end was made by the judge's side and passes through. Nor does it read what to run: freed memory keeps its content
and every later child gets a copy of it, so a program (a reference, another model's answer) comes in a file in memory
that only its own child opens. It opens no file, holds no answer, dataset or token, and its environment is empty.
Children cannot reach it: it is not dumpable, signals to it are filtered, and each child keeps only its own pipes. When
the judge's side goes away the socket closes and the server leaves; its children die with it.

A lean server imports the standard library only; a ``numpy`` server is a fork of it that imports numpy as well, and an
``extract`` server one that has the extractors. Forking a small process is what makes a sample cheap.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import pickle
import pkgutil
import select
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from . import child, confine, guard, header, seccomp, wire
from .scratch import Scratch

_fork, _kill = os.fork, os.kill  # a guarded server has taken these names away from itself
_SOON_MILLISECONDS = 3
_LOOK_MILLISECONDS = 200
_PRELOADED = (
    "math", "re", "collections", "itertools", "functools", "operator", "string", "typing", "heapq", "bisect", "random",
    "copy", "datetime", "decimal", "fractions", "statistics", "cmath", "json", "time", "calendar",
    "textwrap", "array", "enum", "dataclasses", "abc", "numbers", "struct",
)  # fmt: skip
_PRELOADED_NUMPY = ("numpy", "numpy.random")
"""numpy imports its generators when they are first asked for, and every child seeds them: 25 ms of each."""


def main() -> None:
    """Serve on descriptor 0 until it closes."""
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    settings, fds = wire.receive(control)
    missing = _prepare("lean")
    Server(control, pickle.loads(settings), fds[0] if fds else None).greet(missing)


def _prepare(flavour: str) -> list[str]:
    """Import before the first fork what every child of the flavour will want; what did not import, and why.

    A module that is missing here would be the sample's exception later, so the judge's side refuses such a server.
    ``lean+evalplus``: with that guard put on once, where each child would copy eighty pages to put it on itself.
    """
    name, _, profile = flavour.partition("+")
    modules = {"lean": _PRELOADED, "numpy": _PRELOADED_NUMPY, "extract": _extractor_modules()}[name]
    missing = [problem for problem in map(_import_problem, modules) if problem]
    guard.take_names(profile or "none")
    if profile in ("", header.GUARD):
        header.prepare(profile or "none")
    gc.collect()
    gc.freeze()
    _give_back_freed_memory()
    return missing


def _give_back_freed_memory() -> None:
    """What importing left behind: a child would copy such a page before it writes to it, and gets a new one instead."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is not None:
        trim(0)


def _import_problem(name: str) -> str:
    try:
        importlib.import_module(name)
    except Exception as error:
        return f"{name} ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
    return ""


def _extractor_modules() -> list[str]:
    found = pkgutil.iter_modules([f"{sys.path[0]}/extract"])
    return ["ast", "tokenize", "tree_sitter", "tree_sitter_python", *(f"extract.{module.name}" for module in found)]


class Server:
    """One flavour's loop. ``settings``: readable, devices (paths), scratch (directory or None); ``proc``: see clock."""

    def __init__(self, control: socket.socket, settings: Mapping[str, Any], proc: int | None) -> None:
        self._control = control
        self._settings = settings
        self._without = settings.get("without", ())
        self._proc = proc
        self._inputs: dict[str, Any] = {}
        self._children: dict[int, int] = {}
        self._poll = select.poll()
        self._readable = confine.open_paths(settings["readable"])
        self._devices = confine.open_paths(settings["devices"])
        self._scratch = Scratch(settings["scratch"], is_shared="private_scratch" in self._without)
        self._ruleset = confine.make_ruleset(self._readable, self._devices, self._scratch.path)
        seccomp.prepare(may_write=self._scratch.path is not None)
        confine.note_hard_limits()

    def greet(self, missing: list[str]) -> None:
        """Hand over our own pidfd, so that the judge's side can look at our namespaces from outside; then serve."""
        pidfd = os.pidfd_open(os.getpid())
        hello = {"hello": True, "layers": self._rehearse(), "python": sys.version.split()[0], "missing": missing}
        self._reply(hello, [pidfd])
        os.close(pidfd)
        go, _ = wire.receive(self._control)
        if go == b"go":
            self._hide()
            self.serve()

    def _hide(self) -> None:
        if "hidden_server" not in self._without:
            confine.hide_from_peers()

    def serve(self) -> None:
        self._poll.register(self._control, select.POLLIN)
        try:
            while True:
                ready = self._poll.poll(_LOOK_MILLISECONDS if self._children else None)
                if not ready and self._scratch.is_crowded():
                    self._kill_children()
                for fd, _ in ready:
                    if fd == self._control.fileno():
                        self._message(*wire.receive(self._control))
                    else:
                        self._poll.unregister(fd)
                        self._reap(fd)
        except wire.Closed:
            self._leave()

    def _leave(self) -> None:
        self._kill_children()
        os._exit(0)

    def _kill_children(self) -> None:
        for pid in self._children.values():
            _kill(pid, signal.SIGKILL)

    def _message(self, payload: bytes, fds: list[int]) -> None:
        name, content = pickle.loads(payload)
        if name == "inputs":
            for key in content["drop"]:
                self._inputs.pop(key, None)
            self._inputs[content["key"]] = pickle.loads(content["inputs"])
            gc.freeze()
        elif name == "run":
            self._start(content, fds)
        elif name == "spawn":
            self._spawn(content, fds[0])
        wire.close_all(fds)

    def _start(self, job: dict[str, Any], fds: list[int]) -> None:
        """Fork a child. One that is over at once is reported by a single message; of any other the pidfd goes first."""
        plan = self._plan()
        pid = _fork()
        if pid == 0:
            spec, given = _told(fds[0]), dict(zip(job["fds"], fds[1:], strict=True))
            child.run(spec, self._inputs.get(job["inputs"], {}), given, plan)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = pid
        if _ends_within(pidfd, _SOON_MILLISECONDS):
            self._reap(pidfd)
            return
        self._poll.register(pidfd, select.POLLIN)
        self._reply({"started": True}, [pidfd])

    def _plan(self) -> child.Plan:
        return child.Plan(os.getpid(), self._ruleset, self._scratch.path, self._proc, self._without)

    def _reap(self, pidfd: int) -> None:
        pid = self._children.pop(pidfd)
        os.close(pidfd)
        _, status, usage = os.wait4(pid, 0)
        seconds = usage.ru_utime + usage.ru_stime
        self._reply({"status": status, "cpu": seconds, "memory": usage.ru_maxrss * 1024})
        self._clean()  # a verdict does not wait for what its program left

    def _clean(self) -> None:
        """Children of one server never run at once: the folder is the next one's when nothing is left in it."""
        if self._scratch.is_clean():
            return
        self._scratch.renew()
        if self._ruleset is not None:
            os.close(self._ruleset)
        self._ruleset = confine.make_ruleset(self._readable, self._devices, self._scratch.path)

    def _spawn(self, flavour: str, fd: int) -> None:
        """Fork a server of another flavour that serves the given socket."""
        parent_pid = os.getpid()
        if _fork() == 0:
            confine.die_with_parent(parent_pid)
            control = socket.socket(fileno=os.dup(fd))
            wire.close_all([fd, self._control.fileno()])
            missing = _prepare(flavour)
            server = Server(control, self._settings, self._proc)
            server._reply({"hello": True, "missing": missing})
            server._hide()
            server.serve()

    def _reply(self, message: Mapping[str, Any], fds: list[int] | None = None) -> None:
        wire.send(self._control, json.dumps(message).encode(), fds or [])

    def _rehearse(self) -> list[str]:
        """The layers that hold, tried out in a child that does what samples will do."""
        reader, writer = os.pipe()
        plan = self._plan()
        pid = _fork()
        if pid == 0:
            os.dup2(writer, child.RESULT_FD)
            limits, may_write = confine.Limits(**self._settings["limits"]), plan.scratch is not None
            names = confine.confine(limits, plan.ruleset, may_write=may_write, without=self._without)
            os.write(child.RESULT_FD, json.dumps([name for name in names if _holds(name)]).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            names = json.loads(stream.read() or b"[]")
        os.waitpid(pid, 0)
        return names


def _ends_within(pidfd: int, milliseconds: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(milliseconds))


def _told(fd: int) -> Any:
    """What to run, read in the child that runs it."""
    try:
        return wire.read_back(fd)
    except BaseException:  # never back into the server's own loop
        os._exit(70)


def _holds(layer: str) -> bool:
    """Whether a layer that reported success refuses what it should."""
    try:
        if layer == "seccomp":
            socket.socket().close()
            return False
        if layer == "landlock":
            os.listdir("/")
            return False
    except OSError:
        return True
    return True
