# every line here is one system call that can be named
# ruff: noqa: PTH102
"""Namespaces of one sample, its private file systems, and what its processes give up before they run.

Theory of operation. The keeper's parent side leaves user, mount, PID and IPC namespaces (and a network where the
environment says so) by one ``unshare``; the process that it forks next is process 1 of them. In there lie a scratch and
a ``/dev/shm`` in memory, both bounded and gone with the last process, and a ``/proc`` that shows nobody else. All else
is what the outer sandbox shows, read-only. No privilege of the machine is needed: each right used is one over
namespaces that were just made. A sample has none of them left: its capabilities are dropped before its first byte.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from .. import confine, seccomp

TMP, WORK, HOME, SHM = "/tmp", "/tmp/work", "/tmp/home", "/dev/shm"
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_NOSUID, _NODEV, _NOEXEC, _REC, _PRIVATE = 2, 4, 8, 16384, 1 << 18
_SET_DUMPABLE, _CAPBSET_DROP, _CAP_AMBIENT, _CLEAR_ALL = 4, 24, 47, 4
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_SHM_BYTES = 64 << 20

libc = ctypes.CDLL(None, use_errno=True)


def enter(has_loopback: bool) -> None:
    """Leave every namespace that a sample is not to share; OSError where the machine refuses it."""
    libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0)  # of a process that is not, the maps below belong to root
    uid, gid = os.getuid(), os.getgid()
    network = _NEWNET if has_loopback else 0
    _done("unshare", libc.unshare(_NEWUSER | _NEWNS | _NEWPID | _NEWIPC | _NEWUTS | network))
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {uid} 1")
    _write("/proc/self/gid_map", f"{gid} {gid} 1")


def furnish(scratch_bytes: int, has_loopback: bool) -> None:
    """As process 1: the private file systems, and the loopback up."""
    _mount(None, "/", None, _REC | _PRIVATE)
    _mount("tmpfs", TMP, "tmpfs", _NOSUID | _NODEV, f"mode=1777,size={scratch_bytes},nr_inodes=65536")
    _mount("tmpfs", SHM, "tmpfs", _NOSUID | _NODEV, f"mode=1777,size={_SHM_BYTES},nr_inodes=4096")
    _mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    os.mkdir(WORK, 0o755)
    os.mkdir(HOME, 0o755)
    os.chdir(WORK)
    if has_loopback:
        _raise_loopback()


def confined(
    limits: Mapping[str, Any], readable: Sequence[int], devices: Sequence[int], has_loopback: bool
) -> list[str]:
    """Give up what a sample may not have, for good; the layers that took."""
    layers = ["rlimits"] if _limit(limits) else []
    _drop_capabilities()
    layers += ["no_new_privs"] if confine._no_new_privs() else []
    proc = os.open("/proc", os.O_PATH)  # a file system of the sample's own, which the server could not open
    ruleset = confine.make_ruleset((*readable, proc), devices, None, (TMP, SHM), has_network=has_loopback)
    os.close(proc)
    if ruleset is not None:
        layers += ["landlock"] if confine._libc().syscall(confine._RESTRICT_SELF, ruleset, 0) == 0 else []
        os.close(ruleset)
    profile = seccomp.LOOPBACK if has_loopback else seccomp.PROCESSES
    return layers + (["seccomp"] if seccomp.install(os.getpid(), may_write=True, profile=profile) else [])


def _limit(limits: Mapping[str, Any]) -> bool:
    import resource

    unlimited = resource.RLIM_INFINITY
    memory, stack = limits["memory_bytes"] or unlimited, limits["stack_bytes"] or unlimited
    return confine._limit(
        {
            resource.RLIMIT_AS: memory,
            resource.RLIMIT_DATA: memory,
            resource.RLIMIT_STACK: stack,
            resource.RLIMIT_FSIZE: limits["file_bytes"],
            resource.RLIMIT_NOFILE: limits["num_files"],
            resource.RLIMIT_NPROC: limits["num_tasks"],
            resource.RLIMIT_CORE: 1,
            resource.RLIMIT_MEMLOCK: 1 << 20,
            resource.RLIMIT_MSGQUEUE: 0,
        }
    )


def _drop_capabilities() -> None:
    """All sets, and the bounding set, so that no file brings one back."""
    for capability in range(_LAST_CAPABILITY + 1):
        libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    _done("capset", libc.syscall(_CAPSET[os.uname().machine], header, bytes(24)))


def _raise_loopback() -> None:
    import fcntl
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("=H", fcntl.ioctl(sock, _GET_FLAGS, request), 16)
        fcntl.ioctl(sock, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    arguments = [text.encode() if text is not None else None for text in (source, target, kind)]
    _done(f"mount on {target}", libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() or None))


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _done(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
