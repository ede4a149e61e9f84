"""The table of docs/design/seeded_faults.csv tells of faults as they are declared."""

from __future__ import annotations

import csv
from pathlib import Path

from lake_faults import LAKE_FAULTS
from mart_faults import MART_FAULTS
from publication_faults import PUBLICATION_FAULTS

TABLE = Path(__file__).resolve().parents[2] / "docs" / "design" / "seeded_faults.csv"


def test_what_the_table_says_is_what_was_declared():
    declared = {("lake", fault.name): fault.rule for fault in LAKE_FAULTS}
    declared |= {("marts", fault.name): fault.rule for fault in MART_FAULTS}
    declared |= {("publication", fault.name): fault.rule for fault in PUBLICATION_FAULTS}
    with TABLE.open(encoding="utf-8", newline="") as stream:
        rows = {(row["kind"], row["fault"]): row["caught_by"] for row in csv.DictReader(stream)}
    assert len(rows) >= 60 and rows.items() <= declared.items()
    assert {key for key in declared if key[0] == "lake"} <= set(rows)
