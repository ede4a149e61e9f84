"""A server as a process: started under a supervisor, its log kept, its end seen, nothing of it left behind."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .orphans import end_group, members_of, write_down

_SUPERVISOR = Path(__file__).with_name("supervise.py")
_TAIL_BYTES = 16_384
_TAIL_LINES = 15


@dataclass(frozen=True)
class Launch:
    """What is started: command line, environment, and whether its network is to be empty."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    is_isolated: bool = False
    grace_seconds: int = 30
    """From TERM to KILL."""


class ServerProcess:
    """One server; made by ``Keeper.start``. ``missing`` is "" where its network is empty, else why it is not."""

    def __init__(self, process: subprocess.Popen[bytes], written: Path, missing: str, grace_seconds: int) -> None:
        self._process, self._written, self._grace_seconds = process, written, grace_seconds
        self.missing = missing

    @property
    def group(self) -> int:
        """Its process group, which is also its session."""
        return self._process.pid

    @property
    def members(self) -> list[int]:
        """Pids of what runs of it now, without the supervisor itself."""
        return [pid for pid in members_of(self.group) if pid != self.group]

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """TERM, so that it drains; KILL after the grace; then nothing of its group is left."""
        if self.exit_code is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._grace_seconds + 5)
        if members := members_of(self.group):
            end_group(self.group, members, grace_seconds=0)
        self._process.wait()
        self._written.unlink(missing_ok=True)


class Keeper:
    """Starts servers from one thread that lives as long as they do: the kernel's parent-death signal is sent when the
    *thread* that forked ends, and a server restarted from a worker thread would die with that worker."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder, self.log = folder, log
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")

    def start(self, launch: Launch) -> ServerProcess:
        """OSError where no process can be started."""
        return self._thread.submit(self._start, launch).result()

    def close(self) -> None:
        """When every server of it was stopped."""
        self._thread.shutdown()

    def tail(self) -> str:
        """The last lines of the log, for the sentence that says what went wrong."""
        try:
            with self.log.open("rb") as stream:
                stream.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
                lines = stream.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        said = [line.rstrip()[:400] for line in lines if line.strip() and not line.lstrip().startswith("[-")]
        return "\n  ".join(said[-_TAIL_LINES:])  # the usage that argparse prints says nothing

    def _start(self, launch: Launch) -> ServerProcess:
        self.folder.mkdir(parents=True, exist_ok=True)
        reader, writer = os.pipe()
        plan = {
            "argv": list(launch.argv),
            "is_isolated": launch.is_isolated,
            "grace_seconds": launch.grace_seconds,
            "report": writer,
            "parent": os.getpid(),
        }
        try:
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_SUPERVISOR), json.dumps(plan)],
                    env=dict(launch.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(writer,),
                    start_new_session=True,
                )
            os.close(writer)
            writer = -1
            written = write_down(self.folder, process.pid)
            return ServerProcess(process, written, _report(reader), launch.grace_seconds)
        finally:
            os.close(reader)
            if writer >= 0:
                os.close(writer)


def _report(reader: int) -> str:
    """What the supervisor says of the network; it writes one line before it starts anything."""
    content = b""
    while not content.endswith(b"\n") and (piece := os.read(reader, 4096)):
        content += piece
    try:
        return str(json.loads(content)["missing"])
    except (ValueError, KeyError):
        return "the supervisor did not start"
