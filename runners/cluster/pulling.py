"""Fetch the engine image: the first of ``engine.image`` and ``engine.fallback_image`` that can be had.

Beside the file lies ``<name>.json``: which image it is, its digest, when it came, and why it is the fall-back if it is.
Tasks compare the file with it before they use it (``containers.images``).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ...containers.images import checked_digest, records_of
from ...ingest.config import Settings
from ...ingest.errors import NotStaged, UsageError
from ...ingest.lake import replace_file
from ...ingest.manifest import now_text
from ..generate.engines.image import Image, image_file
from ..online import require_network

_LOGIN = (
    "NGC wants a login: make a key at https://org.ngc.nvidia.com/setup/api-keys, then: "
    "apptainer registry login --username '$oauthtoken' docker://nvcr.io"
)
_FIRST_USABLE = (0, 13)
_ASKS_FOR_LOGIN = ("unauthorized", "authentication", "denied", "401", "403")


@dataclass(frozen=True)
class Pulled:
    """``fell_back_because`` is what the first image's pull said, empty where the first was had."""

    image: str
    path: str
    digest: str
    state: str
    fell_back_because: str = ""


def pull(settings: Settings, say: Callable[[str], None], target: str | None = None) -> Pulled:
    """Pull, or find in place. Raises NotStaged (no network, no apptainer, neither image), UsageError (no folder).

    ``target`` is the HOST:PORT whose being reachable decides; None: the registry of each image.
    """
    if not settings["compute.sif_dir"]:
        raise UsageError("no folder for images is known", "write BENCHFORGE_SIF_DIR=… into ~/.benchforge.env")
    names = [name for name in (settings["engine.image"], settings["engine.fallback_image"]) if name]
    for name in names:
        path = image_file(name, settings["compute.sif_dir"])
        if path.is_file():
            return _in_place(name, path)
    for name in names:
        _refuse_unusable(name)
    runtime = _runtime()
    complaints: list[str] = []
    for name in names:
        require_network("pull-image", target or _registry(name))
        path = image_file(name, settings["compute.sif_dir"])
        complaint = _pulled(runtime, name, path)
        if not complaint:
            return _recorded(Pulled(name, str(path), Image(path).digest, "pulled", "; ".join(complaints)))
        complaints.append(f"{name}: {complaint}")
        say(f"{complaints[-1]}\n       {_LOGIN}" if _wants_login(complaint) else complaints[-1])
    raise NotStaged(f"no image could be pulled: {complaints[-1]}", _hint(complaints))


def _runtime() -> str:
    runtime = shutil.which("apptainer") or shutil.which("singularity")
    if runtime is None:
        raise NotStaged("apptainer is not on this machine", "run benchforge pull-image on a login node")
    return runtime


def _registry(name: str) -> str:
    """``nvcr.io/nvidia/vllm:25.09`` -> ``nvcr.io:443``; a name without a host is Docker's."""
    first = name.removeprefix("docker://").partition("/")[0]
    return f"{first}:443" if "." in first else "registry-1.docker.io:443"


def _pulled(runtime: str, name: str, path: Path) -> str:
    """Empty when it came; else the last line of what was said. A broken pull leaves no file under the final name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    words = [runtime, "pull", "--force", str(partial), f"docker://{name.removeprefix('docker://')}"]
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0 and partial.is_file():
        partial.replace(path)
        return ""
    partial.unlink(missing_ok=True)
    return (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]


def _in_place(name: str, path: Path) -> Pulled:
    """Checked against its record; one that nobody recorded (copied here by hand, say) is recorded now."""
    digest = checked_digest(path)
    records = records_of(path)
    pulled = Pulled(name, str(path), digest, "in place", records[0].fell_back_because if records else "")
    return pulled if records else _recorded(pulled)


def _recorded(pulled: Pulled) -> Pulled:
    path = Path(pulled.path)
    content = json.dumps({**asdict(pulled), "at": now_text()}, indent=1)
    replace_file(path.with_name(path.name + ".json"), content.encode())
    return pulled


def _hint(complaints: list[str]) -> str:
    wants_login = any(map(_wants_login, complaints))
    return _LOGIN if wants_login else "benchforge pull-image once more, or name others: engine.image in the run file"


def _wants_login(complaint: str) -> bool:
    return any(word in complaint.lower() for word in _ASKS_FOR_LOGIN)


def _refuse_unusable(name: str) -> None:
    """UsageError for a release of vLLM whose kernels do not know the GPUs of the first target (sm_120)."""
    found = re.search(r"vllm-openai:v(\d+)\.(\d+)", name)
    if found and (int(found[1]), int(found[2])) < _FIRST_USABLE:
        raise UsageError(f"{name} does not know sm_120", "vllm/vllm-openai:v0.13.0 or newer: engine.fallback_image")
