"""The layers by name: which are seen, which may not be missing, and which a test may switch off one by one.

Theory of operation. A layer counts where it was seen to hold: the inner ones were tried out by a child that does what
samples will do, namespaces and identity are read from outside through the server's pidfd. Nothing is taken from what
was asked for. Switching a layer off exists to show that something stands behind each name; it is an argument of
``Sandbox.open`` and ``Judge`` alone, no option and no variable leads to it, and scoring with one of the layers that may
not be missing still needs ``is_unsafe``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....ingest import errors, schemas

NAMESPACES: Mapping[str, str] = {
    "user": "user_namespace", "mnt": "mount_namespace", "pid": "pid_namespace", "net": "network_namespace",
    "ipc": "ipc_namespace",
}  # fmt: skip
_NEEDED = ("seccomp", "no_new_privs", "rlimits", "unprivileged_uid")
_NEEDED_BARE = ("landlock",)
"""Where no file system of its own hides them, a program could read the answers of the very tasks that it is judged on,
and what else the user has: staged datasets, caches, tokens."""
UNNAMED = (
    "closed_descriptors",  # a child keeps its own pipes alone
    "hidden_server",  # a server is not dumpable
    "private_scratch",  # each child may write to a folder of its own alone
    "wall_clock_kill",  # the judge ends a child by the clock
    "parent_death",  # a child dies with its server
    "readonly_binds",  # what is shown of the machine cannot be changed
)
"""Layers that every mode has, so that rows do not name them."""
NO_LAYER_OFF: frozenset[str] = frozenset()
_FIXED: Mapping[str, frozenset[str]] = {
    # bubblewrap sets no_new_privs, and makes a mount namespace and, without privilege, a user namespace in any case
    "bubblewrap": frozenset(("no_new_privs", "user_namespace", "mount_namespace")),
    # without privilege a user namespace is what makes the others possible
    "unshare": frozenset(("user_namespace",)),
    "inner-only": frozenset((*NAMESPACES.values(), "readonly_binds")),
    "apptainer-setuid": frozenset((*NAMESPACES.values(), "no_new_privs", "readonly_binds", "unprivileged_uid")),
    "apptainer-userns": frozenset((*NAMESPACES.values(), "no_new_privs", "readonly_binds", "unprivileged_uid")),
}


def needed(mode: str) -> tuple[str, ...]:
    """Layers without which a mode does not score."""
    return (*_NEEDED, *(_NEEDED_BARE if mode == "inner-only" else ()))


def check_switchable(mode: str, without: frozenset[str]) -> None:
    """ValueError for a name that is no layer, or that this mode cannot do without (or does not have)."""
    unknown = without - {*schemas.SANDBOX_LAYERS, *UNNAMED}
    fixed = without & _FIXED[mode]
    if unknown or fixed:
        raise ValueError(f"{mode} cannot switch off {', '.join(sorted(unknown | fixed))}")


def seen(
    mode: str, hello: Mapping[str, Any], fds: list[int], without: frozenset[str] = NO_LAYER_OFF
) -> tuple[str, ...]:
    """Inner layers as tried out inside; namespaces and identity as seen from out here."""
    from .inside import wire

    found = {name for name in hello.get("layers", ()) if name in schemas.SANDBOX_LAYERS}
    try:
        pid = _process_id(fds[0]) if fds else None
        if pid is not None:
            found |= {name for kind, name in NAMESPACES.items() if _namespace(pid, kind) != _namespace("self", kind)}
            if _user_id(pid) != 0:
                found.add("unprivileged_uid")
    except OSError:
        pass
    finally:
        wire.close_all(fds)
    if mode == "inner-only":  # one made to reach the interpreter still shows the machine's own files
        found.discard("mount_namespace")
    return tuple(name for name in schemas.SANDBOX_LAYERS if name in found - without)


_NEEDED_BY_PROCESSES = ("mount_namespace", "pid_namespace", "network_namespace")
"""Where programs may start others, and open sockets of the machine's own."""


def refuse_weak(mode: str, found: tuple[str, ...], *, has_processes: bool = False) -> None:
    """SandboxUnavailable where a layer is missing that scoring (of suites: ``has_processes``) cannot do without."""
    missing = [name for name in (*needed(mode), *(_NEEDED_BY_PROCESSES if has_processes else ())) if name not in found]
    if missing:
        is_files = missing == list(_NEEDED_BARE)
        place = "in mode bubblewrap, or boot with landlock in lsm=" if is_files else "on a Linux machine with seccomp"
        raise errors.SandboxUnavailable(
            f"Sandbox mode {mode} lacks {', '.join(missing)} on this machine.",
            f"score {place}, or say --unsafe (then every row says so)",
        )


def _process_id(pidfd: int) -> int | None:
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        if line.startswith("Pid:"):
            return int(line.split()[1])
    return None


def _namespace(pid: int | str, kind: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{kind}")  # noqa: PTH115 - not a path, an identity


def _user_id(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:"))
