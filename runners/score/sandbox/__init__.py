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

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....ingest import errors, schemas

if TYPE_CHECKING:
    from .connection import Connection
    from .outer import Box

UNPRIVILEGED_ID = 64711
"""User and group that a sandbox started by root becomes: no account of any system, so nothing shares its limits."""
IMAGE_VARIABLE = "BENCHFORGE_SCORE_IMAGE"
_START_SECONDS = 60.0
_EXTRACT_SECONDS = 30.0
_MAX_EXTRACTED_BYTES = 16 << 20
_NAMESPACES = {"user": "user_namespace", "mnt": "mount_namespace", "pid": "pid_namespace", "net": "network_namespace",
               "ipc": "ipc_namespace"}  # fmt: skip


class Sandbox:
    """One outer sandbox. ``mode`` and ``layers`` say what was really active."""

    def __init__(self, mode: str, layers: tuple[str, ...], process: subprocess.Popen[bytes], root: Connection) -> None:
        self.mode = mode
        self.layers = layers
        self.python_version = ""
        self._process = process
        self._servers: dict[str, Connection] = {"lean": root}
        self._staging: str | None = None

    @classmethod
    def open(
        cls, mode: str | None = None, *, is_unsafe: bool = False, extractor_directory: Path | None = None
    ) -> Sandbox:
        """Start the named mode, or the best one that works; raises SandboxUnavailable."""
        mode = known_mode(mode)
        if not sys.platform.startswith("linux"):
            raise errors.SandboxUnavailable(
                f"Programs are only executed on Linux, and this is {sys.platform}.",
                "score on a Linux machine, or in a Linux container",
            )
        if mode is not None:
            return _open_mode(cls, mode, is_unsafe, extractor_directory)
        reasons = []
        for candidate in _candidates():
            try:
                return _open_mode(cls, candidate, is_unsafe, extractor_directory)
            except errors.SandboxUnavailable as error:
                reasons.append(error.message)
        raise errors.SandboxUnavailable(
            "No sandbox works on this machine: " + " ".join(reasons), "install bubblewrap (apt install bubblewrap)"
        )

    def server(self, flavour: str) -> Connection:
        """The warm server of a flavour: lean, numpy or extract."""
        if flavour not in self._servers:
            self._servers[flavour] = self._servers["lean"].spawn(flavour)
        return self._servers[flavour]

    def extract(self, extractor: str, text: str, context: Mapping[str, str]) -> str:
        """Run one of our extractors on hostile text, in a child of its own.

        ``extractor`` is a registered name, or ``module:function`` relative to ``runners.score.extract``.
        Empty when the text made the extractor crash or run out of time or memory. Raises SandboxBroken when the
        sandbox failed, SandboxUnavailable when the extractor does not import inside, and LookupError for a name that
        is not registered.
        """
        from .inside.confine import Limits

        limits = Limits(memory_bytes=2 << 30, cpu_seconds=int(_EXTRACT_SECONDS) + 1)
        extractor = _extractor_path(extractor)
        spec = {"kind": "extract", "extractor": extractor, "text": text, "context": dict(context), "limits": limits}
        running = self.server("extract").start(spec)
        try:
            return _extracted_text(extractor, running)
        finally:
            running.finish()

    def close(self) -> None:
        """Everything inside dies with the first process."""
        for connection in self._servers.values():
            connection.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        if self._staging:
            shutil.rmtree(self._staging, ignore_errors=True)

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
        raise errors.UsageError(f"There is no sandbox mode {mode!r}.", "one of " + ", ".join(schemas.SANDBOX_MODES))
    return known


def _extractor_path(name: str) -> str:
    if ":" in name:
        return name
    from ..extract import EXTRACTORS

    return EXTRACTORS[name]


def _extracted_text(extractor: str, running: Any) -> str:
    from .connection import SandboxBroken

    text, is_ready = "", False
    for line in running.lines(_EXTRACT_SECONDS, _MAX_EXTRACTED_BYTES, _MAX_EXTRACTED_BYTES):
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return ""
        if message[0] == "ready":
            is_ready = True
        elif message[0] == "x" and message[1] < 0:
            raise errors.SandboxUnavailable(
                f"Inside the sandbox the extractor {extractor} does not import ({str(message[3])[:60]}).",
                "install benchforge again in the environment (or image) that scores",
            )
        elif message[0] == "text" and isinstance(message[1], str):
            text = message[1]
    if not is_ready:
        raise SandboxBroken("a child did not get ready")
    return text


def _candidates() -> list[str]:
    has_image = bool(os.environ.get(IMAGE_VARIABLE)) and shutil.which("apptainer") is not None
    modes = list(schemas.SANDBOX_MODES) if has_image else [m for m in schemas.SANDBOX_MODES if "apptainer" not in m]
    return [mode for mode in modes if mode != "bubblewrap" or shutil.which("bwrap")]


def _open_mode(cls: type[Sandbox], mode: str, is_unsafe: bool, extractor_directory: Path | None) -> Sandbox:
    from . import outer
    from .connection import Connection, SandboxBroken

    box = _box(mode, extractor_directory)
    staging = tempfile.mkdtemp(prefix="benchforge-")
    os.chmod(staging, 0o755)  # noqa: PTH101 - the dropped id mounts its root here
    ours, theirs = socket.socketpair()
    plan = _plan(mode, box, staging)
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")), json.dumps(plan)],
        stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", env={},
    start_new_session=True, )  # fmt: skip
    theirs.close()
    connection = Connection(ours)
    sandbox = cls(mode, (), process, connection)
    sandbox._staging = staging
    try:
        connection.configure(_settings(outer, box, mode))
        hello, fds = connection.hello()
        sandbox.layers = _layers(hello, fds)
        sandbox.python_version = str(hello.get("python", ""))
        connection.go()
    except Exception as error:
        reason = _complaint(process) or str(error)
        sandbox.close()
        if not isinstance(error, SandboxBroken | OSError):
            raise
        raise errors.SandboxUnavailable(
            f"Sandbox mode {mode} does not start: {reason}.", _HINTS.get(mode, "")
        ) from error
    _refuse_weak(sandbox, is_unsafe)
    return sandbox


