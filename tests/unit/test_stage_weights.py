"""Weights from a Hub on the loopback: what is fetched, what is checked, what a kill or a bad server leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchforge.ingest.errors import BadInput, BenchforgeError, Incomplete, NotStaged, Unwritable, UsageError
from benchforge.ingest.staging import staged_weights
from benchforge.ingest.staging.staged_weights import StagedWeights, refuse_unstaged, snapshot_folder
from benchforge.ingest.staging.weights import HubFile, chosen_files, plan_weights, stage_weights
from hub_of_models import HubOfModels, ModelRepository, hub_of_models

pytest.importorskip("huggingface_hub", reason="weights are staged with the extra publish")

TENSORS = bytes(range(256)) * 4000
MODEL = "lab/coder"
FILES = {
    "config.json": b'{"model_type": "qwen2"}',
    "tokenizer.json": b"{}" * 900,
    "model-00001-of-00002.safetensors": TENSORS,
    "model-00002-of-00002.safetensors": TENSORS[::-1],
    "pytorch_model.bin": b"p" * 5000,
    "original/consolidated.00.pth": b"o" * 5000,
    "card.png": b"png",
}
READ = ["config.json", "tokenizer.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library waits a second before it goes on within a file, and writes ten million bytes at a time."""
    from huggingface_hub import constants, file_download

    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(file_download.time, "sleep", lambda seconds: None)
    for name in ("HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hub() -> Iterator[HubOfModels]:
    with hub_of_models({MODEL: ModelRepository(dict(FILES))}) as hub:
        yield hub


def staged(hub: HubOfModels, hf_home: Path, revision: str | None = "c" * 40, model: str = MODEL) -> StagedWeights:
    kept = hf_home / "digests.jsonl"
    pauses = (0.0, 0.0)
    plan = plan_weights(model, revision, str(hf_home), kept, print, hub.url, pauses)
    if not plan.files:
        found = staged_weights.read_manifest(plan.cache, model, plan.commit)
        assert found is not None
        return found
    return stage_weights(plan, kept, print, hub.url, pauses)


def start(hf_home: Path, revision: str | None = "c" * 40, *, is_offline: bool = True) -> list[str]:
    """What is said before an engine starts."""
    said: list[str] = []
    refuse_unstaged(str(hf_home), MODEL, revision, hf_home / "d.jsonl", said.append, is_offline=is_offline)
    return said


def blob(hf_home: Path, name: str) -> Path:
    return (snapshot_folder(hf_home / "hub", MODEL, "c" * 40) / name).resolve()


def test_a_commit_is_fetched_once_and_found_offline(hub: HubOfModels, tmp_path: Path):
    found = staged(hub, tmp_path)
    assert [file.path for file in found.files] == READ
    assert found.num_bytes == sum(len(FILES[name]) for name in READ) and found.licence == "apache-2.0"
    asked = len(hub.asked)
    assert staged(hub, tmp_path) == found
    assert len(hub.asked) == asked, "what is in place needs no network"
    assert start(tmp_path) == []


def test_libraries_find_it_without_the_network_though_files_were_left_out(hub: HubOfModels, tmp_path: Path):
    """As vLLM looks, in a process of its own: both kinds of weights by pattern, then everything."""
    staged(hub, tmp_path)
    found = subprocess.run(
        [sys.executable, "-c", LOOKED_FOR, MODEL],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert [sorted(names.split()) for names in found.stdout.splitlines()] == [sorted(READ)] * 2, found.stderr


LOOKED_FOR = """
import os, sys
from huggingface_hub import snapshot_download
for patterns in (["*.safetensors", "*.bin"], None):
    print(*os.listdir(snapshot_download(sys.argv[1], revision="c" * 40, allow_patterns=patterns)))
"""


def test_a_torn_connection_is_gone_on_with_where_it_broke(hub: HubOfModels, tmp_path: Path):
    hub.repositories[MODEL].faults[READ[2]] = ["torn", "torn"]
    staged(hub, tmp_path)
    ranges = [asked_range for method, path, asked_range in hub.asked if method == "GET" and path.endswith(READ[2])]
    assert ranges[0] == "" and ranges[1:] == ["bytes=512000-", "bytes=768000-"]


@pytest.mark.parametrize("path", ["", READ[2]])
def test_a_busy_hub_is_asked_again_and_then_named(hub: HubOfModels, tmp_path: Path, path: str):
    faults = hub.repositories[MODEL].faults
    faults[path] = ["503"] * 100
    with pytest.raises(Incomplete, match=r"broke off 3 times: .*503"):
        staged(hub, tmp_path)
    faults[path] = ["503"]
    staged(hub, tmp_path)
    assert hub.num_fetched(READ[0]) == 1, "files that are whole are not fetched again"


@pytest.mark.parametrize("number", [0, 3], ids=["small", "large"])
def test_a_damaged_file_is_removed_and_the_next_call_fetches_it_alone(hub: HubOfModels, tmp_path: Path, number: int):
    hub.repositories[MODEL].faults[READ[number]] = ["damaged"]
    with pytest.raises(Incomplete, match=f"{READ[number]} of {MODEL} is not what the Hub says"):
        staged(hub, tmp_path)
    staged(hub, tmp_path)
    assert [hub.num_fetched(name) for name in READ] == [1 + (index == number) for index in range(4)]


def test_a_gated_model_says_where_its_licence_is(hub: HubOfModels, tmp_path: Path):
    hub.repositories[MODEL].is_gated = True
    with pytest.raises(NotStaged, match="is gated: its licence has to be accepted") as caught:
        staged(hub, tmp_path)
    assert f"{hub.url}/{MODEL}" in caught.value.hint and "hf auth login" in caught.value.hint


@pytest.mark.parametrize(
    ("revision", "model", "kind", "said"),
    [
        (None, MODEL, UsageError, f"no pinned revision; its newest commit is {'c' * 40}"),
        ("d" * 40, MODEL, BadInput, "no such revision"),
        ("c" * 40, "lab/nothing", NotStaged, "no model lab/nothing"),
    ],
)
def test_what_cannot_be_pinned_is_one_sentence(
    hub: HubOfModels, tmp_path: Path, revision: str | None, model: str, kind: type[BenchforgeError], said: str
):
    with pytest.raises(kind, match=said):
        staged(hub, tmp_path, revision, model)
    assert not (tmp_path / "hub").exists()


def test_a_branch_is_kept_as_the_commit_that_it_was(hub: HubOfModels, tmp_path: Path):
    assert staged(hub, tmp_path, "main").commit == "c" * 40
    assert start(tmp_path, "main") == []


def test_too_little_room_is_said_before_anything_is_fetched(
    hub: HubOfModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shutil.disk_usage", lambda place: type("Usage", (), {"free": 10**6}))
    with pytest.raises(Unwritable, match=r"needs 0\.0 GB more .* 0\.0 GB are free"):
        staged(hub, tmp_path)
    assert not (tmp_path / "hub").exists() and hub.num_fetched(READ[0]) == 0


def test_an_engine_does_not_start_on_weights_that_changed(hub: HubOfModels, tmp_path: Path):
    with pytest.raises(NotStaged, match=r"are not in .*hub, and this run is offline") as caught:
        start(tmp_path)
    assert caught.value.hint == f"on a login node: benchforge stage --weights --model {MODEL}"
    assert start(tmp_path, is_offline=False) == []
    staged(hub, tmp_path)
    path = blob(tmp_path, READ[2])
    before = path.stat()
    path.write_bytes(TENSORS[:-1])
    with pytest.raises(BadInput, match=f"{READ[2]} has {len(TENSORS) - 1} bytes, staged were {len(TENSORS)}"):
        start(tmp_path)
    path.write_bytes(TENSORS[:-1] + b"\0")
    with pytest.raises(BadInput, match=f"{READ[2]} has another sha256"):
        start(tmp_path)
    assert staged(hub, tmp_path).num_bytes and hub.num_fetched(READ[2]) == 2
    assert blob(tmp_path, READ[2]).read_bytes() == TENSORS and start(tmp_path) == []
    os.utime(blob(tmp_path, READ[2]), ns=(before.st_atime_ns, before.st_mtime_ns + 5))
    assert start(tmp_path) == ["reading 0.0 GB of lab/coder once"], "touched, so it is read"
    assert start(tmp_path) == [], "once"


def test_weights_of_another_program_are_used_and_said(hub: HubOfModels, tmp_path: Path):
    staged(hub, tmp_path)
    for manifest in (tmp_path / "hub").glob("*/benchforge/*.json"):
        manifest.unlink()
    assert "not staged by benchforge" in start(tmp_path)[0]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["model.safetensors", "config.json", "tf_model.h5", "model.gguf"], ["model.safetensors", "config.json"]),
        (["pytorch_model.bin", "config.json", "a.msgpack"], ["pytorch_model.bin", "config.json"]),
        (["consolidated.safetensors", "params.json"], ["consolidated.safetensors", "params.json"]),
        (["model-1.safetensors", "consolidated.safetensors"], ["model-1.safetensors"]),
        (["modeling_x.py", "config.json"], []),
        (["onnx/model.onnx", "metal/model.bin", "model.safetensors"], ["model.safetensors"]),
    ],
)
def test_what_an_engine_reads_is_chosen(names: list[str], chosen: list[str]):
    files = chosen_files([HubFile(name, 1, None, None) for name in names])
    assert [file.path for file in files] == chosen


