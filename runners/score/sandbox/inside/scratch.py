# every line here is one system call that can be named
# ruff: noqa: PTH102, PTH116, PTH208
"""The one directory that programs may write to, and its removal whatever a program left in it.

Theory of operation. The server makes, looks at and removes the folder; its child alone may write to it. Names that a
program chose are read in a process apart, never in the server, whose memory every later child gets a copy of.

Children of one server run one after the other, so one folder serves them all as long as each finds it empty. Two
servers' children may run at once: their folders have names that cannot be guessed, in a folder that cannot be listed,
so that one does not find the other's even where Landlock is missing.

A usual tree removal fails on two trees that a program can build: one so deep that the recursion or the descriptors end
(the server would die of it), and one with directories that their owner may enter but not list (their content would
stay, and fill the file system for all programs that follow). So every directory is opened for ourselves first, and is
moved up beside the scratch before it is emptied: no path grows longer than two names, and nothing recurses.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from itertools import islice

_BATCH = 4096
# a guarded server has taken these names away from itself
_chmod, _unlink, _rmdir, _rename, _fork = os.chmod, os.unlink, os.rmdir, os.rename, os.fork
MAX_FILES = 16_384
"""Of the whole scratch file system at a time: a file system in memory bounds bytes, and an empty file has none."""


class Scratch:
    """A server's folder below ``parent`` (None: nothing is writable). ``is_shared``: a test wants the parent itself."""

    def __init__(self, parent: str | None, *, is_shared: bool = False) -> None:
        self.path = parent
        self._is_own = parent is not None and not is_shared
        self._empty_size, self._size_tells = 0, False
        if parent is not None and self._is_own:
            self.path = f"{parent}/{os.urandom(16).hex()}"
            os.mkdir(self.path, 0o700)
            with contextlib.suppress(PermissionError):  # a parent that is not ours
                _chmod(parent, 0o300)
            self._look_at_empty_size()
        self._num_before = _num_files(self.path) if self.path is not None else 0

    def is_crowded(self) -> bool:
        """Whether a program made so many files that the kernel's memory for them counts; no limit of a process does."""
        return self.path is not None and _num_files(self.path) - self._num_before > MAX_FILES

    def is_clean(self) -> bool:
        """Whether the next program would find nothing of the last one."""
        if self.path is None or not self._is_own:
            return True
        if self._size_tells:
            return _size(self.path) == self._empty_size
        path = self.path
        return _apart(lambda: not os.listdir(path))

    def renew(self) -> None:
        """Remove the folder with all in it, and make it again."""
        if self.path is not None:
            path = self.path
            _apart(lambda: remove(path) is None)
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, 0o700)

    def _look_at_empty_size(self) -> None:
        """A file system in memory shows in a folder's size how many entries it has: no name needs to be read."""
        assert self.path is not None
        self._empty_size = _size(self.path)
        os.close(os.open(f"{self.path}/probe", os.O_CREAT | os.O_WRONLY, 0o600))
        self._size_tells = _size(self.path) != self._empty_size
        _unlink(f"{self.path}/probe")


def _apart(is_so: Callable[[], bool]) -> bool:
    """Asked in a process of its own: the names that a program chose for its files never lie in a server's memory,
    where every later program could look for them."""
    pid = _fork()
    if pid == 0:
        try:
            os._exit(0 if is_so() else 1)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    return status == 0


def _size(path: str) -> int:
    return os.stat(path).st_size


def _num_files(path: str) -> int:
    facts = os.statvfs(path)
    return facts.f_files - facts.f_ffree


def remove(scratch: str) -> None:
    """Remove the directory and all in it; what cannot be removed is left without a word."""
    waiting, num_moved = [scratch], 0
    while waiting:
        folder = waiting.pop()
        with contextlib.suppress(OSError):
            _chmod(folder, 0o700)
            while entries := _entries(folder):
                for name, is_folder in entries:
                    if is_folder:
                        num_moved += 1
                        waiting.append(_moved(f"{folder}/{name}", f"{scratch}.{num_moved}"))
                    else:
                        _unlink(f"{folder}/{name}")
            _rmdir(folder)


def _entries(folder: str) -> list[tuple[str, bool]]:
    """Some of a directory's entries, and whether each is a directory; none when it is empty."""
    with os.scandir(folder) as entries:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in islice(entries, _BATCH)]


def _moved(folder: str, place: str) -> str:
    # a directory that its owner may not write to does not move to another parent
    _chmod(folder, 0o700)
    _rename(folder, place)
    return place
