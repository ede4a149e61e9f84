"""The Space as its readers use it: a real Chromium, 500 made models, keys and a narrow screen."""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from space_server import served

PHONE = {"width": 390, "height": 844}
ROWS = ".board:visible tbody tr"
SERIOUS = ("serious", "critical")
# axe rules that gradio's own markup breaks: rule → why it is left to gradio. Ours has none.
OF_GRADIO: dict[str, str] = {}


def rows_shown(page: Any, num_rows: int) -> None:
    """Waits until a table of so many rows stands there."""
    page.wait_for_function(
        "([rows, wanted]) => [...document.querySelectorAll('.board')].some(board => board.checkVisibility()"
        " && board.querySelectorAll(rows).length === wanted)",
        arg=["tbody tr", num_rows],
    )


def shown_until(page: Any, test: str, wanted: Any = None) -> None:
    """Waits until a condition over the visible table's texts holds: `test` is JavaScript over `texts` and `wanted`."""
    page.wait_for_function(
        "wanted => { const board = [...document.querySelectorAll('.board')].find(one => one.checkVisibility());"
        " if (!board) return false;"
        " const texts = [...board.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.innerText));"
        f" return {test}; }}",
        arg=wanted,
    )


def column(page: Any, number: int) -> list[str]:
    return page.locator(ROWS).locator(f":nth-match(th, 1), td:nth-child({number})").all_inner_texts()


def scores(page: Any) -> list[float]:
    return [float(text.split()[0]) for text in page.locator(f"{ROWS} td:nth-child(2)").all_inner_texts()]


def ask(marts: Path, query: str) -> Any:
    return duckdb.sql(query.replace("MARTS", str(marts))).fetchall()[0][0]


def choose(page: Any, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).locator("visible=true").first.click()
    page.get_by_role("option", name=option, exact=True).click()


def test_the_page_shows_every_model_of_a_board_and_how_sure_it_is(space: str, opened: Callable[..., Any]) -> None:
    began = time.monotonic()
    page = opened(space)
    rows_shown(page, 500)
    seconds, load = time.monotonic() - began, os.getloadavg()[0] / (os.cpu_count() or 1)
    print(f"\nSpace, 500 models: table shown after {seconds:.1f} s, with {load:.1f} processes waiting per core")
    first = page.locator(ROWS).first.inner_text()
    low, high = first.split("[")[1].split("]")[0].split(",")
    assert float(low) < scores(page)[0] < float(high)
    assert "of 400" in first, "the possible ranks stand in the row"
    assert scores(page) == sorted(scores(page), reverse=True), "best first"


def test_a_filter_leaves_the_rows_that_fit_it(space: str, made_marts: Path, opened: Callable[..., Any]) -> None:
    page = opened(space)
    rows_shown(page, 500)
    page.get_by_text("Filters: licence").click()
    page.get_by_label("not OSI-approved, or unknown").check()
    rows_shown(page, 125)
    assert page.locator(f"{ROWS} .mark").count() == 125, "each of them is marked"
    page.get_by_label("OSI-approved", exact=True).check()
    rows_shown(page, 375)
    page.get_by_label("run by us").uncheck()
    published = ask(
        made_marts,
        "select count(distinct model) from 'MARTS/leaderboard/leaderboard.parquet' "
        "join 'MARTS/models/dim_models.parquet' using (model) where origin = 'published' and is_osi_approved "
        "and metric = 'pass@1' and verdict = 'official' and benchmark = 'cruxeval' and scenario = 'cruxeval_i'",
    )
    rows_shown(page, published)
    page.get_by_label("published", exact=True).uncheck()
    page.get_by_text("No row fits what is chosen above.").wait_for()


