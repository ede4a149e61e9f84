"""Generating a shard: exactly the planned rows, whatever ended the attempts before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.errors import ConfigurationChanged, Incomplete, UsageError
from benchforge.ingest.manifest import Run
from benchforge.ingest.texts import original
from benchforge.runners.cli.generate import command as generate_command
from benchforge.runners.generate import shard as shard_module
from benchforge.runners.generate import work as work_module
from benchforge.runners.generate.client import Refused
from benchforge.runners.generate.pending import to_generate
from benchforge.runners.selection import Selection
from click.testing import CliRunner
from planned_run import ROWS, Server, assert_whole, generate, journal_rows, planned, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return planned(tmp_path)


def test_a_shard_is_asked_for_sealed_and_then_done(run: Run, server: Server):
    (done,) = generate(run, server)
    assert (done.num_rows, done.num_asked, done.num_resumed) == (ROWS, ROWS, 0)
    assert_whole(run)
    assert set(server.asked.values()) == {1}
    assert generate(run, server) == []
    (attempt,) = run.lake.read("runs").to_pylist()
    assert (attempt["cause"], attempt["num_rows"], attempt["engine"]) == ("done", ROWS, "endpoint")
    assert run.lake.read("tasks").num_rows == 42


def test_a_limit_leaves_the_rest_for_the_next_call(run: Run, server: Server):
    with pytest.raises(Incomplete, match=f"{ROWS - 10} of {ROWS} samples"):
        generate(run, server, limit=10)
    assert len(journal_rows(run)) == 10
    (done,) = generate(run, server)
    assert (done.num_asked, done.num_resumed) == (ROWS - 10, 10)
    assert set(server.asked.values()) == {1}
    assert_whole(run)


def test_a_torn_last_line_is_asked_for_again_and_only_that_one(run: Run, server: Server):
    with pytest.raises(Incomplete):
        generate(run, server, limit=10)
    (shard_id,) = run.manifest.shards()
    path = run.journal("generate", shard_id).path
    path.write_bytes(path.read_bytes()[:-30])
    (done,) = generate(run, server)
    assert done.num_resumed == 9
    assert sorted(server.asked.values())[-2:] == [1, 2]
    assert_whole(run)


def test_refused_samples_leave_the_shard_incomplete_and_stop_no_other(run: Run, server: Server):
    server.refuses = "def clamp("
    with pytest.raises(
        Incomplete, match=r"2 of 84 samples .* the server refused a request with 400: too long"
    ) as caught:
        generate(run, server)
    assert caught.value.hint == "see the server's log, then run the same command again"
    assert len(journal_rows(run)) == ROWS - 2
    (shard_id,) = run.manifest.shards()
    assert not run.is_done("generate", shard_id)
    assert run.lake.read("samples").num_rows == 0
    server.refuses = ""
    generate(run, server)
    assert_whole(run)


@pytest.mark.parametrize("count", [2**70, -3, "7", True])
def test_a_count_that_is_none_is_not_known_and_never_in_the_way_of_the_seal(run: Run, server: Server, count: Any):
    choice = {"index": 0, "message": {"content": "answer 5"}, "finish_reason": "stop"}
    server.odd = [{"choices": [choice], "usage": {"prompt_tokens": count, "completion_tokens": count}}]
    generate(run, server)
    counts = run.lake.read("samples", ["prompt_tokens", "completion_tokens"]).to_pylist()
    assert [list(row.values()) for row in counts].count([None, None]) == 1
    assert len(counts) == ROWS


def test_a_server_that_refuses_everything_is_given_up(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(work_module, "_HOPELESS_REFUSALS", 5)
    server.refuses = " "
    with pytest.raises(Refused):
        generate(run, server, concurrency=1)
    assert sum(server.asked.values()) == 5


def test_what_force_began_goes_on_without_it(run: Run, server: Server, tmp_path: Path):
    words = ["--config", str(tmp_path / "run.yaml"), "--scratch", str(tmp_path), "--base-url", server.base_url]
    CliRunner().invoke(generate_command, words, catch_exceptions=False)
    with pytest.raises(Incomplete, match="81 of 84 samples") as caught:
        CliRunner().invoke(generate_command, [*words, "--force", "--limit", "3"], catch_exceptions=False)
    assert "without --force" in caught.value.hint
    done = CliRunner().invoke(generate_command, [*words, "--format", "json"], catch_exceptions=False)
    assert json.loads(done.stdout)[0]["num_resumed"] == 3
    assert_whole(run)


def test_a_server_that_is_gone_is_incomplete(run: Run):
    absent = Server()
    absent.base_url = "http://127.0.0.1:9/v1"
    with pytest.raises(Incomplete, match="no answer from"):
        generate(run, absent)
    (attempt,) = run.lake.read("runs").to_pylist()
    assert attempt["cause"] == "crashed"
    (shard,) = run.manifest.shards().values()
    for name in ("scenario", "request_digest", "num_planned"):
        assert attempt[name] == getattr(shard, name), "the plan of a shard without samples is known from its attempt"


def test_force_asks_again_and_keeps_the_old_journal(run: Run, server: Server):
    generate(run, server)
    (done,) = generate(run, server, is_forced=True)
    assert (done.num_asked, done.num_resumed) == (ROWS, 0)
    assert set(server.asked.values()) == {2}
    assert_whole(run)
    (shard_id,) = run.manifest.shards()
    path = run.journal("generate", shard_id).path
    assert path.with_name(path.name + ".1").exists()


@pytest.mark.parametrize(
    ("field", "value", "names"),
    [("temperature", 0.9, "temperature = 0.9"), ("seed", 77, "seed = 77"), ("max_tokens", 1, "max_tokens = 1")],
)
def test_a_journal_of_another_request_is_refused_with_the_field_named(
    run: Run, server: Server, field: str, value: Any, names: str
):
    with pytest.raises(Incomplete):
        generate(run, server, limit=3)
    (shard_id,) = run.manifest.shards()
    journal = run.journal("generate", shard_id)
    rows = [{**row, field: value, "request_digest": "0" * 64} for row in journal.rows()]
    journal.discard()
    for row in rows:
        journal.append(row)
    with pytest.raises(ConfigurationChanged, match=names):
        generate(run, server)


def test_changed_problems_are_refused_before_anything_is_asked(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shard_module, "prompts_digest", lambda task_set, protocol: "0" * 64)
    with pytest.raises(ConfigurationChanged, match="prompt_digest"):
        generate(run, server)
    assert not server.asked


def test_an_unknown_shard_and_an_empty_manifest_are_refused(run: Run, tmp_path: Path):
    with pytest.raises(UsageError, match="holds no shard nope"):
        to_generate(run, Selection(shard_ids=("nope",)))
    with pytest.raises(UsageError, match="nothing is planned"):
        to_generate(Run(tmp_path / "empty", run.lake), Selection())


@pytest.mark.parametrize(
    "document",
    [
        {"choices": ["x"]},
        {"choices": [{"message": {"content": ["a"]}}]},
        {"choices": [{"message": {"content": 5}}]},
        {"choices": [{"message": {"content": "a", "reasoning": {"b": 1}}}]},
    ],
)
def test_a_malformed_answer_is_no_sample_and_blocks_nothing(run: Run, server: Server, document: dict[str, Any]):
    server.odd = [document]
    with pytest.raises(Incomplete, match=f"1 of {ROWS} samples"):
        generate(run, server)
    assert len(journal_rows(run)) == ROWS - 1
    (done,) = generate(run, server)
    assert (done.num_asked, done.num_resumed) == (1, ROWS - 1)
    assert_whole(run)


def test_odd_texts_and_counts_are_sealed_as_received(run: Run, server: Server):
    usage = {"prompt_tokens": "7", "completion_tokens": None, "completion_tokens_details": "none"}
    choice = {"message": {"content": "half \ud800"}, "finish_reason": "stop"}
    server.odd = [{"choices": [choice], "usage": usage}]
    generate(run, server)
    rows = run.lake.read("samples", ["raw_text", "text_encoding", "prompt_tokens"]).to_pylist()
    [odd] = [row for row in rows if row["text_encoding"]]
    assert original(odd["raw_text"], odd["text_encoding"]) == "half \ud800"
    assert odd["prompt_tokens"] is None
