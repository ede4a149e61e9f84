"""The engine from a container image: which file it is, its digest, and the command line that runs a server in it.

The flags are those of apptainer 1.5 (apptainer/apptainer@6a76317): ``--containall`` brings namespaces and a clean
environment of its own, ``--network none`` is open to every user and raises a loopback, and what a site binds by default
is kept out by ``--no-mount``. Scratch lies in ``--workdir``: the tmpfs of ``--containall`` ends at 64 MiB.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....containers.images import image_digest
from ....ingest.config import Settings

SOCKETS, WEIGHTS_CACHE = "/run/benchforge", "/hf"
"""Where the socket's folder, and the Hub's cache in a folder ``hub``, lie inside."""


@dataclass(frozen=True)
class Image:
    """A SIF file."""

    path: Path
    runtime: str = "apptainer"

    @property
    def digest(self) -> str:
        """``sha256:…`` of the file as it is now."""
        return image_digest(self.path)

    def argv(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        binds: Mapping[Path, str],
        scratch: Path,
        *,
        is_isolated: bool,
        has_gpu: bool = True,
    ) -> list[str]:
        """Command line for ``command`` inside. ``binds`` maps paths here to paths there (``:ro`` may end these)."""
        argv = [self.runtime, "exec", "--containall", "--cleanenv", "--no-home", "--no-eval", "--no-privs"]
        argv += ["--no-mount", "bind-paths", "--workdir", str(scratch)]
        argv += ["--nv"] if has_gpu else []
        argv += ["--net", "--network", "none"] if is_isolated else []
        for here, there in binds.items():
            argv += ["--bind", f"{here}:{there}"]
        for name, value in variables.items():
            argv += ["--env", f"{name}={value}"]
        return [*argv, str(self.path), *command]


def find_image(settings: Settings) -> Image | None:
    """The first of ``engine.image`` and ``engine.fallback_image`` that lies here as a file, where a runtime does too.

    A name such as ``nvcr.io/nvidia/vllm:25.09-py3`` is ``<compute.sif_dir>/nvcr.io_nvidia_vllm_25.09-py3.sif``.
    """
    runtime = shutil.which("apptainer") or shutil.which("singularity")
    if runtime is None:
        return None
    for name in (settings["engine.image"], settings["engine.fallback_image"]):
        if name and (path := image_file(name, settings["compute.sif_dir"])).is_file():
            return Image(path, runtime)
    return None


def image_file(name: str, folder: str) -> Path:
    """Where the SIF of an image name lies; a path to a SIF is itself."""
    if name.endswith(".sif"):
        return Path(name).expanduser()
    return Path(folder or ".").expanduser() / (re.sub(r"[^\w.-]+", "_", name.removeprefix("docker://")) + ".sif")
