"""Where grading can run at all."""

from __future__ import annotations

import sys

from ...ingest.errors import SandboxUnavailable


def require_linux() -> None:
    """SandboxUnavailable on any other system: seccomp, Landlock and namespaces are Linux."""
    if sys.platform != "linux":
        raise SandboxUnavailable(
            f"scoring needs Linux (seccomp, namespaces), this is {sys.platform}",
            "score on a Linux machine and copy the lake here; plan, import, aggregate and sql work on this one",
        )
