"""``transformers serve`` answers every request and ignores n, temperature and seed: refused unless allowed by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from real_servers import Road, python_of, serving

RUN = """
run: {{name: engine}}
benchmarks: [forge_mini]
models:
  - {{model: lab__served, served_as: "{model}", num_samples: 2, temperature: 0.8, max_tokens: 16, context_length: 4096}}
engine: {{name: endpoint, base_url: "{url}", concurrency: 2, max_model_len: 4096, allow: [{allow}]}}
"""


@pytest.fixture(scope="module")
def url(tiny_hf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    python = Path(python_of("vllm"))
    words = [str(python.with_name("transformers")), "serve", str(tiny_hf), "--host", "127.0.0.1", "--port", "0"]
    with serving([*words, "--device", "cpu", "--log-level", "info"], tmp_path_factory.mktemp("served") / "log") as url:
        yield url


def test_what_it_ignores_is_refused_by_name_before_the_first_sample(url: str, tiny_hf: Path, road: Callable[..., Road]):
    run = road(RUN.format(url=url, model=tiny_hf, allow=""), "--limit", "2")
    refused = run.command("generate", succeeds=False)
    assert refused.returncode == 1
    assert "engine.allow" in refused.stderr and ("temperature" in refused.stderr or "seed" in refused.stderr)
    assert list(run.run.glob("lake/samples/**/*.parquet")) == []


def test_allowed_by_name_it_goes_the_whole_road(url: str, tiny_hf: Path, road: Callable[..., Road]):
    run = road(RUN.format(url=url, model=tiny_hf, allow="temperature, seed, top_p"))
    assert {row["num_planned"] for row in run.to_its_end()} == {2}
    assert len(run.samples()) == 84
