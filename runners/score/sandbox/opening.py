"""How a sandbox of one mode is started: what ``launch`` is told to build, and what the first server is told to apply.

Theory of operation. The plan goes to ``launch`` (a process of its own that gives up root first), the settings to the
server inside; neither holds an answer. What comes back is believed only as far as ``layers`` sees it from outside.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ....containers.images import checked_digest
from ....ingest import errors
from . import IMAGE_VARIABLE, outer, suite_box
from .inside.confine import Limits
from .suite_box import Place

UNPRIVILEGED_ID = 64711
"""User and group that a sandbox started by root becomes: no account of any system, so nothing shares its limits."""
HINTS = {
    "bubblewrap": "apt install bubblewrap, and allow unprivileged user namespaces",
    "unshare": "allow unprivileged user namespaces (sysctl user.max_user_namespaces)",
    "apptainer-setuid": f"set {IMAGE_VARIABLE} to the scoring image",
    "apptainer-userns": f"set {IMAGE_VARIABLE} to the scoring image",
    "inner-only": "run as an ordinary user, or put Python and TMPDIR where every user may enter",
}


@dataclasses.dataclass(frozen=True)
class Opening:
    """One sandbox to start. ``staging``: a directory of its own; ``without``: layers that a test switched off."""

    mode: str
    box: outer.Box
    staging: str
    without: frozenset[str]
    place: Place | None = None
    """Environment of a suite; None: our own interpreter."""

    def start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        """The first process, and our end of its control socket."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")), json.dumps(self.plan())],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", env={},
                start_new_session=True,
            )  # fmt: skip
        return process, ours

    def plan(self) -> dict[str, Any]:
        """What ``launch`` is told: identity, paths that must stay reachable, command line, root to build."""
        box = self.box
        argv, root, binds = self._command()
        uid = UNPRIVILEGED_ID if os.getuid() == 0 and "unprivileged_uid" not in self.without else None
        environment = dict(box.environment)
        if self.mode.startswith("apptainer"):
            environment["PATH"] = os.environ.get("PATH", environment["PATH"])
        return {
            "mode": self.mode, "argv": argv, "environment": environment, "root": root, "binds": binds,
            "scratch_bytes": box.scratch_bytes, "staging": self.staging, "uid": uid, "gid": uid,
            "covered": list(box.covered), "shown": list(box.shown), "directories": list(box.directories),
            "paths": self._needed_paths(),
            "enters_namespaces": self.mode == "unshare", "without": sorted(self.without),
        }  # fmt: skip

    def _needed_paths(self) -> list[str]:
        """What the dropped id must reach. bubblewrap and apptainer build nothing in the staging directory."""
        binds = [bind.source for bind in self.box.binds if not bind.link]
        staging = [self.staging] if self.mode == "unshare" or self._is_bare else []
        return [*binds, *self.box.shown, self.box.inside, self.box.extract, *staging]

    def settings(self) -> dict[str, Any]:
        """What the server is told: paths that samples may read, their scratch, the limits tried out at the start."""
        if self.place is not None:
            return suite_box.settings(self.place, self.box)
        return {
            "readable": outer.landlock_readable(self.box, is_bare=self._is_bare),
            "devices": outer.landlock_devices(),
            "scratch": self._scratch(),
            "limits": dataclasses.asdict(Limits()),
            "without": sorted(self.without),
        }

    @property
    def _is_bare(self) -> bool:
        """Whether the machine's own file system is what a program sees."""
        return self.mode == "inner-only" or "mount_namespace" in self.without

    def _scratch(self) -> str | None:
        if self.mode == "inner-only":  # without a private file system nothing is writable
            return None
        return str(Path(self.staging) / "scratch") if self._is_bare else "/tmp"

    def _command(self) -> tuple[list[str], str, list[list[str]]]:
        """Command line, root to build ("" for none), its binds."""
        if self.mode == "bubblewrap":
            return outer.bubblewrap_argv(self.box, shutil.which("bwrap") or "/usr/bin/bwrap", self.without), "", []
        if self.mode.startswith("apptainer"):
            is_userns, runtime = self.mode.endswith("userns"), shutil.which("apptainer") or ""
            scratch = Path(self.staging) / "workdir"
            scratch.mkdir(mode=0o700)
            argv = outer.apptainer_argv(self.box, userns=is_userns, apptainer=runtime, scratch=str(scratch))
            return argv, "", []
        if self._is_bare:
            return self._bare_argv(), "", []
        root = Path(self.staging) / "root"
        root.mkdir(mode=0o755)
        return outer.server_argv(self.box, outer.BOX), str(root), outer.root_binds(self.box)

    def _bare_argv(self) -> list[str]:
        """The server with nothing around it, from a folder that holds two links and nothing else of ours."""
        place = Path(self.staging) / "box"
        place.mkdir(mode=0o755)
        (place / "inside").symlink_to(self.box.inside)
        (place / "extract").symlink_to(self.box.extract)
        scratch = Path(self.staging) / "scratch"
        scratch.mkdir()
        scratch.chmod(0o1777)
        return outer.server_argv(self.box, str(place))


def box_of(mode: str, extractor_directory: Path | None, place: Place | None = None) -> outer.Box:
    """The picture of a mode. BadInput for an image that is not the recorded one."""
    if place is not None:
        return _box_of_suite(mode, place)
    box = outer.local_box(extractor_directory)
    if not mode.startswith("apptainer"):
        return box
    image = os.environ.get(IMAGE_VARIABLE, "")
    if not image or shutil.which("apptainer") is None:
        raise errors.SandboxUnavailable(f"Sandbox mode {mode} needs apptainer and an image.", HINTS[mode])
    if Path(image).is_file():
        checked_digest(Path(image))
    return dataclasses.replace(box, image=image, python="python3", packages=(), binds=(), covered=(), shown=())


def _box_of_suite(mode: str, place: Place) -> outer.Box:
    name = place.environment.name
    if mode == "inner-only":
        raise errors.SandboxUnavailable(
            f"Sandbox mode {mode} has no PID namespace, without which programs of suites ({name}) are not run.",
            "score in mode bubblewrap or unshare",
        )
    if mode.startswith("apptainer") != bool(place.image):
        how = "runs suites from an image alone" if mode.startswith("apptainer") else "runs no image"
        raise errors.SandboxUnavailable(
            f"Sandbox mode {mode} {how}, and the environment {name} is {'one' if place.image else 'none'}.",
            f"set BENCHFORGE_SUITE_{name.upper()} to a folder or an image",
        )
    if place.image and shutil.which("apptainer") is None:
        raise errors.SandboxUnavailable(f"The image of {name} needs apptainer.", "install apptainer")
    return suite_box.suite_box(place)


def complaint(process: subprocess.Popen[bytes]) -> str:
    """Last line that the runtime wrote before it gave up."""
    deadline = time.monotonic() + 2
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    if process.poll() is None or process.stderr is None:
        return ""
    lines = process.stderr.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else f"exit status {process.returncode}"
