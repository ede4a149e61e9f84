"""Questions of people: what they may touch, how they are given and printed, and how they end."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from benchforge.ingest.errors import UsageError
from benchforge.runners.ask import sql
from benchforge.runners.ask.saved import saved_question, saved_questions, with_defaults
from benchforge.runners.cli.main import cli
from click.testing import CliRunner

BUNDLED = Path(__file__).parents[2] / "ingest" / "bundled"


def test_what_explain_would_run_is_looked_at_too(recorded_marts: Path) -> None:
    """EXPLAIN ANALYZE runs what it explains: DuckDB wrote the file into a folder that the views may read."""
    target = BUNDLED / "lake" / "written_by_explain.parquet"
    for words in ("explain analyze", "explain /* é */ (analyze, format json)", "EXPLAIN"):
        with pytest.raises(UsageError, match="COPY is refused"):
            sql.ask(recorded_marts, f"{words} copy (select 1) to '{target}'")
    assert not target.exists()


@pytest.mark.parametrize("words", ["explain", "explain analyze", "explain (format json)", "Explain /* é */ Analyze"])
def test_a_select_may_be_explained(recorded_marts: Path, words: str) -> None:
    assert len(sql.ask(recorded_marts, f"{words} select count(*) from headline").rows) == 1


@pytest.mark.parametrize(
    "query",
    [
        "from read_csv('/etc/passwd')",
        "from read_text('/etc/passwd')",
        "from glob('/etc/*')",
        "from '/etc/passwd.parquet'",
    ],
)
def test_files_outside_the_lake_are_closed(recorded_marts: Path, query: str) -> None:
    with pytest.raises(UsageError, match=r"disabled by configuration|Cannot access"):
        sql.ask(recorded_marts, query)


def test_tables_of_the_lake_have_their_own_names(recorded_marts: Path) -> None:
    (row,) = sql.ask(recorded_marts, "select count(*) as n from samples join results using (sample_id)").rows
    assert row["n"] == 618_970


def test_values_are_given_by_name(recorded_marts: Path) -> None:
    query = "select count(*) as n from headline where benchmark = $benchmark and score > $least::double"
    given = {"benchmark": "cruxeval", "least": "0.5"}
    (expected,) = sql.ask(recorded_marts, query.replace("$benchmark", "'cruxeval'").replace("$least", "'0.5'")).rows
    assert sql.ask(recorded_marts, query, given).rows == (expected,) and expected["n"] > 0
    with pytest.raises(UsageError, match="least"):
        sql.ask(recorded_marts, query, {"benchmark": "cruxeval"})


@pytest.mark.parametrize("saved", saved_questions(), ids=lambda saved: saved.name)
def test_a_saved_question_is_asked_with_its_defaults(recorded_marts: Path, saved) -> None:
    answer = sql.ask(recorded_marts, saved.query, with_defaults(saved, {}))
    assert answer.columns and saved.question.endswith("?")
    assert set(saved.meanings) == {name for name in saved.defaults if f"${name}" in saved.query.split("\nselect")[1]}


def test_a_parameter_narrows_a_saved_question(recorded_marts: Path) -> None:
    saved = saved_question("leaders")
    narrowed = sql.ask(recorded_marts, saved.query, with_defaults(saved, {"benchmark": "livecode*"}))
    assert {row["benchmark"] for row in narrowed.rows} == {"livecodebench"}
    with pytest.raises(UsageError, match="has no parameter modle"):
        with_defaults(saved, {"modle": "x"})
    with pytest.raises(UsageError) as caught:
        saved_question("leader")
    assert "leaders" in caught.value.hint


QUERY = "select 'a|b' as name, 1.5 as score, 'nan'::double as none, [1.0, 'inf'::double] as list"


def test_each_format_says_the_same(recorded_marts: Path, tmp_path: Path) -> None:
    printed = {name: _printed(recorded_marts, "--format", name, QUERY) for name in ("json", "csv", "markdown", "table")}
    assert json.loads(printed["json"]) == [{"name": "a|b", "score": 1.5, "none": None, "list": [1.0, None]}]
    assert printed["csv"].splitlines()[1].startswith("a|b,1.5,nan,")
    assert "| a\\|b |" in printed["markdown"] and "a|b" in printed["table"]
    assert pq.read_table(io.BytesIO(_bytes(recorded_marts, "--format", "parquet", QUERY))).num_rows == 1


@pytest.mark.parametrize("format_", ["json", "csv", "markdown", "table", "parquet"])
def test_an_output_file_is_whole_or_not_there(recorded_marts: Path, tmp_path: Path, format_: str) -> None:
    target = tmp_path / f"answer.{format_}"
    _printed(recorded_marts, "--format", format_, "--output", str(target), "select * from headline")
    assert target.stat().st_size > 1000
    target.write_text("older")
    failing = "select error('no') from range(30000) as counted(number) where number = 29999"
    arguments = ["sql", "--file", str(recorded_marts), "--format", format_, "--output", str(target), failing]
    assert CliRunner().invoke(cli, arguments).exit_code != 0
    assert target.read_text() == "older" and list(tmp_path.iterdir()) == [target]


def test_no_rows_are_an_empty_list(recorded_marts: Path) -> None:
    assert json.loads(_printed(recorded_marts, "--format", "json", "select 1 as a where false")) == []


def test_a_long_query_shows_how_far_it_is_and_ends_at_ctrl_c(recorded_marts: Path) -> None:
    """On a terminal of its own; the query would take minutes."""
    query = "select count(*) from range(300_000_000_000) as counted(number) where number % 7 = 3"
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "benchforge", "sql", "--file", str(recorded_marts), query]
    child = subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, start_new_session=True)
    try:
        os.close(theirs)
        assert "asking" in _shown_until(ours, "asking")
        child.send_signal(signal.SIGINT)
        assert "interrupted" in _shown_until(ours, "interrupted")
        assert child.wait(60) == 75
    finally:
        child.kill()
        child.wait()
        os.close(ours)


def _shown_until(descriptor: int, word: str) -> str:
    shown, deadline = "", time.monotonic() + 120
    while word not in shown and time.monotonic() < deadline:
        if select.select([descriptor], [], [], 1.0)[0]:
            try:
                shown += os.read(descriptor, 65536).decode(errors="replace")
            except OSError:  # the terminal is closed: the child has ended
                break
    return shown


def _printed(marts: Path, *words: str) -> str:
    done = CliRunner().invoke(cli, ["sql", "--file", str(marts), *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def _bytes(marts: Path, *words: str) -> bytes:
    command = [sys.executable, "-m", "benchforge", "sql", "--file", str(marts), *words]
    return subprocess.run(command, check=True, capture_output=True).stdout
