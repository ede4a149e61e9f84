"""vLLM for CPU over its Unix socket: what the generate stage believes of it, and what happens when it is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import Incomplete
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.planning.asked import terms_of
from benchforge.ingest.planning.models import ServedModel
from benchforge.ingest.planning.plan import Scope, make_plan
from benchforge.ingest.planning.wanted import served_models, wanted_of
from benchforge.runners.generate.client import Client, Prefix
from benchforge.runners.generate.engines import Engine, open_engine
from benchforge.runners.generate.engines.orphans import members_of
from benchforge.runners.generate.engines.wire import Address, call_json
from benchforge.runners.generate.exchanges import Recorder
from benchforge.runners.generate.pending import Means, generate_pending, to_generate
from benchforge.runners.generate.probe import Abilities, probe
from benchforge.runners.generate.request import CHAT, Request
from benchforge.runners.generate.smoke import smoke
from benchforge.runners.generate.work import Demand
from benchforge.runners.selection import Selection
from real_servers import CPU, Road, python_of

RUN = """
run: {{name: engine}}
benchmarks: [forge_mini]
models:
  - {{model: lab__tiny, weights: "{weights}", served_as: tiny, dtype: float32, context_length: 2048, {sampling}}}
engine:
  name: vllm
  python: "{python}"
  max_model_len: 2048
  concurrency: 8
  flags:
    enforce-eager: ""
    reasoning-config: '{{"reasoning_start_str": "<think>", "reasoning_end_str": "</think>"}}'
