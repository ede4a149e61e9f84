"""Uploads against a Hub on loopback, on both roads that large files take, and everything that goes wrong on them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hub_stand_in
import pytest
from benchforge.ingest.errors import BadInput, BenchforgeError, Incomplete, UsageError
from benchforge.runners.publish import hub, publication_file, publishing, remote, snapshot
from hub_stand_in import TOKEN, File, Hub, hub_on_loopback

NAME = "tester/benchforge-results"
DEADLINE_SECONDS = 300.0


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    from huggingface_hub import constants

    with hub_on_loopback() as running:
        _ask_only(running.url, monkeypatch)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setattr(hub, "WAITS_SECONDS", (0.0,) * 6)
        yield running


@pytest.fixture(params=["lfs", "xet"])
def road(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    _take(request.param, monkeypatch)
    return request.param


@pytest.fixture
def lfs(monkeypatch: pytest.MonkeyPatch) -> None:
    _take("lfs", monkeypatch)


def _ask_only(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads HF_ENDPOINT when it is imported, and makes a template of it."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


def _take(road: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", road == "lfs")
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1" if road == "lfs" else "0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A results repository in miniature: three large files, a small one, and what describes them."""
    made = tmp_path / "benchforge-results"
    shuffled = random.Random(7)
    for number in range(3):
        part = made / "data" / "benchmark=b" / f"model=o__m{number}" / "part-osi-0.parquet"
        part.parent.mkdir(parents=True)
        part.write_bytes(shuffled.randbytes(200_000) + b"text " * 20_000)
    (made / "README.md").write_text("---\nlicense: other\n---\n\n# Made\n", encoding="utf-8")
    publication_file.write(made)
    return made


def _upload(folder: Path, name: str = NAME, **more: Any) -> remote.Uploaded:
    api = hub.api_of()
    repository = hub.repository_of(name, "dataset")
    return remote.upload(api, remote.look(api, repository), folder, message="made", **more)


