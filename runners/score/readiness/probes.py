"""Small programs of our own, run as samples are: what is limited is really limited, what is theirs is really there.

Each is a row as ``benchforge judge`` takes them, whose only right answer is True; it says True when the wall held.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..door import Means, grade_rows
from .finding import CAUTION, FAIL, Finding, judged


@dataclass(frozen=True)
class _Probe:
    name: str
    protects: str
    fix: str
    program: str


_THREADS = """
import _thread, time
def holds():
    _thread.stack_size(65536)
    try:
        for _ in range(400):
            _thread.start_new_thread(time.sleep, (0.5,))
    except RuntimeError:
        return True
    return False
"""
_MEMORY = """
import mmap
def holds():
    try:
        kept = [mmap.mmap(-1, 1 << 30) for _ in range(6)]
    except (OSError, MemoryError):
        return True
    return False
"""
_SCRATCH = """
import io
def holds():
    with io.open("note", "w") as stream:
        stream.write("kept")
    with io.open("note") as stream:
        return stream.read() == "kept"
"""
_ALONE = """
import posix
def holds():
    here = posix.getcwd().rstrip("/")
    try:
        return not here or posix.listdir(here.rpartition("/")[0] or "/") == [here.rpartition("/")[2]]
    except OSError:
        return True
"""
_NUMPY = """
import numpy
def holds():
    return float(numpy.linalg.det(numpy.eye(3))) == 1.0
"""
_NO_CORE = """
import ctypes, struct
def holds():
    limits = ctypes.create_string_buffer(16)
    ctypes.CDLL(None).getrlimit(4, limits)
    return max(struct.unpack("=QQ", limits.raw)) <= 1
"""
_ORDINARY = "another --sandbox-mode, or a limit on processes around the job"
_PROBES = (
    _Probe("threads are limited", "the process table (RLIMIT_NPROC binds)", _ORDINARY, _THREADS),
    _Probe("memory is limited", "memory of the machine (RLIMIT_AS binds)", "score on a 64-bit Linux", _MEMORY),
    _Probe("scratch is writable", "programs that keep notes in a file", "another --sandbox-mode", _SCRATCH),
    _Probe("scratch is private", "programs beside one another", "boot Linux 5.13 or newer (Landlock)", _ALONE),
    _Probe("no core dumps", "the disk, and handlers outside", "report this: a limit was not set", _NO_CORE),
    _Probe("numpy imports inside", "programs that use it", "install benchforge again here", _NUMPY),
)
_BARE = ("scratch is writable", "threads are limited")
"""What the mode without an outer wall cannot promise: nothing is writable, and a user's other threads count as well."""


def findings(means: Means) -> Iterator[Finding]:
    """One per probe, in the mode that ``means`` names."""
    stream = io.BytesIO(b"".join(json.dumps(_row(probe)).encode() + b"\n" for probe in _PROBES))
    lines: list[dict[str, Any]] = []
    grade_rows(stream, means, lines.append)
    for probe, line in zip(_PROBES, lines, strict=True):
        is_right = line.get("official") == "pass"
        found = "seen" if is_right else line.get("error") or f"not seen ({line['reason']})"
        otherwise = CAUTION if means.sandbox_mode == "inner-only" and probe.name in _BARE else FAIL
        yield judged(probe.name, is_right, found, probe.protects, probe.fix, otherwise)


def _row(probe: _Probe) -> dict[str, Any]:
    task = {
        "prompt": "def holds():\n", "entry_point": "holds", "canonical_solution": "    return True\n",
        "base_input": [[]], "plus_input": [], "atol": 0,
    }  # fmt: skip
    return {"id": probe.name, "target": "humanevalplus", "task": task, "solution": probe.program}
