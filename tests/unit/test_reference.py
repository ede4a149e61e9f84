"""Pages made from the command line are current, and every help ends in an example that parses."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest
from benchforge.runners.cli import reference
from benchforge.runners.cli.main import COMMANDS, cli
from click.testing import CliRunner


@pytest.mark.parametrize("path", reference.MADE, ids=lambda path: path.name)
def test_every_page_that_is_made_from_declarations_is_current(path: Path) -> None:
    assert path.read_text() == reference.MADE[path](), "make reference"


def test_the_stage_table_is_what_the_commands_declare() -> None:
    assert reference.stage_table() in reference.README.read_text(), "make reference"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_ends_in_an_example_that_parses(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None and command.epilog, f"{name} has no example"
    example = re.search(r"Examples?: (.*)", command.epilog, re.DOTALL)
    assert example, command.epilog
    said = shlex.split(example[1].split("\n")[0], comments=True)
    assert said[:2] == ["benchforge", name]
    command.make_parser(click.Context(command)).parse_args(said[2:])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    silent = [
        parameter.name for parameter in command.params if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert not silent


def test_options_are_read_from_the_environment_by_their_own_names(recorded_marts: Path) -> None:
    command = ["sql", "--file", str(recorded_marts), "select 1 as a"]
    done = CliRunner(env={"BENCHFORGE_SQL_FORMAT": "json"}).invoke(cli, command)
    assert json.loads(done.stdout) == [{"a": 1}]
