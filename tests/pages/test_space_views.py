"""What the Space says about the marts, without a browser: every number is theirs, every text is escaped, every
repository that it cannot read is refused in a sentence."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import duckdb
import published  # pyright: ignore[reportMissingImports]
import pytest
import views  # pyright: ignore[reportMissingImports]
import words  # pyright: ignore[reportMissingImports]
import yaml
from made_board import contracts
from published import NotReadable, Reader, Source  # pyright: ignore[reportMissingImports]
from space_server import SPACE


@pytest.fixture(scope="module")
def source(few_marts: Path) -> Source:
    return Source("made/benchforge-leaderboard", "made/benchforge-results", folder=few_marts)


@pytest.fixture(scope="module")
def board(source: Source) -> Any:
    return Reader(source).board()


@pytest.fixture
def values(board: Any, source: Source) -> dict[str, Any]:
    """What a page just opened has in its fields."""
    shown = views.opened(board, source, {})
    first = {name: value.value for name, value in shown.items() if isinstance(value, views.Options)}
    return first | {
        "search": "",
        "licence": "all",
        "origins": list(words.ORIGINS),
        "trust_tiers": list(words.TRUST_TIERS),
        "rows": "quoted",
        "columns": list(words.SHOWN_AT_FIRST),
    }


def texts(html: str) -> list[list[str]]:
    """Cells of a table's rows, as a reader sees them."""
    rows = re.findall(r"<tr>(.*?)</tr>", html.split("<tbody>")[1])
    cells = (re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row) for row in rows)
    return [[unescape(re.sub("<[^>]+>", "", cell)).strip() for cell in row] for row in cells]


def named(row: list[str]) -> str:
    """The model of a row, without the mark of its licence."""
    return row[0].split(" ")[0]


def asked(marts: Path, query: str) -> list[Any]:
    return duckdb.sql(query.replace("MARTS", str(marts))).fetchall()


def test_every_quoted_number_stands_in_the_table_of_all_benchmarks(
    board: Any, values: dict[str, Any], few_marts: Path
) -> None:
    shown = {named(row): row[1:] for row in texts(views.matrix_table(board, values))}
    quoted = asked(
        few_marts,
        "select replace(model, '__', '/'), score from 'MARTS/headline/headline.parquet'",
    )
    assert sum(cell != "–" for row in shown.values() for cell in row) == len(quoted) == 120
    for model, score in quoted:
        assert any(cell.startswith(f"{100 * score:.1f} [") for cell in shown[model]), (model, score)


def test_a_board_has_one_row_per_model_or_one_per_set_of_conditions(board: Any, values: dict[str, Any]) -> None:
    quoted = texts(views.board_table(board, values))
    every = texts(views.board_table(board, values | {"rows": "all"}))
    assert len({row[0] for row in quoted}) == len(quoted) == 20
    assert len(every) > len(quoted)
    assert {row[0] for row in every} == {row[0] for row in quoted}


def test_beside_the_tier_of_a_suite_stands_how_many_forged_samples_are_seen(board: Any, values: dict[str, Any]) -> None:
    ways = {name: shown.value for name, shown in views.ways(board, "bigcodebench/complete", {}).items()}
    rows = texts(views.board_table(board, values | ways | {"cell": "bigcodebench/complete"}))
    assert any("suite 96 of 97 forged seen" in row for row in rows)
    assert not any("forged" in cell for row in texts(views.board_table(board, values)) for cell in row)


def test_a_pair_reads_the_same_from_both_ends(board: Any, values: dict[str, Any]) -> None:
    first = values["compared_model"]
    rows = texts(views.pairs_table(board, values))
    other_key, difference = named(rows[0]).replace("/", "__", 1), rows[0][1]
    back = texts(views.pairs_table(board, values | {"compared_model": other_key}))
    turned = next(row[1] for row in back if named(row).replace("/", "__", 1) == first)
    at, low, high = re.findall(r"[+−][\d.]+", difference)
    flipped = str.maketrans("+−", "−+")
    assert re.findall(r"[+−][\d.]+", turned) == [text.translate(flipped) for text in (at, high, low)]


def test_every_refusal_is_shown_where_nothing_is_filtered(board: Any, values: dict[str, Any], few_marts: Path) -> None:
    [(num_refused,)] = asked(few_marts, "select count(*) from 'MARTS/refusals/fct_refusals.parquet'")
    assert len(texts(views.refusals_table(board, values))) == num_refused


