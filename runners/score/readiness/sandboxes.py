"""Which modes start on this machine, and what holds in the one that scoring would take."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ....ingest import schemas
from ....ingest.errors import SandboxUnavailable
from ..sandbox import Sandbox, known_mode
from ..sandbox.connection import SandboxBroken
from ..sandbox.layers import NAMESPACES, needed
from .finding import CAUTION, FAIL, PASS, Finding, judged

_PROTECTS: Mapping[str, str] = {
    "user_namespace": "capabilities inside are none outside",
    "mount_namespace": "files of the machine are not there",
    "pid_namespace": "other processes are not there",
    "network_namespace": "there is no interface to talk through",
    "ipc_namespace": "shared memory and queues are the sandbox's own",
    "no_new_privs": "no program gains privilege by being executed",
    "seccomp": "no process, socket, signal or trace by system call",
    "landlock": "files beyond interpreter and scratch, siblings included",
    "rlimits": "memory, files, threads and processor time of a sample",
    "unprivileged_uid": "no sample runs as root",
}


@dataclass(frozen=True)
class Mode:
    """One mode as tried: its layers, or why it does not start and what would help."""

    name: str
    layers: tuple[str, ...] = ()
    python_version: str = ""
    complaint: str = ""
    fix: str = ""


def modes() -> list[Mode]:
    """Each of the five, tried out; a mode that is too weak to score in is opened all the same, to name its layers."""
    return [_tried(name) for name in schemas.SANDBOX_MODES]


def _tried(name: str) -> Mode:
    try:
        with Sandbox.open(name, is_unsafe=True) as sandbox:
            return Mode(name, sandbox.layers, sandbox.python_version)
    except SandboxUnavailable as error:
        return Mode(name, complaint=error.message, fix=error.hint)
    except SandboxBroken as error:
        return Mode(name, complaint=f"It starts and breaks: {error}.", fix="look at the messages above")


def chosen(tried: Sequence[Mode], asked: str | None) -> Mode | None:
    """The mode asked for, or the first that scoring would take; None where it does not start."""
    asked = known_mode(asked)
    working = [mode for mode in tried if mode.layers and (asked is None or mode.name == asked)]
    strong = [mode for mode in working if set(needed(mode.name)) <= set(mode.layers)]
    return next(iter(strong or working), None)


def mode_findings(tried: Sequence[Mode], asked: str | None) -> Iterator[Finding]:
    picked, asked = chosen(tried, asked), known_mode(asked)
    for mode in tried:
        found = "starts" + (", taken for scoring" if mode == picked else "") if mode.layers else mode.complaint
        status = PASS if mode.layers else FAIL if mode.name == asked else CAUTION
        fix = "" if mode.layers else mode.fix
        yield Finding(f"mode {mode.name}", status, found, "the outer wall", fix)
    found = f"{picked.name}, interpreter {picked.python_version}" if picked else "none"
    yield judged("outer sandbox", picked is not None, found, "everything", "apt install bubblewrap", FAIL)


def layer_findings(mode: Mode) -> Iterator[Finding]:
    """One line per layer of the mode: what scoring insists on and what the mode promises may not be missing."""
    promised = {*needed(mode.name), *(() if mode.name == "inner-only" else NAMESPACES.values())}
    for name in schemas.SANDBOX_LAYERS:
        is_there = name in mode.layers
        fix = "" if is_there else _fix(name, mode)
        status = PASS if is_there else FAIL if name in promised else CAUTION
        yield Finding(name, status, "active" if is_there else "missing", _PROTECTS[name], fix)
    yield _root_drop(mode)


def _fix(layer: str, mode: Mode) -> str:
    if layer in NAMESPACES.values():
        return "apt install bubblewrap" if mode.name == "inner-only" else f"another mode than {mode.name}"
    if layer == "landlock":
        return "boot Linux 5.13 or newer with landlock in lsm="
    return "score as an ordinary user on an x86-64 Linux machine with CONFIG_SECCOMP_FILTER"


def _root_drop(mode: Mode) -> Finding:
    is_root = os.geteuid() == 0
    has_dropped = "unprivileged_uid" in mode.layers
    found = "not root" if not is_root else "started as root, given up" if has_dropped else "samples would be root"
    fix = "score as an ordinary user, or install Python where every user may read it"
    return judged("root", has_dropped, found, "limits bind no real root", fix, FAIL)
