"""Where generated code runs: one outer sandbox, warm servers in it, a confined child per program.

Theory of operation. Three privileges, two kinds of pipe::

    judge's side (trusted, holds answers)   outer sandbox (no answer, no dataset, no token, no network)
    Sandbox / Connection --control socket--> server   (warm, forks; its namespaces are read from outside)
                         <--result pipe----- child    (confined, then runs the sample; only claims come back)

``Sandbox.open`` takes the best mode that works here, checks from outside which namespaces the server really left,
lets the server try the inner layers out, and refuses to exist without seccomp unless the caller says that unsafe is
meant. Importing this package is safe on any system; opening a sandbox needs Linux.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ....ingest import errors, names, schemas
from ...folders import Folder
from .layers import NO_LAYER_OFF

if TYPE_CHECKING:
    from .connection import Connection
    from .suite_box import Place

PRELOAD_SECONDS = 300.0
"""What a suite's server may take to import its libraries."""
IMAGE_VARIABLE = "BENCHFORGE_SCORE_IMAGE"


class Sandbox:
    """One outer sandbox. ``mode`` and ``layers`` say what was really active."""

    def __init__(self, mode: str, layers: tuple[str, ...], process: subprocess.Popen[bytes], root: Connection) -> None:
        self.mode = mode
        self.layers = layers
        self.python_version = ""
        self.absent: tuple[str, ...] = ()
        """Libraries of a suite's environment that did not import, each with the reason."""
        self._process = process
        self._servers: dict[str, Connection] = {"lean": root}
        self._staging: Folder | None = None

    @classmethod
    def open(
        cls,
        mode: str | None = None,
        *,
        is_unsafe: bool = False,
        extractor_directory: Path | None = None,
        without: frozenset[str] = NO_LAYER_OFF,
        place: Place | None = None,
    ) -> Sandbox:
        """Start the named mode, or the best one that works; raises SandboxUnavailable.

        ``without`` is for tests that show what a layer is good for: see ``layers``. ``place``: the environment of a
        suite that is run in place of our own interpreter, with processes of its own per sample.
        """
        mode = known_mode(mode)
        if not sys.platform.startswith("linux"):
            raise errors.SandboxUnavailable(
                f"Programs are only executed on Linux, and this is {sys.platform}.",
                "score on a Linux machine, or in a Linux container",
            )
        if mode is not None:
            return _open_mode(cls, mode, is_unsafe, extractor_directory, without, place)
        reasons = []
        for candidate in _candidates(place):
            try:
                return _open_mode(cls, candidate, is_unsafe, extractor_directory, without, place)
            except errors.SandboxUnavailable as error:
                reasons.append(error.message)
        raise errors.SandboxUnavailable(
            "No sandbox works on this machine: " + " ".join(reasons), "install bubblewrap (apt install bubblewrap)"
        )

    def server(self, flavour: str, guard: str = "") -> Connection:
        """The warm server of a flavour (lean, numpy or extract), with a guard profile put on where one is named."""
        name = f"{flavour}+{guard}" if guard else flavour
        if name not in self._servers:
            parent = self.server(flavour) if guard else self._servers["lean"]
            self._servers[name] = parent.spawn(name)
        return self._servers[name]

    def extract(self, extractor: str, text: str, context: Mapping[str, str]) -> str:
        """Run one of our extractors on hostile text, in a child of its own.

        ``extractor`` is a registered name, or ``module:function`` relative to ``runners.score.extract``.
        Empty when the text made the extractor crash or run out of time or memory. Raises SandboxBroken when the
        sandbox failed, SandboxUnavailable when the extractor does not import inside, and LookupError for a name that
        is not registered.
        """
        return self.extract_all([(extractor, text, context)])[0]

    def extract_all(self, wanted: Sequence[tuple[str, str, Mapping[str, str]]]) -> list[str]:
        """Several (extractor, text, context), each as ``extract`` would."""
        from .extraction import Extraction, extract_all

        return extract_all(self.server("extract"), [Extraction(*item) for item in wanted])

    def close(self) -> None:
        """Everything inside dies with the first process."""
        for connection in self._servers.values():
            connection.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        if self._staging is not None:
            self._staging.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def known_mode(mode: str | None) -> str | None:
    """The mode that a word or its alias means, None for the best one; starts nothing, raises UsageError."""
    if mode is None:
        return None
    known = schemas.SANDBOX_MODE_ALIASES.get(mode, mode)
    if known not in schemas.SANDBOX_MODES:
        guess = names.did_you_mean(mode, schemas.SANDBOX_MODES)
        raise errors.UsageError(
            f"there is no sandbox mode {mode!r}{guess}", f"one of {', '.join(schemas.SANDBOX_MODES)}"
        )
    return known


def _candidates(place: Place | None) -> list[str]:
    image = place.image if place is not None else os.environ.get(IMAGE_VARIABLE)
    has_image = bool(image) and shutil.which("apptainer") is not None
    modes = list(schemas.SANDBOX_MODES) if has_image else [m for m in schemas.SANDBOX_MODES if "apptainer" not in m]
    return [mode for mode in modes if mode != "bubblewrap" or shutil.which("bwrap")]


def _open_mode(
    cls: type[Sandbox], mode: str, is_unsafe: bool, extractor_directory: Path | None, without: frozenset[str],
    place: Place | None,
) -> Sandbox:  # fmt: skip
    from . import layers, opening
    from .connection import Connection, SandboxBroken

    layers.check_switchable(mode, without)
    box = opening.box_of(mode, extractor_directory, place)
    staging = Folder(mode=0o755)  # the dropped id mounts its root here
    plan = opening.Opening(mode, box, str(staging.path), without, place)
    process, control = plan.start()
    connection = Connection(control) if place is None else Connection(control, PRELOAD_SECONDS)
    sandbox = cls(mode, (), process, connection)
    sandbox._staging = staging
    try:
        connection.configure(plan.settings())
        hello, fds = connection.hello()
        sandbox.layers = layers.seen(mode, hello, fds, without)
        sandbox.python_version = str(hello.get("python", ""))
        sandbox.absent = tuple(map(str, hello.get("absent", ())))
        connection.go()
        if not is_unsafe:
            layers.refuse_weak(mode, sandbox.layers, has_processes=place is not None)
    except Exception as error:
        reason = opening.complaint(process) if isinstance(error, SandboxBroken | OSError) else ""
        sandbox.close()
        if not isinstance(error, SandboxBroken | OSError):
            raise
        raise errors.SandboxUnavailable(
            f"Sandbox mode {mode} does not start: {reason or error}.", opening.HINTS.get(mode, "")
        ) from error
    return sandbox