def test_texts_of_the_marts_are_escaped(few_marts: Path, tmp_path: Path, values: dict[str, Any]) -> None:
    folder = tmp_path / "leaderboard"
    shutil.copytree(few_marts, folder)
    hostile = "<script>alert(1)</script>\"'&"
    for mart, column in (("refusals/fct_refusals", "detail"), ("models/dim_models", "licence")):
        file = folder / f"{mart}.parquet"
        connection = duckdb.connect()
        connection.execute(
            f"create table rows as select * replace ($hostile as {column}) from '{file}'", {"hostile": hostile}
        )
        connection.execute(f"copy rows to '{file}'")
    source = Source("n/a", "n/b", folder=folder)
    board = Reader(source).board()
    pages = [
        views.board_table(board, values),
        views.refusals_table(board, values),
        views.model_page(board, source, values)["facts"],
    ]
    for page in pages:
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_columns_read_are_columns_of_the_marts() -> None:
    declared = {mart: {column["name"] for column in columns} for mart, columns in contracts().items()}
    missing = {mart: set(needed.split()) - declared[mart] for mart, needed in published.NEEDED.items()}
    assert not {mart: columns for mart, columns in missing.items() if columns}


def without_publication(folder: Path) -> None:
    (folder / "publication.json").unlink()


def of_another_layout(folder: Path) -> None:
    (folder / "publication.json").write_text(json.dumps({"layout": 2}), encoding="utf-8")


def half_written(folder: Path) -> None:
    (folder / "publication.json").write_text('{"layout": ', encoding="utf-8")


def without_a_mart(folder: Path) -> None:
    (folder / "refusals" / "fct_refusals.parquet").unlink()


def without_a_column(folder: Path) -> None:
    file = folder / "headline" / "headline.parquet"
    duckdb.sql(f"create or replace temp table kept as select * exclude (interval_low) from '{file}'")
    duckdb.sql(f"copy kept to '{file}'")


def torn(folder: Path) -> None:
    file = folder / "leaderboard" / "leaderboard.parquet"
    file.write_bytes(file.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (without_publication, "older schema"),
        (of_another_layout, "update the Space"),
        (half_written, "cannot be read"),
        (without_a_mart, "lacks fct_refusals.parquet"),
        (without_a_column, "headline lacks interval_low"),
        (torn, "leaderboard.parquet of the leaderboard cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    few_marts: Path, tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "leaderboard"
    shutil.copytree(few_marts, folder)
    harm(folder)
    with pytest.raises(NotReadable, match=said):
        Reader(Source("n/a", "n/b", folder=folder)).board()


def test_a_board_once_read_stays_while_the_hub_is_away(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(source)
    first = reader.board()

    def away(_: Source) -> str:
        raise NotReadable("The Hub does not answer.")

    monkeypatch.setattr(published, "newest_commit", away)
    reader.look_again()
    reader._look()
    assert reader.board() is first


def test_a_newer_commit_is_read_and_an_equal_one_is_not(
    source: Source, monkeypatch: pytest.MonkeyPatch, few_marts: Path
) -> None:
    commits = iter(["1" * 40, "1" * 40, "2" * 40])
    monkeypatch.setattr(published, "newest_commit", lambda _: next(commits))
    monkeypatch.setattr(published, "fetched", lambda *_: few_marts)
    reader = Reader(source)
    boards = []
    for _ in range(3):
        reader.look_again()
        reader._look()
        boards.append(reader.board())
    assert boards[0] is boards[1]
    assert [one.commit for one in boards] == ["1" * 40, "1" * 40, "2" * 40]


def test_the_hub_is_asked_again_before_it_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(published.time, "sleep", pauses.append)
    tries = []

    def ask() -> str:
        tries.append(1)
        if len(tries) < published.TRIES:
            raise ConnectionError("away")
        return "answer"

    assert published._from_hub(Source("n/a", "n/b"), ask) == "answer"
    assert pauses == [1.0, 2.0, 4.0]


def test_the_environment_wins_over_what_was_published_with_the_space() -> None:
    assert Source.declared({}).leaderboard == "D4vidHuang/benchforge-leaderboard"
    assert Source.declared({"BENCHFORGE_NAMESPACE": "own"}).results == "own/benchforge-results"
    named = Source.declared({"BENCHFORGE_LEADERBOARD": "a/b", "BENCHFORGE_REVISION": "v1"})
    assert (named.leaderboard, named.revision) == ("a/b", "v1")


def test_the_space_is_declared_as_it_is_tested() -> None:
    front = yaml.safe_load((SPACE / "README.md").read_text(encoding="utf-8").split("---")[1])
    pinned = dict(line.split("==") for line in (SPACE / "requirements.txt").read_text(encoding="utf-8").split())
    assert front["sdk"] == "gradio"
    assert front["sdk_version"] == pinned["gradio"], "the Hub installs sdk_version, the tests requirements.txt"
    assert (SPACE / front["app_file"]).exists()
    assert len(front["short_description"]) <= 60, "the Hub cuts longer ones"
