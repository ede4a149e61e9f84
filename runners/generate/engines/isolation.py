"""Is the network of a server really empty? Looked at from outside, whatever the server's own side says."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ....ingest.errors import BenchforgeError


class NetworkShared(BenchforgeError):
    """Our engine's network cannot be made empty here, and nobody said that it may be shared."""


def refuse_shared_network(missing: str, is_allowed: bool) -> None:
    """NetworkShared with the reason, unless the user said ``--unsafe-network``: then rows carry it."""
    if missing and not is_allowed:
        raise NetworkShared(
            f"the engine would share the network of this node: {missing}",
            "allow unprivileged user namespaces (sysctl user.max_user_namespaces), use an image with apptainer, or say "
            "--unsafe-network (engine.unsafe_network): then every row says so",
        )


def why_not_empty(pids: Iterable[int]) -> str:
    """Empty where no process is in our network namespace and none that can be looked at has more than ``lo``."""
    own = _namespace("self")
    for pid in pids:
        try:
            if _namespace(str(pid)) == own:
                return f"process {pid} of it is in the network of this node"
            if (names := interfaces(pid)) - {"lo"}:
                return f"process {pid} of it has the interfaces {', '.join(sorted(names))}"
        except OSError:
            continue  # it ended, or the kernel does not let us look at a process that changed its privileges
    return ""


def interfaces(pid: int) -> set[str]:
    """Names of the network interfaces that a process has."""
    lines = Path(f"/proc/{pid}/net/dev").read_text(encoding="utf-8").splitlines()[2:]
    return {line.partition(":")[0].strip() for line in lines}


def _namespace(pid: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115 - not a path, an identity
