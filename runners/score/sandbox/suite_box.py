"""The outer sandbox of a suite's environment: its interpreter or tools are shown instead of ours, and a ``/proc``.

Theory of operation. The picture is that of ``outer`` with four differences: the folder of the environment and what its
interpreter lies in are bound, the server is ``inside.suites.server`` in that interpreter, there are a ``/proc`` and the
few files of ``/etc`` that programs look up names in (ours, the same everywhere), and everything that lies below
``/tmp`` outside is shown below ``/suite``, because each sample mounts a ``/tmp`` of its own.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....containers.images import image_digest
from ....ingest import errors
from ....ingest.benchmarks.suites import WARM, Environment
from . import outer

_ETC = ("passwd", "group", "hosts", "nsswitch.conf")
_LINKS: Mapping[str, str] = {
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "/proc/self/fd/0",
    "/dev/stdout": "/proc/self/fd/1",
    "/dev/stderr": "/proc/self/fd/2",
}
_OF_IMAGES = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/opt", "/etc", "/var/lib", "/srv")
DIRECTORIES = ("/proc", "/dev/shm")
_SCRATCH_BYTES = 1 << 20
"""Of the outer ``/tmp``, which no sample sees."""


@dataclasses.dataclass(frozen=True)
class Place:
    """An environment and where it lies: a folder, a container image, or neither (tools of the system)."""

    environment: Environment
    folder: str = ""
    image: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    """What its gate found: tool or library -> version."""

    @property
    def is_warm(self) -> bool:
        return self.environment.runner == WARM

    @property
    def shown_folder(self) -> str:
        """As a program sees it."""
        return "" if self.image or not self.folder else shown_at(self.folder)

    def variables(self) -> dict[str, str]:
        """Of every process in it."""
        folder = self.shown_folder
        first = [f"{folder}/bin", f"{folder}/node_modules/.bin"] if folder else []
        own = {name: value.replace("{PLACE}", folder) for name, value in self.environment.variables.items()}
        return {
            **outer.ENVIRONMENT, "HOME": "/tmp/home", "USER": "sample", "LOGNAME": "sample",
            "PATH": ":".join([*first, self.environment.path]), **own,
        }  # fmt: skip

    def identity(self) -> dict[str, Any]:
        """What a verdict may depend on: the distributions and tools that were found, the image."""
        folders = Path(self.folder).glob("lib/python*/site-packages/*.dist-info") if self.folder else ()
        return {
            "environment": dataclasses.asdict(self.environment),
            "distributions": sorted(path.name.removesuffix(".dist-info") for path in folders),
            "versions": sorted(self.versions),
            "image": image_digest(Path(self.image)) if Path(self.image).is_file() else self.image,
        }


def shown_at(path: str) -> str:
    """Where a path of the machine lies inside."""
    return f"/suite{path}" if path == "/tmp" or path.startswith("/tmp/") else path


def suite_box(place: Place) -> outer.Box:
    """The box of an environment. SandboxUnavailable where its interpreter is not there."""
    base = outer.local_box()
    ours = dataclasses.replace(
        base, environment=place.variables(), scratch_bytes=_SCRATCH_BYTES, server="suites.server"
    )
    if place.image:
        python = place.environment.python if place.environment.python.startswith("/") else "python3"
        return dataclasses.replace(
            ours, image=place.image, python=python, packages=(), binds=(), covered=(), shown=(), uses_site=True
        )
    binds = [*base.binds, *_own_binds(place), *_etc_binds(place.environment), *_link_binds()]
    return dataclasses.replace(
        ours,
        python=_python(place) if place.is_warm else base.python,
        uses_site=place.is_warm,
        packages=() if place.is_warm else base.packages,
        binds=tuple({bind.target: bind for bind in binds}.values()),
        covered=tuple(path for path in base.covered if not _is_needed(path, place)),
        shown=(),
        directories=DIRECTORIES,
    )


def settings(place: Place, box: outer.Box) -> dict[str, Any]:
    """What the server inside is told."""
    environment = place.environment
    shown = [bind.target for bind in box.binds if not bind.link]
    return {
        "readable": [*(_OF_IMAGES if box.image else shown), *outer.DEVICES],
        "devices": outer.landlock_devices(),
        "preload": list(environment.preload) if place.is_warm else [],
        "warm_up": environment.warm_up if place.is_warm else "",
        "has_loopback": environment.has_loopback,
        "limits": dataclasses.asdict(environment.limits),
    }


def _python(place: Place) -> str:
    """The interpreter as the sandbox sees it; a link in a venv stays a link, by which it finds its packages."""
    path = Path(place.folder, place.environment.python)
    if not path.exists():
        raise errors.SandboxUnavailable(
            f"The environment {place.environment.name} is not in {place.folder}.", place.environment.install
        )
    return shown_at(str(path))


def _own_binds(place: Place) -> list[outer.Bind]:
    """The environment's folder, what its interpreter lies in, and what it names of the machine."""
    found = [path for path in place.environment.binds if Path(path).exists()]
    if place.folder:
        found.append(place.folder)
        found += _prefixes(place) if place.is_warm else []
    return [outer.Bind(path, shown_at(path)) for path in found]


def _prefixes(place: Place) -> list[str]:
    """Where the interpreter of a venv is installed, by its link and by what ``pyvenv.cfg`` says; not below ``/usr``."""
    python = Path(place.folder, place.environment.python)
    homes = [Path(os.path.realpath(python)).parent]
    config = Path(place.folder, "pyvenv.cfg")
    for line in config.read_text().splitlines() if config.is_file() else ():
        name, _, value = line.partition("=")
        if name.strip() == "home":
            homes.append(Path(value.strip()))
    found = dict.fromkeys(str(home.parent) for home in homes)
    outside = [path for path in found if not path.startswith("/usr") and not path.startswith(place.folder)]
    if moved := [path for path in outside if shown_at(path) != path]:
        raise errors.SandboxUnavailable(
            f"The interpreter of {place.environment.name} lies below /tmp ({moved[0]}), which samples do not see.",
            "install it elsewhere",
        )
    return outside


def _etc_binds(environment: Environment) -> list[outer.Bind]:
    if "/etc" in environment.binds:
        return []
    folder = Path(__file__).resolve().parent / "inside" / "suites" / "etc"
    return [outer.Bind(str(folder / name), f"/etc/{name}") for name in _ETC if f"/etc/{name}" not in environment.binds]


def _link_binds() -> list[outer.Bind]:
    return [outer.Bind(path, path, link) for path, link in _LINKS.items()]


def _is_needed(path: str, place: Place) -> bool:
    """Whether a folder of packages that is hidden from other programs is one of the environment."""
    kept = (place.folder, *place.environment.binds)
    return any(one and (path == one or path.startswith(one.rstrip("/") + "/")) for one in kept)
