"""Faults of an assembled publication that its own files betray: ``verify`` names them without any mart being built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchforge.ingest.manifest import Run
from benchforge.runners.gate.verify import verify_published
from benchforge.runners.publish import publication_file
from benchforge.runners.publish.declared import LEADERBOARD, RESULTS
from benchforge.runners.publish.results_lake import assemble_lake
from publication_faults import PUBLICATION_FAULTS, PublicationFault, spoil

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
OF_FILES = [fault for fault in PUBLICATION_FAULTS if fault.command == "verify"]


@pytest.fixture(scope="module")
def published(good: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows, tasks, a seed and a card; no marts. To be read only."""
    folder = tmp_path_factory.mktemp("published") / "publish"
    assemble_lake(good.lake.root, folder / RESULTS, {})
    (folder / RESULTS / "seeds").mkdir()
    shutil.copyfile(SEEDS / "models.csv", folder / RESULTS / "seeds" / "models.csv")
    (folder / LEADERBOARD).mkdir()
    for repository in (RESULTS, LEADERBOARD):
        (folder / repository / "README.md").write_text("| model | score |\n| --- | --- |\n| a | 61.5 |\n")
        publication_file.write(folder / repository, results="somebody/benchforge-results")
    return folder


def rules(folder: Path) -> set[str]:
    return {fault.rule for fault in verify_published(folder, num_threads=2).faults}


def test_a_good_publication_is_whole(published: Path):
    found = verify_published(published, num_threads=2)
    assert (found.faults, found.exit_code) == ((), 0) and found.num_rows > 300


@pytest.mark.parametrize("fault", OF_FILES, ids=lambda fault: fault.name)
def test_verify_names_the_fault(published: Path, tmp_path: Path, fault: PublicationFault):
    folder = Path(shutil.copytree(published, tmp_path / "publish"))
    spoil(folder, fault)
    assert fault.rule in rules(folder)
