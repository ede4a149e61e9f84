"""Definition files: parsed, every version exact and the one that the project is tested with; digests checked."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from benchforge.runners.score.sandbox.outer import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "containers"
SCORING = sorted(FOLDER.glob("score-*.def"))
CONSTRAINTS = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if re.match(r"[\w.-]+==", line)
)


def sections(path: Path) -> dict[str, list[str]]:
    """Header under "", every %section under its name; comments left out."""
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("%"):
            name = line[1:].strip()
            found[name] = []
        elif line.strip() and not line.startswith("#"):
            found[name].append(line.strip())
    return found


@pytest.mark.parametrize("path", [*SCORING, FOLDER / "vllm.def"], ids=lambda path: path.stem)
def test_definition_has_a_base_with_a_tag_and_a_test(path: Path):
    found = sections(path)
    header = dict(line.split(": ", 1) for line in found[""])
    assert header["Bootstrap"] == "docker" and re.fullmatch(r"[\w./-]+:[\w.-]+", header["From"])
    assert header["From"].rsplit(":")[-1] != "latest"
    assert found["test"] and any(line.startswith("benchforge.family ") for line in found["labels"])


@pytest.mark.parametrize("path", SCORING, ids=lambda path: path.stem)
def test_scoring_images_hold_what_the_sandbox_shows_at_the_tested_versions(path: Path):
    lines = [line for line in sections(path)["post"] if "pip install" in line]
    words = [word for line in lines for word in line.split("install", 1)[1].split() if not word.startswith("-")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", word) for word in words), words
    versions = dict(word.split("==") for word in words)
    assert set(PACKAGES) <= set(versions)
    assert {name: versions[name] for name in PACKAGES} == {name: CONSTRAINTS[name] for name in PACKAGES}


@pytest.mark.parametrize("path", [*SCORING, FOLDER / "vllm.def"], ids=lambda path: path.stem)
def test_shell_of_definitions_parses(path: Path):
    for name in ("post", "environment", "test"):
        text = "\n".join(sections(path).get(name, []))
        assert subprocess.run(["bash", "-n", "-c", text]).returncode == 0, name


def build(*words: str, digests: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BENCHFORGE_DIGESTS": str(digests)}
    return subprocess.run(["bash", str(FOLDER / "build.sh"), *words], capture_output=True, text=True, env=environment)


def test_an_image_that_changed_since_it_was_recorded_is_named(tmp_path: Path):
    digests, image = tmp_path / "digests.yml", tmp_path / "score-x.sif"
    shutil.copy(FOLDER / "digests.yml", digests)
    image.write_bytes(b"first")
    assert build("--record", str(image), digests=digests).returncode == 0
    assert yaml.safe_load(digests.read_text())["images"] == {image.name: hashlib.sha256(b"first").hexdigest()}
    assert build("--check", str(tmp_path), digests=digests).returncode == 0
    image.write_bytes(b"second")
    done = build("--check", str(tmp_path), digests=digests)
    assert done.returncode == 1 and "recorded is" in done.stderr
    assert build("--record", str(image), digests=digests).returncode == 0
    assert build("--check", str(tmp_path), digests=digests).returncode == 0
    assert list(yaml.safe_load(digests.read_text())["images"]) == [image.name]


@pytest.mark.skipif(shutil.which("apptainer") is not None, reason="apptainer is here")
def test_building_without_apptainer_says_where_to_run(tmp_path: Path):
    done = build(str(tmp_path / "sifs"), digests=tmp_path / "digests.yml")
    assert done.returncode == 1 and "run this on a login node" in done.stderr
