"""No false alarm: nothing that a run does, and nothing that can be brought in, is damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest.bundled import RECORDED_LAKE
from benchforge.ingest.manifest import Run
from benchforge.runners.gate.verify import verify, verify_published
from good_lakes import GOOD_LAKES


@pytest.mark.parametrize("name", GOOD_LAKES)
def test_a_good_lake_is_whole(run: Run, name: str):
    make, exit_code = GOOD_LAKES[name]
    make(run)
    found = verify(run.lake.root, run.root, run.root.parent, num_threads=2)
    told = [fault.finding().as_row() for fault in found.faults if fault.kind == "damage"]
    assert told == []
    assert found.exit_code == exit_code, found.findings.as_rows()


@pytest.mark.parametrize("name", ["as it is", "compacted"])
def test_a_lake_without_its_run_is_whole(run: Run, name: str):
    GOOD_LAKES[name][0](run)
    assert verify(run.lake.root, num_threads=2).faults == ()


def test_the_bundled_lake_is_whole():
    assert verify_published(RECORDED_LAKE, num_threads=2, is_quick=True).faults == ()


def test_a_folder_of_anything_is_refused(tmp_path: Path):
    from benchforge.ingest.errors import BadInput

    with pytest.raises(BadInput, match="neither a lake nor anything published"):
        verify_published(tmp_path)
