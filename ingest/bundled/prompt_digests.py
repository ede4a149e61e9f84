"""What the official code's prompts look like, without them: a digest and a length per (protocol, task).

``prompt_digests.csv.gz`` was made by running the pinned harnesses (``tests/golden/official_prompts.py``); no text of
any prompt is in it. A chat is digested as canonical JSON of its messages, a text as it is, both as UTF-8.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .. import keys
from ..benchmarks.declaration import Prompt
from ..lake import replace_file

FILE = Path(__file__).parent / "prompt_digests.csv.gz"
_HEX_CHARACTERS = 14
"""56 bits are plenty where nobody forges: a prompt that differs is missed once in 2**56."""


@dataclass(frozen=True)
class PromptRow:
    benchmark: str
    scenario: str
    protocol: str
    task_id: str
    num_bytes: int
    digest: str
    """First 14 hex characters of sha256."""


def official_prompts(benchmark: str, scenario: str, protocol: str) -> dict[str, PromptRow]:
    """Task id -> what the official prompt is; empty where the official code has no such protocol.

    Tasks called ``Own/…`` and ``own_…`` are problems of our own that the official code was given as well.
    """
    return {row.task_id: row for row in _all().get((benchmark, scenario, protocol), ())}


def row_of(
    benchmark: str, scenario: str, protocol: str, task_id: str, prompt: str | Sequence[Mapping[str, str]]
) -> PromptRow:
    """``prompt`` is a text, or messages with ``role`` and ``content``."""
    content = prompt if isinstance(prompt, str) else keys.canonical_json(list(prompt))
    size = len(content.encode("utf-8", "surrogatepass"))
    return PromptRow(benchmark, scenario, protocol, task_id, size, keys.sha256_text(content)[:_HEX_CHARACTERS])


def row_of_prompt(benchmark: str, scenario: str, protocol: str, task_id: str, prompt: Prompt) -> PromptRow:
    """The same for a prompt that we rendered."""
    messages = [{"role": role, "content": content} for role, content in prompt.messages]
    return row_of(benchmark, scenario, protocol, task_id, messages if prompt.text is None else prompt.text)


def write(rows: Iterable[PromptRow], target: Path = FILE) -> None:
    """Equal prompts of several protocols of a scenario stand once, under all their names; equal rows, equal bytes."""
    protocols: dict[tuple[str, str, str, int, str], list[str]] = {}
    for row in rows:
        key = (row.benchmark, row.scenario, row.task_id, row.num_bytes, row.digest)
        protocols.setdefault(key, []).append(row.protocol)
    lines = sorted(
        (benchmark, scenario, " ".join(names), task_id, size, digest)
        for (benchmark, scenario, task_id, size, digest), names in protocols.items()
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows((_COLUMNS, *lines))
    replace_file(target, gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


_COLUMNS = ("benchmark", "scenario", "protocols", "task_id", "num_bytes", "sha256_14")


@cache
def _all() -> Mapping[tuple[str, str, str], Sequence[PromptRow]]:
    found: dict[tuple[str, str, str], list[PromptRow]] = {}
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            for protocol in line["protocols"].split():
                where = (line["benchmark"], line["scenario"], protocol)
                row = PromptRow(*where, line["task_id"], int(line["num_bytes"]), line["sha256_14"])
                found.setdefault(where, []).append(row)
    return found
