"""Run somebody else's harness on samples: outer sandbox only, because a harness forks, execs and opens pipes.

Theory of operation. The official harness executes samples inside its own processes and compares there, so whatever it
says may be forged by a sample: its word is listed beside ours and never becomes a verdict. It gets what the outer
layer of the judge gives (``sandbox.launch`` gives up root, bubblewrap takes every namespace, an empty environment,
system, interpreter and packages read-only) and one writable folder of its own, which holds the samples it is to judge
and its result; resource limits bound it, a clock ends it, and everything in it dies with it. There is no network, no
home, no lake; the problems it is given are public. No pipe leads out: what it prints goes to a file in its folder,
what it concludes is JSON read from there, bounded in size.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...ingest import errors
from .sandbox import launch, opening, outer

RESULT = "/result"
"""Where the writable folder stands inside."""
OUTPUT = "output.txt"
_MAX_RESULT_BYTES = 1 << 30
_SCRATCH_BYTES = 1 << 30
_LIMITS: Mapping[int, int] = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NOFILE: 4096,
    resource.RLIMIT_NPROC: 4096,
    resource.RLIMIT_FSIZE: 4 << 30,
    resource.RLIMIT_AS: 32 << 30,
}


@dataclass(frozen=True)
class Command:
    """One run: ``argv`` as seen inside, ``shown`` paths that it may read (at their own places), its ``folder``."""

    argv: tuple[str, ...]
    shown: tuple[Path, ...]
    folder: Path
    seconds: float
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    directory: str = RESULT


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """A fresh folder that the harness may write to, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="benchforge-beside-") as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "result"
        folder.mkdir(mode=0o700)
        yield folder


def run(command: Command) -> None:
    """Run to the end; SandboxUnavailable without bubblewrap, Incomplete when the harness failed or was killed."""
    process = start(command)
    try:
        status = process.wait(timeout=command.seconds)
    except subprocess.TimeoutExpired:
        raise errors.Incomplete(
            f"The harness did not end within {command.seconds:.0f} seconds.", "select fewer shards, or more --jobs"
        ) from None
    finally:
        process.kill()
        process.wait()
    if status != 0:
        raise errors.Incomplete(
            f"The harness ended with status {status}: {_last_line(command.folder)}", "run it by hand to see the rest"
        )


def start(command: Command) -> subprocess.Popen[bytes]:
    """The first process of the sandbox; killing it ends everything in it."""
    return subprocess.Popen(
        launch_argv(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        env={}, start_new_session=True, preexec_fn=_limit,
    )  # fmt: skip


def launch_argv(command: Command) -> list[str]:
    """Command line of that first process; hands the folder to the id that it will run as."""
    if shutil.which("bwrap") is None:
        raise errors.SandboxUnavailable("A harness is only run inside bubblewrap.", opening.HINTS["bubblewrap"])
    _give_away(command.folder)
    # ``launch`` moves paths through it, and wants it empty
    staging = tempfile.mkdtemp(prefix="staging-", dir=command.folder.parent)
    plan = {
        "mode": "bubblewrap", "argv": argv_of(command), "environment": {}, "root": "", "binds": [],
        "scratch_bytes": _SCRATCH_BYTES, "staging": staging, "uid": _uid(),
        "gid": _uid(), "paths": [*(bind.source for bind in _binds(command)), str(command.folder)],
        "enters_namespaces": False, "without": [],
    }  # fmt: skip
    return [sys.executable, "-I", "-S", str(Path(launch.__file__)), json.dumps(plan)]


def read_json(path: Path) -> Any:
    """What the harness wrote; Incomplete for a file that is missing, no plain file, too large or no JSON."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as stream:
            content = stream.read(_MAX_RESULT_BYTES + 1)
        if len(content) <= _MAX_RESULT_BYTES:
            return json.loads(content)
    except (OSError, ValueError, RecursionError):
        pass
    raise errors.Incomplete(f"The harness left no readable result in {path.name}.", "run it by hand to see why")


def argv_of(command: Command) -> list[str]:
    """Command line of bubblewrap around the harness."""
    argv = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    argv += ["--hostname", "sandbox", "--size", str(_SCRATCH_BYTES), "--tmpfs", "/tmp", "--dev", "/dev"]
    argv += ["--proc", "/proc"]
    for bind in _binds(command):
        argv += ["--symlink", bind.link, bind.target] if bind.link else ["--ro-bind", bind.source, bind.target]
    argv += ["--bind", str(command.folder), RESULT, "--remount-ro", "/", "--chdir", command.directory]
    for name, value in {**outer.ENVIRONMENT, "HOME": RESULT, **command.environment}.items():
        argv += ["--setenv", name, value]
    quoted = 'exec "$@" >' + f"{RESULT}/{OUTPUT} 2>&1"
    return [*argv, "--", "/bin/sh", "-c", quoted, "sh", *command.argv]


def _binds(command: Command) -> list[outer.Bind]:
    return [*outer.local_box().binds, *(outer.Bind(str(path), str(path)) for path in command.shown)]


def _uid() -> int | None:
    return opening.UNPRIVILEGED_ID if os.getuid() == 0 else None


def _give_away(folder: Path) -> None:
    """Root hands the folder, with what it put there, to the id that the harness will run as."""
    uid = _uid()
    if uid is not None:
        for path in [folder, *folder.rglob("*")]:
            os.lchown(path, uid, uid)


def _limit() -> None:
    for name, wanted in _LIMITS.items():
        _, hard = resource.getrlimit(name)
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(name, (value, value))


def _last_line(folder: Path) -> str:
    try:
        with (folder / OUTPUT).open("rb") as stream:
            stream.seek(max(0, (folder / OUTPUT).stat().st_size - 4096))
            lines = stream.read().decode(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1][:200] if lines else "it printed nothing"
