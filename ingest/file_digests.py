"""sha256 of large files, each read once: images and weights of many GB are asked for by every task of an array.

A digest is kept with the file's real path, size, time of change and inode; a file that has all of them unchanged is not
read again. Tasks that ask at the same moment wait for the one that reads: a lock beside the file of known digests that
the kernel gives back when its holder dies.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

from . import keys
from .lake import append_line

State = tuple[str, int, int, int]
"""Path, size in bytes, time of change in nanoseconds, inode: what a known digest holds for."""
_THREADS = 4
"""Hashing leaves the interpreter's lock; more readers do not help one disk."""


def digest_of_file(path: Path, kept: Path, tell: Callable[[int], None] = lambda num_bytes: None) -> str:
    """64 hex characters; see ``digests_of_files``."""
    return digests_of_files([path], kept, tell)[0]


def digests_of_files(
    paths: Sequence[Path],
    kept: Path,
    tell: Callable[[int], None] = lambda num_bytes: None,
    also_known: Mapping[State, str] = MappingProxyType({}),
) -> list[str]:
    """In the order of ``paths``; ``kept`` is the file of known digests, ``also_known`` what was written down elsewhere.

    ``tell`` hears how many bytes are to be read.
    Raises OSError for a file that cannot be read. Where ``kept`` cannot be written nothing is kept.
    """
    states = [state_of(path) for path in paths]  # before reading: a file that changes meanwhile is read again next time
    known = {**also_known, **known_digests(kept)}
    if all(state in known for state in states):
        return [known[state] for state in states]
    with _alone(kept):
        known = {**also_known, **known_digests(kept)}
        if unread := sum(state[1] for state in states if state not in known):
            tell(unread)
        with ThreadPoolExecutor(_THREADS) as pool:
            read = pool.map(lambda path, state: known.get(state) or keys.sha256_file(path), paths, states)
            found: list[str] = []
            for state, digest in zip(states, read, strict=True):
                found.append(digest)
                if state not in known:
                    _keep(kept, state, digest)
    return found


def state_of(path: Path) -> State:
    found = path.stat()
    return str(path.resolve()), found.st_size, found.st_mtime_ns, found.st_ino


def known_digests(kept: Path) -> dict[State, str]:
    """State -> digest; a line that a kill tore is left out, and its file is read again."""
    known: dict[State, str] = {}
    try:
        lines = kept.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return known
    for line in lines:
        try:
            path, size, changed, inode, digest = json.loads(line)
            known[path, size, changed, inode] = digest
        except (ValueError, TypeError):
            continue
    return known


def _keep(kept: Path, state: State, digest: str) -> None:
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        append_line(kept, json.dumps([*state, digest]))


@contextlib.contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """Where the folder cannot be written, or its file system has no locks, everybody reads for themselves."""
    try:
        import fcntl

        kept.parent.mkdir(parents=True, exist_ok=True)
        stream = kept.with_name(kept.name + ".lock").open("w")
    except (OSError, ImportError):
        yield
        return
    with stream:
        with contextlib.suppress(OSError):
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
