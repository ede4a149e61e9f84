"""Environments of harnesses below the scratch folder: made once, from PyPI, where the network may be used.

They stay apart from ours on purpose: a harness pins other packages, and nothing of it may be importable by the judge.
What a harness asks for beside grading (clients of hosted models, training libraries: half a gigabyte, and for EvalPlus
a version of protobuf that excludes ours) is left out; ``LEAN`` names what its evaluation imports.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ...ingest import errors
from .harnesses import EVALPLUS, Harness, find_environment

LEAN: Mapping[str, tuple[str, ...]] = {
    EVALPLUS: (
        EVALPLUS,
        "appdirs==1.4.4",
        "fire==0.7.1",
        "markdown-it-py==4.3.0",
        "mdurl==0.1.2",
        "numpy==2.4.6",
        "psutil==7.2.2",
        "Pygments==2.21.0",
        "rich==15.0.0",
        "tempdir==0.7.1",
        "termcolor==3.3.0",
        "tqdm==4.70.1",
        "tree-sitter==0.26.1",
        "tree-sitter-python==0.25.0",
        "wget==3.2",
    )
}
"""Release -> what its environment holds, installed without dependencies; the definition of its image says the same."""
STAND_IN = "def load_dataset(*names, **options):\n    raise RuntimeError('datasets is left out of this environment')\n"
"""``evalplus.data`` imports ``datasets`` for one dataset that is not graded here (evalplus 0.3.1)."""


def is_made(harness: Harness, scratch: Path) -> bool:
    return find_environment(_place(harness, scratch)) is not None


def environment_of(harness: Harness, scratch: Path, *, is_offline: bool, is_given: bool) -> Path | None:
    """The environment of a harness that PyPI has; None for one without a release.

    Raises NotStaged when it is missing and may not be made (offline, or the user gave a folder of their own).
    """
    if harness.requirement is None:
        if not is_given:
            raise errors.NotStaged(
                f"{harness.name} has no release on PyPI.",
                f"benchforge stage --harness {harness.name} --from DIR, or add --harness DIR: {harness.source}",
            )
        return None
    place = _place(harness, scratch)
    if find_environment(place) is not None:
        return place
    if is_given:
        return None
    if is_offline:
        raise errors.NotStaged(
            f"{harness.requirement} is not on this machine, and this run is offline.",
            f"on a machine with network: benchforge stage --harness {harness.name}",
        )
    _make(place, harness.requirement)
    return place


def _place(harness: Harness, scratch: Path) -> Path:
    return scratch.absolute() / "harnesses" / (harness.requirement or harness.name).replace("==", "-")


def _make(place: Path, requirement: str) -> None:
    """All or nothing: a torn installation is removed. An environment cannot be moved, so it is made where it stays."""
    place.parent.mkdir(parents=True, exist_ok=True)
    is_whole = False
    try:
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", *LEAN[requirement]], check=True, capture_output=True)
        (folder,) = place.glob("lib/python*/site-packages")
        (folder / "datasets.py").write_text(STAND_IN, encoding="utf-8")
        is_whole = True
    except (OSError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", None) or str(error).encode()
        last = detail.decode(errors="replace").strip().splitlines()[-1:]
        raise errors.NotStaged(
            f"{requirement} could not be installed: {''.join(last)[:200]}.",
            "run it again where PyPI, or the index that pip is set to, can be reached",
        ) from error
    finally:
        if not is_whole:
            with contextlib.suppress(OSError):
                shutil.rmtree(place)
