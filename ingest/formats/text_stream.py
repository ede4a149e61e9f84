"""A file of somebody else's as text, piece by piece: packed or not, told by its first bytes and never by its name.

Logs of other tools reach hundreds of megabytes and may be packed a thousandfold, so nothing here holds a whole file: a
piece has ``PIECE_BYTES``, a row at most ``MAX_ROW_BYTES`` (LiveCodeBench's reviews with their tests are 10 MB; a row
beyond the bound is a broken or hostile file).
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import BadInput

PIECE_BYTES = 1 << 20
MAX_ROW_BYTES = 256 << 20
AGAIN = "get the file again"

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def first_bytes(path: Path, count: int = 16) -> bytes:
    """What the file begins with. BadInput where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", "check the path") from error


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, gzip or zstd taken off. BadInput for a file that cannot be read or is not whole."""
    start = first_bytes(path, 4)
    try:
        with _opened(path, start) as stream:
            yield stream
    except (EOFError, zlib.error) as error:
        raise BadInput(f"{path} is a damaged gzip file: {error}", AGAIN) from error
    except OSError as error:
        packed = "gzip" if start.startswith(_GZIP) else "zstd" if start == _ZSTD else ""
        what = f"is a damaged {packed} file: {error}" if packed else f"cannot be read: {error.strerror}"
        raise BadInput(f"{path} {what}", AGAIN) from error


def _opened(path: Path, start: bytes) -> Any:
    if start.startswith(_GZIP):
        return gzip.open(path, "rb")
    if start == _ZSTD:
        import pyarrow as pa

        return pa.CompressedInputStream(pa.OSFile(str(path), "rb"), "zstd")
    return path.open("rb")


def text_pieces(path: Path) -> Iterator[str]:
    """The text in pieces; a byte order mark is dropped. BadInput for what is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with unpacked(path) as stream:
        while piece := stream.read(PIECE_BYTES):
            yield _decoded(path, decoder, piece, False)
    yield _decoded(path, decoder, b"", True)


def _decoded(path: Path, decoder: codecs.IncrementalDecoder, piece: bytes, is_last: bool) -> str:
    try:
        return decoder.decode(piece, is_last)
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: {error}", AGAIN) from error


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, line without its end); only a line feed ends a line: JSON text may hold every other one."""
    number, rest, held = 0, [], 0
    for piece in text_pieces(path):
        first, *others = piece.split("\n")
        rest.append(first)
        held += len(first)
        if held > MAX_ROW_BYTES:
            raise BadInput(f"{path} line {number + 1} is longer than {MAX_ROW_BYTES >> 20} MiB", AGAIN)
        for other in others:
            number += 1
            yield number, "".join(rest)
            rest, held = [other], len(other)
    if held:
        yield number + 1, "".join(rest)


def content_digest(path: Path) -> str:
    """64 hex characters of sha256 over the unpacked bytes; of a folder, over its files by name."""
    digest = hashlib.sha256()
    if path.is_dir():
        for file in sorted(one for one in path.rglob("*") if one.is_file()):
            digest.update(f"{file.relative_to(path).as_posix()}\0{content_digest(file)}\0".encode())
        return digest.hexdigest()
    with unpacked(path) as stream:
        while piece := stream.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
