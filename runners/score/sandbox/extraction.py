"""Extractors on hostile text: several texts in one child, each result as if it had had the child to itself.

Theory of operation. An extractor is our code and executes nothing of the text it reads, so texts may share a child; a
child for each would cost more than the extraction (measured: 9.5 ms a sample against 2). What a text can do is make the
parser crash, or run out of time or memory: then the texts before it have their results, and it is the first of the next
child, where it has everything to itself. A text that breaks a child as its first one extracts nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ....ingest import errors
from .connection import Connection
from .inside.confine import Limits
from .running import Running, SandboxBroken

EXTRACT_SECONDS = 30.0
_MAX_EXTRACTED_BYTES = 16 << 20
_MAX_TEXTS, _MAX_CHARACTERS = 32, 1 << 20
_NOT_IMPORTED = -1


@dataclass(frozen=True)
class Extraction:
    """One text to read. ``extractor``: a registered name, or ``module:function`` below ``runners.score.extract``."""

    extractor: str
    text: str
    context: Mapping[str, str]


def extract_all(connection: Connection, wanted: Sequence[Extraction]) -> list[str]:
    """Programs in the order of the texts, "" where there is none.

    Raises SandboxBroken when the sandbox failed, SandboxUnavailable when an extractor does not import inside, and
    LookupError for a name that is not registered.
    """
    texts: list[str] = []
    while len(texts) < len(wanted):
        texts += _first_texts(connection, _one_child(wanted[len(texts) :])) or [""]
    return texts


def _one_child(wanted: Sequence[Extraction]) -> list[Extraction]:
    """As many as one child is given: at least one."""
    characters = 0
    taken = []
    for item in wanted[:_MAX_TEXTS]:
        characters += len(item.text)
        if taken and characters > _MAX_CHARACTERS:
            break
        taken.append(item)
    return taken


def _first_texts(connection: Connection, wanted: Sequence[Extraction]) -> list[str]:
    """Results until one is missing."""
    items = [(_path(item.extractor), item.text, dict(item.context)) for item in wanted]
    limits = Limits(memory_bytes=2 << 30, cpu_seconds=int(EXTRACT_SECONDS) + 1)
    running = connection.start({"kind": "extract", "items": items, "limits": limits}, EXTRACT_SECONDS)
    texts: list[str] = []
    try:
        messages = _messages(running)
        if next(messages, [""])[0] != "ready":
            raise SandboxBroken("a child did not get ready")
        for message in messages:
            if message[0] != "text" or not isinstance(message[1], str) or len(texts) == len(items):
                _check_imported(message, items[min(len(texts), len(items) - 1)][0])
                break
            texts.append(message[1])
        return texts
    finally:
        running.finish()


def _messages(running: Running) -> Iterator[list[object]]:
    batches = running.batches(_MAX_TEXTS * _MAX_EXTRACTED_BYTES, _MAX_EXTRACTED_BYTES)
    for line in (line for batch in batches for line in batch):
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return
        if type(message) is not list or len(message) < 2:
            return
        yield message


def _check_imported(message: list[object], extractor: str) -> None:
    if message[0] == "x" and message[1] == _NOT_IMPORTED and len(message) == 4:
        raise errors.SandboxUnavailable(
            f"Inside the sandbox the extractor {extractor} does not import ({str(message[3])[:60]}).",
            "install benchforge again in the environment (or image) that scores",
        )


def _path(name: str) -> str:
    if ":" in name:
        return name
    from ..extract import EXTRACTORS

    return EXTRACTORS[name]
