"""The engine image: first choice, fall-back and why, refusals; a script stands in for apptainer, the loopback for the
registry."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from benchforge.containers.images import records_of
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import BadInput, NotStaged, UsageError
from benchforge.runners.cluster.pulling import pull
from benchforge.runners.generate.engines.image import image_file

APPTAINER = """\
#!/bin/sh
# pull --force FILE docker://NAME
echo "$4" >> {folder}/asked
case "$4" in *{refused}*) echo "half" > "$3"; echo "while pulling" >&2; echo "{complaint}" >&2; exit 255;; esac
printf image > "$3"
"""


@pytest.fixture
def registry() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def apptainer(folder: Path, monkeypatch: pytest.MonkeyPatch, refused: str, complaint: str = "x") -> Settings:
    (folder / "bin").mkdir()
    program = folder / "bin" / "apptainer"
    program.write_text(APPTAINER.format(folder=folder, refused=refused, complaint=complaint), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    return load_settings({"compute.sif_dir": str(folder / "sif")}, None, {"HOME": str(folder)})


def test_the_first_image_is_taken_once(tmp_path: Path, registry: str, monkeypatch: pytest.MonkeyPatch):
    settings = apptainer(tmp_path, monkeypatch, "nothing")
    first, second = (pull(settings, print, registry) for _ in range(2))
    assert first.image == "nvcr.io/nvidia/vllm:25.09-py3" and first.fell_back_because == ""
    assert first.digest == "sha256:" + hashlib.sha256(b"image").hexdigest() == second.digest
    assert (first.state, second.state) == ("pulled", "in place")
    assert (tmp_path / "asked").read_text() == "docker://nvcr.io/nvidia/vllm:25.09-py3\n"


def test_the_fall_back_says_why_and_leaves_no_half_file(tmp_path: Path, registry: str, monkeypatch: pytest.MonkeyPatch):
    settings = apptainer(tmp_path, monkeypatch, "nvcr.io", "manifest unknown")
    pulled = pull(settings, print, registry)
    assert pulled.image == "vllm/vllm-openai:v0.32.0"
    assert pulled.fell_back_because == "nvcr.io/nvidia/vllm:25.09-py3: manifest unknown"
    assert json.loads(Path(pulled.path + ".json").read_text())["fell_back_because"] == pulled.fell_back_because
    assert replace(pull(settings, print, registry), state="pulled") == pulled, "the reason is still known"
    assert not list((tmp_path / "sif").glob("*.part"))


@pytest.mark.parametrize(
    ("complaint", "hint"), [("401 Unauthorized", "apptainer registry login"), ("no space left", "once more")]
)
def test_neither_image_is_one_sentence_with_what_to_do(
    tmp_path: Path, registry: str, monkeypatch: pytest.MonkeyPatch, complaint: str, hint: str
):
    settings = apptainer(tmp_path, monkeypatch, "docker", complaint)
    with pytest.raises(NotStaged, match=r"no image could be pulled: vllm/vllm-openai:v0\.32\.0: ") as caught:
        pull(settings, print, registry)
    assert hint in caught.value.hint and not list((tmp_path / "sif").iterdir())


def test_a_login_is_explained_also_where_the_fall_back_came(
    tmp_path: Path, registry: str, monkeypatch: pytest.MonkeyPatch
):
    settings = apptainer(tmp_path, monkeypatch, "nvcr.io", "401 Unauthorized")
    said: list[str] = []
    assert pull(settings, said.append, registry).image == "vllm/vllm-openai:v0.32.0"
    assert "apptainer registry login --username" in said[0]


def test_a_release_that_does_not_know_the_gpu_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    apptainer(tmp_path, monkeypatch, "nothing")
    options = {"compute.sif_dir": str(tmp_path / "sif"), "engine.fallback_image": "vllm/vllm-openai:v0.12.1"}
    with pytest.raises(UsageError, match=r"v0\.12\.1 does not know sm_120"):
        pull(load_settings(options, None, {"HOME": str(tmp_path)}), print)


def test_an_image_that_is_not_the_one_that_was_pulled_is_not_in_place(
    tmp_path: Path, registry: str, monkeypatch: pytest.MonkeyPatch
):
    settings = apptainer(tmp_path, monkeypatch, "nothing")
    path = Path(pull(settings, print, registry).path)
    path.write_bytes(b"other")
    with pytest.raises(BadInput, match="is not the recorded image"):
        pull(settings, print, registry)


def test_an_image_that_was_copied_here_is_recorded(tmp_path: Path, registry: str, monkeypatch: pytest.MonkeyPatch):
    settings = apptainer(tmp_path, monkeypatch, "nothing")
    path = image_file(settings["engine.image"], settings["compute.sif_dir"])
    path.parent.mkdir()
    path.write_bytes(b"copied")
    assert pull(settings, print, registry).state == "in place"
    assert records_of(path)[0].digest == "sha256:" + hashlib.sha256(b"copied").hexdigest()


def test_a_node_without_network_is_told_where_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = apptainer(tmp_path, monkeypatch, "nothing")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(NotStaged, match="cannot be reached") as caught:
            pull(settings, print, f"127.0.0.1:{nobody.getsockname()[1]}")
    assert "login node" in caught.value.hint and not (tmp_path / "asked").exists()


def test_without_a_folder_or_a_runtime_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UsageError, match="no folder for images"):
        pull(load_settings({}, None, {"HOME": str(tmp_path)}), print)
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = load_settings({"compute.sif_dir": str(tmp_path / "sif")}, None, {"HOME": str(tmp_path)})
    with pytest.raises(NotStaged, match="apptainer is not on this machine"):
        pull(settings, print)
