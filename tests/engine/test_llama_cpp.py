"""A llama.cpp server: honours temperature and seed, gives one choice whatever n was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from real_servers import Road, python_of, serving

RUN = """
run: {{name: engine}}
benchmarks: [forge_mini]
models:
  - {{model: lab__gguf, served_as: tiny, num_samples: 3, temperature: 0.8, max_tokens: 24, context_length: 4096}}
engine: {{name: endpoint, base_url: "{url}", concurrency: 4, samples_per_request: 3, max_model_len: 4096}}
"""


@pytest.fixture(scope="module")
def url(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    words = [python_of("llama"), "-m", "llama_cpp.server", "--model", str(tiny_gguf), "--model_alias", "tiny"]
    words += ["--host", "127.0.0.1", "--port", "0", "--n_ctx", "4096", "--n_threads", "1"]
    with serving(words, tmp_path_factory.mktemp("llama") / "log") as base_url:
        yield base_url


def test_the_road_from_generate_to_the_leaderboard(url: str, road: Callable[..., Road]):
    run = road(RUN.format(url=url))
    scores = run.to_its_end()
    samples = run.samples()
    assert len(samples) == 126 and len({(row["task_id"], row["sample_index"]) for row in samples}) == 126
    assert {row["num_planned"] for row in scores} == {3}
    # three choices were asked for in one request and one came: the others were asked for with their own seeds
    by_task = {
        row["task_id"]: {other["raw_text"] for other in samples if other["task_id"] == row["task_id"]}
        for row in samples
    }
    assert any(len(texts) == 3 for texts in by_task.values())


def test_the_same_seeds_give_the_same_rows(url: str, road: Callable[..., Road]):
    run = road(RUN.format(url=url), "--limit", "3")
    run.command("generate")
    first = run.samples("task_id, sample_index, seed, raw_text")
    run.command("generate", "--force")
    live = run.samples("task_id, sample_index, seed, raw_text, created_at")
    assert len(live) == 2 * len(first)
    assert sorted({(row["task_id"], row["sample_index"], row["seed"], row["raw_text"]) for row in live}) == sorted(
        tuple(row.values()) for row in first
    )


def test_smoke_says_that_it_is_ready(url: str, road: Callable[..., Road]):
    run = road(RUN.format(url=url))
    done = run.command("smoke", "--limit", "2", "--concurrency", "4", "--format", "json")
    (cell,) = json.loads(done.stdout)
    assert cell["is_ready"] and cell["num_judged"] == cell["num_samples"] == 6
    assert "n no" in done.stderr and "seed yes" in done.stderr
