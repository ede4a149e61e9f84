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
from benchforge.containers.check_definitions import _run, parse, pip_words, run_steps
from benchforge.ingest.config import load_settings
from benchforge.ingest.staging.harness_sources import source_of
from benchforge.runners.score.environments import LEAN
from benchforge.runners.score.harnesses import EVALPLUS
from benchforge.runners.score.sandbox.outer import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "containers"
SCORING = sorted(FOLDER.glob("score-*.def"))
SUITES = sorted(FOLDER.glob("suite-*.def"))
CONSTRAINTS = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if re.match(r"[\w.-]+==", line)
)


@pytest.mark.parametrize("path", [*SCORING, *SUITES, FOLDER / "vllm.def"], ids=lambda path: path.stem)
def test_definition_has_a_base_with_a_tag_pinned_packages_and_a_test(path: Path):
    definition = parse(path)
    assert f"benchforge.family {'engine' if path.stem == 'vllm' else path.stem[6:]}" in definition.sections["labels"]
    for line in definition.sections.get("files", "").splitlines():
        assert not line.strip() or (FOLDER / line.split()[0]).is_file(), line


def test_the_engine_definition_starts_from_the_image_that_is_pulled():
    assert parse(FOLDER / "vllm.def").header["From"] == load_settings({})["engine.image"]


@pytest.mark.parametrize("path", SCORING, ids=lambda path: path.stem)
def test_scoring_images_hold_what_the_sandbox_shows_at_the_tested_versions(path: Path):
    versions = dict(word.split("==") for word in pip_words(parse(path)))
    assert set(PACKAGES) <= set(versions)
    assert {name: versions[name] for name in PACKAGES} == {name: CONSTRAINTS[name] for name in PACKAGES}


def test_the_harness_of_an_image_is_the_one_that_is_staged():
    """The environment that ``stage --harness`` makes and the one in the image hold the same."""
    words = pip_words(parse(FOLDER / "score-evalplus.def"))
    assert words[words.index(EVALPLUS) :] == list(LEAN[EVALPLUS])
    assert source_of("evalplus").requirement == EVALPLUS
    assert source_of("bigcodebench").requirement in pip_words(parse(FOLDER / "score-bigcodebench.def"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("python:3.11-slim-bookworm", "python", "no image of a registry with a tag"),
        ("python:3.11-slim-bookworm", "python:latest", "the latest image"),
        ("numpy==2.4.6", "numpy", "numpy: not pinned"),
        ("%test", "%tests", "%tests is unknown"),
        ("%labels", "%post", "stands twice"),
        ("    set -eu", "    if true", "%post: "),
    ],
)
def test_a_definition_that_would_not_build_the_same_is_refused(tmp_path: Path, old: str, new: str, said: str):
    path = tmp_path / "x.def"
    path.write_text((FOLDER / "score-cruxeval.def").read_text().replace(old, new))
    with pytest.raises(ValueError, match=re.escape(said)):
        parse(path)


STEPS = """\
Bootstrap: docker
From: python:3.11
%post
    set -eu
    touch /opt/harness/made
    if touch /usr/made; then exit 4; fi
    command -v pip | grep -q ^/opt/base
%test
    test -e /opt/harness/made
    test $(tail -n +3 /proc/net/dev | grep -vc lo:) = 0
"""


def test_package_steps_run_with_a_network_and_tests_without(tmp_path: Path):
    """Our own steps in place of pip's: what is writable, what is not, and what a failure says."""
    if shutil.which("bwrap") is None:
        pytest.skip("package steps are run under bubblewrap, and it is not installed")
    path = tmp_path / "x.def"
    path.write_text(STEPS)
    found = run_steps(parse(path), tmp_path / "work")
    assert [(one.what, one.is_good) for one in found] == [("interpreter", True), ("%post", True), ("%test", True)], (
        found
    )
    assert (tmp_path / "work" / "harness" / "made").exists() and not Path("/usr/made").exists()
    assert _run("echo said last\nfalse\ntrue", tmp_path / "work", None, False) == "said last"
    assert _run("echo no such package >&2; exit 3", tmp_path / "work", None, False) == "no such package"


def build(*words: str, digests: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BENCHFORGE_DIGESTS": str(digests)}
    return subprocess.run(["bash", str(FOLDER / "build.sh"), *words], capture_output=True, text=True, env=environment)


def test_an_image_that_changed_since_it_was_recorded_is_named(tmp_path: Path):
    digests, image = tmp_path / "digests.yml", tmp_path / "score-x.sif"
    shutil.copy(FOLDER / "digests.yml", digests)
    image.write_bytes(b"first")
    assert build("--record", str(image), digests=digests).returncode == 0
    assert yaml.safe_load(digests.read_text())["images"] == {image.name: hashlib.sha256(b"first").hexdigest()}
    assert build("--compare", str(tmp_path), digests=digests).returncode == 0
    image.write_bytes(b"second")
    done = build("--compare", str(tmp_path), digests=digests)
    assert done.returncode == 1 and "recorded is" in done.stderr
    assert build("--record", str(image), digests=digests).returncode == 0
    assert build("--compare", str(tmp_path), digests=digests).returncode == 0
    assert list(yaml.safe_load(digests.read_text())["images"]) == [image.name]


@pytest.mark.skipif(shutil.which("apptainer") is not None, reason="apptainer is here")
def test_building_without_apptainer_says_where_to_run(tmp_path: Path):
    done = build(str(tmp_path / "sifs"), digests=tmp_path / "digests.yml")
    assert done.returncode == 1 and "run this on a login node" in done.stderr
