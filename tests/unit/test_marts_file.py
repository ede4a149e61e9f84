"""Which lake and which file of marts a command means."""

from __future__ import annotations

import errno
import shlex
from pathlib import Path

import duckdb
import pytest
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.runners.cli.main import _fail_on_disk, cli
from benchforge.runners.marts_file import built_file, default_output, is_marts_file, lake_of
from click.testing import CliRunner


def _settings(scratch: Path, lake: Path | None = None) -> Settings:
    return load_settings({"run.scratch": str(scratch), "run.name": "r", "run.lake": str(lake) if lake else None})


def test_a_run_with_a_lake_has_its_own_marts(tmp_path: Path) -> None:
    (tmp_path / "r" / "lake").mkdir(parents=True)
    settings = _settings(tmp_path)
    assert lake_of(settings) == tmp_path / "r" / "lake"
    assert default_output(settings, lake_of(settings)) == tmp_path / "r" / "benchforge.duckdb"
    assert built_file(settings) == tmp_path / "r" / "benchforge.duckdb", "although it is not built yet"


def test_without_a_run_the_bundled_lake_and_this_folder_are_meant(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert lake_of(settings) is None
    assert default_output(settings, None) == Path("benchforge.duckdb")
    assert built_file(settings) == Path("benchforge.duckdb")


def test_a_named_lake_is_built_where_the_command_runs(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    settings = _settings(tmp_path, tmp_path / "other")
    assert lake_of(settings) == tmp_path / "other"
    assert default_output(settings, lake_of(settings)) == Path("benchforge.duckdb")


def test_a_named_lake_is_never_answered_with_the_marts_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "r" / "lake").mkdir(parents=True)
    (tmp_path / "r" / "benchforge.duckdb").touch()
    (tmp_path / "other").mkdir()
    for lake in (tmp_path / "other", tmp_path / "r" / "lake"):
        settings = _settings(tmp_path, lake)
        assert built_file(settings) == default_output(settings, lake_of(settings)), "asked where it was built"
    assert built_file(_settings(tmp_path, tmp_path / "other")) == Path("benchforge.duckdb")
    assert built_file(_settings(tmp_path, tmp_path / "r" / "lake")) == tmp_path / "r" / "benchforge.duckdb"
    published = {"run.scratch": str(tmp_path), "run.name": "r", "run.lake": "hf://datasets/somebody/results"}
    assert built_file(load_settings(published)) == Path("benchforge.duckdb")


def test_a_misspelt_lake_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no lake"):
        lake_of(_settings(tmp_path, tmp_path / "typo"))


def test_a_folder_is_no_file_of_marts(tmp_path: Path) -> None:
    words = ["aggregate", "--recorded", "--output", str(tmp_path)]
    with pytest.raises(UsageError, match="is a folder"):
        CliRunner().invoke(cli, words, catch_exceptions=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", ['sql "from headline"', "compare a b", "explain a b", "report --output {out}"])
def test_a_file_that_is_none_of_marts_is_one_sentence(words: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no file of marts")
    for path in (tmp_path / "notes.txt", tmp_path):
        given = shlex.split(words.format(out=tmp_path / "out"))
        with pytest.raises(BadInput, match="cannot be read as a file of marts"):
            CliRunner().invoke(cli, [*given, "--file", str(path)], catch_exceptions=False)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="1"):
        _fail_on_disk(FileNotFoundError(errno.ENOENT, "No such file or directory", str(tmp_path / "gone")))
    assert f"there is no such folder or file any more ({tmp_path / 'gone'})" in capsys.readouterr().err


def test_a_file_that_holds_something_else_is_never_replaced(tmp_path: Path) -> None:
    notes, marts, empty = tmp_path / "notes.txt", tmp_path / "m.duckdb", tmp_path / "empty"
    notes.write_text("do not lose me")
    empty.touch()
    duckdb.connect(str(marts)).close()
    assert [is_marts_file(path) for path in (notes, marts, empty)] == [False, True, True]
    done = CliRunner().invoke(cli, ["aggregate", "--recorded", "--output", str(notes)])
    assert isinstance(done.exception, UsageError)
    assert notes.read_text() == "do not lose me"


def test_a_folder_where_something_is_mounted_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="1"):
        _fail_on_disk(OSError(errno.EBUSY, "Device or resource busy", "out"))
    assert "something is mounted there or in use (out)" in capsys.readouterr().err
