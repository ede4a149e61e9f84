"""Servers that a killed task left behind: found by what it wrote down, and ended before the next one starts.

Usually the kernel ends them (``supervise.py``). It cannot where a set-uid container runtime clears the parent-death
signal, or where the supervisor was killed too; and an engine that lives on keeps the GPU's memory.

A file per server, ``<host>.<owner pid>.<number>.json``, names owner and process group by pid and start time, so that a
pid used again is never taken for theirs. Only a server whose owner is gone is ended: another task of the same run on
the same node keeps its own.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_GRACE_SECONDS = 10.0
_POLL_SECONDS = 0.05


def write_down(folder: Path, group: int) -> Path:
    """The file that says who owns the process group ``group``; to be removed when that has ended."""
    host, own = socket.gethostname(), os.getpid()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{host}.{own}.{group}.json"
    facts = {
        "host": host,
        "boot": _boot(),
        "owner": [own, start_ticks(own)],
        "group": [group, start_ticks(group)],
    }
    path.write_text(json.dumps(facts), encoding="utf-8")
    return path


def end_orphans(folder: Path) -> int:
    """End the servers of this host whose owner is gone; how many there were. Files of other hosts are left alone."""
    num_ended = 0
    for path in sorted(folder.glob(f"{socket.gethostname()}.*.json")):
        facts = _read(path)
        if facts is None or _is_owned(facts):
            continue
        if facts["boot"] == _boot() and (members := _members(*facts["group"])):
            end_group(facts["group"][0], members)
            num_ended += 1
        path.unlink(missing_ok=True)
    return num_ended


def end_group(group: int, members: list[int], grace_seconds: float = _GRACE_SECONDS) -> None:
    """TERM, and KILL to what is left of the group after the grace."""
    _signal_all(members, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while (left := members_of(group)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    while left := [pid for pid in left if pid in members_of(group)]:
        _signal_all(left, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


def members_of(group: int) -> list[int]:
    """Pids of a process group's living processes (zombies are not)."""
    return [pid for pid in _pids() if (fields := _stat(pid)) and int(fields[2]) == group and fields[0] not in "ZX"]


def start_ticks(pid: int) -> int | None:
    """When a process began, in clock ticks since the machine did; None when it is gone."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def _members(group: int, began: int | None) -> list[int]:
    """Members of the group if it is still the one written down. While it has members its number is not given to a new
    process; a leader that began at another time, or a member older than it, says that it is another one."""
    leader = start_ticks(group)
    if began is None or (leader is not None and leader != began):
        return []
    return [pid for pid in members_of(group) if (start_ticks(pid) or 0) >= began]


def _is_owned(facts: Mapping[str, Any]) -> bool:
    pid, began = facts["owner"]
    return facts["boot"] == _boot() and began is not None and start_ticks(pid) == began


def _read(path: Path) -> Mapping[str, Any] | None:
    """None for a file that is being written, or was when the power went: its server got the kernel's signal."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and {"boot", "owner", "group"} <= facts.keys() else None


def _signal_all(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """Fields of ``/proc/<pid>/stat`` from the state on; the name before them may hold blanks and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
