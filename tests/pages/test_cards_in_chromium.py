"""The cards of the data sets as the Hub shows them: Markdown as HTML, in a real Chromium, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from benchforge.runners.publish import cards, picture
from benchforge.runners.publish.results_lake import Assembled

PHONE = {"width": 390, "height": 844}
# what the Hub does to wide things in a card: a picture shrinks, a table and code scroll by themselves
STYLE = """
body { margin: 0 auto; max-width: 50rem; padding: 1rem; font-family: sans-serif; overflow-wrap: break-word; }
img { max-width: 100%; }
table { display: block; overflow-x: auto; border-collapse: collapse; }
td, th { border: 1px solid #ccc; padding: 0.25rem 0.5rem; }
pre { overflow-x: auto; }
"""


@pytest.fixture(scope="module")
def marts_file(few_marts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made marts in one DuckDB file, as `benchforge aggregate` leaves them."""
    path = tmp_path_factory.mktemp("file") / "marts.duckdb"
    with duckdb.connect(str(path)) as connection:
        for file in few_marts.glob("*/*.parquet"):
            connection.execute(f"create table {file.stem} as from '{file}'")
    return path


@pytest.fixture(scope="module")
def folder(marts_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both cards as pages, the picture beside them."""
    markdown = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed: make test-pages")
    folder = tmp_path_factory.mktemp("cards")
    names = cards.Names.of("made")
    with duckdb.connect(str(marts_file), read_only=True) as connection:
        found = connection.execute("select * from headline order by benchmark, scenario, score desc, model")
        columns = [column[0] for column in found.description or ()]
        headline = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    picture.draw(headline, folder / cards.PICTURE)
    (folder / "data").mkdir()
    written = {
        "leaderboard": cards.leaderboard_card(marts_file, names, "data-made"),
        "results": cards.results_card(folder, marts_file, Assembled(1, 1, 1, 0), names),
    }
    for name, card in written.items():
        body = markdown.MarkdownIt("commonmark").enable("table").render(card.split("---\n", 2)[2])
        page = f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title><style>{STYLE}</style>{body}"
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return folder


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["leaderboard", "results"])
def test_a_card_is_readable(folder: Path, opened: Callable[..., Any], name: str, viewport: dict[str, int]) -> None:
    page = opened((folder / f"{name}.html").as_uri(), viewport)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], "the page moves sideways"
    assert page.locator("table tbody tr").count() > 0
    assert page.locator("pre code").count() > 0, "a query to copy"
    assert page.locator("h1").count() == 1
    assert "|" not in page.locator("p").first.inner_text()
    assert not page.get_by_text("$", exact=True).count(), "a name was not filled in"


def test_the_card_of_the_leaderboard_shows_numbers_and_a_picture(folder: Path, opened: Callable[..., Any]) -> None:
    page = opened((folder / "leaderboard.html").as_uri())
    shown = page.locator("img")
    assert shown.get_attribute("alt"), "who cannot see the picture is told what it shows"
    assert shown.evaluate("image => image.complete && image.naturalWidth") > 400
    first = page.locator("table").first
    assert first.locator("tbody tr").count() == 20
    assert first.locator("thead th").count() == 7
    assert first.locator("tbody tr td").nth(1).inner_text().count("[") == 1, "a number without its interval"
