"""Environments of harnesses below the scratch folder: made once, from PyPI, where the network may be used.

They stay apart from ours on purpose: a harness pins other packages, and nothing of it may be importable by the judge.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ...ingest import errors
from .harnesses import Harness, find_environment


def environment_of(harness: Harness, scratch: Path, *, is_offline: bool, is_given: bool) -> Path | None:
    """The environment of a harness that PyPI has; None for one without a release.

    Raises NotStaged when it is missing and may not be made (offline, or the user gave a folder of their own).
    """
    if harness.requirement is None:
        if not is_given:
            raise errors.NotStaged(
                f"{harness.name} has no release on PyPI.", f"add --harness DIR, a folder of {harness.source}"
            )
        return None
    place = scratch.absolute() / "harnesses" / harness.requirement.replace("==", "-")
    if find_environment(place) is not None:
        return place
    if is_given:
        return None
    if is_offline:
        raise errors.NotStaged(
            f"{harness.requirement} is not on this machine, and this run is offline.",
            f"python3 -m venv {place} && {place}/bin/pip install {harness.requirement}",
        )
    _make(place, harness.requirement)
    return place


def _make(place: Path, requirement: str) -> None:
    """All or nothing: a torn installation is removed."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, requirement], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(place, ignore_errors=True)
        detail = getattr(error, "stderr", None) or str(error).encode()
        last = detail.decode(errors="replace").strip().splitlines()[-1:]
        raise errors.NotStaged(
            f"{requirement} could not be installed: {''.join(last)[:200]}.",
            f"python3 -m venv {place} && {place}/bin/pip install {requirement}",
        ) from error
