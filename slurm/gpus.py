"""The GPUs of this node as its driver tells them, which need not be what the site's labels promise."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass

from .records import columns

_FIELDS = ("name", "driver_version", "compute_cap")
_ASK_SECONDS = 60.0


@dataclass(frozen=True)
class Gpu:
    """``name`` as the driver has it (``NVIDIA A40``), ``capability`` as ``8.6``."""

    name: str
    driver: str
    capability: str


@dataclass(frozen=True)
class Driver:
    """What the driver said; ``complaint`` where it did not work. No GPU and no complaint: nothing to ask is there."""

    gpus: tuple[Gpu, ...] = ()
    complaint: str = ""


def driver_seen() -> Driver:
    """One call of nvidia-smi."""
    if shutil.which("nvidia-smi") is None:
        return Driver()
    words = ["nvidia-smi", f"--query-gpu={','.join(_FIELDS)}", "--format=csv,noheader"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_ASK_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Driver(complaint=f"nvidia-smi: {error}")
    gpus = tuple(parse_gpus(done.stdout))
    if done.returncode != 0 or not gpus:
        said = (done.stderr.strip() or done.stdout.strip() or "no device").splitlines()
        return Driver(complaint=f"nvidia-smi: {said[-1]}")
    return Driver(gpus)


def parse_gpus(text: str) -> list[Gpu]:
    """Lines of ``--query-gpu=name,driver_version,compute_cap --format=csv,noheader``."""
    return [Gpu(*(row[name] for name in _FIELDS)) for row in columns(text, _FIELDS, ",")]


def mismatch(seen: Driver, constraint: str, wanted_names: Collection[str], drivers: Collection[str]) -> str:
    """Why this node is not what the job was for; empty where it is, or where nothing speaks against it.

    ``constraint``: features that the job asked for, of which ``sm120`` is held against the compute capability.
    ``wanted_names``: GPUs on which the engine was tried, or the shard begun; none where nobody knows.
    ``drivers``: of the nodes where the engine was tried; an image can need the oldest of them.
    """
    if seen.complaint:
        return f"its driver does not work ({seen.complaint})"
    if not seen.gpus:
        return f"it has no GPU driver, and {_listed(wanted_names)} is wanted" if wanted_names else ""
    first = seen.gpus[0]
    wanted = re.search(r"\bsm_?(\d+)\b", constraint)
    if wanted and wanted[1] not in {gpu.capability.replace(".", "") for gpu in seen.gpus}:
        return f"its {first.name} is sm{first.capability.replace('.', '')}, and the job asked for {wanted[0]}"
    if wanted_names and not {gpu.name for gpu in seen.gpus} & set(wanted_names):
        return f"it has {first.name}, and {_listed(wanted_names)} is wanted"
    oldest = min((driver for driver in drivers if driver), key=_version, default="")
    if _version(first.driver) < _version(oldest):
        return f"its driver is {first.driver}, older than the {oldest} that the engine was tried with"
    return ""


def _listed(names: Collection[str]) -> str:
    return " or ".join(sorted(names))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
