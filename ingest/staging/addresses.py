"""A file from an http address that the user gives: bounded, tried again, whole or not at all."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

from ..errors import BadInput, Incomplete, NotStaged

_CHUNK_BYTES = 1 << 20
_SILENCE_SECONDS = 60.0
_PAUSES_SECONDS = (1.0, 5.0, 20.0)


def fetched(address: str, target: Path, max_bytes: int, pauses_seconds: Sequence[float] = _PAUSES_SECONDS) -> Path:
    """``target``, with the address's content.

    Raises NotStaged where it is refused, BadInput beyond ``max_bytes``, Incomplete where it breaks off every time.
    """
    for pause in (*pauses_seconds, None):
        try:
            _fetch(address, target, max_bytes)
            return target
        except (OSError, HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code not in (408, 429):
                raise NotStaged(f"{address} answered {error.code} {error.reason}", "correct the address") from error
            if pause is None:
                raise Incomplete(f"{address} broke off: {error}", "run the same command again") from error
            time.sleep(pause)
    raise AssertionError("the last pause is None")


def _fetch(address: str, target: Path, max_bytes: int) -> None:
    left = max_bytes
    with urllib.request.urlopen(address, timeout=_SILENCE_SECONDS) as answer, target.open("wb") as stream:
        while chunk := answer.read(_CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise BadInput(f"{address} is larger than {max_bytes >> 20} MiB", "give the archive of one harness")
            stream.write(chunk)
        stated = answer.headers.get("Content-Length")
        if stated is not None and max_bytes - left != int(stated):
            raise HTTPException(f"{max_bytes - left} of {stated} bytes came")
