"""Pictures of docs/pictures: Space and report over made models in Chromium, the demo's scores with their intervals.

`make pictures` runs this. The demo's rows are those of tests/golden/demo, which its tests compare with what it builds.
"""

from __future__ import annotations

import csv
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from made_board import ROOT, write_marts
from PIL import Image
from space_server import served

PICTURES = ROOT / "docs" / "pictures"
DEMO = ROOT / "tests" / "golden" / "demo" / "leaderboard.csv"
MAX_BYTES = 150_000
# file → address, width and height of the window
SHOTS = {
    "space_board": ("?cell=humanevalplus/default", 1280, 800),
    "space_all_benchmarks": ("?tab=matrix", 1280, 800),
    "space_compare": ("?tab=pairs", 1280, 800),
    "space_model": ("?model=cedar__finch-7b", 1280, 800),
    "space_board_phone": ("?cell=humanevalplus/default", 390, 844),
    "space_not_computed_phone": ("?tab=refusals", 390, 844),
}


# the same of the report over made models; {cell} is the first benchmark's best row that has samples
REPORT_SHOTS = {
    "report_board": ("board", 1280, 800),
    "report_pairs": ("pairs", 1280, 800),
    "report_by_month": ("contamination", 1280, 800),
    "report_sample": ("sample/{cell}/8", 1280, 800),
    "report_board_phone": ("board", 390, 844),
    "report_failures_phone": ("reasons", 390, 844),
}


def draw_demo(path: Path) -> None:
    """The headline numbers of `make demo` with their intervals."""
    from benchforge.runners.publish import picture

    with DEMO.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if _is_headline(row)]
    numbers = ("score", "interval_low", "interval_high")
    # the denominator of pass@1 is problems times samples: the smallest is that of one sample
    known = {"origin": "self", "num_problems": min(int(row["denominator"]) for row in rows)}
    picture.draw([row | known | {name: float(row[name]) for name in numbers} for row in rows], path)


def _is_headline(row: dict[str, str]) -> bool:
    return (row["metric"], row["verdict"], row["test_set"]) == ("pass@1", "official", "plus")


def take_shots(address: str) -> None:
    """Every shot of SHOTS, when its table stands there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (query, width, height) in SHOTS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(address + query)
            page.locator(".board tbody tr").locator("visible=true").first.wait_for(timeout=120_000)
            _save(page, PICTURES / f"{name}.png")
            page.close()
        browser.close()


def take_report_shots(scratch: Path) -> None:
    """Every shot of REPORT_SHOTS, when its charts are drawn."""
    from benchforge.runners.ask.report.writing import write_report
    from made_report import write_marts_file
    from playwright.sync_api import sync_playwright

    index = write_report(write_marts_file(scratch / "made.duckdb", 20), scratch / "report").index
    cell = sorted(path.stem for path in (index.parent / "data" / "cells").iterdir())[1]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (view, width, height) in REPORT_SHOTS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"{index.as_uri()}#{view.format(cell=cell)}")
            page.locator("#main tbody tr").first.wait_for(timeout=120_000)
            drawn = "() => [...document.querySelectorAll('.chart')].every(one => one.dataset.drawn)"
            page.wait_for_function(drawn, timeout=120_000)
            _save(page, PICTURES / f"{name}.png")
            page.close()
        browser.close()


def _save(page: Any, path: Path) -> None:
    page.screenshot(path=path)
    with Image.open(path) as picture:  # flat colours: 128 of them look the same in a third of the bytes
        picture.convert("RGB").quantize(128).save(path, optimize=True)
    assert path.stat().st_size < MAX_BYTES, f"{path.name} is larger than {MAX_BYTES} bytes"


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    draw_demo(PICTURES / "demo.png")
    python = str(Path(os.environ["BENCHFORGE_PAGES"]) / "bin" / "python")
    with tempfile.TemporaryDirectory() as scratch:
        take_report_shots(Path(scratch))
        write_marts(Path(scratch))
        with served(python, BENCHFORGE_FOLDER=scratch, HF_HOME=scratch) as address:
            take_shots(address)


if __name__ == "__main__":
    sys.exit(main())
