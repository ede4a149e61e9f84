"""A recorded run is replayed offline into the same rows, streams and all, also where the recording run was killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.config import load_settings
from benchforge.ingest.errors import BadInput, Incomplete
from benchforge.ingest.manifest import Run
from benchforge.runners.generate.client import Client, Endpoint
from benchforge.runners.generate.engines import open_engine
from benchforge.runners.generate.exchanges import Recorder, exchanges_bytes, read_recording
from benchforge.runners.generate.pending import Means, generate_pending, to_generate
from benchforge.runners.generate.probe import probe
from benchforge.runners.generate.request import CHAT, Request
from benchforge.runners.generate.work import Demand
from benchforge.runners.selection import Selection
from misbehaving import Manners, misbehaving
from planned_run import engine_at, planned

MEASURED = {"latency_seconds", "first_token_seconds", "longest_gap_seconds", "created_at", "attempts"}
OF_THE_ENGINE = {"engine", "engine_version"}
MODELS = """
  - {model: lab__sampled, num_samples: 2, temperature: 0.5, max_tokens: 40}
  - {model: lab__greedy, max_tokens: 30}
"""


def rows_of(run: Run) -> list[dict[str, Any]]:
    table = run.lake.read("samples").sort_by([("model", "ascending"), ("task_id", "ascending"), ("seed", "ascending")])
    left_out = MEASURED | OF_THE_ENGINE
    return table.select([name for name in table.column_names if name not in left_out]).to_pylist()


def ask(run: Run, engine: Any, demand: Demand, recorder: Recorder | None = None, **means: Any) -> None:
    given = Means(run.root.parent, demand=demand, recorder=recorder, **means)
    generate_pending(run, to_generate(run, Selection()), engine, given)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Path]:
    def made(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    return made


@pytest.mark.parametrize("stream_from_tokens", [1, 4096])
@pytest.mark.parametrize("is_zipped", [False, True])
def test_replay_gives_the_rows_that_were_recorded(
    folder: Callable[[str], Path], stream_from_tokens: int, is_zipped: bool
):
    recorded, demand = planned(folder("recorded"), MODELS), Demand(4, 1, stream_from_tokens)
    path = folder("kept") / "exchanges.jsonl"
    with misbehaving(Manners(window=4096)) as server:
        ask(recorded, engine_at(server.base_url), demand, Recorder(path), probe=probe)
    if is_zipped:
        kept = read_recording(path)
        path.write_bytes(exchanges_bytes(kept.exchanges.values(), kept.notes))
    replayed = planned(folder("replayed"), MODELS)
    settings = load_settings({"engine.name": "replay", "engine.exchanges": str(path)})
    with open_engine(settings) as engine:
        ask(replayed, engine, demand)
    assert rows_of(replayed) == rows_of(recorded)
    num_streamed = sum(exchange.chunks is not None for exchange in read_recording(path).exchanges.values())
    assert num_streamed > 100 if stream_from_tokens == 1 else num_streamed < 5, "the probe streams too"


def test_a_run_that_was_killed_and_recorded_in_two_parts_is_replayed_whole(folder: Callable[[str], Path]):
    recorded, path = planned(folder("recorded"), MODELS), folder("kept") / "exchanges.jsonl"
    with misbehaving() as server:
        with pytest.raises(Incomplete):
            ask(recorded, engine_at(server.base_url), Demand(4, limit=20), Recorder(path), probe=probe)
        with path.open("ab") as stream:
            stream.write(b'{"path":"/v1/chat/comple')  # torn by the kill
        ask(recorded, engine_at(server.base_url), Demand(4), Recorder(path), probe=probe)
    replayed = planned(folder("replayed"), MODELS)
    with open_engine(load_settings({"engine.name": "replay", "engine.exchanges": str(path)})) as engine:
        ask(replayed, engine, Demand(4))
    assert rows_of(replayed) == rows_of(recorded)


def test_what_was_not_recorded_is_missing_and_nothing_else_stands_in(folder: Callable[[str], Path]):
    recorded, path = planned(folder("recorded"), MODELS), folder("kept") / "exchanges.jsonl"
    with misbehaving() as server, pytest.raises(Incomplete):
        ask(recorded, engine_at(server.base_url), Demand(4, limit=40), Recorder(path), probe=probe)
    replayed = planned(folder("replayed"), MODELS)
    with (
        open_engine(load_settings({"engine.name": "replay", "engine.exchanges": str(path)})) as engine,
        pytest.raises(Incomplete, match="no exchange is recorded"),
    ):
        ask(replayed, engine, Demand(4))
    shard_ids = recorded.manifest.shards()
    kept = {row["sample_id"] for one in shard_ids for row in recorded.journal("generate", one).rows()}
    again = {row["sample_id"] for one in shard_ids for row in replayed.journal("generate", one).rows()}
    assert again == kept and len(kept) == 40


def test_a_recording_holds_neither_key_nor_header(folder: Callable[[str], Path]):
    run, path = planned(folder("recorded"), MODELS), folder("kept") / "exchanges.jsonl"
    with misbehaving() as server:
        engine = engine_at(server.base_url)
        engine = replace(engine, endpoint=replace(engine.endpoint, api_key="sk-very-secret"))
        ask(run, engine, Demand(4), Recorder(path), probe=probe)
    assert b"sk-very-secret" not in path.read_bytes() and b"uthorization" not in path.read_bytes()


def test_a_zipped_recording_does_not_grow(tmp_path: Path):
    path = tmp_path / "kept.jsonl.gz"
    path.write_bytes(exchanges_bytes([]))
    with pytest.raises(BadInput, match="cannot grow"):
        Recorder(path)


def test_a_recording_that_cannot_be_written_is_refused_before_anything_is_asked(tmp_path: Path):
    with pytest.raises(BadInput, match="cannot be written: Is a directory"):
        Recorder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be written"):
        Recorder(tmp_path / "file" / "exchanges.jsonl")


def test_the_last_answer_to_a_request_counts(tmp_path: Path):
    recorder = Recorder(tmp_path / "kept.jsonl")
    for text in ("lost with the kill", "journalled"):
        recorder.keep("/v1/completions", {"prompt": "p"}, 200, {"choices": [{"text": text}]})
    (exchange,) = read_recording(recorder.path).exchanges.values()
    assert exchange.response == {"choices": [{"text": "journalled"}]}


WHOLE: dict[str, Any] = {
    "id": "x",
    "object": "chat.completion",
    "model": "m",
    "prompt_token_ids": [1, 2],
    "choices": [
        {
            "index": index,
            "message": {"role": "assistant", "content": f"answer {index}", "reasoning": "because"},
            "finish_reason": "stop",
            "stop_reason": None,
            "token_ids": [5, 6],
        }
        for index in range(2)
    ],
    "usage": {"prompt_tokens": 2, "completion_tokens": 4},
}


def test_a_whole_answer_can_be_asked_for_as_a_stream(tmp_path: Path):
    """As after a kill: the merged answer stands under the request that began it."""
    recorder, request = Recorder(tmp_path / "kept.jsonl"), Request(CHAT, {"model": "m", "n": 2, "stream": True})
    recorder.keep(request.path, request.body, 200, WHOLE)

    async def asked(endpoint: Endpoint) -> Any:
        async with Client(endpoint) as client:
            return (await client.ask(request)).response

    with open_engine(load_settings({"engine.name": "replay", "engine.exchanges": str(recorder.path)})) as engine:
        answer = asyncio.run(asked(engine.endpoint))
    assert [choice["message"] for choice in answer["choices"]] == [choice["message"] for choice in WHOLE["choices"]]
    for name in ("finish_reason", "token_ids"):
        assert [choice[name] for choice in answer["choices"]] == [choice[name] for choice in WHOLE["choices"]]
    assert answer["usage"] == WHOLE["usage"] and answer["prompt_token_ids"] == WHOLE["prompt_token_ids"]