"""
SAMPLED, GREEDY = "num_samples: 5, temperature: 0.8, max_tokens: 24", "max_tokens: 40"


@dataclass(frozen=True)
class Served:
    """The one server of this module, started once, and how to make runs for it."""

    engine: Engine
    weights: Path
    model: ServedModel

    def settings(self, folder: Path, sampling: str) -> Settings:
        return configured(folder, self.weights, sampling)

    def run(self, folder: Path, sampling: str, num_tasks: int = 4) -> Run:
        folder.mkdir()
        settings = self.settings(folder, sampling)
        run = Run(settings.run_root, Lake(settings.lake_root))
        run.manifest.add(make_plan(run, wanted_of(settings), terms_of(settings), folder, Scope(num_tasks)).shards)
        return run

    def generate(
        self, run: Run, demand: Demand | None = None, recorder: Recorder | None = None
    ) -> list[dict[str, Any]]:
        """Rows of the run by task and index, without what was measured."""
        served = {self.model.name: self.model}
        means = Means(run.root.parent, served, demand or Demand(8), probe=probe, recorder=recorder)
        generate_pending(run, to_generate(run, Selection()), self.engine, means)
        return rows_of(run)

    def ask(self, *requests: Request, prefix: Prefix | None = None) -> list[Any]:
        async def asked() -> list[Any]:
            async with Client(self.engine.endpoint) as client:
                return [await client.ask(request, prefix=prefix) for request in requests]

        return asyncio.run(asked())


def configured(folder: Path, weights: Path, sampling: str) -> Settings:
    path = folder / "run.yaml"
    path.write_text(RUN.format(weights=weights, python=python_of("vllm"), sampling=sampling))
    return load_settings({"run.scratch": str(folder / "scratch")}, path)


def rows_of(run: Run) -> list[dict[str, Any]]:
    names = ["task_id", "sample_index", "seed", "raw_text", "finish_reason", "prompt_ids_digest", "token_ids_digest"]
    rows = run.lake.read("samples", names).to_pylist()
    return sorted(rows, key=lambda row: (row["task_id"], row["sample_index"]))


@pytest.fixture(scope="module")
def served(tiny_hf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("vllm")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CPU.items():
            patch.setenv(name, value)
        settings = configured(folder, tiny_hf, SAMPLED)
        model = served_models(settings)["lab__tiny"]
        with open_engine(settings, model) as engine:
            yield Served(engine, tiny_hf, model)


def chat(text: str = "Say something.", **fields: Any) -> Request:
    body = {"model": "tiny", "messages": [{"role": "user", "content": text}], "temperature": 0.0, "max_tokens": 32}
    return Request(CHAT, {**body, "return_token_ids": True, "skip_special_tokens": False, **fields})


def probed(served: Served) -> Abilities:
    async def asked() -> Abilities:
        async with Client(served.engine.endpoint) as client:
            return await probe(client, served.model)

    return asyncio.run(asked())


def message(reply: Any) -> str:
    return reply.response["choices"][0]["message"]["content"]


def test_it_answers_on_a_socket_in_an_empty_network(served: Served):
    assert served.engine.endpoint.uds is not None and "unix socket" in served.engine.version
    if not served.engine.facts["not_isolated_because"]:
        assert "empty network" in served.engine.version
    assert served.engine.facts["fingerprint"].startswith("vllm-0.")


def test_the_probe_finds_what_vllm_honours(served: Served):
    found = probed(served)
    assert (found.temperature, found.seed, found.n) == (True, True, True)
    assert found.token_ids and found.tokenize and found.prefixes and found.streams and found.logprobs
    assert found.one_template is True
    assert found.window_tokens == 2048
    assert found.reads_tags is not True, "no parser of the server alters the text"


def test_n_in_one_request_and_one_request_each_write_the_same_rows(served: Served, tmp_path: Path):
    """``n=5, seed=s`` gives the texts of seeds s..s+4."""
    single = served.generate(served.run(tmp_path / "single", SAMPLED), Demand(8, 1))
    together = served.generate(served.run(tmp_path / "together", SAMPLED), Demand(8, 5))
    assert len(single) == 20 and together == single
    assert len({row["raw_text"] for row in single}) > 10
    assert all(row["prompt_ids_digest"] for row in single)


def test_a_resumed_run_and_an_uninterrupted_one_are_equal(served: Served, tmp_path: Path):
    whole = served.generate(served.run(tmp_path / "whole", SAMPLED))
    resumed = served.run(tmp_path / "resumed", SAMPLED)
    for limit in (7, 5):
        with pytest.raises(Incomplete):
            served.generate(resumed, Demand(8, limit=limit))
    assert served.generate(resumed) == whole


@pytest.mark.parametrize("stream_from_tokens", [1, 4096])
def test_a_recorded_run_is_replayed_into_the_same_rows(served: Served, tmp_path: Path, stream_from_tokens: int):
    kept, demand = tmp_path / "exchanges.jsonl", Demand(8, 5, stream_from_tokens)
    recorded = served.generate(served.run(tmp_path / "recorded", SAMPLED), demand, Recorder(kept))
    run = served.run(tmp_path / "replayed", SAMPLED)
    with open_engine(load_settings({"engine.name": "replay", "engine.exchanges": str(kept)})) as engine:
        means = Means(tmp_path, {served.model.name: served.model}, demand)
        generate_pending(run, to_generate(run, Selection()), engine, means)
    assert rows_of(run) == recorded


def test_a_greedy_answer_goes_on_from_its_prefix(served: Served):
    """Random bytes leave cuts where no character ends: those are made again as a whole, and are equal too."""
    num_resumed = 0
    for number in range(8):
        request = chat(f"Say something about {number}.", max_tokens=48, ignore_eos=True)
        (whole,) = served.ask(request)
        ids = whole.response["choices"][0]["token_ids"]
        prefix = Prefix(tuple(whole.response["prompt_token_ids"]), tuple(ids[: 12 + number]), "")
        (continued,) = served.ask(request, prefix=prefix)
        assert continued.response["choices"][0]["token_ids"] == ids
        assert message(continued) == message(whole)
        num_resumed += continued.resumed_at is not None
    assert num_resumed >= 4


def test_a_streamed_answer_is_the_whole_one(served: Served):
    request = chat(max_tokens=40, seed=3, temperature=0.9, n=2)
    streamed = replace(request, body={**request.body, "stream": True, "stream_options": {"include_usage": True}})
    (one, other) = served.ask(request, streamed)
    for name in ("finish_reason", "token_ids", "stop_reason"):
        assert [choice[name] for choice in one.response["choices"]] == [
            choice[name] for choice in other.response["choices"]
        ]
    assert [choice["message"]["content"] for choice in one.response["choices"]] == [
        choice["message"]["content"] for choice in other.response["choices"]
    ]
    assert one.response["usage"]["completion_tokens"] == other.response["usage"]["completion_tokens"]


def test_more_than_four_stop_strings_are_taken(served: Served):
    stops = [chr(letter) * 9 for letter in range(ord("a"), ord("a") + 11)]
    (reply,) = served.ask(chat(stop=stops))
    assert message(reply)


def test_the_generation_config_of_the_model_changes_nothing(served: Served):
    """Its file asks for repetition_penalty 1.3, temperature 0.7, top_k 7."""
    plain, explicit, penalised = served.ask(
        chat(max_tokens=64, ignore_eos=True),
        chat(max_tokens=64, ignore_eos=True, repetition_penalty=1.0, top_k=0),
        chat(max_tokens=64, ignore_eos=True, repetition_penalty=1.3),
    )
    assert message(plain) == message(explicit) != message(penalised)


def test_a_thinking_budget_is_kept(served: Served):
    """Ids of the tags come from the tokenizer; the template opens the tag when it is asked to."""
    address = Address(uds=served.engine.endpoint.uds)
    close = call_json(address, "/tokenize", {"model": "tiny", "prompt": "</think>", "add_special_tokens": False})
    (end,) = close["tokens"]
    thinking = {"chat_template_kwargs": {"enable_thinking": True}}
    for budget in (0, 6, 17):
        (reply,) = served.ask(chat(max_tokens=64, thinking_token_budget=budget, ignore_eos=True, **thinking))
        ids = reply.response["choices"][0]["token_ids"]
        assert end in ids and ids.index(end) <= budget, "what the prompt holds after the open tag counts too"


def test_an_answer_beyond_the_window_is_known_to_be_cut_by_it(served: Served, tmp_path: Path):
    run = served.run(tmp_path / "long", "max_tokens: 2000", num_tasks=2)
    served.generate(run)
    names = ["prompt_tokens", "completion_tokens", "max_tokens_sent", "max_tokens_effective", "cut"]
    for row in run.lake.read("samples", names).to_pylist():
        assert row["prompt_tokens"] + row["max_tokens_effective"] == 2048 < row["prompt_tokens"] + 2000
        assert row["cut"] == "no" or (
            row["cut"] == "window" and row["completion_tokens"] == row["max_tokens_effective"]
        )


def test_rows_are_the_same_at_any_concurrency_and_say_one_template(served: Served, tmp_path: Path):
    alone = served.generate(served.run(tmp_path / "alone", GREEDY, 8), Demand(1))
    beside = served.generate(served.run(tmp_path / "beside", GREEDY, 8), Demand(8))
    assert alone == beside and len({row["prompt_ids_digest"] for row in alone}) == 8


def test_smoke_finds_one_template_and_answers_that_company_does_not_change(served: Served, tmp_path: Path):
    """float32 on CPU, without batch invariance: measured, not assumed. Nothing is scored here."""
    run = served.run(tmp_path / "smoke", SAMPLED, 3)
    means = Means(tmp_path, {served.model.name: served.model}, Demand(16))
    found = smoke(run, served.engine, served.model, means, lambda run: None)
    (cell,) = found.cells
    assert cell.num_ids_checked == cell.num_prompts == 3 and cell.num_samples == 15
    assert cell.problems == ["15 of 15 got no verdict"]
    assert (found.steadiness.num_compared, found.steadiness.num_differing) == (16, 0)


def test_a_server_killed_in_the_middle_is_revived_and_the_rows_are_the_same(served: Served, tmp_path: Path):
    """Last: it costs a start."""
    undisturbed = served.generate(served.run(tmp_path / "undisturbed", SAMPLED, 20))
    run = served.run(tmp_path / "disturbed", SAMPLED, 20)
    group = os.getsid(_server_pid(served))
    killer = threading.Thread(target=_kill_when_begun, args=(run, _server_pid(served)), daemon=True)
    killer.start()
    try:
        assert served.generate(run, Demand(2)) == undisturbed
    finally:
        killer.join()
    (row,) = run.lake.read("runs", ["cause", "num_restarts"]).to_pylist()
    assert row == {"cause": "done", "num_restarts": 1}
    assert members_of(group) == [], "nothing of the first server is left"


def _server_pid(served: Served) -> int:
    """The process that listens on the socket: the only one with its path among its words."""
    flag = f"--uds={served.engine.endpoint.uds}"
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            words = _words(entry)
            if flag in words and "supervise.py" not in " ".join(words):
                return int(entry.name)
    raise AssertionError("there is no server")


def _words(entry: Path) -> list[str]:
    try:
        return (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return []


def _kill_when_begun(run: Run, pid: int) -> None:
    (shard_id,) = run.manifest.shards()
    deadline = time.monotonic() + 300
    while sum(1 for _ in run.journal("generate", shard_id).rows()) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)


def test_the_road_from_generate_to_the_leaderboard(tiny_hf: Path, road: Callable[..., Road]):
    run = road(RUN.format(weights=tiny_hf, python=python_of("vllm"), sampling="max_tokens: 24"))
    scores = run.to_its_end()
    samples = run.samples("engine, engine_version, weights_digest, prompt_ids_digest, finish_reason")
    assert len(samples) == 42 and {row["engine"] for row in samples} == {"vllm"}
    assert all(row["weights_digest"] and row["prompt_ids_digest"] for row in samples)
    assert {row["num_planned"] for row in scores} == {1}
    assert not list((run.run / "engine").glob("*.json")) or list((run.run / "engine").glob("*.facts.json"))
