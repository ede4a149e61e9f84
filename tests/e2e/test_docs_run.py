"""Every command of README and docs is run here, or stands on a list with the reason and is parsed.

What a page builds at length other tests have built already: the demo's run and the recorded marts are put in place.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import click
import pytest
from benchforge.runners.cli.main import cli
from docs_blocks import ROOT, Block, blocks

BLOCKS = blocks()
GROUPS = {
    name: list(found)
    for name, found in groupby(
        sorted((one for one in BLOCKS if one.group), key=lambda one: one.group), lambda one: one.group
    )
}
_BUILT = re.compile(r"^(benchforge demo|benchforge aggregate --recorded|dbt build)( +#.*)?$", re.MULTILINE)


def words_of(line: str) -> list[str]:
    """Words of the first command of a line: a pipe or a redirection ends it."""
    words = shlex.split(line.replace("…", "x"), comments=True)
    end = next((i for i, word in enumerate(words) if word in ("|", ">", ">>", "&&", "<", "||")), len(words))
    return words[:end]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_every_command_parses(block: Block):
    targets = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = {name for line in targets for name in line.split()}
    for line in block.commands:
        words = words_of(line.removeprefix(".venv/bin/"))
        if words[:1] == ["make"]:
            assert words[1] in known or words[1].startswith("suite-"), line
        if words[:1] != ["benchforge"]:
            continue
        command = cli.get_command(click.Context(cli), words[1])
        assert command is not None, line
        command.make_parser(click.Context(command)).parse_args(words[2:])


def test_every_block_is_run_or_says_why_not():
    silent = [block.name for block in BLOCKS if not block.group and not block.reason]
    assert not silent, "add <!-- run: NAME --> or <!-- not run: REASON --> above the fence"
    for reason, found in groupby(sorted(BLOCKS, key=lambda one: one.reason), lambda one: one.reason):
        names = [block.name for block in found]
        print(f"{len(names):3} {reason or 'run'}: {', '.join(names)}")


def test_every_page_is_reached_from_the_index_and_no_link_is_dead():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    dead, reached = [], set()
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            target = (page.parent / link).resolve()
            if "://" not in link and "`" not in link:
                reached.add(target)
                dead += [f"{page.name}: {link}"] if not target.exists() else []
    assert not dead
    alone = [page for page in pages[1:] if page.resolve() not in reached and page.parent.name != "design"]
    assert not alone


@pytest.mark.parametrize("group", GROUPS)
def test_every_marked_block_runs(group: str, road, recorded_marts: Path, tmp_path: Path):
    if sys.platform != "linux":
        pytest.skip("scoring is for Linux")
    if group == "tutorial":
        shutil.copytree(road.scratch, tmp_path / ".benchforge")
    shutil.copy(recorded_marts, tmp_path / "benchforge.duckdb")
    home = tmp_path / "home"
    home.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "HOME": str(home), "PATH": path, "NO_COLOR": "1"}
    for block in GROUPS[group]:
        script = _BUILT.sub(":", block.text)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{block.name}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr, block.name
        said = {" ".join(line.split()) for line in done.stdout.splitlines()}
        missing = [line for line in block.shown.splitlines() if " ".join(line.split()) not in said | {""}]
        assert not missing, f"{block.name} shows what is not so any more:\n{done.stdout}"
