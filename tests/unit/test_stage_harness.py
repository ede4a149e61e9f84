"""Sources of harnesses: compared with their pins before anything is in place, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from benchforge.ingest.config import load_settings
from benchforge.ingest.errors import BadInput, Incomplete, NotStaged, UsageError
from benchforge.ingest.staging import harness_sources
from benchforge.ingest.staging.addresses import fetched
from benchforge.ingest.staging.harness_sources import (
    SOURCES,
    HarnessSource,
    source_of,
    sources_root,
    stage_harness,
    staged_harness,
    tree_digest,
)
from benchforge.runners.cli.cross_check import _installed
from benchforge.runners.score.harnesses import HARNESSES

FILES = {"prompts.py": b"def f():\n    return 'x'\n", "evaluation/run me.py": b"print(1)\n", "data/a.jsonl": b"{}\n"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def source(checkout: Path) -> HarnessSource:
    return HarnessSource("toy", "lab/toy", "a" * 40, tree_digest(checkout))


def packed(checkout: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(checkout, "toy-aaaaaaa")
    return path


def test_the_digest_of_a_checkout_is_what_git_lists(checkout: Path, source: HarnessSource):
    def git(*words: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"]
        done = subprocess.run(
            ["git", "-C", str(checkout), *identity, *words], capture_output=True, text=True, check=True
        )
        return done.stdout

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "x")
    listed = git("ls-tree", "-r", "--format=%(objectname)  %(path)", "HEAD").splitlines(keepends=True)
    ordered = sorted(listed, key=lambda line: line.split("  ", 1)[1].encode())
    assert hashlib.sha256("".join(ordered).encode()).hexdigest() == source.tree_digest == tree_digest(checkout)


@pytest.mark.parametrize("kind", ["folder", "archive", "zip", "address"])
def test_the_pinned_files_are_taken_from_anywhere(checkout: Path, source: HarnessSource, tmp_path: Path, kind: str):
    (checkout / ".git").mkdir()
    (checkout / ".git" / "config").write_text("x")
    (checkout / "__pycache__").mkdir()
    (checkout / "__pycache__" / "prompts.cpython-311.pyc").write_bytes(b"x")
    given = str(checkout)
    root = tmp_path / "root"
    if kind == "archive":
        given = str(packed(checkout, tmp_path / "toy.tar.gz"))
    if kind == "zip":
        given = str(tmp_path / "toy.zip")
        with zipfile.ZipFile(given, "w") as archive:
            for name, content in FILES.items():
                archive.writestr(f"toy-aaaaaaa/{name}", content)
    if kind == "address":
        packed(checkout, tmp_path / "toy.tar.gz")
        with served(tmp_path) as address:
            found = stage_harness(source, f"{address}/toy.tar.gz", root)
    else:
        found = stage_harness(source, given, root)
    assert found.folder == root / "toy-aaaaaaa" and found.num_bytes == sum(map(len, FILES.values()))
    content = {path.relative_to(found.folder).as_posix(): path.read_bytes() for path in found.folder.rglob("*.*")}
    assert content == FILES
    assert staged_harness(source, root) == replace(found, is_new=False)
    assert not list(root.glob(".harness-*"))


def test_any_other_file_is_refused_and_nothing_is_written(checkout: Path, source: HarnessSource, tmp_path: Path):
    (checkout / "prompts.py").write_bytes(b"def f():\n    return 'y'\n")
    with pytest.raises(BadInput, match="is not lab/toy@aaaaaaa") as caught:
        stage_harness(source, str(checkout), tmp_path / "root")
    assert "checkout aaaaaaa" in caught.value.hint and "https://" in caught.value.hint
    assert list((tmp_path / "root").iterdir()) == []


def test_what_changed_after_it_was_staged_is_not_in_place(checkout: Path, source: HarnessSource, tmp_path: Path):
    found = stage_harness(source, str(checkout), tmp_path / "root")
    (found.folder / "prompts.py").write_bytes(b"def f():\n    return 'z'\n")
    assert staged_harness(source, tmp_path / "root") is None
    assert stage_harness(source, str(checkout), tmp_path / "root").is_new
    assert (found.folder / "prompts.py").read_bytes() == FILES["prompts.py"]


def test_an_archive_that_leads_outside_is_refused(source: HarnessSource, tmp_path: Path):
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(member := tarfile.TarInfo("../../escaped"), io.BytesIO(b""))
        assert member.size == 0
    with pytest.raises(BadInput, match="cannot be unpacked"):
        stage_harness(source, str(path), tmp_path / "root")
    (tmp_path / "no.zip").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="cannot be unpacked"):
        stage_harness(source, str(tmp_path / "no.zip"), tmp_path / "root")
    assert not (tmp_path / "escaped").exists()


def test_what_is_not_given_or_not_there_is_one_sentence(source: HarnessSource, tmp_path: Path):
    with pytest.raises(UsageError, match="no release on PyPI") as caught:
        stage_harness(source, None, tmp_path)
    assert f"archive/{'a' * 40}.tar.gz" in caught.value.hint
    with pytest.raises(UsageError, match="there is no "):
        stage_harness(source, str(tmp_path / "nowhere"), tmp_path)
    with pytest.raises(UsageError, match="there is no harness nonsense"):
        source_of("nonsense")
    with served(tmp_path) as address, pytest.raises(NotStaged, match="answered 404"):
        stage_harness(source, f"{address}/nothing", tmp_path)


def test_an_address_that_is_silent_or_too_large_is_given_up(tmp_path: Path):
    (tmp_path / "large").write_bytes(b"x" * 5000)
    with served(tmp_path) as address, pytest.raises(BadInput, match="is larger than"):
        fetched(f"{address}/large", tmp_path / "got", 1000)
    with pytest.raises(Incomplete, match="broke off"):
        fetched(f"{address}/large", tmp_path / "got", 1000, (0.0,))


def test_a_release_that_pip_cannot_have_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(NotStaged, match=r"evalplus==0\.3\.1 could not be fetched: ") as caught:
        stage_harness(source_of("evalplus"), None, tmp_path)
    assert "--harness evalplus --from FILE" in caught.value.hint and list(tmp_path.iterdir()) == []


def test_a_staged_checkout_is_what_cross_check_runs(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without --harness, for a harness that PyPI does not have; a file that changed is not run."""
    (checkout / "evaluation" / "evaluate_generations.py").write_text("")
    toy = HarnessSource("cruxeval", "lab/toy", "b" * 40, tree_digest(checkout))
    monkeypatch.setattr(harness_sources, "SOURCES", (toy,))
    settings = load_settings({"run.scratch": str(tmp_path / "s")})
    (cruxeval,) = (harness for harness in HARNESSES if harness.name == "cruxeval")
    with pytest.raises(NotStaged) as caught:
        _installed(cruxeval, settings, None, None)
    assert "benchforge stage --harness cruxeval --from DIR" in caught.value.hint
    found = stage_harness(toy, str(checkout), sources_root(settings.scratch))
    assert _installed(cruxeval, settings, None, None).search_path[0] == found.folder
    (found.folder / "evaluation" / "evaluate_generations.py").write_text("forged")
    with pytest.raises(NotStaged):
        _installed(cruxeval, settings, None, None)


def test_every_pin_is_whole():
    assert [source.name for source in SOURCES] == ["evalplus", "bigcodebench", "cruxeval", "livecodebench"]
    for source in SOURCES:
        digests = [source.tree_digest, *source.archives.values()]
        assert all(len(digest) == 64 and int(digest, 16) for digest in digests) and len(source.commit) == 40
        assert harness_sources.source_of(source.name.upper()) is source


class served:
    """A folder as an http address."""

    def __init__(self, folder: Path) -> None:
        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
