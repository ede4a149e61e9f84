"""Ids and digests: deterministic, documented, the same on every machine.

Text is hashed as UTF-8 with surrogates kept (``surrogatepass``), objects as canonical JSON. Long digests are 64 hex
characters of sha256; ids that stand in every row (``sample_id``, ``program_id``) are its first 16 bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

MAX_MODEL_LENGTH = 200
"""The key becomes a folder ``model=<key>``; file systems end names at 255 bytes."""
MODEL_KEY = re.compile(rf"(?=.{{1,{MAX_MODEL_LENGTH}}}\Z)[A-Za-z0-9][A-Za-z0-9.+-]*__[A-Za-z0-9][A-Za-z0-9._+-]*")
"""``<org>__<name>``: a folder name on every file system, and clean on the Hub."""

REQUEST_FIELDS = (
    "dataset_digest",
    "prompt_digest",
    "chat_template_sha",
    "templating_mode",
    "protocol",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "max_tokens",
    "stop",
    "stop_acts",
    "thinking",
    "thinking_switch",
    "effort",
    "thinking_budget",
    "thinking_budget_end",
    "strip_rule",
    "resume_rule",
    "model",
    "model_revision",
    "weights_digest",
    "quantization",
    "dtype",
    "engine_options",
    "source",
)
"""Never n, base seed, shard or sample index: growing n from 5 to 10 changes nothing that exists."""

COMPARABILITY_FIELDS = (
    "dataset_digest",
    "scenario",
    "protocol",
    "temperature",
    "top_p",
    "max_tokens",
    "window",
    "stop",
    "thinking",
    "effort",
    "thinking_budget",
)
"""The model is not among them. ``source`` joins where any of them is unknown: such rows compare only inside it."""


def canonical_json(value: Any) -> str:
    """One spelling per value: sorted keys, no spaces, no NaN, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sha256_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of(value: Any) -> str:
    """64 hex characters of sha256 over canonical JSON."""
    return sha256_text(canonical_json(value))


def token_ids_digest(ids: Sequence[int]) -> str:
    """64 hex characters of sha256 over token ids as little-endian 32-bit integers, one after the other."""
    packed = array("I", ids)
    assert packed.itemsize == 4, "unsigned int has four bytes wherever CPython runs"
    if sys.byteorder == "big":
        packed.byteswap()
    return hashlib.sha256(packed.tobytes()).hexdigest()


def program_id(program: str) -> bytes:
    """First 16 bytes of sha256 of the extracted program."""
    return bytes.fromhex(sha256_text(program)[:32])


def sample_id(benchmark: str, scenario: str, task_id: str, request_digest: str, sample_index: int) -> bytes:
    """16 bytes; SQL computes the same: ``sha256(concat_ws('|', …))`` cut to 32 hex characters (see macros/lake.sql)."""
    return bytes.fromhex(sha256_text("|".join((benchmark, scenario, task_id, request_digest, str(sample_index))))[:32])


def request_digest(request: Mapping[str, Any]) -> str:
    """Digest of the request fields; a field that is absent or None does not enter.

    So a field added to ``REQUEST_FIELDS`` later leaves the digests of rows that never set it as they are.
    """
    _refuse_unknown(request, REQUEST_FIELDS)
    return digest_of({name: request[name] for name in REQUEST_FIELDS if request.get(name) is not None})


def comparability_digest(fields: Mapping[str, Any], source: str | None = None) -> str:
    """Digest of what two models must share to be compared.

    Our own rows know every field (``stop`` may be empty, ``effort`` and ``thinking_budget`` may not apply: pass
    ``""`` or 0, not None). For recorded rows unknown fields are None; then ``source`` enters, so that they compare
    only inside their own source.
    """
    _refuse_unknown(fields, COMPARABILITY_FIELDS)
    known = {name: fields.get(name) for name in COMPARABILITY_FIELDS}
    if any(value is None for value in known.values()):
        known["source"] = source or "unknown"
    return digest_of(known)


def prompt_set_digest(prompt_digests: Iterable[tuple[str, str]]) -> str:
    """Digest of all prompts of a scenario under one protocol: sorted (task_id, prompt digest) pairs."""
    return digest_of(sorted(prompt_digests))


def _refuse_unknown(given: Mapping[str, Any], declared: tuple[str, ...]) -> None:
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise ValueError(f"undeclared fields {unknown}")
