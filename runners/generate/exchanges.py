"""Recorded HTTP exchanges: one JSON line each, ``{path, request_digest, status, response}``, gzipped.

The key is the digest of path and whole request body, so an answer is given to exactly the request that it answered,
however often and in whatever order it is asked.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...ingest import keys
from ...ingest.errors import BadInput


@dataclass(frozen=True)
class Exchange:
    path: str
    request_digest: str
    status: int
    response: Mapping[str, Any]


def read_exchanges(path: Path) -> dict[str, Exchange]:
    """Request digest -> exchange; BadInput for a file that is not there, torn, or of another shape."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            exchanges = [Exchange(**json.loads(line)) for line in stream]
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise BadInput(f"{path} is not a file of recorded exchanges ({error})", "correct engine.exchanges") from error
    return {exchange.request_digest: exchange for exchange in exchanges}


def exchanges_bytes(exchanges: Iterable[Exchange]) -> bytes:
    """The file's bytes: the same exchanges give the same bytes on every machine (no name, no time in the header)."""
    lines = [
        keys.canonical_json(
            {
                "path": exchange.path,
                "request_digest": exchange.request_digest,
                "status": exchange.status,
                "response": exchange.response,
            }
        )
        for exchange in exchanges
    ]
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0, compresslevel=9) as stream:
        stream.write("".join(line + "\n" for line in lines).encode("utf-8"))
    return buffer.getvalue()
