"""Every seeded fault tried by itself, and the table of which rule caught it.

::

    python tests/gate_faults/seeded_faults.py [--only lake,marts,publication] [--write]

Exit status 1 where a fault is not caught. ``--write`` keeps the table in docs/design/seeded_faults.csv (rows of kinds
that were not tried stay as they are). A run of everything builds marts twice and checks them once per fault.
"""

from __future__ import annotations

import argparse
import csv
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "loopback"))
sys.path.insert(0, str(Path(__file__).parent))

import mart_faults
import publication_faults
from benchforge.ingest.config import load_settings
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.runners.aggregate import build
from benchforge.runners.gate.check import check, check_assembled
from benchforge.runners.gate.verify import verify, verify_published
from benchforge.runners.gate.verify.repair import repair
from benchforge.runners.publish.assemble import assemble
from lake_faults import LAKE_FAULTS, MENDED
from made_run import StubJudge, good_run, score

TABLE = Path(__file__).resolve().parents[2] / "docs" / "design" / "seeded_faults.csv"
COLUMNS = ("kind", "fault", "command", "caught_by", "also", "repair")

Row = dict[str, str]


class Place:
    """A good run, its marts and its publication, made once; copies for what is spoilt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = good_run(folder / "scratch")
        scratch = {"run.scratch": str(folder / "scratch")}
        self.settings = load_settings(scratch, folder / "scratch" / "run.yaml", {"HOME": str(folder)})
        self._built: Path | None = None
        self._assembled: Path | None = None

    @property
    def built(self) -> Path:
        if self._built is None:
            self._built = build(self.run.lake.root, self.run.root / "benchforge.duckdb").path
        return self._built

    @property
    def assembled(self) -> Path:
        if self._assembled is None:
            folder = self.folder / "publish"
            self._assembled = assemble(self.settings, self.built, self.run.lake.root, folder).folder
        return self._assembled

    def copy(self, source: Path) -> Path:
        """A fresh copy of a folder or file, in place of the last one."""
        target = self.folder / "spoilt" / source.name
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir()
        return Path(shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target))


def lake_rows(place: Place) -> Iterator[Row]:
    for fault in LAKE_FAULTS:
        root = place.copy(place.run.root)
        run = Run(root, Lake(root / "lake"))
        fault.seed(run)
        found = _looked(run)
        rules = {one.rule for one in found.faults}
        mended = "" if fault.name not in MENDED else _mended(run)
        yield row("lake", fault.name, "verify", fault.rule, rules, mended)


def _looked(run: Run) -> Any:
    return verify(run.lake.root, run.root, run.root.parent, num_threads=2)


def _mended(run: Run) -> str:
    _, found = repair(lambda: _looked(run))
    score(run, StubJudge())
    return "rows are back" if found.exit_code in (0, 3) and _looked(run).exit_code == 0 else "NOT MENDED"


def mart_rows(place: Place) -> Iterator[Row]:
    before = _rules(check(place.settings, place.built, place.run.lake))
    for fault in mart_faults.MART_FAULTS:
        path = place.copy(place.built)
        mart_faults.spoil(path, place.run.lake.root, (fault,))
        found = _rules(check(place.settings, path, place.run.lake)) - before
        yield row("marts", fault.name, "check", fault.rule, found)


def publication_rows(place: Place) -> Iterator[Row]:
    before = _rules(check_assembled(place.assembled))
    for fault in publication_faults.PUBLICATION_FAULTS:
        folder = place.copy(place.assembled)
        publication_faults.spoil(folder, fault)
        if fault.command == "verify":
            found = {one.rule for one in verify_published(folder, num_threads=2).faults}
        else:
            found = _rules(check_assembled(folder)) - before
        yield row("publication", fault.name, fault.command, fault.rule, found)


def _rules(findings: Any) -> set[str]:
    return {f"{one.artifact}.{one.rule}" for one in findings.findings}


def row(kind: str, fault: str, command: str, rule: str, found: set[str], mended: str = "") -> Row:
    caught, also = (
        (rule, " ".join(sorted(found - {rule}))) if rule in found else ("NOT CAUGHT", " ".join(sorted(found)))
    )
    return dict(zip(COLUMNS, (kind, fault, command, caught, also, mended), strict=True))


KINDS = {"lake": lake_rows, "marts": mart_rows, "publication": publication_rows}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=",".join(KINDS))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    logging.disable(logging.INFO)
    kinds = given.only.split(",")
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        rows = []
        for kind in kinds:
            for one in KINDS[kind](place):
                print(" | ".join(one[name] for name in COLUMNS), flush=True)
                rows.append(one)
    if given.write:
        _keep(kinds, rows)
    lost = [one for one in rows if "NOT" in one["caught_by"] + one["repair"]]
    print(f"{len(rows)} faults, {len(lost)} of them not caught or not mended")
    return 1 if lost else 0


def _keep(kinds: list[str], rows: list[Row]) -> None:
    old = list(csv.DictReader(TABLE.open(encoding="utf-8"))) if TABLE.exists() else []
    kept = [one for kind in KINDS for one in (rows if kind in kinds else old) if one["kind"] == kind]
    with TABLE.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)


if __name__ == "__main__":
    sys.exit(main())
