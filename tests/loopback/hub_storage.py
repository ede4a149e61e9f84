"""The two ways in which large files reach the Hub: LFS, and Xet. In both, what counts are bytes that were checked.

Xet, as hub-docs@242f4a1 docs/xet describes it: a xorb is a row of compressed chunks; a shard says of which chunks of
which xorbs a file is made, and the sha256 of the whole. A shard is taken only if every file of it, put together from
the xorbs that are here, has that sha256.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

BOOKEND = b"\xff" * 32
WITH_VERIFICATION, WITH_METADATA = 1 << 31, 1 << 30


class Refused(Exception):
    """What was sent is not what it says it is."""


@dataclass
class Storage:
    """Content of large files by sha256, and what Xet clients have sent of them."""

    objects: dict[str, bytes] = field(default_factory=dict)
    xorbs: dict[str, list[bytes]] = field(default_factory=dict)
    num_bytes: int = 0
    """Received on either way: what a resumed upload does not send again."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, oid: str, content: bytes) -> None:
        """LFS: the name of an object is its sha256."""
        with self.lock:
            self.num_bytes += len(content)
            if hashlib.sha256(content).hexdigest() != oid:
                raise Refused(f"{len(content)} bytes are not those of {oid}")
            self.objects[oid] = content

    def put_xorb(self, name: str, serialized: bytes) -> None:
        with self.lock:
            self.num_bytes += len(serialized)
            self.xorbs[name] = list(_chunks(serialized))

    def put_shard(self, shard: bytes) -> None:
        """Put every file of the shard together."""
        with self.lock:
            for sha256, terms in _files(shard):
                content = b"".join(chunk for xorb, start, end in terms for chunk in self._chunks_of(xorb, start, end))
                if hashlib.sha256(content).hexdigest() != sha256:
                    raise Refused(f"the chunks of {sha256} make another file")
                self.objects[sha256] = content

    def _chunks_of(self, xorb: str, start: int, end: int) -> list[bytes]:
        if xorb not in self.xorbs or end > len(self.xorbs[xorb]):
            raise Refused(f"there is no xorb {xorb} of {end} chunks")
        return self.xorbs[xorb][start:end]


def _chunks(serialized: bytes) -> Iterator[bytes]:
    """Version, packed size (3 bytes), scheme, size (3 bytes), data; and again. A footer begins with another word."""
    place = 0
    while place < len(serialized) and serialized[place : place + 7] != b"XETBLOB":
        packed, scheme = int.from_bytes(serialized[place + 1 : place + 4], "little"), serialized[place + 4]
        size = int.from_bytes(serialized[place + 5 : place + 8], "little")
        yield _unpacked(serialized[place + 8 : place + 8 + packed], scheme, size)
        place += 8 + packed


def _unpacked(data: bytes, scheme: int, size: int) -> bytes:
    if scheme == 0:
        return data
    content = pa.Codec("lz4").decompress(data, decompressed_size=size).to_pybytes()
    return content if scheme == 1 else _ungrouped(content)


def _ungrouped(grouped: bytes) -> bytes:
    """Four groups of bytes, by their place in each four: back into order."""
    content, place = bytearray(len(grouped)), 0
    for first in range(4):
        width = len(range(first, len(grouped), 4))
        content[first::4] = grouped[place : place + width]
        place += width
    return bytes(content)


def _files(shard: bytes) -> Iterator[tuple[str, list[tuple[str, int, int]]]]:
    """sha256 and (xorb, first chunk, end) of every file; entries are 48 bytes wide."""
    place = 48
    while shard[place : place + 32] != BOOKEND:
        flags, number = struct.unpack_from("<II", shard, place + 32)
        place += 48
        terms = []
        for _ in range(number):
            _, _, start, end = struct.unpack_from("<IIII", shard, place + 32)
            terms.append((_name(shard[place : place + 32]), start, end))
            place += 48
        place += 48 * number if flags & WITH_VERIFICATION else 0
        if not flags & WITH_METADATA:
            raise Refused("a file of the shard has no sha256")
        yield _name(shard[place : place + 32]), terms
        place += 48


def _name(digest: bytes) -> str:
    """A hash as text: four little-endian numbers of 16 characters."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", digest))
