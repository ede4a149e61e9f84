"""Fenced blocks of commands in our own pages: where each stands, and whether it is run or why not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_BLOCK = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<marker>[^\n]*?) -->\n+ *)?```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_COMMANDS = ("", "sh", "bash")
"""Languages of a fence that is typed into a shell; others (csv, json, python, sql, text) are shown."""

_IS_TYPED = re.compile(r"^(\.venv/bin/)?(benchforge|make|dbt|python) ", re.MULTILINE)

NOT_RUN = {
    "CONTRIBUTING.md": "changes the checkout",
    "docs/formats.md": "needs logs of other tools",
    "docs/fresh_problems.md": "needs problems of one's own",
    "docs/import.md": "needs recorded files",
    "docs/publication.md": "needs the Hub",
    "docs/rows.md": "needs rows of one's own",
    "docs/runbook.md": "needs a cluster",
    "docs/verify.md": "needs a run of one's own",
    "slurm/README.md": "needs a cluster",
}
"""Pages whose blocks are parsed and not run, with the reason; a block's own marker comes first."""


@dataclass(frozen=True)
class Block:
    """``group``: blocks of one name are run one after the other in one folder; empty where ``reason`` says why not."""

    page: str
    line: int
    text: str
    group: str = ""
    reason: str = ""
    shown: str = ""

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Lines that a shell would run, without comments, here-documents, continuations and output."""
        text = re.sub(r"<<'END'(.*)\n(?:.*\n)*?END\n", r"\1\n", self.text).replace("\\\n", " ")
        lines = (re.sub(r"\s\s+#.*", "", line).strip() for line in text.splitlines())
        return [line for line in lines if line]


def pages() -> list[Path]:
    """Those that people read; the page made from ``--help`` is held against it elsewhere."""
    written = [path for path in sorted((ROOT / "docs").rglob("*.md")) if path.name != "cli.md"]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "slurm" / "README.md", *written]


def blocks() -> list[Block]:
    """Every block of commands, in page order; the block marked as output belongs to the one before it."""
    return [block for path in pages() for block in _of(path)]


def _of(path: Path) -> list[Block]:
    page, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    found: list[Block] = []
    for match in _BLOCK.finditer(text):
        marker, indent = match["marker"] or "", match["indent"]
        body = "".join(line.removeprefix(indent) for line in match["text"].splitlines(keepends=True))
        line = text.count("\n", 0, match.start("text"))
        if marker == "output":
            last = found.pop()
            found.append(Block(last.page, last.line, last.text, last.group, last.reason, body))
        elif match["language"] in _COMMANDS and _IS_TYPED.search(body):
            kind, _, rest = marker.partition(": ")
            group = rest if kind == "run" else ""
            reason = rest if kind == "not run" else "" if group else NOT_RUN.get(page, "")
            found.append(Block(page, line, body, group, reason))
    return found
