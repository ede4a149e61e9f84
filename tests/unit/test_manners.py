"""What every command has without saying so: variables, --quiet, nearest names."""

from __future__ import annotations

import io
import re
from pathlib import Path

import click
import pytest
from benchforge.ingest.config import OPTIONS
from benchforge.ingest.errors import BenchforgeError
from benchforge.ingest.names import did_you_mean, meant_or_known, near
from benchforge.runners.cli import manners
from benchforge.runners.cli.console import Output
from benchforge.runners.cli.main import COMMANDS, cli, misspelt_variables, variables
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]


def options_of(name: str) -> list[click.Option]:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return [one for one in command.params if isinstance(one, click.Option) and one.expose_value]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_a_variable_and_help_says_which(name: str):
    said = CliRunner().invoke(cli, [name, "--help"]).output
    for option in options_of(name):
        assert isinstance(option.envvar, str) and re.fullmatch(r"BENCHFORGE_[A-Z_]+", option.envvar)
        is_ruled = option.envvar == manners.variable_of(name, option)
        assert is_ruled or option.envvar in re.sub(r"\s+", "", said), f"{name} {option.opts[0]}"


def test_variables_of_run_settings_are_those_that_the_settings_read():
    settings = {option.environment for option in OPTIONS}
    for option in options_of("status"):
        if isinstance(option, manners.Setting):
            assert option.envvar in settings


def test_no_variable_means_two_things():
    """A setting of the run file and an option may share a variable only where the option is that setting."""
    settings = {option.environment: option.path for option in OPTIONS}
    shared = {name: settings[name] for name in variables() if name in settings}
    assert shared == {
        "BENCHFORGE_SCRATCH": "run.scratch",
        "BENCHFORGE_RUN_NAME": "run.name",
        "BENCHFORGE_LAKE": "run.lake",
        "BENCHFORGE_DATASETS": "run.datasets",
        "BENCHFORGE_PUBLISH_NAMESPACE": "publish.namespace",
    }


def test_a_wrong_value_of_a_variable_is_told_by_the_name_of_the_variable():
    done = CliRunner(env={"BENCHFORGE_STATUS_FORMAT": "jsno"}).invoke(cli, ["status"], standalone_mode=False)
    error = done.exception
    assert isinstance(error, click.BadParameter)
    manners.said_where(error)
    assert "BENCHFORGE_STATUS_FORMAT" in error.format_message() and "did you mean json?" in error.format_message()


def test_a_misspelt_variable_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BENCHFORGE_LAEK", "x")
    monkeypatch.setenv("BENCHFORGE_SCORE_FORCED", "1")
    monkeypatch.setenv("BENCHFORGE_SOMETHING_OF_ANOTHER_PROGRAM", "1")
    monkeypatch.setenv("BENCHFORGE_SCRATCH", "x")
    assert dict(misspelt_variables()) == {
        "BENCHFORGE_LAEK": "BENCHFORGE_LAKE",
        "BENCHFORGE_SCORE_FORCED": "BENCHFORGE_SCORE_FORCE",
    }


@pytest.mark.parametrize("words", [["-q", "status"], ["status", "-q"], ["status", "--quiet"]])
def test_quiet_is_quiet_wherever_it_stands(words: list[str], tmp_path: Path):
    done = CliRunner().invoke(cli, [*words, "--scratch", str(tmp_path)])
    assert done.exit_code == 0 and done.stderr == "" and done.stdout.startswith("shard_id")
    assert CliRunner().invoke(cli, ["status", "--scratch", str(tmp_path)]).stderr != ""


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("scroe", "score"),
        ("status --format jsno", "json"),
        ("status --fromat json", "--format"),
        ("import evalpluss x.jsonl", "evalplus"),
        ("export evalpls --benchmark humanevalplus --model x", "evalplus"),
        ("judge --sandbox-mode bubblwrap README.md", "bubblewrap"),
        ("score --sandbox-mode bubblwrap", "bubblewrap"),
        ("score --benchmark humanevl", "humaneval"),
        ("score --model forge__perfct", "forge__perfect"),
        ("generate --engine vlm", "vllm"),
        ("compact --model forge__perfct", "forge__perfect"),
        ("plan --model forge__perfct", "forge__perfect"),
        ("plan --task forge/clam", "forge/clamp"),
        ("stage --harness evalpls", "evalplus"),
        ("submit generat", "generate"),
        ("check --file {marts} --artifact headlin", "headline"),
        ("check --file {marts} --accept drift.moved", "drift.moved_without_its_rows"),
        ("publish --repo reslts", "results"),
        ("compare claude-2 gpt-4 --file {marts}", "gpt-4o"),
        ("compare claude-2 gpt-3.5-turbo-0613 --file {marts} --metric pas@1", "pass@1"),
        ("explain claude-2 livecodebnch --file {marts}", "livecodebench"),
        ("explain claude-2 livecodebench --file {marts} --verdict offical", "official"),
        ("sql --saved leadrs --file {marts}", "leaders"),
        ("sql --file {marts} 'from headlin'", "headline"),
        ("sql --file {marts} 'select scroe from headline'", "score"),
        ("completion bsh", "bash"),
    ],
)
def test_a_name_that_is_not_known_is_answered_with_the_nearest(
    words: str, meant: str, recorded_marts: Path, tmp_path: Path
):
    import shlex

    demo = ["--config", str(ROOT / "ingest" / "bundled" / "demo.yaml"), "--scratch", str(tmp_path)]
    name, *rest = shlex.split(words.format(marts=recorded_marts))
    if name in ("score", "plan", "compact", "generate"):
        CliRunner().invoke(cli, ["plan", *demo])
        (tmp_path / "demo" / "lake" / "_live").mkdir(parents=True, exist_ok=True)
        (tmp_path / "demo" / "lake" / "samples" / "benchmark=forge_mini" / "model=forge__perfect").mkdir(parents=True)
        rest += demo
    done = CliRunner().invoke(cli, [name, *rest], standalone_mode=False)
    error = done.exception
    assert isinstance(error, click.UsageError | BenchforgeError), (error, done.output)
    said = error.format_message() if isinstance(error, click.UsageError) else f"{error.message} {error.hint}"
    assert meant in re.split(r"Did you mean|did you mean|nearest:", said)[-1] and error.exit_code == 2, said


def test_nearest_names_are_found_in_any_case_and_nothing_is_guessed_from_afar():
    assert near("HEADLIN", ["headline", "leaderboard"]) == ["headline"]
    assert (
        did_you_mean("xyz", ["headline"]) == "" and did_you_mean("headlin", ["headline"]) == "; did you mean headline?"
    )
    assert meant_or_known("xyz", ["headline"]) == "; known are headline" and meant_or_known("x", []).endswith("none")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str):
    said = CliRunner().invoke(cli, ["completion", shell]).output
    assert f"_BENCHFORGE_COMPLETE={shell}_complete" in said and "benchforge" in said


@pytest.mark.parametrize(
    ("is_terminal", "no_colour", "is_bold"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_colour_is_for_terminals_that_want_it(
    is_terminal: bool, no_colour: str, is_bold: bool, monkeypatch: pytest.MonkeyPatch
):
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

    stream = Stream()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("NO_COLOR", no_colour)
    Output().table([{"a": 1}], ("a",), title="Numbers")
    assert ("\033[" in stream.getvalue()) is is_bold
