"""The command line's manners: help, exit codes, data apart from talk, nothing heavy at start."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from benchforge.ingest.errors import Interrupted, UsageError
from benchforge.runners.cli.console import Output
from benchforge.runners.cli.main import COMMANDS, cli
from benchforge.runners.signals import interruptible
from click.testing import CliRunner

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
    assert "did you mean score?" in done.stderr
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


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("judge - <&-", "Standard input is closed"),
        ("judge {rows} >&-", "Standard output is closed"),
        ("status >&-", "Standard output is closed"),
        ("judge - 0>/dev/null", "standard input or output is not open"),
    ],
)
def test_closed_streams_are_one_sentence(tmp_path: Path, words: str, about: str):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}\n")
    line = f"{sys.executable} -m benchforge {words.format(rows=rows)}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode in (1, 2) and done.stderr.startswith("benchforge: ") and about in done.stderr


@pytest.mark.parametrize("command", ["judge", "score"])
@pytest.mark.parametrize("factor", ["nan", "inf", "-inf", "0.05", "101"])
def test_a_factor_on_limits_has_one_range(command: str, factor: str):
    words = [command, "--limit-factor", factor, *([str(ROOT / "README.md")] if command == "judge" else [])]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 2 and "'--limit-factor'" in done.output
    assert CliRunner().invoke(cli, ["judge", "--help"]).output.count("0.1<=x<=100.0") == 1


def test_a_file_of_another_kind_is_refused_by_one_sentence(tmp_path: Path):
    kinds = {
        "rows.gz": gzip.compress(b"{}"),
        "rows.zip": b"PK\x03\x04\0",
        "rows.bin": b"\x7fELF\0\n{}",
        "utf16": b"{\0}\0",
    }
    for name, content in {**kinds, "odd": b"\xff{\n\0\n"}.items():
        (tmp_path / name).write_bytes(content)
        done = CliRunner().invoke(cli, ["judge", str(tmp_path / name)])
        assert isinstance(done.exception, UsageError) and name in done.exception.message
        assert "compressed" in done.exception.message or "not text in UTF-8" in done.exception.message


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_ends_with_a_sentence_about_what_is_kept(name: str):
    with pytest.raises(Interrupted, match=r"; nothing is kept$"), interruptible("nothing is kept"):
        signal.raise_signal(getattr(signal, name))


def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_shell_completes_commands_options_and_names():
    words = {"sc": "score", "score --bench": "--benchmark", "score --benchmark humaneval": "humanevalplus"}
    words |= {"status --format j": "json", "sql --saved lead": "leaders"}
    tried = "\n".join(
        f"COMP_WORDS=(benchforge {line}); COMP_CWORD={len(line.split())}; COMPREPLY=();"
        ' _benchforge_completion benchforge; echo "${COMPREPLY[*]}"'
        for line in words
    )
    script = 'complete() { :; }; eval "$(benchforge completion bash)"; unset -f complete\n' + tried
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env={**os.environ, "PATH": path})
    said = done.stdout.splitlines()
    assert len(said) == len(words), done.stderr
    assert all(word in line.split() for word, line in zip(words.values(), said, strict=True)), said