def _assert_holds(stand_in: Hub, folder: Path, name: str = NAME) -> None:
    held = {path: file.content for path, file in stand_in.repo(name).head.files.items() if path != ".gitattributes"}
    assert held == {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def _change(folder: Path) -> None:
    part = next(iter(sorted(folder.rglob("*.parquet"))))
    part.write_bytes(part.read_bytes() + b"more")
    publication_file.write(folder)


# ---- what goes right --------------------------------------------------------------------------------------------


def test_what_arrives_is_the_folder_and_has_the_tag_of_its_content(stand_in: Hub, folder: Path, road: str) -> None:
    done = _upload(folder)
    _assert_holds(stand_in, folder)
    said = publication_file.read(folder)
    assert said is not None and done.tag == said.tag and done.is_changed
    assert stand_in.repo(NAME).tags == {said.tag: stand_in.repo(NAME).head.oid}
    assert any(path.startswith("/cas/") for _, path in stand_in.requests) == (road == "xet")


def test_unchanged_is_no_commit_and_changed_is_one_after_the_last(stand_in: Hub, folder: Path, road: str) -> None:
    first = _upload(folder)
    assert not _upload(folder).is_changed
    num_commits = len(stand_in.repo(NAME).commits)
    (folder / "data" / "benchmark=b" / "model=o__m2" / "part-osi-0.parquet").unlink()
    _change(folder)
    second = _upload(folder)
    _assert_holds(stand_in, folder)
    assert len(stand_in.repo(NAME).commits) == num_commits + 1
    assert stand_in.repo(NAME).head.parent == first.commit and second.tag != first.tag
    assert set(stand_in.repo(NAME).tags) == {first.tag, second.tag}


def test_a_card_that_changed_leaves_the_tag_of_the_data_where_it_is(stand_in: Hub, folder: Path, lfs: None) -> None:
    first = _upload(folder)
    (folder / "README.md").write_text("---\nlicense: other\n---\n\n# Reworded\n", encoding="utf-8")
    publication_file.write(folder)
    second = _upload(folder)
    assert second.is_changed and second.tag == first.tag
    assert stand_in.repo(NAME).tags == {first.tag: first.commit}


def test_a_published_revision_comes_back_as_it_was(stand_in: Hub, folder: Path, lfs: None) -> None:
    first = _upload(folder)
    before = publication_file.read(folder)
    _change(folder)
    _upload(folder)
    assert snapshot.fetched(f"hf://datasets/{NAME}@{first.tag}").publication == before
    assert snapshot.fetched(f"hf://datasets/{NAME}").publication == publication_file.read(folder)


def test_the_plan_of_a_dry_run_says_what_an_upload_would_do(stand_in: Hub, folder: Path, lfs: None) -> None:
    def plan() -> dict[str, int]:
        found = remote.look(hub.api_of(), hub.repository_of(NAME, "dataset"))
        return {row["action"]: row["files"] for row in publishing._plan(found, folder)}

    assert plan() == {"create": 5} and not stand_in.repos
    _upload(folder)
    assert plan() == {"keep": 5}
    (folder / "data" / "benchmark=b" / "model=o__m2" / "part-osi-0.parquet").unlink()
    _change(folder)
    assert plan() == {"change": 2, "keep": 2, "delete": 1}


# ---- what goes wrong --------------------------------------------------------------------------------------------


def test_an_upload_killed_midway_is_taken_up_where_it_stopped(stand_in: Hub, folder: Path, road: str) -> None:
    reached, gone = threading.Event(), threading.Event()
    last = "/cas/v2/shards" if road == "xet" else "/lfs/"

    def hold(method: str, path: str, number: int) -> int | None:
        puts = [each for each in stand_in.requests if each[1].startswith(last)]
        if path.startswith(last) and len(puts) == (1 if road == "xet" else 3):
            reached.set()
            gone.wait(DEADLINE_SECONDS)
            return 0
        return None

    stand_in.faults = hold
    _kill_when(reached, [sys.executable, str(Path(hub_stand_in.__file__).with_name("uploading.py")), str(folder), NAME])
    stand_in.faults = lambda method, path, number: None
    gone.set()
    stored = len(stand_in.storage.objects)
    assert stored == (0 if road == "xet" else 2) and not stand_in.repo(NAME).tags
    assert len(stand_in.repo(NAME).commits) == 1, "nothing is committed before everything is there"
    before = len(stand_in.requests)
    _upload(folder)
    _assert_holds(stand_in, folder)
    sent = [path for method, path in stand_in.requests[before:] if path.startswith("/lfs/")]
    assert len(sent) == (0 if road == "xet" else 1), "what had arrived is not sent again"


def _kill_when(reached: threading.Event, command: list[str]) -> None:
    process = subprocess.Popen(command, env=dict(os.environ), start_new_session=True)
    try:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not reached.wait(0.1):
            assert process.poll() is None, "the upload ended before it was killed"
            assert time.monotonic() < deadline
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_storm_of_5xx_passes(stand_in: Hub, folder: Path, lfs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _never_sleep(monkeypatch)
    seen: dict[str, int] = {}

    def storm(method: str, path: str, number: int) -> int | None:
        seen[f"{method} {path}"] = seen.get(f"{method} {path}", 0) + 1
        return (500, 502, 503, 0)[number % 4] if seen[f"{method} {path}"] <= 2 else None

    stand_in.faults = storm
    _upload(folder)
    _assert_holds(stand_in, folder)
    assert len(stand_in.repo(NAME).commits) == 2 and max(seen.values()) > 2


def test_a_storm_that_does_not_pass_says_run_it_again(
    stand_in: Hub, folder: Path, lfs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _never_sleep(monkeypatch)
    stand_in.faults = lambda method, path, number: 503 if "/commit/" in path else None
    with pytest.raises(Incomplete, match=r"the Hub answered 503 too often \(tester/benchforge-results\)"):
        _upload(folder)
    assert not stand_in.repo(NAME).tags


def _never_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits for seconds between its tries of one request."""
    import huggingface_hub.utils._http as http

    class Clock:
        sleep = staticmethod(lambda seconds: None)
        time, monotonic, perf_counter = time.time, time.monotonic, time.perf_counter

    monkeypatch.setattr(http, "time", Clock)


@pytest.mark.parametrize("when", ["before", "at the commit"])
def test_an_expired_token_is_one_sentence_without_the_token(stand_in: Hub, folder: Path, lfs: None, when: str) -> None:
    if when == "before":
        stand_in.tokens.clear()
    else:
        stand_in.faults = lambda method, path, number: 401 if "/commit/" in path else None
    with pytest.raises(BenchforgeError, match="token") as told:
        hub.refuse_stranger(hub.api_of(), "tester")
        _upload(folder)
    assert TOKEN not in "".join((str(told.value), told.value.message, told.value.hint))
    assert told.value.__suppress_context__ and told.value.exit_code == 1


def test_who_may_not_write_there_is_told_before_anything_is_built(stand_in: Hub) -> None:
    assert hub.refuse_stranger(hub.api_of(), "made-org") == "tester"
    with pytest.raises(BenchforgeError, match="the token is tester's and may not write to somebody-else"):
        hub.refuse_stranger(hub.api_of(), "somebody-else")


def test_without_a_network_it_says_so_at_once(stand_in: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    _ask_only("http://127.0.0.1:9", monkeypatch)  # the port that discards: nobody listens
    monkeypatch.setattr(hub, "WAITS_SECONDS", (DEADLINE_SECONDS,))
    with pytest.raises(Incomplete, match="the Hub cannot be reached"):
        hub.refuse_stranger(hub.api_of(), "tester")


@pytest.mark.parametrize("moment", ["while it is sent", "before it is sent"])
def test_somebody_else_s_commit_is_never_overwritten(stand_in: Hub, folder: Path, lfs: None, moment: str) -> None:
    _upload(folder)
    _change(folder)
    api, repository = hub.api_of(), hub.repository_of(NAME, "dataset")
    looked = remote.look(api, repository)
    intrude = _intruder(stand_in)
    if moment == "before it is sent":
        intrude()
    else:
        stand_in.before_commit = intrude
    with pytest.raises(BadInput, match="somebody else committed to tester/benchforge-results meanwhile"):
        remote.upload(api, looked, folder, message="made")
    assert stand_in.repo(NAME).head.files["theirs.txt"].content == b"theirs"


def _intruder(stand_in: Hub) -> Callable[[], None]:
    def intrude() -> None:
        repo = stand_in.repo(NAME)
        if "theirs.txt" not in repo.head.files:
            repo.add("Update by hand", "", {**repo.head.files, "theirs.txt": File(b"theirs", False)})

    return intrude


def test_a_commit_whose_answer_was_lost_is_not_taken_for_somebody_else_s(
    stand_in: Hub, folder: Path, lfs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _never_sleep(monkeypatch)
    original, lost = hub_stand_in._Handler._commit, threading.Event()

    def commit(handler: Any, *about: Any) -> None:
        if lost.is_set():
            return original(handler, *about)
        lost.set()
        handler._json = lambda said, status=200, headers=None: setattr(handler, "close_connection", True)
        original(handler, *about)
        del handler._json

    monkeypatch.setattr(hub_stand_in._Handler, "_commit", commit)
    _upload(folder)
    _assert_holds(stand_in, folder)
    assert lost.is_set() and len(stand_in.repo(NAME).commits) in (2, 3)


def test_an_older_schema_is_refused_then_tagged_and_replaced(stand_in: Hub, folder: Path, lfs: None) -> None:
    repo = stand_in.create(NAME)
    old = repo.add("first run", "", {**repo.head.files, "results/humaneval.parquet": File(b"old", True)})
    api = hub.api_of()
    found = remote.look(api, hub.repository_of(NAME, "dataset"))
    with pytest.raises(BadInput, match=r"another schema \(results/humaneval.parquet\)") as told:
        remote.refuse_older_schema(found, replace=False)
    assert "--replace" in told.value.hint
    remote.refuse_older_schema(found, replace=True)
    remote.upload(api, found, folder, message="made")
    _assert_holds(stand_in, folder)
    assert repo.tags[f"before-{old.oid[:8]}"] == old.oid
    assert stand_in.content(NAME, "results/humaneval.parquet", f"before-{old.oid[:8]}") == b"old"


def test_a_half_finished_upload_of_ours_is_no_older_schema(stand_in: Hub, folder: Path) -> None:
    repo = stand_in.create(NAME)
    assert not remote.look(hub.api_of(), hub.repository_of(NAME, "dataset")).is_older_schema
    part = "data/benchmark=b/model=o__m0/part-osi-0.parquet"
    repo.add(remote.TITLE, "", {**repo.head.files, part: File((folder / part).read_bytes(), True)})
    found = remote.look(hub.api_of(), hub.repository_of(NAME, "dataset"))
    assert found.published is None and not found.is_older_schema


@pytest.mark.parametrize("name", ["tester/" + "x" * 97, "tester/benchforge results", "tester/-results", "a/b/c"])
def test_names_that_the_hub_does_not_take_are_usage_errors(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a repository"):
        hub.repository_of(name, "dataset")


def test_files_altered_after_the_check_are_not_sent(stand_in: Hub, folder: Path) -> None:
    part = next(iter(sorted(folder.rglob("*.parquet"))))
    part.write_bytes(part.read_bytes()[:-1] + b"!")
    with pytest.raises(BadInput, match="is not as it was published"):
        _upload(folder)
    assert not stand_in.repos


def test_a_revision_that_is_half_there_is_not_built_from(stand_in: Hub, folder: Path, lfs: None) -> None:
    _upload(folder)
    repo = stand_in.repo(NAME)
    left = {path: file for path, file in repo.head.files.items() if "m1" not in path}
    repo.add(f"{remote.TITLE} (part 2)", "", left)
    with pytest.raises(BadInput, match=r"model=o__m1/part-osi-0.parquet is missing"):
        snapshot.fetched(f"hf://datasets/{NAME}")


@pytest.mark.parametrize(
    ("place", "about"),
    [
        ("hf://datasets/tester", "names no data set"),
        ("hf://tester/benchforge-results", "names no data set"),
        ("hf://datasets/tester/nothing-there", "there is no data set"),
        (f"hf://datasets/{NAME}@no-such-tag", "has no revision no-such-tag"),
    ],
)
def test_places_that_are_none_are_one_sentence(stand_in: Hub, place: str, about: str) -> None:
    stand_in.create(NAME)
    with pytest.raises(BenchforgeError, match=about):
        snapshot.fetched(place)
