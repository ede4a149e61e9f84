# every line here is one system call that can be named
"""First process of an engine: makes the network empty where asked, starts the server, and never leaves it behind.

Theory of operation. Run as a script of its own (standard library only, any Python 3) with a JSON plan as its argument.
In this order:

1. Where the plan says so, a network namespace that holds nothing but a loopback of its own, inside a user namespace
   unless we may do without: a server that listens on a Unix socket is then reached through that file alone. What came
   of it is reported as one JSON line on the descriptor that the plan names.
2. A parent-death signal: when whoever started us is killed, SIGTERM arrives here like an ordinary stop.
3. The server as a child, killed by the kernel should this process be. TERM, INT and HUP are handed on as TERM, so that
   it drains; after the grace it is killed. USR1 and USR2, which a queue may send to every process of a job as a
   notice, are ignored, here and by the server. When it ends, by itself or not, its descendants are killed too: an
   engine keeps the GPU's memory in a process of its own. Being their subreaper, this process finds them as its
   children.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import struct
import sys
from typing import Any

_NEWUSER, _NEWNET = 0x10000000, 0x40000000
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
_GET_FLAGS, _SET_FLAGS, _IS_UP = 0x8913, 0x8914, 0x1

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    plan = json.loads(sys.argv[1])
    missing = _empty_network() if plan["is_isolated"] else "not asked for"
    os.write(plan["report"], json.dumps({"missing": missing}).encode() + b"\n")
    os.close(plan["report"])
    _end_with_parent(plan["parent"], signal.SIGTERM)
    libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    sys.exit(_supervise(plan["argv"], plan["grace_seconds"]))


def _empty_network() -> str:
    """Nothing when this process now has a network of its own; else what the kernel said."""
    uid, gid = os.getuid(), os.getgid()
    try:
        if libc.unshare(_NEWNET) != 0:
            _unshare(_NEWUSER | _NEWNET)
            with contextlib.suppress(FileNotFoundError):
                _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"{uid} {uid} 1")
            _write("/proc/self/gid_map", f"{gid} {gid} 1")
        _raise_loopback()
    except OSError as error:
        return f"no network namespace: {error.strerror}"
    return ""


def _unshare(flags: int) -> None:
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _write(path: str, text: str) -> None:
    with open(path, "w") as stream:  # noqa: PTH123
        stream.write(text)


def _raise_loopback() -> None:
    """The parts of an engine talk to each other through it."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, _GET_FLAGS, request), 16)
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _IS_UP))


def _end_with_parent(parent: int, number: int) -> None:
    libc.prctl(_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it was gone before the kernel knew
        sys.exit(75)


def _supervise(argv: list[str], grace_seconds: int) -> int:
    """Exit code of the server, 128 + signal where one ended it."""
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    own = os.getpid()
    server = os.fork()
    if server == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        _run(argv, own)

    def stop(number: int, frame: Any) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, signal.SIGTERM)
        signal.alarm(max(grace_seconds, 1))

    for number in signals:
        signal.signal(number, stop)
    signal.signal(signal.SIGALRM, lambda number, frame: os.kill(server, signal.SIGKILL))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    status = _reap_until(server)
    _end_descendants()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _run(argv: list[str], parent: int) -> None:
    try:
        _end_with_parent(parent, signal.SIGKILL)
        os.execvp(argv[0], argv)
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error}\n")
        sys.stderr.flush()
    os._exit(71)


def _reap_until(server: int) -> int:
    """Wait status of the server; orphans of its making are reaped on the way."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == server:
            signal.alarm(0)
            return status


def _end_descendants() -> None:
    """Every child that is left, and those that come to us when it dies."""
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _parent_of(name) == os.getpid()]  # noqa: PTH208


def _parent_of(pid: str) -> int | None:
    try:
        with open(f"/proc/{pid}/stat") as stream:  # noqa: PTH123
            return int(stream.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


if __name__ == "__main__":
    main()
