"""What an attack may have done beside its verdict, looked for from outside while it runs and after it.

``/proc`` is read for the judge's whole process tree: resident memory while an attack runs, strays and processes by the
canary's name after it. Files are looked for by the canary's name, listeners asked whether anybody came.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

CANARY = "bf_canary"
_SAMPLE_SECONDS = 0.05


def descendants(pid: int) -> dict[int, str]:
    """Process id -> command name of everything below a process."""
    parents: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                head, _, rest = folder.joinpath("stat").read_text(errors="replace").rpartition(")")
                parents[int(folder.name)] = (int(rest.split()[1]), head.partition("(")[2])
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        for child, (above, name) in parents.items():
            if above == parent:
                found[child] = name
                waiting.append(child)
    return found


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def is_canary_alive(within_seconds: float = 1.0) -> bool:
    """Whether any process of the machine keeps the canary's name (another test run's own attack soon loses it)."""
    deadline = time.monotonic() + within_seconds
    while CANARY in _names_of_processes():
        if time.monotonic() > deadline:
            return True
        time.sleep(0.02)
    return False


def _names_of_processes() -> set[str]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            found.add(path.read_text(errors="replace").strip())
    return found


def canary_files(folders: Sequence[Path]) -> list[Path]:
    return [path for folder in folders for path in folder.glob(f"{CANARY}*")]


def strays(usual: set[int], within_seconds: float = 1.0) -> dict[int, str]:
    """What of this process's tree is not among the usual, once the kernel had time to take the dead away."""
    deadline = time.monotonic() + within_seconds
    while True:
        found = {pid: name for pid, name in descendants(os.getpid()).items() if pid not in usual}
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


class Peak(threading.Thread):
    """Largest resident memory of any one process below this one, and of grading ones (started by this one itself).

    A context manager.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.bytes = self.grading_bytes = 0
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(_SAMPLE_SECONDS):
            seen = {pid: resident_bytes(pid) for pid in descendants(os.getpid())}
            self.bytes = max([self.bytes, *seen.values()])
            self.grading_bytes = max(
                [self.grading_bytes, *(seen[pid] for pid in seen if parent_of(pid) == os.getpid())]
            )

    def __enter__(self) -> Peak:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()


class Listeners:
    """On TCP and on an abstract Unix socket; ``was_reached`` says whether anybody came."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self.unix_name = f"{CANARY}-{os.getpid()}"
        self._unix = socket.socket(socket.AF_UNIX)
        self._unix.bind(f"\0{self.unix_name}")
        self._unix.listen()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        for listener in (self._tcp, self._unix, self._udp):
            listener.settimeout(0)

    def was_reached(self) -> bool:
        for receive in (self._tcp.accept, self._unix.accept, lambda: self._udp.recv(1)):
            with contextlib.suppress(BlockingIOError):
                receive()
                return True
        return False

    def close(self) -> None:
        for listener in (self._tcp, self._unix, self._udp):
            listener.close()


@contextlib.contextmanager
def listeners() -> Iterator[Listeners]:
    opened = Listeners()
    try:
        yield opened
    finally:
        opened.close()
