"""Publish the demo's lake, take it back from the Hub, and build the leaderboard again: the same bytes."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stand_in import TOKEN, File, Hub, hub_on_loopback

RESULTS, LEADERBOARD = "tester/benchforge-results", "tester/benchforge-leaderboard"


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Hub]:
    with hub_on_loopback() as running:
        yield running


@pytest.fixture(scope="module")
def words(stand_in: Hub, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of every command here: this Hub, this token, a cache of its own."""
    home = tmp_path_factory.mktemp("hub_home")
    return {"HF_ENDPOINT": stand_in.url, "HF_TOKEN": TOKEN, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_OFFLINE": "0", "HOME": str(home)}  # fmt: skip


@pytest.fixture(scope="module")
def run(road, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A copy of the demo's run: publication writes beside it."""
    scratch = tmp_path_factory.mktemp("publishing")
    shutil.copytree(road.scratch / "demo", scratch / "demo")
    return ["--scratch", str(scratch), "--run-name", "demo", "--lake", str(scratch / "demo" / "lake")]


@pytest.fixture(scope="module")
def sent(benchforge, run: list[str], words: dict[str, str]) -> list[dict[str, str]]:
    done = benchforge("publish", *run, "--namespace", "tester", "--format", "csv", timeout_seconds=1800, **words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_three_repositories_are_there_with_the_tags_of_their_content(stand_in: Hub, sent: list[dict[str, str]]) -> None:
    assert [row["repository"].partition("/")[2] for row in sent] == [
        "benchforge-results", "benchforge-leaderboard", "benchforge-leaderboard-space"
    ]  # fmt: skip
    for row, kind in zip(sent, ("dataset", "dataset", "space"), strict=True):
        repo = stand_in.repo(row["repository"], kind)
        assert repo.tags == {row["tag"]: row["commit"]} and row["commit"] == repo.head.oid
    assert sent[0]["tag"].encode() in stand_in.content(LEADERBOARD, "README.md"), "the card names what it follows from"


def test_the_leaderboard_built_from_what_was_published_is_the_published_one(
    benchforge, stand_in: Hub, sent: list[dict[str, str]], words: dict[str, str], tmp_path: Path
) -> None:
    place = f"hf://datasets/{RESULTS}@{sent[0]['tag']}"
    output = tmp_path / "benchforge.duckdb"
    done = benchforge("aggregate", "--lake", place, "--output", str(output), timeout_seconds=1200, **words)
    assert done.returncode == 0, done.stderr
    published = {path: file.content for path, file in stand_in.repo(LEADERBOARD).head.files.items()}
    marts = {path: content for path, content in published.items() if path.endswith(".parquet")}
    assert len(marts) > 15
    assert [
        path for path, content in marts.items() if (tmp_path / "marts" / Path(path).name).read_bytes() != content
    ] == []


def test_what_stands_in_the_way_is_told_before_anything_is_built(
    benchforge, stand_in: Hub, run: list[str], words: dict[str, str]
) -> None:
    old = stand_in.create("made-org/benchforge-results")
    old.add("first run", "", {**old.head.files, "results.csv": File(b"old", False)})
    cases = (
        ({**words, "HF_TOKEN": "hf_" + "expired" * 5}, ["--namespace", "tester"], 1, "the Hub does not know the token"),
        (words, ["--namespace", "strangers"], 1, "may not write to strangers"),
        (words, ["--namespace", "x" * 97], 2, "cannot be the name of a repository"),
        (words, ["--namespace", "made-org"], 1, "holds a publication in another schema (results.csv)"),
        (words, ["--repo", "marts"], 2, "'marts' is not a repository"),
    )
    for environment, options, code, about in cases:
        done = benchforge("publish", *run, *options, **environment)
        assert (done.returncode, about in done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr and environment["HF_TOKEN"] not in done.stderr
        assert "building" not in done.stderr
