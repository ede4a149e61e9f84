"""A shard's journal: one JSON line per finished item, durable before it counts.

An append costs one fsync (2.4 ms on the first machine; an engine finishes about 6 samples a second, so 1.5 % of its
time). A kill can tear only the last line: it is skipped on reading and closed off by the next append, and its item is
simply done again. ``Journal.open`` splits writing from syncing, for a writer whose other work must not wait for a disk.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import LakeError
from .lake import append_line, fsync_directory

_SYNC_SECONDS = 1.0


class Journal:
    """Append-only JSON lines at ``path``; rows are dicts."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one row and fsync. OSError (disk full, read-only) reaches the caller with nothing half-counted."""
        append_line(self.path, _line(row))

    def open(self) -> OpenJournal:
        """For many appends: the file is opened once and a torn line closed off. Close it."""
        return OpenJournal(self.path)

    @contextmanager
    def appending(self) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """Append many cheap rows: each is written at once and outlives this process, synced once a second.

        A verdict costs milliseconds to make again, an fsync per verdict would cost as much; a node that loses its power
        loses one second of them.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _close_torn_line(descriptor)
            yield _Appender(descriptor)
        finally:
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Whole rows in order; torn lines (a kill, a full disk) are skipped."""
        for _, row in self.placed_rows():
            yield row

    def placed_rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Whole rows in order, each with the offset of its line in bytes."""
        if not self.path.exists():
            return
        offset = 0
        with self.path.open("rb") as stream:
            for line in stream:
                row = _parsed(line)
                if row is not None:
                    yield offset, row
                offset += len(line)

    def rows_at(self, offsets: Iterable[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """(bytes of the line, row) at offsets that ``placed_rows`` or ``OpenJournal.write`` gave.

        LakeError where no whole row begins: somebody else has changed the file.
        """
        with self.path.open("rb") as stream:
            for offset in offsets:
                stream.seek(offset)
                line = stream.readline()
                row = _parsed(line)
                if row is None:
                    raise LakeError(f"{self.path} changed while it was read", "run the same command again")
                yield len(line), row

    def discard(self) -> None:
        """Set the journal aside (``--force``): renamed, never deleted."""
        if not self.path.exists():
            return
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        self.path.rename(aside)


class OpenJournal:
    """A journal that is written to: ``write`` hands lines to the system, ``sync`` makes all of them durable.

    What was written outlives this process at once, and the machine after ``sync``. A line that does not fit (a full
    disk) is taken back, so that no later line is joined to its half.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _close_torn_line(self._descriptor)
            if is_new:
                fsync_directory(path.parent)
        except OSError:
            os.close(self._descriptor)
            raise

    def write(self, row: Mapping[str, Any]) -> int:
        """The offset of the new line in bytes. OSError when it does not fit; then nothing of it stays."""
        content = _line(row).encode("utf-8") + b"\n"
        before = os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            _write_whole(self._descriptor, content)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, before)
            raise
        return before

    def sync(self) -> None:
        """Everything written so far is on the disk when this returns; safe beside ``write`` in another thread."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


class _Appender:
    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._synced = descriptor, time.monotonic()

    def __call__(self, row: Mapping[str, Any]) -> None:
        _write_whole(self._descriptor, _line(row).encode("utf-8") + b"\n")
        if time.monotonic() - self._synced >= _SYNC_SECONDS:
            os.fsync(self._descriptor)
            self._synced = time.monotonic()


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=True, allow_nan=False, default=_encoded)


def _write_whole(descriptor: int, content: bytes) -> None:
    while content:  # a disk that fills up takes a part first and says why at the next try
        content = content[os.write(descriptor, content) :]


def _close_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    if size > 0 and os.pread(descriptor, 1, size - 1) != b"\n":
        os.write(descriptor, b"\n")


def _parsed(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line, object_hook=_decoded)
    except ValueError:
        return None
    if not isinstance(row, dict):
        raise LakeError("a journal line is not an object", "move the journal away and run the shard again")
    return row


def _encoded(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot stand in a journal")


def _decoded(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["hex"]) if set(value) == {"hex"} else value
