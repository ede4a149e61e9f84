"""The pages that are made from declarations: commands, lake, settings, deviations, and the README's table of stages.

``make reference`` writes them all; a test says when one is stale. What a command does stands in its own help only.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path

import click

from ...ingest.schemas.page import page as lake_page
from . import pages
from .main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cli.md"
README = ROOT / "README.md"

_WIDTH = 100
_TABLE = re.compile(r"(?<=\n## Stages\n\n)\|.*?\n(?=\n)", re.DOTALL)
_HEAD = """# Every command

Made from `--help` by `make reference`. Exit codes: 0 done, 1 failed, 2 usage, 3 incomplete (run it again), 4 quality
gate, 75 interrupted and resumable. Data goes to stdout, talk and progress to stderr; colour is for terminals only, and
`NO_COLOR` is honoured. Every option is an environment variable, too: `BENCHFORGE_<COMMAND>_<OPTION>`, as in
`BENCHFORGE_SQL_FORMAT=json`, or the one beside it; several values are separated by spaces. `benchforge completion bash`
prints what a shell sources to complete commands, options and names. Run settings: [settings.md](settings.md).
"""


def page() -> str:
    """``docs/cli.md``: the help of the group, then of each command in the order of the stages."""
    parts = [_HEAD, _block("benchforge", _help("benchforge", cli))]
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        parts.append(_block(f"benchforge {name}", _help(f"benchforge {name}", command)))
    return "\n".join(parts)


def _block(title: str, text: str) -> str:
    return f"## {title}\n\n```\n{text}\n```\n"


def _help(path: str, command: click.Command) -> str:
    settings = {**cli.context_settings, "terminal_width": _WIDTH, "max_content_width": _WIDTH}
    command = copy.copy(command)
    command._help_option = None  # kept by click from whoever asked first, with that one's names
    with click.Context(command, info_name=path, **settings) as context:
        return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def stage_table() -> str:
    """The README's table: neighbours that run in the same place share a row."""
    rows = ["| command | where it runs | internet |", "|---|---|---|"]
    for (where, is_online), names in groupby(COMMANDS, lambda name: (COMMANDS[name].where, COMMANDS[name].is_online)):
        commands = ", ".join(f"`{name}`" for name in names)
        rows.append(f"| {commands} | {where} | {'yes' if is_online else 'no'} |")
    return "\n".join(rows) + "\n"


def readme() -> str:
    """The README with the table of stages as the commands declare it."""
    return _TABLE.sub(lambda _: stage_table(), README.read_text(), count=1)


MADE: Mapping[Path, Callable[[], str]] = {
    PAGE: page,
    README: readme,
    ROOT / "docs" / "lake.md": lake_page,
    ROOT / "docs" / "settings.md": pages.settings,
    ROOT / "docs" / "explanation" / "deviations.md": pages.deviations,
}
"""Every page, and what makes its text."""


def write() -> None:
    """Write them all."""
    for path, made in MADE.items():
        path.write_text(made(), encoding="utf-8")


if __name__ == "__main__":
    write()
