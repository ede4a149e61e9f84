"""What the README and the contributing page tell people to type must exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from benchforge.runners.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/marts.md",
    "docs/runbook.md",
    "docs/fresh_problems.md",
    "slurm/README.md",
)


def lines(page: str) -> list[str]:
    blocks = re.findall(r"```\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("page", PAGES)
def test_every_benchforge_command_parses(page: str):
    for line in lines(page):
        if not line.startswith("benchforge "):
            continue
        name, *words = shlex.split(line)[1:]
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, line
        command.make_parser(click.Context(command)).parse_args(words)


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_exists(page: str):
    targets = set(re.findall(r"^([a-z]+(?: [a-z]+)*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = {name for line in targets for name in line.split()}
    for line in lines(page):
        if line.startswith("make "):
            assert line.split()[1] in known, line


def test_stage_table_names_every_command():
    table = (ROOT / "README.md").read_text().split("## Stages")[1].split("##")[0]
    assert set(re.findall(r"`([a-z-]+)`", table)) >= set(COMMANDS)


def test_annotated_tree_names_every_room():
    tree = (ROOT / "README.md").read_text().split("## The tree")[1].split("##")[0]
    packages = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("[imrs]*/**/__init__.py")}
    top = {package.split("/")[0] for package in packages}
    ingest = {package.split("/")[1] for package in packages if re.fullmatch(r"ingest/\w+", package)}
    runners = {package.split("/")[1] for package in packages if re.fullmatch(r"runners/\w+", package)}
    missing = [room for room in top | ingest | runners if f"{room}/" not in tree]
    assert not missing


def test_every_package_is_listed_for_the_wheel():
    import tomllib

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("[ceimrs]*/**/__init__.py")}
    assert {"benchforge", *("benchforge." + name.replace("/", ".") for name in found)} == set(declared)
