"""What a command and everything below it use: CPU seconds, wall seconds, peak memory. Linux only.

CPU is the running maximum of what all processes of the tree have used, their reaped children included: a sandbox that
is killed with its process namespace takes its account with it, so ``wait`` alone would forget most of ours. Memory is
the sum of proportional set sizes, so that what a fork shares counts once.

::

    python tests/bench/measure.py RESULT.json -- COMMAND …
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_EVERY_SECONDS = 0.1
_MEMORY_EVERY = 5
_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Figures:
    """Of one command with all its descendants."""

    cpu_seconds: float
    wall_seconds: float
    peak_memory_bytes: int
    status: int


def measured(argv: Sequence[str]) -> Figures:
    """Run a command under a process of its own that watches it."""
    with tempfile.TemporaryDirectory() as place:
        result = Path(place) / "figures.json"
        subprocess.run([sys.executable, "-I", "-S", __file__, str(result), "--", *argv], check=True)
        return Figures(**json.loads(result.read_bytes()))


def watch(argv: Sequence[str]) -> Figures:
    """Start, sample and wait; this process becomes the parent of every orphan below it."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    watched = _Watched()
    thread = threading.Thread(target=watched.sample, daemon=True)
    started = time.monotonic()
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    thread.start()
    waited, status, wall_seconds = 0.0, 0, 0.0
    while True:
        try:
            pid, ended, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        waited += usage.ru_utime + usage.ru_stime
        if pid == process.pid:
            status, wall_seconds = os.waitstatus_to_exitcode(ended), time.monotonic() - started
    watched.is_over = True
    thread.join()
    return Figures(max(waited, watched.cpu_seconds), wall_seconds, watched.memory_bytes, status)


class _Watched:
    def __init__(self) -> None:
        self.cpu_seconds, self.memory_bytes, self.is_over = 0.0, 0, False

    def sample(self) -> None:
        number = 0
        while not self.is_over:
            used = _tree(os.getpid())
            self.cpu_seconds = max(self.cpu_seconds, sum(used.values()))
            if number % _MEMORY_EVERY == 0:
                self.memory_bytes = max(self.memory_bytes, sum(map(_memory_bytes, used)))
            number += 1
            time.sleep(_EVERY_SECONDS)


def _tree(root: int) -> dict[int, float]:
    """Descendant -> CPU seconds of itself and of the children that it has reaped."""
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        try:
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(name))
        seconds[int(name)] = sum(map(int, fields[11:15])) / _TICKS_PER_SECOND
    found, todo = {}, list(children.get(root, ()))
    while todo:
        pid = todo.pop()
        found[pid] = seconds[pid]
        todo += children.get(pid, ())
    return found


def _memory_bytes(pid: int) -> int:
    """Proportional set size; resident size where another user's may not be read (then ours counts too much)."""
    for name, key in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            lines = Path(f"/proc/{pid}/{name}").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asdict(watch(sys.argv[3:]))))
