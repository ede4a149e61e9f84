# every line here is one system call that can be named
# ruff: noqa: PTH102, PTH103, PTH106, PTH112, PTH116, PTH120, PTH211
"""First process of a sandbox: gives up root, enters namespaces where asked, becomes the runtime or the server.

Theory of operation. Started by the judge's side as a script of its own (standard library only), with a JSON plan as its
argument and the control socket as descriptor 0. In this order:

1. Started by root: a private mount namespace, in which the interpreter's paths are made enterable for others (a home
   of mode 0700 cannot be entered after the drop), then setgroups, setgid, setuid to an unprivileged id. Root mapped
   into a user namespace would not do: RLIMIT_NPROC does not bind there (measured). Without the privilege to mount, an
   interpreter that others cannot reach is a refusal, never a sandbox run by root.
2. Mode ``unshare``: user, mount, pid, network, IPC and UTS namespaces; a root in memory with read-only binds; pivot.
3. ``execve``. Parent-death signals on the way: nothing outlives the judge.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import struct
import sys
from typing import Any

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_SPACES = {
    "user_namespace": _NEWUSER, "mount_namespace": _NEWNS, "pid_namespace": _NEWPID, "network_namespace": _NEWNET,
    "ipc_namespace": _NEWIPC, "": _NEWUTS,
}  # fmt: skip
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_SET_PDEATHSIG, _SET_DUMPABLE, _SET_NO_NEW_PRIVS = 1, 4, 38
_MOUNT_SETATTR = 442
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    plan = json.loads(sys.argv[1])
    try:
        if plan["uid"] is not None:
            _drop(plan)
        _die_with_parent()
        if plan["enters_namespaces"]:
            _enter_namespaces(plan)
        if "no_new_privs" not in plan["without"]:
            libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        os.execve(plan["argv"][0], plan["argv"], plan["environment"])
    except OSError as error:
        sys.stderr.write(f"{plan['mode']}: {error}\n")
        sys.exit(71)


def _drop(plan: dict[str, Any]) -> None:
    """Become the unprivileged id; the paths of the plan stay reachable."""
    hidden = [path for path in plan["paths"] if not _is_reachable(path)]
    if hidden:
        tops = {path: _first_closed(path) for path in hidden}
        try:
            _unshare(_NEWNS)
            _mount(None, "/", None, _REC | _PRIVATE)
            for number, top in enumerate(sorted(set(tops.values()))):
                _reopen(top, [path for path in hidden if tops[path] == top], f"{plan['staging']}/{number}")
        except OSError as error:
            closed = ", ".join(sorted(set(tops.values())))
            raise OSError(f"{closed} cannot be entered by others, nor reopened for the sandbox ({error})") from error
    os.setgroups([])
    os.setresgid(plan["gid"], plan["gid"], plan["gid"])
    os.setresuid(plan["uid"], plan["uid"], plan["uid"])
    # a change of identity makes a process not dumpable, and its /proc/self/uid_map root's
    libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0)


def _reopen(top: str, paths: list[str], place: str) -> None:
    """Cover a closed directory with an empty one that others may enter, and show only the given paths below it."""
    kept = []
    for number, path in enumerate(paths):
        # a mount of its own, held by its descriptor: the cover lies over the path, and over the staging perhaps
        os.mkdir(f"{place}-{number}")
        _mount(path, f"{place}-{number}", None, _BIND | _REC)
        kept.append((os.open(f"{place}-{number}", os.O_PATH | os.O_CLOEXEC), path))
    _mount("tmpfs", top, "tmpfs", _NOSUID | _NODEV, "mode=755,size=1m")
    for fd, path in kept:
        os.makedirs(path, 0o755, exist_ok=True)
        _mount(f"/proc/self/fd/{fd}", path, None, _BIND | _REC)
        os.close(fd)


def _is_reachable(path: str) -> bool:
    return _first_closed(path) == ""


def _first_closed(path: str) -> str:
    """Topmost directory on the way to ``path`` that others may not enter, or nothing."""
    current = ""
    for part in path.strip("/").split("/"):
        current += "/" + part
        if os.path.isdir(current) and not os.stat(current).st_mode & 0o001:
            return current
    return ""


def _enter_namespaces(plan: dict[str, Any]) -> None:
    """New namespaces, then a child that is process 1 in them; this process waits for it and leaves with it."""
    uid, gid = os.getuid(), os.getgid()
    _unshare(sum(flag for layer, flag in _SPACES.items() if layer not in plan["without"]))
    with contextlib.suppress(FileNotFoundError):
        _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {uid} 1")
    _write("/proc/self/gid_map", f"{gid} {gid} 1")
    pid = os.fork()
    if pid:
        os.close(0)
        _, status = os.waitpid(pid, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    libc.prctl(_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    os.setsid()
    if plan["root"]:
        _build_root(plan)


def _build_root(plan: dict[str, Any]) -> None:
    root = plan["root"]
    _mount(None, "/", None, _REC | _PRIVATE)
    _mount("tmpfs", root, "tmpfs", _NOSUID | _NODEV, "mode=755,size=4m")
    # before the binds: a checkout may itself lie below /tmp, and must not be hidden by the scratch
    os.mkdir(f"{root}/tmp", 0o700)
    _mount("tmpfs", f"{root}/tmp", "tmpfs", _NOSUID | _NODEV, f"mode=700,size={plan['scratch_bytes']}")
    is_read_only = "readonly_binds" not in plan["without"]
    for source, target, link in plan["binds"]:
        _show(source, root + target, link, is_read_only=is_read_only)
    for path in plan["covered"]:
        _mount("tmpfs", root + path, "tmpfs", _NOSUID | _NODEV, "mode=755,size=1m")
    for path in plan["shown"]:
        _show(path, root + path, "", is_read_only=is_read_only)
    for path in plan["covered"]:
        _mount(None, root + path, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)
    for path in plan["directories"]:
        os.makedirs(root + path, 0o755, exist_ok=True)
        if path == "/proc":
            _mount("proc", root + path, "proc", _NOSUID | _NODEV | _NOEXEC)
    os.mkdir(f"{root}/.old")
    number = _PIVOT_ROOT.get(os.uname().machine, -1)
    if libc.syscall(number, root.encode(), f"{root}/.old".encode()) != 0:
        raise _failure("pivot_root")
    os.chdir("/")
    if libc.umount2(b"/.old", 2) != 0:
        raise _failure("umount")
    os.rmdir("/.old")
    _mount(None, "/", None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)


def _show(source: str, target: str, link: str, *, is_read_only: bool = True) -> None:
    """One entry of the new root: a symbolic link, or a bind made read-only with everything below it."""
    os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
    if link:
        os.symlink(link, target)
        return
    if os.path.isdir(source):
        os.makedirs(target, 0o755, exist_ok=True)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(source, target, None, _BIND | _REC)
    # a device node must stay a device: nodev only elsewhere; it is writable by its own mode
    if is_read_only and not source.startswith("/dev/"):
        _make_read_only(target)


def _make_read_only(target: str) -> None:
    attributes = struct.pack("=QQQQ", 0b111, 0, 0, 0)  # RDONLY | NOSUID | NODEV
    done = libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, target.encode(), _AT_RECURSIVE, attributes, len(attributes))
    if done != 0:  # before Linux 5.12: the top mount alone
        _mount(None, target, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)


def _unshare(flags: int) -> None:
    if libc.unshare(flags) != 0:
        raise _failure("unshare")


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    arguments = [text.encode() if text is not None else None for text in (source, target, kind)]
    if libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() or None) != 0:
        raise _failure(f"mount on {target}")


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _die_with_parent() -> None:
    libc.prctl(_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _failure(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
