"""``benchforge stage --weights`` and ``--harness`` as a user types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchforge.ingest.errors import NotStaged, UsageError
from benchforge.runners.cli.stage import command
from click.testing import CliRunner
from hub_of_models import HubOfModels, ModelRepository, hub_of_models

WEIGHTS = b"w" * 3000
RUN = """
models:
  - {{model: lab__coder, hub_id: lab/coder, revision: {commit}}}
  - {{model: lab__coder-greedy, hub_id: lab/coder, revision: {commit}, temperature: 0}}
  - {{model: lab__local, weights: {local}}}
  - {{model: lab__hosted, served_as: h-1}}
"""


@pytest.fixture
def hub() -> Iterator[HubOfModels]:
    pytest.importorskip("huggingface_hub", reason="weights are staged with the extra publish")
    files = {"config.json": b"{}", "model.safetensors": WEIGHTS}
    gated = ModelRepository(files, is_gated=True)
    with hub_of_models({"lab/coder": ModelRepository(files), "lab/gated": gated}) as hub:
        yield hub


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    local = tmp_path / "local"
    local.mkdir()
    (local / "model.safetensors").write_bytes(b"x")
    path = tmp_path / "run.yaml"
    path.write_text(RUN.format(commit="c" * 40, local=local))
    return path


def typed(tmp_path: Path, url: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the Hub's library reads its address when it is loaded."""
    return subprocess.run(
        [sys.executable, "-m", "benchforge", "stage", *words, "--scratch", str(tmp_path / "s"), "--format", "json"],
        capture_output=True,
        text=True,
        env=environment_at(tmp_path, url, **more),
    )


def environment_at(tmp_path: Path, url: str, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, "HF_ENDPOINT": url, "BENCHFORGE_HF_HOME": str(tmp_path / "hf"), **more}


def test_the_weights_of_a_run_are_staged_once(hub: HubOfModels, run_file: Path, tmp_path: Path):
    words = ("--weights", "--config", str(run_file))
    found = []
    for more in (("--dry-run",), (), ()):
        done = typed(tmp_path, hub.url, *words, *more)
        assert done.returncode == 0, done.stderr
        found.append([(row["what"], row["state"]) for row in json.loads(done.stdout)])
    states = ["to stage", "staged", "in place"]
    others = [("weights of lab__local", "in place"), ("weights of lab__hosted", "served elsewhere")]
    assert found == [[("weights of lab/coder", state), *others] for state in states]
    (tensors,) = (tmp_path / "hf" / "hub" / "models--lab--coder" / "snapshots" / ("c" * 40)).glob("*.safetensors")
    assert tensors.read_bytes() == WEIGHTS
    offline = typed(tmp_path, "http://127.0.0.1:9", *words)
    assert offline.returncode == 0 and '"in place"' in offline.stdout, "what is in place needs no network"


def test_what_cannot_be_had_leaves_what_came(hub: HubOfModels, tmp_path: Path):
    path = tmp_path / "run.yaml"
    path.write_text(
        f"models:\n  - {{model: a__b, hub_id: lab/coder, revision: {'c' * 40}}}\n"
        f"  - {{model: a__c, hub_id: lab/gated, revision: {'c' * 40}}}\n"
    )
    done = typed(tmp_path, hub.url, "--weights", "--config", str(path))
    assert done.returncode == 1 and [row["state"] for row in json.loads(done.stdout)] == ["staged"]
    assert "lab/gated is gated" in done.stderr and f"{hub.url}/lab/gated, then: hf auth login" in done.stderr


def test_a_signal_ends_it_at_once_and_says_that_what_is_whole_is_kept(hub: HubOfModels, run_file: Path, tmp_path: Path):
    """While a file of gigabytes is on its way: neither the library nor the interpreter waits for it."""
    hub.repositories["lab/coder"].faults["model.safetensors"] = ["stalls"]
    words = [sys.executable, "-m", "benchforge", "stage", "--weights", "--config", str(run_file)]
    process = subprocess.Popen(
        [*words, "--scratch", str(tmp_path / "s")],
        env=environment_at(tmp_path, hub.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 120
        small = tmp_path / "hf" / "hub" / "models--lab--coder" / "snapshots" / ("c" * 40) / "config.json"
        while not (hub.num_fetched("model.safetensors") and small.exists()):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 75 and "what is whole is kept" in said, said
    again = typed(tmp_path, hub.url, "--weights", "--config", str(run_file))
    assert again.returncode == 0 and hub.num_fetched("config.json") == 1, again.stderr


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SLURM_JOB_ID": "5", "BENCHFORGE_SEEN_NODE_NETWORK": "closed (TimeoutError)"}, "(job 5) have no network"),
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE=0 TRANSFORMERS_OFFLINE=0 benchforge stage"),
        ({"HF_ENDPOINT": "http://127.0.0.1:1"}, "127.0.0.1:1 cannot be reached from"),
    ],
)
def test_without_network_nothing_is_begun(
    hub: HubOfModels, run_file: Path, tmp_path: Path, variables: dict[str, str], said: str
):
    done = typed(tmp_path, hub.url, "--weights", "--config", str(run_file), **variables)
    assert done.returncode in (1, 2) and said in done.stderr and "Traceback" not in done.stderr
    assert not hub.asked and not (tmp_path / "hf").exists()


def run(*arguments: str) -> str:
    return CliRunner().invoke(command, [*arguments], catch_exceptions=False, standalone_mode=False).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("humaneval", "--weights"), "staged apart"),
        (("--weights", "--from", "x"), "weights come from the Hub"),
        (("--harness", "cruxeval", "--harness", "livecodebench", "--from", "x"), "several are named"),
        (("--harness", "cruxeval", "--weights", "--from", "x"), "weights are asked for too"),
        (("--harness", "nonsense"), "there is no harness nonsense"),
        (("--model", "qwen__qwen9"), "there is no model qwen__qwen9"),
    ],
)
def test_words_that_do_not_go_together_are_refused(words: tuple[str, ...], said: str, tmp_path: Path):
    with pytest.raises(UsageError, match=said):
        run(*words, "--scratch", str(tmp_path))


def test_a_harness_is_not_fetched_on_a_compute_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SLURM_JOB_ID", "5")
    monkeypatch.setenv("BENCHFORGE_SEEN_NODE_NETWORK", "closed (TimeoutError)")
    with pytest.raises(NotStaged, match="have no network"):
        run("--harness", "evalplus", "--scratch", str(tmp_path))
    assert not (tmp_path / "harnesses").exists()
