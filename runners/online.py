"""Commands that need the network, and the one place that refuses them where there is none.

Compute nodes of most clusters reach nothing outside; what they need is fetched beforehand on a login node. A machine
counts as offline inside a job whose kind of node was seen without network (``benchforge probe --job``), or where the
host in question cannot be reached, directly or through the proxy that the environment names.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping

from ..ingest.config import Settings, variable
from ..ingest.errors import NotStaged
from ..slurm.machine import network

ONLINE: Mapping[str, str] = {
    "stage": "fetches weights and the sources of harnesses",
    "pull-image": "fetches images",
    "publish": "uploads to the Hub",
}
"""Command -> what it needs the network for. The rows of ``cli.main.COMMANDS`` with ``is_online`` are these."""
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""What the Hub's libraries look at before they ask anything."""
DEFAULT_HUB = "https://huggingface.co"


def hub_target() -> str:
    """``HOST:PORT`` of the Hub that its library would ask (``HF_ENDPOINT``, else the public one)."""
    scheme, _, rest = (variable("HF_ENDPOINT") or DEFAULT_HUB).partition("://")
    host = rest.partition("/")[0]
    return host if ":" in host else f"{host}:{80 if scheme == 'http' else 443}"


def require_network(command: str, target: str = "") -> None:
    """Pass where ``target`` (``HOST:PORT``) can be reached; nothing is sent. Raises NotStaged, which says where to run.

    ``command`` is a key of ``ONLINE``. Without a target only what probe saw of this kind of node decides: where pip or
    an address of the user is asked, these say themselves what they cannot reach.
    """
    does = f"benchforge {command} {ONLINE[command]}"
    hint = f"run it on a login node of the cluster: benchforge {command}"
    job, seen = variable("SLURM_JOB_ID"), variable("BENCHFORGE_SEEN_NODE_NETWORK")
    if job and seen.startswith("closed"):
        nodes = f"compute nodes like {platform.node()} (job {job})"
        raise NotStaged(f"{does}, and {nodes} have no network: probe saw it {seen}", hint)
    said = network(target) if target else "open"
    if not said.startswith("open"):
        where = f"{platform.node()} (job {job})" if job else platform.node()
        raise NotStaged(
            f"{does}, and {target} cannot be reached from {where}: {said}",
            hint if job else f"{hint}; behind a proxy: set https_proxy",
        )


def go_offline(settings: Settings) -> None:
    """For this process and what it starts, unless ``run.offline`` is off; a value that the user set wins."""
    if settings["run.offline"]:
        for name in OFFLINE_VARIABLES:
            os.environ.setdefault(name, "1")
