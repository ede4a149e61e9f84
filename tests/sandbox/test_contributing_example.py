"""The worked example of CONTRIBUTING.md: the file and the row that it shows are a benchmark, and pass its checks."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchforge.ingest import benchmarks, pins
from benchforge.ingest.benchmarks import declared, registry, resolve, versions
from benchforge.ingest.staging import files
from benchforge.ingest.staging.staged import load_tasks

from . import test_benchmarks_conform as conform

ROOT = Path(__file__).resolve().parents[2]
NAME = "riddles"


def shown(language: str) -> str:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("### A worked example")[1].split("\n## ")[0]
    (block,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return block


def _forget() -> None:
    for cached in (declared, benchmarks._declared_words, pins._seeded):
        cached.cache_clear()


@pytest.fixture
def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[conform.Staged]:
    """The benchmark of the page in the registry, its problems staged from the file of the page."""
    folder, download = tmp_path / "module", tmp_path / "download"
    folder.mkdir()
    download.mkdir()
    (folder / f"{NAME}.py").write_text(shown("python"))
    (download / "riddles.jsonl").write_text(shown("json"))
    head = versions.SEED.read_text("utf-8").splitlines()[0]
    rows = (*versions.seed_rows(), *csv.DictReader([head, shown("csv").strip()]))
    for module in (versions, pins, conform):
        monkeypatch.setattr(module, "seed_rows", lambda: rows)
    monkeypatch.setattr(benchmarks, "__path__", [*benchmarks.__path__, str(folder)])
    _forget()
    try:
        benchmark = registry()[NAME]
        files.write_staged(files.plan_staging(files.wanted_files([benchmark], None, tmp_path / "datasets"), download))
        tasks = tuple(load_tasks(benchmark, None, "default", tmp_path / "datasets"))
        yield conform.Staged(benchmark, "default", tasks, tmp_path / "datasets")
    finally:
        monkeypatch.undo()
        sys.modules.pop(f"{benchmarks.__name__}.{NAME}", None)
        vars(benchmarks).pop(NAME, None)
        _forget()


def test_the_example_is_found_and_passes_the_checks_of_every_benchmark(staged: conform.Staged) -> None:
    assert resolve("riddles") == (staged.benchmark, ("default",)) and list(registry())[-1] == NAME
    conform.test_its_licence_is_named(NAME, staged.benchmark)
    conform.test_its_problems_are_pinned_by_digest_and_number(NAME, staged.benchmark)
    conform.test_it_names_extractors_and_oracles_that_exist_and_says_how_problems_hang_together(staged.benchmark)
    conform.test_its_problems_stand_once_and_are_all_there(NAME, [staged])
    conform.test_every_protocol_asks_with_the_texts_that_it_names_and_asks_the_same_twice([staged])
    conform.test_extracting_again_what_was_extracted_changes_nothing([staged])
    conform.test_its_references_pass_or_recorded_passes_do_elsewhere(NAME, [staged])
    conform.test_an_empty_answer_fails_every_reading([staged])


def test_nothing_of_it_stays() -> None:
    assert NAME not in registry()


def test_the_example_is_in_the_style_of_the_house(tmp_path: Path) -> None:
    assert max(map(len, shown("python").splitlines())) <= 120
    assert "from .declaration import" in shown("python")
