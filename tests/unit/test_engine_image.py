"""The image that an engine starts from: its command line, where it is found, and what its log tells."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from benchforge.ingest.config import load_settings
from benchforge.runners.generate.engines.image import Image, find_image, image_file
from benchforge.runners.generate.engines.vllm_facts import attention_backend


def test_the_command_line_of_an_image(tmp_path: Path):
    path = tmp_path / "vllm.sif"
    path.write_bytes(b"sif")
    image = Image(path)
    argv = image.argv(
        ["python3", "-m", "vllm", "--uds=/run/benchforge/s"],
        {"HF_HUB_OFFLINE": "1"},
        {Path("/tmp/bf-1"): "/run/benchforge", Path("/weights"): "/hf:ro"},
        Path("/tmp/bf-1/scratch"),
        is_isolated=True,
    )
    assert argv == [
        *("apptainer", "exec", "--containall", "--cleanenv", "--no-home", "--no-eval", "--no-privs"),
        *("--no-mount", "bind-paths", "--workdir", "/tmp/bf-1/scratch", "--nv", "--net", "--network", "none"),
        *("--bind", "/tmp/bf-1:/run/benchforge", "--bind", "/weights:/hf:ro", "--env", "HF_HUB_OFFLINE=1"),
        *(str(path), "python3", "-m", "vllm", "--uds=/run/benchforge/s"),
    ]
    assert "--network" not in image.argv(["x"], {}, {}, tmp_path, is_isolated=False)
    digest = image.digest
    assert digest == "sha256:" + hashlib.sha256(b"sif").hexdigest()
    assert image.digest == digest


def test_an_image_is_found_by_its_name_the_fall_back_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    runtime = tmp_path / "apptainer"
    runtime.write_text("#!/bin/sh\n")
    runtime.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    given = load_settings({"compute.sif_dir": str(tmp_path)})
    assert find_image(given) is None
    second = image_file(given["engine.fallback_image"], str(tmp_path))
    second.touch()
    assert (find_image(given) or Image(Path())).path == second
    first = image_file(given["engine.image"], str(tmp_path))
    assert first.name == "nvcr.io_nvidia_vllm_25.09-py3.sif"
    first.touch()
    assert (find_image(given) or Image(Path())).path == first


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("INFO [cuda.py:507] Using FLASH_ATTN attention backend out of potential backends: ['X'].", "FLASH_ATTN"),
        ("Using Flash Attention backend on V1 engine.", "Flash Attention"),
        ("Using FLASHINFER backend.", "FLASHINFER"),
        ("init_method=file:///tmp/x backend=gloo; Using NCCL backend", None),
        ("Using backend FLASH_ATTN for vit attention", None),
    ],
)
def test_the_attention_backend_is_read_from_the_log(line: str, name: str | None):
    assert attention_backend(line) == name
