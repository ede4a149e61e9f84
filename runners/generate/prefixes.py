"""Greedy answers in flight, saved so that a killed run goes on inside them: ``gen/<shard>/prefixes.jsonl``.

Only greedy ones: continued from ids, 24 of 24 were equal to the uninterrupted text; of seeded samples none was, since
the generator starts again at its seed. The file is small (what is in flight) and replaced as a whole; a prefix that
does not parse, or is of another request, is not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...ingest.lake import replace_file
from ...ingest.manifest import Run, Shard
from .client import Prefix

NAME = "prefixes.jsonl"
Saved = dict[tuple[str, int], Prefix]
"""(task id, sample index) -> the answer so far."""


def prefixes_path(run: Run, shard: Shard) -> Path:
    return run.journal("generate", shard.shard_id).path.with_name(NAME)


def may_resume(shard: Shard) -> bool:
    """A sampled answer begins again with its seed."""
    return shard.request["temperature"] == 0


def read_prefixes(path: Path, shard: Shard) -> Saved:
    """What an earlier attempt of the same request left; empty for a shard that may not resume."""
    if not may_resume(shard) or not path.exists():
        return {}
    found: Saved = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        saved = _parsed(line, shard)
        if saved is not None:
            key, prefix = saved
            found[key] = prefix
    return found


def write_prefixes(path: Path, shard: Shard, prefixes: Mapping[tuple[str, int], Prefix]) -> None:
    """Durable when it returns; nothing to keep: no file."""
    if not prefixes:
        path.unlink(missing_ok=True)
        return
    lines = [json.dumps(_document(shard, key, prefix)) + "\n" for key, prefix in sorted(prefixes.items())]
    replace_file(path, "".join(lines).encode("utf-8"))


def _document(shard: Shard, key: tuple[str, int], prefix: Prefix) -> dict[str, Any]:
    return {
        "task_id": key[0],
        "sample_index": key[1],
        "request_digest": shard.request_digest,
        "seed": shard.seed,
        "prompt_token_ids": list(prefix.prompt_token_ids),
        "token_ids": list(prefix.token_ids),
        "text": prefix.text,
    }


def _parsed(line: str, shard: Shard) -> tuple[tuple[str, int], Prefix] | None:
    try:
        row = json.loads(line)
        if row["request_digest"] != shard.request_digest or row["seed"] != shard.seed:
            return None
        prefix = Prefix(tuple(row["prompt_token_ids"]), tuple(row["token_ids"]), row["text"])
        return (row["task_id"], row["sample_index"]), prefix
    except (ValueError, KeyError, TypeError):
        return None
