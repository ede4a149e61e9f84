"""Recorded HTTP exchanges: one JSON line each, ``{path, request_digest, status, response, chunks}``.

The key is the digest of path and whole request body, so an answer is given to exactly the request that it answered,
however often and in whatever order it is asked. ``chunks`` are the data lines of a streamed answer as they came; the
response beside them is what the client made of them.

A recording grows as plain lines, each synced before the answer counts, so that whatever a journal holds can be
replayed after any kill; a finished one may be gzipped. Lines ``{note, of, content}`` say what the client knew of the
server (its abilities): without them a replayed run would ask in another way.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...ingest import keys
from ...ingest.errors import BadInput
from ...ingest.lake import append_line

_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Exchange:
    path: str
    request_digest: str
    status: int
    response: Mapping[str, Any] | None
    chunks: Sequence[str] | None = None
    """Data of the server-sent events of a streamed answer, without ``data:`` and ``[DONE]``."""


@dataclass(frozen=True)
class Recording:
    """What a file holds. An exchange that was recorded twice counts as it was last: the journal has that answer."""

    exchanges: Mapping[str, Exchange]
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Kind of note -> whom it is of -> content."""


class Recorder:
    """Appends exchanges to ``path``, synced one by one; another run's lines in it are kept."""

    def __init__(self, path: Path) -> None:
        """BadInput for a zipped recording, to which nothing can be appended, and for what cannot be written."""
        if path.is_file() and _is_zipped(path):
            raise BadInput(f"{path} is a zipped recording, which cannot grow", "give --record another file")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("ab").close()
        except OSError as error:
            reason = error.strerror or error
            raise BadInput(f"the recording {path} cannot be written: {reason}", "give --record another file") from error
        self.path = path

    def keep(
        self,
        path: str,
        body: Mapping[str, Any],
        status: int,
        response: Mapping[str, Any] | None,
        chunks: list[str] | None = None,
    ) -> None:
        """One exchange that ended: 200, or a refusal that is not asked again. Never a key, never a header.

        An answer that was continued from a prefix is kept, merged, under the request that began it. OSError (disk
        full) reaches the caller before the answer counts.
        """
        exchange = Exchange(path, keys.digest_of({"path": path, "body": body}), status, response, chunks)
        append_line(self.path, _line(exchange))

    def note(self, kind: str, of: str, content: Mapping[str, Any]) -> None:
        """Something to know before the first request, such as ``abilities`` of a served model."""
        append_line(self.path, _noted(kind, of, content))


def read_exchanges(path: Path) -> dict[str, Exchange]:
    """Request digest -> exchange, as ``read_recording`` reads them."""
    return dict(read_recording(path).exchanges)


def read_recording(path: Path) -> Recording:
    """BadInput for a file that is not there, of another shape, or torn: but for a plain one's last line, or one that
    a later run has closed, which a kill may tear and whose answer was never counted."""
    exchanges: dict[str, Exchange] = {}
    notes: dict[str, dict[str, Any]] = {}
    try:
        for fields in _lines(path):
            if "note" in fields:
                notes.setdefault(fields["note"], {})[fields["of"]] = fields["content"]
            else:
                exchange = Exchange(**fields)
                exchanges[exchange.request_digest] = exchange
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise BadInput(f"{path} is not a file of recorded exchanges ({error})", "correct engine.exchanges") from error
    return Recording(exchanges, notes)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if _is_zipped(path):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)
        return
    num_torn, num_whole = 0, 0
    with path.open("rb") as stream:
        for line in stream:
            try:
                fields = json.loads(line)
            except ValueError:
                num_torn += 1
                continue
            num_whole += 1
            yield fields
    if num_torn and not num_whole:
        raise ValueError("no line of it is JSON")


def _is_zipped(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == _GZIP_MAGIC


def exchanges_bytes(exchanges: Iterable[Exchange], notes: Mapping[str, Mapping[str, Any]] | None = None) -> bytes:
    """The zipped file's bytes: the same exchanges give the same bytes on every machine (no name, no time inside)."""
    lines = [_noted(kind, of, content) for kind, found in (notes or {}).items() for of, content in found.items()]
    lines += map(_line, exchanges)
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0, compresslevel=9) as stream:
        stream.write("".join(line + "\n" for line in lines).encode("utf-8"))
    return buffer.getvalue()


def _noted(kind: str, of: str, content: Mapping[str, Any]) -> str:
    return keys.canonical_json({"note": kind, "of": of, "content": content})


def _line(exchange: Exchange) -> str:
    fields = {
        "path": exchange.path,
        "request_digest": exchange.request_digest,
        "status": exchange.status,
        "response": exchange.response,
    }
    return keys.canonical_json(fields if exchange.chunks is None else {**fields, "chunks": list(exchange.chunks)})
