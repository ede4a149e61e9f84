"""`benchforge report` writes what marts and lake hold, whatever the texts are, whole or not at all, byte for byte."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from benchforge.ingest.errors import BadInput, NotStaged, UsageError
from benchforge.runners.ask.report import texts
from benchforge.runners.ask.report.chunks import Chunks, encoded, packed, short_id
from benchforge.runners.ask.report.place import MARK, written_beside
from benchforge.runners.ask.report.writing import Limits, write_report
from hypothesis import given
from hypothesis import strategies as st

PAGES = Path(__file__).parents[1] / "pages"
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made marts of 20 models, and made samples with hostile texts."""
    sys.path.insert(0, str(PAGES))
    try:
        from made_report import write_marts_file  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.remove(str(PAGES))
    return write_marts_file(tmp_path_factory.mktemp("made") / "made.duckdb", 20)


@pytest.fixture(scope="module")
def report(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(made, tmp_path_factory.mktemp("written") / "report").index.parent


def chunk(path: Path) -> Any:
    """What a file of data hands to the page."""
    text = path.read_text(encoding="ascii")
    assert text.startswith("report.take(")
    assert text.endswith(");\n")
    name, _, value = text[len("report.take(") : -3].partition(",")
    assert (
        json.loads(name)
        == path.relative_to(path.parents[1] if path.name != "index.js" else path.parent).with_suffix("").as_posix()
    )
    return json.loads(value)


def rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    """A packed table as the page reads it."""

    def value(column: list[Any], row: int) -> Any:
        return column[1] if column[0] == 0 else column[1][column[2][row]] if column[0] == 1 else column[1][row]

    return [{name: value(column, row) for name, column in table["columns"].items()} for row in range(table["rows"])]


def digest(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@given(ANY_TEXT)
def test_a_text_is_a_string_of_ascii_that_ends_no_script(text: str) -> None:
    written = encoded({"text": text})
    assert written.isascii()
    assert "<" not in written
    assert "\n" not in written
    # two halves of a pair are one character once they stand side by side, as in a script
    assert json.loads(written)["text"] == text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@given(st.lists(st.sampled_from([None, "a", "__proto__", 1.5, True, b"\x01", [1, "x"]]), max_size=9))
def test_a_packed_column_gives_its_values_back(values: list[Any]) -> None:
    found = rows(json.loads(encoded(packed([{"column": value} for value in values], ("column",)))))
    assert [row["column"] for row in found] == [value.hex() if isinstance(value, bytes) else value for value in values]


@given(ANY_TEXT, st.sampled_from(["raw", "program", "prose"]), st.sampled_from(sorted(texts.LANGUAGES)))
def test_runs_cover_no_more_than_the_text(text: str, form: str, language: str) -> None:
    shown = texts.shown(text, None, form, language)
    assert shown["text"] == text
    lengths = shown["runs"][1::2]
    assert all(length > 0 for length in lengths)
    assert sum(lengths) <= len(text.encode("utf-16-le", "surrogatepass")) // 2, "lengths are those of a script's string"


def test_colours_fall_on_the_words_they_mean() -> None:
    shown = texts.shown("\U0001f600\n```py\ndef f():  # \U0001f600\n    return 'x'\n```\ndef", form="raw")
    units = shown["text"].encode("utf-16-le")
    found, at = [], 0
    for kind, length in zip(shown["runs"][::2], shown["runs"][1::2], strict=True):
        found.append((texts.KINDS[kind], units[2 * at : 2 * (at + length)].decode("utf-16-le")))
        at += length
    coloured = [(kind, text) for kind, text in found if kind]
    assert coloured == [
        *(("keyword", "def"), ("name", "f"), ("comment", "# \U0001f600"), ("keyword", "return"), ("string", "'x'")),
    ]


def test_a_long_text_is_cut_and_says_so_and_one_made_to_hurt_a_lexer_stays_plain() -> None:
    whole = "".join(map(str, range(200_000)))
    shown = texts.shown(whole)
    assert shown["text"] == whole[: len(shown["text"])]
    assert shown["tail"] == whole[-len(shown["tail"]) :]
    assert len(shown["text"]) + len(shown["tail"]) == shown["cut"]["num_shown"] == texts.MAX_SHOWN
    assert shown["cut"]["sha256"] == hashlib.sha256(whole.encode()).hexdigest()
    assert texts.shown(" \n" * 4_000)["runs"] == []
    assert texts.shown("def f(): pass", language="brainfuck")["runs"] == []


def test_the_same_marts_give_the_same_bytes(made: Path, report: Path, tmp_path: Path) -> None:
    again = write_report(made, tmp_path / "again").index.parent
    assert digest(again) == digest(report)


def test_no_file_of_a_report_can_hold_what_the_page_would_run(report: Path) -> None:
    for path in (report / "data").rglob("*.js"):
        assert b"<" not in path.read_bytes()
    names = [path.name for path in report.rglob("*")]
    assert all(name.replace("-", "").replace(".", "").isalnum() for name in names), "names of models name no file"


def test_every_quoted_number_leads_to_samples_that_give_it(recorded_marts: Path, tmp_path: Path) -> None:
    limits = Limits(models=("unknown__codellama-7b*",), benchmarks=("cruxeval",))
    data = write_report(recorded_marts, tmp_path / "report", limits).index.parent / "data"
    checked = 0
    for board in chunk(data / "index.js")["boards"]:
        for row in rows(chunk(data / "boards" / f"{board['board']}.js")):
            if (
                row["cell"]
                and board["metric"] == "pass@1"
                and board["scope"] == "all"
                and board["verdict"] == "official"
            ):
                found = chunk(data / "cells" / f"{row['cell']}.js")
                samples = rows(found["samples"])
                passed = sum(sample["outcome"][0] == "pass" for sample in samples)
                assert passed / len(samples) == pytest.approx(row["score"], abs=1e-8)
                assert len(rows(found["tasks"])) == row["num_problems"]
                checked += 1
    assert checked >= 2, "both directions of CRUXEval"


def test_what_a_suites_pass_is_worth_stands_beside_its_tier(report: Path) -> None:
    data = report / "data"
    boards = {board["benchmark"]: board["board"] for board in chunk(data / "index.js")["boards"]}
    [suite, other] = [rows(chunk(data / "boards" / f"{boards[name]}.js"))[0] for name in ("bigcodebench", "cruxeval")]
    assert (suite["trust_tier"], suite["num_forged"], round(suite["detection_rate"] * 97)) == ("suite", 97, 96)
    assert (other["num_forged"], other["detection_rate"]) == (None, None)


def test_every_sample_is_in_the_file_that_its_line_names(report: Path, made: Path) -> None:
    data = report / "data"
    with duckdb.connect(str(made), read_only=True) as connection:
        query = "select sample_id, raw_text, text_encoding from staging.stg_lake__samples"
        known = {bytes(key).hex(): (text, form) for key, text, form in connection.execute(query).fetchall()}
    seen = 0
    for path in (data / "cells").glob("*.js"):
        for line in rows(chunk(path)["samples"]):
            held = chunk(data / "samples" / f"{path.stem}-{line['file']}.js")
            sample = rows(held["samples"])[line["row"]]
            text, form = known.pop(sample["sample_id"])
            original = json.loads(text) if form == "json" else text
            assert original.startswith(held["texts"][line["row"]]["raw_text"]["text"])
            assert sample["sample_index"] == line["index"]
            seen += 1
            if seen % 13 == 0:
                break  # of each cell enough: files are read again for each line
    assert seen >= 12


def test_limits_leave_texts_and_samples_out(made: Path, tmp_path: Path) -> None:
    none = write_report(made, tmp_path / "none", Limits(texts="none"))
    assert (none.num_samples, none.num_texts) == (390, 0)
    assert all(chunk(path)["texts"] == [] for path in (tmp_path / "none" / "data" / "samples").iterdir())
    failed = write_report(made, tmp_path / "failed", Limits(texts="failed"))
    assert 0 < failed.num_texts < 390
    headline = write_report(made, tmp_path / "headline", Limits(is_only_headline=True))
    assert headline.num_samples == 390
    few = write_report(made, tmp_path / "few", Limits(models=("alder__*",), benchmarks=("mbpp*",)))
    assert few.num_cells == 1
    assert few.num_numbers == none.num_numbers, "boards are whole"


def test_a_folder_that_is_no_report_is_refused_before_anything_is_written(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    (folder / MARK).write_text('{"kind": "something else"}')
    with pytest.raises(UsageError, match="something else than a report"):
        write_report(made, folder)
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(folder)
    for name in ("file", "link"):
        with pytest.raises(UsageError, match="no folder of a report"):
            write_report(made, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "mine"]
    assert sorted(path.name for path in folder.iterdir()) == [MARK, "thesis.txt"]


def test_a_folder_without_a_name_of_its_own_is_taken_too(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report").mkdir()
    monkeypatch.chdir(tmp_path / "report")
    write_report(made, Path(), Limits(texts="none"))
    assert (tmp_path / "report" / MARK).is_file()
    monkeypatch.chdir(tmp_path / "report")  # the old folder is gone
    write_report(made, Path("data/.."), Limits(texts="none"))
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_an_older_report_stays_until_the_new_one_is_whole(made: Path, tmp_path: Path) -> None:
    place = tmp_path / "report"
    write_report(made, place, Limits(texts="none"))
    before = digest(place)
    with pytest.raises(RuntimeError), written_beside(place) as new:
        (new / "index.html").write_text("half")
        raise RuntimeError
    assert digest(place) == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"], "nothing is left beside it"
    (place / "left over").write_text("of an older version")
    write_report(made, place, Limits(texts="none"))
    assert digest(place) == before


def test_marts_that_cannot_be_read_are_said_in_a_sentence(made: Path, tmp_path: Path) -> None:
    with pytest.raises(NotStaged, match="there are no marts"):
        write_report(tmp_path / "none.duckdb", tmp_path / "report")
    older = tmp_path / "older.duckdb"
    with duckdb.connect(str(older)) as connection:
        connection.execute("create schema staging; create schema intermediate; create schema seeds")
        connection.execute("create table staging.stg_lake__samples (benchmark text, model text)")
    with pytest.raises(BadInput, match="another version of benchforge"):
        write_report(older, tmp_path / "report")
    moved = tmp_path / "moved.duckdb"
    moved.write_bytes(made.read_bytes())
    with duckdb.connect(str(moved)) as connection:
        gone = tmp_path / "part.parquet"
        connection.execute(f"copy (from staging.stg_lake__samples) to '{gone}'")
        connection.execute("drop table staging.stg_lake__samples")
        connection.execute(f"create view staging.stg_lake__samples as from read_parquet('{gone}')")
    gone.unlink()
    with pytest.raises(BadInput, match="cannot be read any more"):
        write_report(moved, tmp_path / "report")
    for limits, said in (
        (Limits(models=("nobody",)), "no sample is of a model 'nobody'"),
        (Limits(models=("alder__*",), benchmarks=("mbpp*", "humanevl*")), "of a benchmark .*did you mean humaneval"),
    ):
        with pytest.raises(UsageError, match=said):
            write_report(made, tmp_path / "report", limits)
    assert not (tmp_path / "report").exists()


def test_ctrl_c_leaves_the_older_report_and_nothing_beside(made: Path, tmp_path: Path) -> None:
    place = tmp_path / "report"
    write_report(made, place, Limits(texts="none"))
    before = digest(place)
    command = [sys.executable, "-m", "benchforge", "report", "--file", str(made), "--output", str(place)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob(".benchforge-report-*/new/data/cells/*")) and process.poll() is None:
            assert time.monotonic() < deadline, "it never began to write"
            time.sleep(0.001)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    if process.returncode == 0:
        pytest.skip("it had ended before the signal came")
    assert process.returncode == 75
    assert "an older one is as it was" in said
    assert digest(place) == before


def test_names_from_outside_name_no_files() -> None:
    assert short_id("../../etc", None, "\ud83d") == short_id("../../etc", None, "\ud83d")
    assert len(short_id("a")) == 16
    assert short_id("a", "b") != short_id("ab")


def test_chunks_count_what_they_write(tmp_path: Path) -> None:
    chunks = Chunks(tmp_path)
    chunks.add("boards/x", {"a": "</script>"})
    assert chunks.num_bytes == (tmp_path / "data" / "boards" / "x.js").stat().st_size


def test_the_library_of_charts_keeps_its_notice(report: Path) -> None:
    pytest.importorskip("vl_convert", reason="the charts' library is not installed: pip install '.[report]'")
    assert "Copyright (c) University of Washington" in (report / "charts" / "vega.js").read_text(encoding="utf-8")[:400]


def test_without_the_library_of_charts_a_report_is_whole_and_says_so(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchforge.runners.cli.main import cli
    from click.testing import CliRunner

    monkeypatch.setitem(sys.modules, "vl_convert", None)
    place = tmp_path / "report"
    words = ["report", "--file", str(made), "--output", str(place), "--texts", "none", "--format", "json"]
    answer = CliRunner().invoke(cli, words)
    assert answer.exit_code == 0
    assert "pip install 'benchforge[report]'" in answer.stderr
    [said] = json.loads(answer.stdout)
    assert said["index"] == str(place / "index.html")
    assert said["has_charts"] is False
    assert chunk(place / "data" / "index.js")["charts"] is None
    assert not (place / "charts").exists()
