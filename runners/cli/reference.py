"""The pages that are made from the command line itself: ``docs/cli.md``, and the table of stages in the README.

``make reference`` writes both; a test says when they are stale. What a command does stands in one place: its own help.
"""

from __future__ import annotations

import copy
import re
from itertools import groupby
from pathlib import Path

import click

from .main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cli.md"
README = ROOT / "README.md"

_WIDTH = 100
_TABLE = re.compile(r"(?<=\n## Stages\n\n)\|.*?\n(?=\n)", re.DOTALL)
_HEAD = """# Every command

Made from `--help` by `make reference`. Exit codes: 0 done, 1 failed, 2 usage, 3 incomplete (run it again), 4 quality
gate, 75 interrupted and resumable. Data goes to stdout, talk and progress to stderr; `NO_COLOR` is honoured. Every
option is an environment variable, too: `BENCHFORGE_<COMMAND>_<OPTION>`, as in `BENCHFORGE_SQL_FORMAT=json`. For
completion in bash put `eval "$(_BENCHFORGE_COMPLETE=bash_source benchforge)"` into `~/.bashrc` (`zsh_source` and
`fish_source` for the others).
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


def write() -> None:
    """Write both."""
    PAGE.write_text(page())
    README.write_text(readme())


if __name__ == "__main__":
    write()
