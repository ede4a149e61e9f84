"""Every seeded fault of a run and its lake is named by ``verify``; what can be repaired is, and stays so."""

from __future__ import annotations

import pytest
from benchforge.ingest.manifest import Run
from benchforge.runners.gate.verify import Verified, verify
from lake_faults import LAKE_FAULTS, LakeFault


def look(run: Run) -> Verified:
    return verify(run.lake.root, run.root, run.root.parent, num_threads=2)


def rules_of(found: Verified) -> set[str]:
    return {fault.rule for fault in found.faults}


def test_a_good_run_is_whole(good: Run):
    assert look(good).faults == ()


@pytest.mark.parametrize("fault", LAKE_FAULTS, ids=lambda fault: fault.name)
def test_verify_names_the_fault(run: Run, fault: LakeFault):
    fault.seed(run)
    found = look(run)
    assert fault.rule in rules_of(found), found.findings.as_rows()
    assert found.exit_code == 1
