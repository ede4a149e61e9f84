"""The report as its readers use it: opened from a file in a real Chromium, every way down followed, hostile texts."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from benchforge.runners.ask.report.writing import Report, write_report
from made_report import HOSTILE, write_marts_file

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
SERIOUS = ("serious", "critical")
VIEWS = ("board", "all", "pairs", "contamination", "reasons", "disagreements", "costs", "coverage", "refusals", "words")
LINKS_OF_A_KIND = 4
"""Followed of each kind of address: what leads there, not every row."""


@pytest.fixture(scope="session")
def report(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of 20 made models, four of them with hostile samples."""
    pytest.importorskip("vl_convert", reason="the charts' library is not installed: pip install '.[report]'")
    folder = tmp_path_factory.mktemp("report")
    return write_report(write_marts_file(folder / "made.duckdb", 20), folder / "report").index


@pytest.fixture(scope="session")
def large_report(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of 500 made models on 6 cells of 5 benchmarks."""
    folder = tmp_path_factory.mktemp("large")
    return write_report(write_marts_file(folder / "made.duckdb", 500), folder / "report")


@pytest.fixture
def reader(opened: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Opens a view of a report; fails where the page asks for anything that is no file of it."""
    asked: list[str] = []

    def open_view(index: Path, view: str = "board", viewport: dict[str, int] = DESKTOP, scheme: str = "light") -> Any:
        page = opened("about:blank", viewport)
        page.emulate_media(color_scheme=scheme)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{index.as_uri()}#{view}")
        shown(page, view)
        return page

    yield open_view
    assert all(url.startswith(("file://", "data:")) for url in asked), "a page asked for more than its own files"


def shown(page: Any, view: str) -> None:
    """Waits until a view stands there, charts too."""
    page.wait_for_function("view => document.getElementById('main').dataset.view === '#' + view", arg=view)
    page.wait_for_function("() => [...document.querySelectorAll('.chart')].every(one => one.dataset.drawn)")


def links(page: Any) -> list[str]:
    return page.evaluate(
        "[...document.querySelectorAll('#main a[href^=\"#\"]')].map(link => link.getAttribute('href').slice(1))"
    )


def kind(view: str) -> str:
    return view.split("/")[0].split("?")[0]


def test_every_way_down_leads_somewhere(report: Path, reader: Callable[..., Any]) -> None:
    page = reader(report)
    todo, seen, followed = [*VIEWS], set(), {}
    while todo:
        view = todo.pop(0)
        if view in seen or followed.get(kind(view), 0) >= LINKS_OF_A_KIND * (kind(view) not in VIEWS or 2):
            continue
        seen.add(view)
        followed[kind(view)] = followed.get(kind(view), 0) + 1
        page.evaluate("view => { location.hash = view; }", view)
        shown(page, view)
        title = page.locator("#main h1").inner_text()
        assert "cannot be shown" not in title, page.locator("#main").inner_text()
        assert "Not in this report" not in title, view
        todo += links(page)
    print(f"\nreport: {len(seen)} views opened by their links: {followed}")
    assert {"model", "cell", "problem", "sample", "pair"} <= set(followed)
    assert page.title() != "run"


def test_a_number_leads_by_clicks_to_a_sample_and_its_text(report: Path, reader: Callable[..., Any]) -> None:
    page = reader(report)
    page.get_by_label("Benchmark", exact=True).select_option(label="HumanEval+")
    page.get_by_role("heading", name="HumanEval+").wait_for()  # the fields are drawn anew with the board
    page.get_by_label("Search models").fill("alder/lark-0.5b")
    page.locator("#main tbody tr", has_text="n = 10").first.locator("td a.down").click()
    page.get_by_role("heading", name="Problems of alder/lark-0.5b").wait_for()
    page.get_by_role("link", name="humanevalplus/9").click()
    page.get_by_role("link", name="sample 7", exact=True).click()
    page.get_by_role("heading", name="humanevalplus/9, sample 7").wait_for()
    text = page.locator("#main").inner_text()
    for said in ("Verdicts", "Prompt digest", "f" * 64, "sha256:" + "9" * 64, "a" * 40, "b" * 64, "seccomp, landlock"):
        assert said in text
    assert page.locator("pre .k1").first.inner_text() == "def", "code in a reply is coloured"
    page.get_by_role("link", name="next sample").click()
    page.get_by_role("heading", name="humanevalplus/9, sample 8").wait_for()
    page.go_back()
    page.get_by_role("heading", name="humanevalplus/9, sample 7").wait_for()


def test_what_a_suites_pass_is_worth_stands_beside_its_tier(report: Path, reader: Callable[..., Any]) -> None:
    page = reader(report)
    page.get_by_label("Benchmark", exact=True).select_option(label="BigCodeBench: complete")
    page.get_by_role("heading", name="BigCodeBench: complete").wait_for()
    assert "suite 96 of 97 forged seen" in page.locator("#main tbody tr").first.inner_text()


def test_hostile_texts_are_seen_and_do_nothing(report: Path, reader: Callable[..., Any]) -> None:
    page = reader(report)
    cell = next(view for view in links(page) if kind(view) == "cell")
    page.evaluate("view => { location.hash = view; }", cell)
    shown(page, cell)
    number = page.evaluate("report.known.get('cells/' + location.hash.split('/')[1].split('?')[0]).tasks.rows")
    assert number == len(HOSTILE)
    identity = cell.split("/")[1].split("?")[0]
    found = []
    for sample in range(page.evaluate(f"report.known.get('cells/{identity}').samples.rows")):
        page.evaluate("view => { location.hash = view; }", f"sample/{identity}/{sample}")
        shown(page, f"sample/{identity}/{sample}")
        assert page.locator("#main script, #main img, #main iframe, #main svg").count() == 0
        found.append(page.locator("pre").nth(1).inner_text())
    texts = "\n".join(found)
    for said in ("</script><script>", "<!--<script>", "<img src=x", "U+2028", "U+202E", "U+D83D", "U+DE00", "U+E0041"):
        assert said in texts, said
    assert max(map(len, found)) < 70_000, "a text of a million characters is cut"
    assert "benchForge" in page.title()
    assert page.evaluate("document.title") != "run"


def test_fields_search_and_sort(report: Path, reader: Callable[..., Any]) -> None:
    page = reader(report)
    rows = page.locator("#main tbody tr")
    assert rows.count() == 20
    first = rows.first.inner_text()
    page.get_by_role("button", name="Solved [95 %]").click()
    assert page.locator("th[aria-sort=descending]").count() == 1
    page.get_by_role("button", name="Solved [95 %]").press("Enter")
    assert page.locator("th[aria-sort=ascending]").count() == 1
    assert rows.last.inner_text() == first
    page.get_by_label("Search models").fill("Cedar lark")
    assert rows.count() == 2
    page.get_by_label("Reading").focus()
    page.get_by_label("Reading").select_option("strict")
    page.wait_for_function("() => location.hash.includes('verdict=strict')")
    page.wait_for_function("() => document.activeElement.id === 'choose-verdict'")
    page.get_by_label("Colours").select_option("dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(20, 23, 27)"


def test_keys_alone_lead_to_the_problems(report: Path, reader: Callable[..., Any]) -> None:
    page = reader(report, "board?cell=2")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main", "past the navigation"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "down":
            break
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Problems of").wait_for()
    page.wait_for_function("() => document.activeElement.tagName === 'H1'")


def test_paper_has_every_row_and_no_fields(report: Path, reader: Callable[..., Any]) -> None:
    page = reader(report, "reasons")
    page.emulate_media(media="print")
    assert not page.locator(".fields").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.board')).overflow") == "visible"
    assert len(page.pdf()) > 10_000


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing_serious(report: Path, reader: Callable[..., Any], axe: str, look: str) -> None:
    viewport = PHONE if look == "phone" else DESKTOP
    page = reader(report, "pairs", viewport, "dark" if look == "dark" else "light")
    page.evaluate(axe)
    pair = next(view for view in links(page) if kind(view) == "pair")
    page.evaluate("location.hash = 'board?cell=2'")
    shown(page, "board?cell=2")
    cell, model = (next(view for view in links(page) if kind(view) == wanted) for wanted in ("cell", "model"))
    identity = cell.split("/")[1].split("?")[0]
    # dark differs from light in its colours alone
    rules = {"preload": False, "resultTypes": ["violations"]} | (
        {"runOnly": "color-contrast"} if look == "dark" else {}
    )
    serious = {}
    for view in (*VIEWS, pair, model, cell, f"problem/{identity}/9", f"sample/{identity}/9", f"sample/{identity}/8"):
        page.evaluate("view => { location.hash = view; }", view)
        shown(page, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], f"{view} moves sideways"
        found = page.evaluate("rules => axe.run(rules)", rules)["violations"]
        serious |= {
            f"{view}: {one['id']}": [node["html"][:200] for node in one["nodes"][:3]]
            for one in found
            if one["impact"] in SERIOUS
        }
    assert serious == {}, json.dumps(serious, indent=1)


def test_500_models_open(large_report: Report, reader: Callable[..., Any]) -> None:
    for view in ("board", "all", "pairs", "refusals"):
        began = time.monotonic()
        page = reader(large_report.index, view)
        seconds, load = time.monotonic() - began, os.getloadavg()[0] / (os.cpu_count() or 1)
        num_rows = page.locator("#main tbody tr").count()
        print(f"\nreport, 500 models, {view}: {num_rows} rows after {seconds:.1f} s, {load:.1f} waiting per core")
        assert num_rows >= 25
        assert seconds < 60, "generous: other work may hold the machine up"
        page.context.close()
    print(f"report, 500 models: {large_report.num_files} files, {large_report.num_bytes / 1e6:.0f} MB")
