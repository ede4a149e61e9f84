"""Which lake and which file of marts a command means."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import UsageError
from benchforge.runners.marts_file import built_file, default_output, lake_of


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


def test_a_misspelt_lake_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no lake"):
        lake_of(_settings(tmp_path, tmp_path / "typo"))
