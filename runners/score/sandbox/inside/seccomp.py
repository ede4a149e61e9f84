"""System calls that a sample may not make: the rules, and the BPF program built from them.

Theory of operation. Put on by each child last of all, for good and for every thread it starts; the kernel enforces it.
A filter sees numbers and arguments, never what a pointer points to, so calls whose danger lies there are refused whole.

Why a deny list: CPython and numpy need a wide and version-dependent set of calls; what a sample must never do is
short and stable: start a process, talk to anything, signal or inspect another process, gain or change privilege,
reach kernel subsystems with a record of holes, keep state in the kernel after its death, watch what others read.
Where one call is a door to many things (``ioctl``, ``fcntl``, ``prctl``) it is the other way round: what the
interpreter needs is named, the rest is refused. Denied calls fail with EPERM (Python raises PermissionError), so an
honest program that merely tries can go on. ``clone3``, ``openat2`` and every call newer than the table answer ENOSYS:
libc falls back to the old call, whose arguments do not lie behind a pointer that a filter cannot read.

The program is a binary search over the number, since the kernel runs it once per call number when it is installed.
``syscalls`` holds the names and numbers. Only x86-64 has been run; aarch64 was checked by simulation.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import syscalls

Instruction = tuple[int, int, int, int]
"""(code, jump if true, jump if false, operand)"""
Block = tuple[Instruction, ...]

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _JUMP, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x05, 0x06
_ALLOW, _KILL, _EPERM, _ENOSYS = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
_NUMBER, _ARCH = 0, 4
_MAX_JUMP = 255
PROGRAM, PROCESSES, LOOPBACK = "program", "processes", "loopback"
"""Profiles: one process that talks to nobody; several, in namespaces of their own; the same with a network of its own
in which there is nothing but themselves."""
_OWN_PID = 0xFFFF_FFF1
"""Stands for the process id until ``install`` knows it; no system call argument of ours."""
_SECCOMP_FILTER = 1
_CLONE_THREAD, _CLONE_NEW = 0x00010000, 0x7E020000
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY
_AF_UNIX, _SOCK_STREAM, _MSG_OOB = 1, 1, 1
_AF_INET, _AF_INET6, _AF_NETLINK = 2, 10, 16
_PRCTL = (2, 3, 15, 16, 21, 23, 30, 39, 51, 0x53564D41)
"""GET_PDEATHSIG, GET_DUMPABLE, SET_NAME, GET_NAME, GET_SECCOMP, CAPBSET_READ, GET_TIMERSLACK, GET_NO_NEW_PRIVS,
SVE_GET_VL, SET_VMA (names of anonymous memory, by malloc)."""
_PRCTL_OF_PROCESSES = (1, 4, 29, 36, 37, 38, 40, 0x59616D61)
"""SET_PDEATHSIG, SET_DUMPABLE, SET_TIMERSLACK, SET/GET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS, GET_TID_ADDRESS, SET_PTRACER
(nobody may trace: ``ptrace`` is refused)."""
_FCNTL_OF_PROCESSES = (6, 7, 8, 10, 37, 38)
"""Locks of files that nobody shares (databases), and who is told of input."""
_ARCH_PRCTL = (0x1001, 0x1002, 0x1003, 0x1004, 0x1021, 0x1022, 0x1023, 0x5005)
"""Thread pointers, tile registers (asked for by linear algebra), shadow stack status."""
_FCNTL = (0, 1, 2, 3, 4, 5, 9, 11, 36, 1025, 1027, 1028, 1030, 1032, 1034)
"""Copies, flags, and questions. Not: locks and leases on shared files, signals to others, larger pipes, seals."""
_IOCTL = (0x5401, 0x802C542A, 0x540F, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Terminal questions (isatty, window size), bytes waiting, blocking, close on exec. Not: flags and seals of files
(a read-only descriptor is enough for those), input for a terminal."""
_MADVISE_DENIED = (12, 20, 21, 100, 101)
"""MERGEABLE (tells what others hold in memory), COLD and PAGEOUT (of shared pages), and memory failures."""


@dataclass(frozen=True)
class Architecture:
    """One machine type. ``is_tried``: whether its filter ever ran on such a machine, or in a simulation only."""

    name: str
    audit_arch: int
    seccomp_call: int
    is_tried: bool


