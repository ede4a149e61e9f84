"""Framed messages over a Unix stream socket, with file descriptors riding on the header.

Theory of operation. Both ends of such a socket are ours, but one lies in the sandbox: a child cannot reach it (its
descriptors are closed, the server is not dumpable), and should it, what it sends is JSON of bounded size.

Towards the sandbox the payload is pickle (trusted sender); from it, JSON (the receiver trusts nothing else).
"""

from __future__ import annotations

import array
import contextlib
import os
import pickle
import socket
import struct
from collections.abc import Sequence
from typing import Any

_HEADER = struct.Struct("!Q")
_MAX_FDS = 4
MAX_REPLY_BYTES = 1 << 20
"""A server's reply is a few hundred bytes; more is a broken server."""


class Closed(Exception):
    """The other end is gone, or sent something that is not a frame."""


def send(sock: socket.socket, payload: bytes, fds: Sequence[int] = ()) -> None:
    """Send one frame; raises Closed when nobody listens."""
    header = _HEADER.pack(len(payload))
    try:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        num_sent = sock.sendmsg([header, payload], rights) - len(header)
        # one call, and one waking of the other end, for all but the largest
        if num_sent < 0:
            raise OSError("a torn header")
        if num_sent < len(payload):
            sock.sendall(memoryview(payload)[num_sent:])
    except OSError as error:
        raise Closed(str(error)) from error


def receive(sock: socket.socket, max_bytes: int | None = None) -> tuple[bytes, list[int]]:
    """Receive one frame and its descriptors (the caller closes them); raises Closed, or TimeoutError."""
    fds: list[int] = []
    try:
        header, ancillary, _, _ = sock.recvmsg(_HEADER.size, socket.CMSG_SPACE(4 * _MAX_FDS), socket.MSG_CMSG_CLOEXEC)
        fds = _descriptors(ancillary)
        header += _exactly(sock, _HEADER.size - len(header)) if header else b""
        if not header:
            raise Closed("end of stream")
        (size,) = _HEADER.unpack(header)
        if max_bytes is not None and size > max_bytes:
            raise Closed(f"a frame of {size} bytes")
        return _exactly(sock, size), fds
    except BaseException as error:
        close_all(fds)
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            raise Closed(str(error)) from error
        raise


def written(content: Any) -> int:
    """Descriptor of a file in memory that holds a pickle; the caller closes it."""
    fd = os.memfd_create("job")
    try:
        left = memoryview(pickle.dumps(content))
        while left:
            left = left[os.write(fd, left) :]
    except BaseException:
        os.close(fd)
        raise
    return fd


def read_back(fd: int) -> Any:
    """What ``written`` put there; leaves the descriptor open."""
    size, parts = os.fstat(fd).st_size, []
    while size:  # one call, for all but the largest; a stream would touch twenty pages more of every child
        part = os.pread(fd, size, sum(map(len, parts)))
        if not part:
            raise Closed("end of file inside a job")
        parts.append(part)
        size -= len(part)
    return pickle.loads(b"".join(parts))


def close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        with contextlib.suppress(OSError):
            os.close(fd)


def _exactly(sock: socket.socket, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = sock.recv(min(size, 1 << 20))
        if not part:
            raise Closed("end of stream inside a frame")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _descriptors(ancillary: Sequence[tuple[int, int, bytes]]) -> list[int]:
    fds = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return list(fds)