def test_test_set_metric_and_window_choose_the_board(space: str, opened: Callable[..., Any]) -> None:
    page = opened(space)
    rows_shown(page, 500)
    choose(page, "Benchmark", "LiveCodeBench: generation")
    page.get_by_text("livecodebench/generation, v6, pass@1: 500 rows").wait_for()
    page.get_by_text("Window, reading, rows and columns").click()
    choose(page, "Window", "clean: younger than the training data")
    shown_until(page, "texts.length > 0 && texts.every(row => row.includes('351'))")
    choose(page, "Metric", "pass@5")
    page.get_by_text("livecodebench/generation, v6, pass@5").wait_for()
    page.get_by_label("Licence").locator("visible=true").uncheck()
    shown_until(page, "!texts.some(row => row.some(text => text.includes('licence') || text === 'MIT'))")


def test_search_finds_pasted_and_typed_names(space: str, opened: Callable[..., Any]) -> None:
    page = opened(space)
    rows_shown(page, 500)
    page.get_by_label("Search models").fill("wren 7b")
    rows_shown(page, 10)
    page.get_by_label("Search models").press_sequentially(" elm/")
    rows_shown(page, 1)
    assert "elm/wren-7b" in page.locator(ROWS).inner_text()
    page.get_by_label("Search models").fill("nobody's model")
    page.get_by_text("No row fits what is chosen above.").wait_for()


def test_columns_sort_by_number_with_mouse_and_keys_and_stay_sorted(space: str, opened: Callable[..., Any]) -> None:
    page = opened(f"{space}?cell=livecodebench/generation")
    rows_shown(page, 500)
    header = page.get_by_role("columnheader", name="Score [95 %]")
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    header.get_by_role("button").press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert scores(page) == sorted(scores(page)), "9.1 stands below 71.2"
    assert scores(page)[0] < 10
    page.get_by_label("Search models").fill("heron")
    rows_shown(page, 100)
    assert scores(page) == sorted(scores(page)), "a new table keeps the order asked for"
    page.get_by_role("columnheader", name="Ranks possible").get_by_role("button").click()
    ranks = [int(text.split("–")[0].split()[0]) for text in page.locator(f"{ROWS} td:nth-child(3)").all_inner_texts()]
    assert ranks == sorted(ranks), "best rank first"


def test_a_table_can_be_taken_away_as_csv(few_space: str, opened: Callable[..., Any]) -> None:
    page = opened(few_space)
    rows_shown(page, 20)
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download this table as CSV").locator("visible=true").click()
    lines = list(csv.reader(taken.value.path().read_text(encoding="utf-8").splitlines()))
    assert lines[0][:2] == ["Model", "Score [95 %]"]
    assert len(lines) == 21
    assert [float(line[1].split()[0]) for line in lines[1:]] == scores(page)


def test_the_other_tabs_answer(space: str, made_marts: Path, opened: Callable[..., Any]) -> None:
    page = opened(space)
    rows_shown(page, 500)
    page.get_by_role("tab", name="All benchmarks").click()
    page.get_by_text("All benchmarks: 500 models").wait_for()
    assert page.locator(f"{ROWS}:first-child td").count() == 6
    page.get_by_role("tab", name="Compare").click()
    page.get_by_text("against 399 others, paired by problem").wait_for()
    best = page.locator("caption:visible .title").inner_text().split(" against")[0]
    worst = page.locator(ROWS).first.inner_text()
    assert worst.count("+") == 3, "the best model is better than the worst, by its whole interval"
    assert best not in page.locator(f"{ROWS} th").all_inner_texts()
    page.get_by_role("tab", name="Not computed").click()
    num_refused = ask(made_marts, "select count(*) from 'MARTS/refusals/fct_refusals.parquet'")
    page.get_by_text(f"the first 500 of {num_refused}").wait_for()
    choose(page, "Why", "sandbox errors (56)")
    rows_shown(page, 56)


def test_a_models_name_leads_to_its_page_and_its_address_does_too(space: str, opened: Callable[..., Any]) -> None:
    page = opened(space)
    rows_shown(page, 500)
    page.get_by_label("Search models").fill("cedar/finch-7b")
    rows_shown(page, 1)
    page.get_by_role("link", name="cedar/finch-7b").click()
    page.get_by_text("cedar/finch-7b: ").wait_for()
    assert page.get_by_role("tab", selected=True).inner_text() == "Model"
    assert "approved by the OSI" in page.locator(".facts").locator("visible=true").inner_text()
    other = opened(f"{space}?model=cedar__finch-7b")
    other.get_by_text("cedar/finch-7b: ").wait_for()
    assert "where model = 'cedar__finch-7b'" in other.locator("pre").locator("visible=true").first.inner_text()