ARCHITECTURES: Mapping[str, Architecture] = {
    "x86_64": Architecture("x86_64", 0xC000003E, 317, True),
    "aarch64": Architecture("aarch64", 0xC00000B7, 277, False),
}


def machine() -> Architecture | None:
    return ARCHITECTURES.get(platform.machine())


def program(arch: Architecture, own_pid: int, *, may_write: bool, profile: str = PROGRAM) -> list[Instruction]:
    """The filter for a process whose id (in its own namespace) is ``own_pid``."""
    code = _template(arch, may_write, profile)
    return [(*instruction[:3], own_pid if instruction[3] == _OWN_PID else instruction[3]) for instruction in code]


def prepare(*, may_write: bool, profile: str = PROGRAM) -> None:
    """Build the filter of this machine once, before the first fork."""
    arch = machine()
    if arch is not None:
        _buffers(arch, may_write, profile)


def install(own_pid: int, *, may_write: bool, profile: str = PROGRAM) -> bool:
    """Set no_new_privs' companion filter on this process, for good. False where kernel or machine has none."""
    arch = machine()
    if arch is None:
        return False
    syscall, buffer, header, places = _buffers(arch, may_write, profile)
    for place in places:
        struct.pack_into("=I", buffer, place, own_pid)
    return syscall(arch.seccomp_call, _SECCOMP_FILTER, 0, header) == 0


@functools.cache
def _buffers(arch: Architecture, may_write: bool, profile: str) -> tuple[Any, Any, Any, tuple[int, ...]]:
    """``syscall``, the filter in memory, the header that points to it, and where the process id belongs.

    Made in the server and written to by children: making ctypes objects in each costs as much as the filter itself.
    """
    packed, places = _packed(arch, may_write, profile)
    buffer = ctypes.create_string_buffer(packed, len(packed))
    header = struct.pack("@HP", len(packed) // 8, ctypes.addressof(buffer))
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    return syscall, buffer, ctypes.create_string_buffer(header, len(header)), places


@functools.cache
def _packed(arch: Architecture, may_write: bool, profile: str) -> tuple[bytes, tuple[int, ...]]:
    """The filter's bytes, and where the process id belongs in them."""
    code = _template(arch, may_write, profile)
    places = tuple(8 * index + 4 for index, instruction in enumerate(code) if instruction[3] == _OWN_PID)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code), places


@functools.cache
def _template(arch: Architecture, may_write: bool, profile: str) -> Block:
    prologue = ((_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, arch.audit_arch), _return(_KILL), (_LOAD, 0, 0, _NUMBER))
    return (*prologue, *_search(_ranges(_actions(arch, may_write, profile))))


def _actions(arch: Architecture, may_write: bool, profile: str) -> dict[int, Block]:
    """What happens to each number that is not simply allowed."""
    denied = {**syscalls.DENIED, **({} if may_write else syscalls.DENIED_WRITES)}
    special = dict(syscalls.SPECIAL)
    if profile != PROGRAM:
        special["socket"] = denied["socket"]
        denied = {name: numbers for name, numbers in denied.items() if name not in syscalls.OF_PROCESSES}
    actions: dict[int, Block] = dict.fromkeys(syscalls.numbers(denied, arch.name).values(), (_return(_EPERM),))
    rules = _rules(may_write) if profile == PROGRAM else _rules_of_processes(profile)
    for name, number in syscalls.numbers(special, arch.name).items():
        if name in rules:
            actions[number] = tuple(rules[name])
    return actions


def _ranges(actions: Mapping[int, Block]) -> list[tuple[int, Block]]:
    """(first number, what happens) for runs of numbers with one fate; the last run has no end."""
    allow, unknown = (_return(_ALLOW),), (_return(_ENOSYS),)
    fates = [actions.get(number, allow) for number in range(syscalls.NEWEST + 1)]
    starts = [number for number, fate in enumerate(fates) if number == 0 or fate != fates[number - 1]]
    return [*((number, fates[number]) for number in starts), (syscalls.NEWEST + 1, unknown)]


def _search(ranges: list[tuple[int, Block]]) -> Block:
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    below, above = _search(ranges[:middle]), _search(ranges[middle:])
    first = ranges[middle][0]
    if len(below) <= _MAX_JUMP:
        return ((_AT_LEAST, len(below), 0, first), *below, *above)
    return ((_AT_LEAST, 0, 1, first), (_JUMP, 0, 0, len(below)), *below, *above)