COMMAND = """
import sys
from pathlib import Path
from benchforge.ingest.staging.weights import plan_weights, stage_weights
plan = plan_weights(sys.argv[1], "c" * 40, sys.argv[2], Path(sys.argv[2]) / "digests.jsonl", print, sys.argv[3])
stage_weights(plan, Path(sys.argv[2]) / "digests.jsonl", print, sys.argv[3])
"""


def test_a_killed_download_goes_on_with_what_is_whole(hub: HubOfModels, tmp_path: Path):
    """Killed while one file never comes; the others are not asked for again, and nothing of it is left."""
    hub.repositories[MODEL].faults[READ[3]] = ["503"] * 1000
    words = [sys.executable, "-c", COMMAND, MODEL, str(tmp_path), hub.url]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        whole = [snapshot_folder(tmp_path / "hub", MODEL, "c" * 40) / name for name in READ[:3]]
        deadline = time.monotonic() + 120
        while not all(path.exists() for path in whole):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    left = tmp_path / "hub" / "models--lab--coder" / "blobs" / "x.0123.incomplete"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    with pytest.raises(NotStaged, match="are not whole: staging them broke off"):
        start(tmp_path)
    hub.repositories[MODEL].faults.clear()
    staged(hub, tmp_path)
    assert [hub.num_fetched(name) for name in READ[:3]] == [1, 1, 1]
    assert not left.exists() and start(tmp_path) == []


def test_a_damaged_manifest_is_named(hub: HubOfModels, tmp_path: Path):
    staged(hub, tmp_path)
    (manifest,) = (tmp_path / "hub").glob("*/benchforge/*.json")
    manifest.write_text(json.dumps({"hub_id": MODEL}))
    with pytest.raises(BadInput, match="is damaged"):
        start(tmp_path)