def test_a_narrow_screen_shows_score_and_rank_without_moving_the_page(space: str, opened: Callable[..., Any]) -> None:
    for tab in ("board", "matrix", "pairs", "refusals", "model"):
        page = opened(f"{space}?tab={tab}", PHONE)
        page.locator(ROWS).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], f"{tab} moves sideways"
        if tab == "board":
            box = page.locator(ROWS).first.locator("td").first.bounding_box()
            assert box["x"] + box["width"] <= PHONE["width"], "score and interval are seen at once"
            assert box["y"] < PHONE["height"], "the first row is seen without scrolling"


def test_a_page_opens_where_there_is_nothing_to_read_and_recovers(
    pages_python: str, few_marts: Path, tmp_path: Path, opened: Callable[..., Any]
) -> None:
    folder = tmp_path / "leaderboard"
    shutil.copytree(few_marts, folder)
    hidden = (folder / "publication.json").rename(tmp_path / "publication.json")
    with served(pages_python, BENCHFORGE_FOLDER=str(folder)) as address:
        page = opened(address)
        page.get_by_role("alert").get_by_text("it was published in an older schema").wait_for()
        hidden.rename(folder / "publication.json")
        page.get_by_role("button", name="Try again").click()
        rows_shown(page, 20)
        assert page.get_by_role("alert").count() == 0
        page.context.close()


def test_an_unreachable_hub_is_said_in_a_sentence(
    pages_python: str, tmp_path: Path, opened: Callable[..., Any]
) -> None:
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "BENCHFORGE_NAMESPACE": "made"}
    with served(pages_python, **nowhere) as address:
        page = opened(address)
        page.get_by_role("alert").get_by_text("The Hub does not answer for made/benchforge-leaderboard").wait_for()
        page.get_by_role("button", name="Try again").wait_for()
        page.context.close()


def test_names_are_shown_and_never_run(
    pages_python: str, few_marts: Path, tmp_path: Path, opened: Callable[..., Any]
) -> None:
    folder = tmp_path / "leaderboard"
    shutil.copytree(few_marts, folder)
    hostile = "fir__<img src=x onerror=document.title='run'>${document.title='run'}{{value}}"
    for file in folder.glob("*/*.parquet"):
        connection = duckdb.connect()
        connection.execute(f"create table rows as select * from '{file}'")
        for name in ("model", "hub_id"):
            if name in [row[0] for row in connection.execute("describe rows").fetchall()]:
                connection.execute(
                    f"update rows set {name} = $hostile where {name} like 'fir_%lark-0.5b'", {"hostile": hostile}
                )
        connection.execute(f"copy rows to '{file}'")
    with served(pages_python, BENCHFORGE_FOLDER=str(folder)) as address:
        page = opened(address)
        rows_shown(page, 20)
        page.get_by_text("onerror=").first.wait_for()
        for tab in ("All benchmarks", "Compare", "Not computed", "Model"):
            page.get_by_role("tab", name=tab).click()
            page.locator(ROWS).first.wait_for()
        assert page.title() == "benchForge leaderboard"
        page.context.close()


@pytest.mark.parametrize("tab", ["board", "matrix", "pairs", "refusals", "model", "recompute"])
def test_axe_finds_nothing_serious(few_space: str, axe: str, opened: Callable[..., Any], tab: str) -> None:
    page = opened(f"{few_space}?tab={tab}")
    page.locator(".board tbody tr, .code").locator("visible=true").first.wait_for()
    page.evaluate(axe)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    serious = {one["id"]: [node["html"][:200] for node in one["nodes"]] for one in found if one["impact"] in SERIOUS}
    assert {rule: nodes for rule, nodes in serious.items() if rule not in OF_GRADIO} == {}, json.dumps(
        serious, indent=1
    )