def _rules(may_write: bool) -> dict[str, list[Instruction]]:
    rules = {
        "clone3": [_return(_ENOSYS)],
        "openat2": [_return(_ENOSYS)],
        "clone": [_argument(0), (_ANY_BIT, 1, 0, _CLONE_NEW), (_ANY_BIT, 1, 0, _CLONE_THREAD), *_EPERM_OR_ALLOW],
        "prlimit64": [_argument(2), (_EQUAL, 0, 2, 0), _argument(2, high=True), (_EQUAL, 1, 0, 0), *_EPERM_OR_ALLOW],
        "prctl": _only_values(0, _PRCTL),
        "arch_prctl": _only_values(0, _ARCH_PRCTL),
        "ioctl": _only_values(1, _IOCTL),
        "fcntl": _only_values(1, _FCNTL),
        "madvise": [_argument(2), *_any_of(_MADVISE_DENIED), _return(_ALLOW), _return(_EPERM)],
        # an AF_UNIX datagram pair could be pointed at any socket in the file system
        "socketpair": [_argument(0), (_EQUAL, 0, 3, _AF_UNIX), _argument(1), (_AND, 0, 0, 0xF),
                       (_EQUAL, 1, 0, _SOCK_STREAM), *_EPERM_OR_ALLOW],
        # to the other end of a pair, by no address; out-of-band data of such pairs has a record of holes
        "sendto": [_argument(3), (_ANY_BIT, 4, 0, _MSG_OOB), _argument(4), (_EQUAL, 0, 2, 0), _argument(4, high=True),
                   (_EQUAL, 1, 0, 0), *_EPERM_OR_ALLOW],
        "recvfrom": _without_bits(3, _MSG_OOB),
        "sendmsg": _without_bits(2, _MSG_OOB),
        "recvmsg": _without_bits(2, _MSG_OOB),
    }  # fmt: skip
    for name in ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
        rules[name] = _only_values(0, (_OWN_PID,))
    if not may_write:
        rules["open"], rules["openat"] = _without_bits(1, _WRITE_FLAGS), _without_bits(2, _WRITE_FLAGS)
    return rules


def _rules_of_processes(profile: str) -> dict[str, list[Instruction]]:
    """No namespace may be made or entered; sockets of the machine's own kind, or to this network of nobody else."""
    families = (_AF_UNIX, *((_AF_INET, _AF_INET6, _AF_NETLINK) if profile == LOOPBACK else ()))
    single = _rules(may_write=True)
    kept = ("clone3", "openat2", "arch_prctl", "madvise", "recvfrom", "sendmsg", "recvmsg", "ioctl")
    return {name: single[name] for name in kept} | {
        "clone": [_argument(0), (_ANY_BIT, 0, 1, _CLONE_NEW), *_EPERM_OR_ALLOW],
        "prctl": _only_values(0, _PRCTL + _PRCTL_OF_PROCESSES),
        "fcntl": _only_values(1, _FCNTL + _FCNTL_OF_PROCESSES),
        "socket": _only_values(0, families),
        "socketpair": _only_values(0, (_AF_UNIX,)),
        "sendto": _without_bits(3, _MSG_OOB),
    }


def _argument(position: int, *, high: bool = False) -> Instruction:
    """Load 32 bits of an argument (little-endian machines). The kernel reads int arguments from the low half only."""
    return (_LOAD, 0, 0, 16 + 8 * position + (4 if high else 0))


def _return(action: int) -> Instruction:
    return (_RETURN, 0, 0, action)


_EPERM_OR_ALLOW = (_return(_EPERM), _return(_ALLOW))


def _any_of(values: tuple[int, ...]) -> list[Instruction]:
    """Jump over the next instruction behind this block when the accumulator holds one of the values."""
    count = len(values)
    return [(_EQUAL, count - index, 0, value) for index, value in enumerate(values)]


def _only_values(position: int, values: tuple[int, ...]) -> list[Instruction]:
    return [_argument(position), *_any_of(values), *_EPERM_OR_ALLOW]


def _without_bits(position: int, bits: int) -> list[Instruction]:
    return [_argument(position), (_ANY_BIT, 0, 1, bits), *_EPERM_OR_ALLOW]
