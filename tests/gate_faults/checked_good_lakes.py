"""``check`` on every good lake: build, hold against each other, name what is found; about 15 CPU s each.

Critical findings are false alarms. Warnings are told: a plan that is not finished deserves one.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchforge.ingest.config import load_settings
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.runners.aggregate import build
from benchforge.runners.gate.check import check

sys.path += [str(Path(__file__).parents[1] / name) for name in ("loopback", "golden")]  # as pytest does
from good_lakes import GOOD_LAKES
from made_run import good_run


def found(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """(name of the lake, rules that found something critical, rules that warned)."""
    good = good_run(folder / "good" / "scratch")
    for number, (name, (make, _)) in enumerate(GOOD_LAKES.items()):
        scratch = folder / str(number)
        root = scratch / good.root.name
        shutil.copytree(good.root, root)
        run = Run(root, Lake(root / "lake"))
        make(run)
        settings = load_settings({"run.scratch": str(scratch), "run.name": root.name}, None)
        findings = check(settings, build(run.lake.root, root / "benchforge.duckdb").path, run.lake)
        critical = [finding.rule for finding in findings.critical]
        yield name, critical, [finding.rule for finding in findings.findings if finding.severity != "critical"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name, critical, warned in found(Path(folder)):
            print(f"{name}: critical {critical or 'none'}, warnings {warned or 'none'}", flush=True)
