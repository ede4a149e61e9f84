"""Temporary folders that the next run removes where the one that made them could not.

Theory of operation. A folder holds a lock for as long as the process that made it lives; the kernel gives the lock back
whatever ends the process. A run looks at folders of its own user with our names and removes those whose lock is free.
The lock file takes its name only when it is locked, and a folder without one is left alone: so a folder that is just
being made is never taken for one that was left.

Who removes a folder is settled before it exists, so an interrupt finds no moment in between; and what a thread still
writes to while it is removed, or makes again (dbt's threads, after Ctrl-C), is removed once more at the process's end.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
import uuid
import weakref
from pathlib import Path

PREFIX = "benchforge-"
_LOCK = ".lock"


class Folder:
    """A temporary folder, a context manager that gives its path. ``mode``: who may enter it.

    ``inside`` is the folder to make it in, hidden: what is to be renamed into place must be made beside that place.
    """

    def __init__(self, kind: str = "", mode: int = 0o700, *, inside: Path | None = None) -> None:
        self.path = Path(inside or tempfile.gettempdir()) / f"{_prefix(inside)}{kind}{uuid.uuid4().hex[:12]}"
        locks: list[int] = []
        self._end = weakref.finalize(self, _end, self.path, locks, os.getpid())
        self.path.mkdir(mode=0o700)
        locks.append(os.open(self.path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        with contextlib.suppress(OSError):  # a file system without locks: then nothing is removed by others
            _hold(locks[0])
            (self.path / "lock").rename(self.path / _LOCK)
        self.path.chmod(mode)

    def close(self) -> None:
        """Remove it; a second time does nothing."""
        self._end()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()


def remove_left(inside: Path | None = None) -> None:
    """Remove what runs of this user left that were killed; folders of others are not looked into."""
    with contextlib.suppress(OSError), os.scandir(inside or tempfile.gettempdir()) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.name.startswith(_prefix(inside)) and entry.is_dir(follow_symlinks=False):
                    _remove_if_left(Path(entry.path), entry.stat(follow_symlinks=False).st_uid)


def _end(path: Path, locks: list[int], maker: int) -> None:
    if os.getpid() != maker:  # a fork's copy of the object
        return
    shutil.rmtree(path, ignore_errors=True)
    while locks:
        os.close(locks.pop())
    atexit.register(shutil.rmtree, path, ignore_errors=True)


def _prefix(inside: Path | None) -> str:
    return PREFIX if inside is None else f".{PREFIX}"


def _remove_if_left(path: Path, owner: int) -> None:
    """Raises OSError where somebody holds it, or it has no lock."""
    if owner != os.geteuid():
        return
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _hold(lock)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)


def _hold(lock: int) -> None:
    """Raises OSError where another process does."""
    import fcntl  # not on every system that this file is imported on

    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
