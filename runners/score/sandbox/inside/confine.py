"""What a child does to itself, in this order, before the first byte of a sample is looked at.

Theory of operation. Unprivileged from the start; what is given up here cannot be taken back, by the child or by what it
executes. The Landlock ruleset comes ready from the server and is put on and closed before the sample is looked at.

parent-death signal -> resource limits -> no_new_privs -> Landlock -> seccomp. None of it can be undone, all of it needs
no privilege. ``confine`` reports which layers took; the judge compares that with what was promised at the start.
"""

from __future__ import annotations

import ctypes
import fcntl
import functools
import os
import resource
import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from . import seccomp

_SET_PDEATHSIG, _SET_DUMPABLE, _SET_NO_NEW_PRIVS, _GET_NO_NEW_PRIVS = 1, 4, 38, 39
_SIGKILL = 9
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ = 0b0101, 0b1101  # EXECUTE | READ_FILE (| READ_DIR)
_SCRATCH = 0b0101_1011_1110  # WRITE, READ, READ_DIR, REMOVE_*, MAKE_DIR, MAKE_REG, MAKE_FIFO; no devices, no sockets
_TRUNCATE = 1 << 14
_DEVICES = 1 << 6 | 1 << 11  # MAKE_CHAR, MAKE_BLOCK
_WRITE_FILE = 0b10
_FILE_SYSTEM_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""Landlock ABI -> number of file-system rights it knows; later ones know 16 (uapi/linux/landlock.h)."""


@dataclass(frozen=True)
class Limits:
    """Resource limits of one child; bytes, seconds, counts."""

    memory_bytes: int = 4 << 30
    cpu_seconds: int = 120
    file_bytes: int = 32 << 20
    num_files: int = 128
    num_tasks: int = 128
    stack_bytes: int | None = None
    """As large as memory, where not said."""

    def as_table(self) -> dict[int, int]:
        return {
            resource.RLIMIT_AS: self.memory_bytes,
            resource.RLIMIT_DATA: self.memory_bytes,
            resource.RLIMIT_STACK: self.stack_bytes or self.memory_bytes,
            resource.RLIMIT_CPU: self.cpu_seconds,
            resource.RLIMIT_FSIZE: self.file_bytes,
            resource.RLIMIT_NOFILE: self.num_files,
            resource.RLIMIT_NPROC: self.num_tasks,
            # 0 does not stop a core dump that the kernel pipes to a program; 1 byte stops both kinds (core(5))
            resource.RLIMIT_CORE: 1,
            resource.RLIMIT_MEMLOCK: 1 << 20,
            resource.RLIMIT_MSGQUEUE: 0,
        }


def die_with_parent(parent_pid: int) -> None:
    """Be killed when the parent dies; exit at once if it is dead already."""
    _libc().prctl(_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def hide_from_peers() -> None:
    """Nobody of the same user may read this process's memory or descriptors."""
    _libc().prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def confine(limits: Limits, ruleset: int | None, *, may_write: bool, without: Collection[str] = ()) -> list[str]:
    """Apply every layer there is. ``ruleset`` is what ``make_ruleset`` gave, ``may_write`` says whether it allows a
    scratch, ``without`` names layers that a test switched off. Returns the names of the layers that took."""
    steps: Mapping[str, Callable[[], bool]] = {
        "rlimits": lambda: _limit(limits.as_table()),
        "no_new_privs": _no_new_privs,
        "landlock": lambda: ruleset is not None and _libc().syscall(_RESTRICT_SELF, ruleset, 0) == 0,
        "seccomp": lambda: seccomp.install(os.getpid(), may_write=may_write),
    }
    return [name for name, apply in steps.items() if name not in without and apply()]


def make_ruleset(
    readable: Sequence[int], devices: Sequence[int], scratch: str | None, private: Sequence[str] = (),
    *, has_network: bool = False,
) -> int | None:  # fmt: skip
    """A Landlock ruleset for many children, which each only put on: building it costs ten times as much.

    ``readable`` and ``devices`` are O_PATH descriptors, ``scratch`` the only writable directory (None: nothing is
    writable). ``private``: directories in which everything may be done, execution included; ``has_network``: ports may
    be used (of a network of its own). None where the kernel has no Landlock.
    """
    libc = _libc()
    libc.prctl(_GET_NO_NEW_PRIVS, 0, 0, 0, 0)  # looked up here once for all children
    abi = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        return None
    handled = (1 << _FILE_SYSTEM_RIGHTS.get(abi, 16)) - 1
    # TCP bind and connect from ABI 4, abstract sockets and signals across domains from ABI 6
    ports = 0 if has_network else 0b11
    attributes = struct.pack("=QQQ", handled, ports, 0b11)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return None
    truncate = _TRUNCATE & handled
    taken = all(_allow(libc, ruleset, fd, _READ if _is_directory(fd) else _READ_FILE) for fd in readable)
    taken = taken and all(_allow(libc, ruleset, fd, 0b100 | _WRITE_FILE | truncate) for fd in devices)
    opened = [] if scratch is None else [(scratch, _SCRATCH | truncate)]
    for path, rights in (*opened, *((path, handled & ~_DEVICES) for path in private)):
        fd = os.open(path, os.O_PATH)
        taken = taken and _allow(libc, ruleset, fd, rights)
        os.close(fd)
    if not taken:
        os.close(ruleset)
        return None
    high = fcntl.fcntl(ruleset, fcntl.F_DUPFD_CLOEXEC, 100)
    os.close(ruleset)
    return high


def open_paths(paths: Sequence[str]) -> list[int]:
    """O_PATH descriptors of the paths that exist, numbered above those that a child uses itself."""
    opened = []
    for path in paths:
        try:
            fd = os.open(path, os.O_PATH)
        except OSError:
            continue
        opened.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100))
        os.close(fd)
    return opened


def _limit(table: Mapping[int, int]) -> bool:
    try:
        for name, wanted in table.items():
            hard = _hard_limit(name)
            value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(name, (value, value))
    except (OSError, ValueError):
        return False
    return True


def note_hard_limits() -> None:
    """Ask once in the server, before the first fork."""
    for name in Limits().as_table():
        _hard_limit(name)


@functools.cache  # asked in the server: its children inherit what it has
def _hard_limit(name: int) -> int:
    return resource.getrlimit(name)[1]


def _no_new_privs() -> bool:
    libc = _libc()
    libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return libc.prctl(_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1


def _allow(libc: ctypes.CDLL, ruleset: int, fd: int, rights: int) -> bool:
    return libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, fd), 0) == 0


def _is_directory(fd: int) -> bool:
    return (os.fstat(fd).st_mode & 0o170000) == 0o040000


@functools.cache  # made in the server: for a child it would be fifty pages to copy
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
