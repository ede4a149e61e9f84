"""An image at run time: the one that was recorded, or an error; read once for all tasks of an array."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchforge.containers.images import checked_digest, image_digest, kept_file
from benchforge.ingest import keys
from benchforge.ingest.config import load_settings
from benchforge.ingest.errors import BadInput
from benchforge.ingest.planning.models import ServedModel
from benchforge.runners.generate.engines import open_engine
from benchforge.runners.score.sandbox import IMAGE_VARIABLE
from benchforge.runners.score.sandbox.opening import box_of


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "sif" / "engine.sif"
    path.parent.mkdir()
    path.write_bytes(b"image")
    return path


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that would start nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "apptainer").write_text("#!/bin/sh\nexit 9\n")
    (folder / "apptainer").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def beside(image: Path, digest: str) -> None:
    image.with_name(image.name + ".json").write_text(json.dumps({"digest": digest}))


def test_an_image_nobody_recorded_has_the_digest_that_it_has(image: Path):
    assert checked_digest(image) == f"sha256:{sha256(b'image')}"


@pytest.mark.parametrize("where", ["beside", "digests.yml"])
def test_an_image_that_is_not_the_recorded_one_is_an_error(image: Path, tmp_path: Path, where: str):
    listed = tmp_path / "digests.yml"

    def record(digest: str) -> None:
        if where == "beside":
            beside(image, f"sha256:{digest}")
        else:
            listed.write_text(f"images:\n  {image.name}: {digest}\n")

    record(sha256(b"image"))
    assert checked_digest(image, listed) == f"sha256:{sha256(b'image')}"
    record(sha256(b"another"))
    with pytest.raises(BadInput, match=r"engine\.sif is not the recorded image") as caught:
        checked_digest(image, listed)
    assert "build.sh --record" in caught.value.hint


def test_a_record_that_cannot_be_read_is_no_permission(image: Path, tmp_path: Path):
    listed = tmp_path / "digests.yml"
    listed.write_text("images: [")
    with pytest.raises(BadInput, match="is damaged"):
        checked_digest(image, listed)


def test_an_image_is_read_once_until_it_changes(image: Path, monkeypatch: pytest.MonkeyPatch):
    read: list[Path] = []
    real = keys.sha256_file
    monkeypatch.setattr(keys, "sha256_file", lambda path: read.append(path) or real(path))
    first = image_digest(image)
    assert [image_digest(image) for _ in range(5)] == [first] * 5 and len(read) == 1
    changed = image.stat().st_mtime_ns
    other = image.with_name("other")
    other.write_bytes(b"IMAGE")
    os.utime(other, ns=(changed, changed))
    other.replace(image)
    assert image_digest(image) == f"sha256:{sha256(b'IMAGE')}", "same size and time, another file"
    with kept_file(image).open("a") as stream:
        stream.write('["torn')
    assert image_digest(image) == f"sha256:{sha256(b'IMAGE')}" and len(read) == 2


ASKED = """
import sys
from pathlib import Path
from benchforge.containers.images import image_digest
from benchforge.ingest import keys
real = keys.sha256_file
def counted(path):
    with open(sys.argv[2], "a") as stream:
        stream.write("read\\n")
    return real(path)
keys.sha256_file = counted
print("ready", flush=True)
sys.stdin.readline()
print(image_digest(Path(sys.argv[1])))
"""


def test_tasks_that_start_together_read_it_once(image: Path, tmp_path: Path):
    with image.open("wb") as stream:
        stream.truncate(64 << 20)
    count = tmp_path / "count"
    words = [sys.executable, "-c", ASKED, str(image), str(count)]
    tasks = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    try:
        for task in tasks:
            assert task.stdout is not None and task.stdout.readline() == "ready\n"
        answers = [task.communicate("go\n", timeout=120)[0] for task in tasks]
    finally:
        for task in tasks:
            task.kill()
            task.wait()
    assert len(set(answers)) == 1 and answers[0].startswith("sha256:")
    assert count.read_text() == "read\n"


def test_a_killed_reader_gives_its_turn_back(image: Path, tmp_path: Path):
    """The lock is the kernel's: the next one does not wait for ever."""
    hold = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print('held', flush=True); input()"
    lock = kept_file(image).with_name(kept_file(image).name + ".lock")
    words = [sys.executable, "-c", hold, str(lock)]
    holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        waiting = subprocess.Popen(
            [sys.executable, "-c", ASKED, str(image), str(tmp_path / "count")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        holder.kill()
        holder.wait()
        assert waiting.communicate("go\n", timeout=120)[0].endswith(f"{sha256(b'image')}\n")
    finally:
        holder.kill()
        holder.wait()


def test_an_engine_does_not_start_from_another_image(image: Path, tmp_path: Path, runtime: None):
    beside(image, "sha256:" + "0" * 64)
    options = {"run.scratch": str(tmp_path / "s"), "engine.name": "vllm", "engine.image": str(image)}
    with (
        pytest.raises(BadInput, match="is not the recorded image"),
        open_engine(load_settings(options), ServedModel("a__b", "b", weights=str(tmp_path))),
    ):
        pass


def test_a_sandbox_does_not_start_from_another_image(image: Path, runtime: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(IMAGE_VARIABLE, str(image))
    beside(image, "sha256:" + sha256(b"image"))
    assert box_of("apptainer-userns", None).image == str(image)
    beside(image, "sha256:" + "0" * 64)
    with pytest.raises(BadInput, match="is not the recorded image"):
        box_of("apptainer-userns", None)


def test_digests_of_a_shared_folder_are_kept_in_the_cache_of_the_user(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert image_digest(image).startswith("sha256:")
    assert kept_file(image).is_relative_to(tmp_path / "cache") and kept_file(image).is_file()