_HINTS = {
    "bubblewrap": "apt install bubblewrap, and allow unprivileged user namespaces",
    "unshare": "allow unprivileged user namespaces (sysctl user.max_user_namespaces)",
    "apptainer-setuid": f"set {IMAGE_VARIABLE} to the scoring image",
    "apptainer-userns": f"set {IMAGE_VARIABLE} to the scoring image",
    "inner-only": "run as an ordinary user, or install Python where every user may read it",
}


def _box(mode: str, extractor_directory: Path | None) -> Box:
    import dataclasses

    from . import outer

    box = outer.local_box(extractor_directory)
    if not mode.startswith("apptainer"):
        return box
    image = os.environ.get(IMAGE_VARIABLE, "")
    if not image or shutil.which("apptainer") is None:
        raise errors.SandboxUnavailable(f"Sandbox mode {mode} needs apptainer and an image.", _HINTS[mode])
    return dataclasses.replace(box, image=image, python="python3", packages=(), binds=())


def _plan(mode: str, box: Box, staging: str) -> dict[str, Any]:
    """What ``launch`` is told: identity, paths that must stay reachable, command line, root to build."""
    from . import outer

    argv, root = _bare_argv(box, staging) if mode == "inner-only" else [], ""
    binds: list[list[str]] = []
    if mode == "bubblewrap":
        argv = outer.bubblewrap_argv(box, shutil.which("bwrap") or "/usr/bin/bwrap")
    elif mode.startswith("apptainer"):
        argv = outer.apptainer_argv(box, userns=mode.endswith("userns"), apptainer=shutil.which("apptainer") or "")
    elif mode == "unshare":
        root = str(Path(staging) / "root")
        Path(root).mkdir(mode=0o755)
        argv = outer.server_argv(box, outer.BOX)
        binds = [[bind.source, bind.target, bind.link] for bind in box.binds]
        binds += [[box.inside, f"{outer.BOX}/inside", ""], [box.extract, f"{outer.BOX}/extract", ""]]
        binds += [[device, device, ""] for device in outer.DEVICES]
    is_root = os.getuid() == 0
    environment = dict(box.environment)
    if mode.startswith("apptainer"):
        environment["PATH"] = os.environ.get("PATH", environment["PATH"])
    return {
        "mode": mode, "argv": argv, "environment": environment, "root": root, "binds": binds,
        "scratch_bytes": box.scratch_bytes, "staging": staging, "uid": UNPRIVILEGED_ID if is_root else None,
        "gid": UNPRIVILEGED_ID if is_root else None,
        "paths": [bind.source for bind in box.binds if not bind.link] + [box.inside, box.extract],
    }  # fmt: skip


def _bare_argv(box: Box, staging: str) -> list[str]:
    """The server with nothing around it, from a folder that holds two links and nothing else of ours."""
    from . import outer

    place = Path(staging) / "box"
    place.mkdir(mode=0o755)
    (place / "inside").symlink_to(box.inside)
    (place / "extract").symlink_to(box.extract)
    return outer.server_argv(box, str(place))


def _settings(outer: Any, box: Box, mode: str) -> dict[str, Any]:
    from dataclasses import asdict

    from .inside.confine import Limits

    return {
        "readable": outer.landlock_readable(box, mode),
        "devices": outer.landlock_devices(),
        # without a private file system nothing is writable
        "scratch": None if mode == "inner-only" else "/tmp",
        "limits": asdict(Limits()),
    }


def _layers(hello: Mapping[str, Any], fds: list[int]) -> tuple[str, ...]:
    """Inner layers as tried out inside; namespaces and identity as seen from out here."""
    from .inside import wire

    found = {name for name in hello.get("layers", ()) if name in schemas.SANDBOX_LAYERS}
    try:
        pid = _process_id(fds[0]) if fds else None
        if pid is not None:
            found |= {name for kind, name in _NAMESPACES.items() if _namespace(pid, kind) != _namespace("self", kind)}
            if _user_id(pid) != 0:
                found.add("unprivileged_uid")
    except OSError:
        pass
    finally:
        wire.close_all(fds)
    return tuple(name for name in schemas.SANDBOX_LAYERS if name in found)


def _process_id(pidfd: int) -> int | None:
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        if line.startswith("Pid:"):
            return int(line.split()[1])
    return None


def _namespace(pid: int | str, kind: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{kind}")  # noqa: PTH115 - not a path, an identity


def _user_id(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:"))


def _complaint(process: subprocess.Popen[bytes]) -> str:
    """Last line that the runtime wrote before it gave up."""
    deadline = time.monotonic() + 2
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    if process.poll() is None or process.stderr is None:
        return ""
    lines = process.stderr.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else f"exit status {process.returncode}"


def _refuse_weak(sandbox: Sandbox, is_unsafe: bool) -> None:
    missing = [
        name for name in ("seccomp", "no_new_privs", "rlimits", "unprivileged_uid") if name not in sandbox.layers
    ]
    if missing and not is_unsafe:
        sandbox.close()
        raise errors.SandboxUnavailable(
            f"Sandbox mode {sandbox.mode} lacks {', '.join(missing)} on this machine.",
            "score on an x86-64 Linux machine with seccomp, or say --unsafe (then every row says so)",
        )
