"""The command line's manners: help, exit codes, data apart from talk, nothing heavy at start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from benchforge.runners.cli.console import Output
from benchforge.runners.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("duckdb", "pyarrow", "numpy", "pandas", "openai", "dbt", "rich", "yaml")


def benchforge(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **more}
    return subprocess.run(
        [sys.executable, "-m", "benchforge", *arguments], capture_output=True, text=True, env=environment, cwd=ROOT
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_its_help_ends_with_an_example(name: str):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None and command.name == name
    assert command.help, f"{name} says nothing"
    assert command.epilog and command.epilog.startswith(f"Example: benchforge {name}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts[0]} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_no_command_imports_anything_heavy(name: str):
    code = (
        "import sys; from benchforge.runners.cli.main import cli\n"
        f"try: cli.main(['{name}', '--help'])\n"
        f"except SystemExit: pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.rstrip().endswith("HEAVY []"), done.stdout[-300:] + done.stderr[-300:]


def test_unknown_command_is_a_usage_error_with_the_nearest_name():
    done = benchforge("scoer")
    assert done.returncode == 2
    assert "did you mean 'score'?" in done.stderr
    assert done.stdout == ""


def test_unknown_option_is_a_usage_error():
    assert benchforge("status", "--nonsense").returncode == 2


def test_expected_error_is_one_sentence_and_a_hint(tmp_path: Path):
    done = benchforge("status", "--config", str(tmp_path / "none.yaml"))
    assert done.returncode == 2
    assert re.fullmatch(r"benchforge: the run file .* cannot be read .*\n\nhint: .*\n", done.stderr)


def test_read_only_scratch_is_one_sentence(tmp_path: Path):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere: the read-only file system is tried in tests/e2e")
    tmp_path.chmod(0o500)
    done = benchforge("plan", "--scratch", str(tmp_path / "x"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_table_keeps_numbers_right_and_absent_values_visible(capsys: pytest.CaptureFixture[str]):
    Output().table([{"model": "a", "score": 0.5}, {"model": "bb", "score": None}], ("model", "score"))
    assert capsys.readouterr().out.splitlines() == ["model   score", "─────  ──────", "a      0.5000", "bb          –"]


def test_quiet_output_says_nothing_and_still_gives_data(capsys: pytest.CaptureFixture[str]):
    output = Output()
    output.is_quiet = True
    output.say("talk")
    output.table([{"a": 1}], ("a",), "csv")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("a\n1\n", "")
