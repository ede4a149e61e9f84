"""What a file system keeps of what journals, leases and parts rely on: tried out in a folder of its own.

Network file systems differ: ``link()`` may be missing (then two tasks could take one shard), locks may not reach
other nodes, an fsync may be refused. Each row says what would break.
"""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Semantics:
    """One thing that was tried; ``needed_for`` says what rests on it."""

    name: str
    holds: bool
    needed_for: str
    detail: str = ""


def probed(folder: Path) -> list[Semantics]:
    """Everything, tried in a new folder below ``folder`` that is gone afterwards. OSError where none can be made."""
    with tempfile.TemporaryDirectory(prefix=".probe-", dir=folder) as place:
        return [_tried(name, needed_for, attempt, Path(place)) for name, (needed_for, attempt) in _ATTEMPTS.items()]


def missing(found: list[Semantics]) -> str:
    """Names of what does not hold, or ``none``."""
    return ", ".join(one.name for one in found if not one.holds) or "none"


def _tried(name: str, needed_for: str, attempt: Callable[[Path], bool], place: Path) -> Semantics:
    try:
        return Semantics(name, attempt(place), needed_for)
    except OSError as error:
        return Semantics(name, False, needed_for, errno.errorcode.get(error.errno or 0, str(error)))


def _fsyncs(place: Path) -> bool:
    with (place / "fsync").open("wb") as stream:
        stream.write(b"x")
        stream.flush()
        os.fsync(stream.fileno())
    return True


def _fsyncs_directory(place: Path) -> bool:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True


def _renames(place: Path) -> bool:
    (place / "old").write_bytes(b"old")
    (place / "new").write_bytes(b"new")
    (place / "new").replace(place / "old")
    return (place / "old").read_bytes() == b"new" and not (place / "new").exists()


def _links(place: Path) -> bool:
    """The second of two links to one name must fail."""
    for name in ("first", "second"):
        (place / name).write_text(name, encoding="utf-8")
    os.link(place / "first", place / "taken")
    with suppress(FileExistsError):
        os.link(place / "second", place / "taken")
        return False
    return (place / "taken").read_text(encoding="utf-8") == "first"


def _creates_once(place: Path) -> bool:
    (place / "once").open("x").close()
    with suppress(FileExistsError):
        (place / "once").open("x").close()
        return False
    return True


def _locks(place: Path) -> bool:
    """Two descriptors of one file exclude each other; on this machine, which is all that is asked."""
    path = place / "lock"
    with path.open("w") as first, path.open("w") as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        with suppress(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
    return True


def _keeps_times(place: Path) -> bool:
    path = place / "beat"
    path.touch()
    os.utime(path, ns=(10**18, 10**18))
    was = path.stat().st_mtime_ns
    os.utime(path)
    return was == 10**18 and path.stat().st_mtime_ns > was


def _appends(place: Path) -> bool:
    """Two descriptors that append write behind each other."""
    path = place / "append"
    with path.open("ab", buffering=0) as first, path.open("ab", buffering=0) as second:
        for writer in (first, second, first):
            writer.write(b"12345\n")
    return path.stat().st_size == 18


def _truncates(place: Path) -> bool:
    path = place / "torn"
    with path.open("wb", buffering=0) as stream:
        stream.write(b"12345")
        os.ftruncate(stream.fileno(), 2)
    return path.stat().st_size == 2


_ATTEMPTS: Mapping[str, tuple[str, Callable[[Path], bool]]] = {
    "fsync": ("an answer counts only when it is on disk", _fsyncs),
    "fsync of folders": ("a new part survives a power cut", _fsyncs_directory),
    "atomic rename": ("markers and parts are whole or absent", _renames),
    "exclusive link": ("two tasks never take one shard", _links),
    "exclusive create": ("two tasks never take one shard", _creates_once),
    "file times": ("a lease whose holder died is noticed", _keeps_times),
    "append": ("journals of one writer", _appends),
    "truncate": ("a torn line on a full disk is taken back", _truncates),
    "flock": ("convenience only: nothing of a run rests on it", _locks),
}
