"""The outer sandbox in every mode that this machine has, its layers, and the extraction worker."""

from __future__ import annotations

import dataclasses
import errno
import os
import pickle
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.ingest.schemas import SANDBOX_LAYERS
from benchforge.runners.score import sandbox as sandbox_module
from benchforge.runners.score.judge import Job, Judge
from benchforge.runners.score.judge.rules import OFFICIAL
from benchforge.runners.score.judge.worker import Worker
from benchforge.runners.score.sandbox import Sandbox, extraction, outer
from benchforge.runners.score.sandbox.connection import SandboxBroken
from benchforge.runners.score.sandbox.inside import wire

from .conftest import BOTH, TASKS

NAMESPACES = {"user_namespace", "mount_namespace", "pid_namespace", "network_namespace", "ipc_namespace"}
INNER = {"no_new_privs", "seccomp", "rlimits", "unprivileged_uid"}


def opened(mode: str, **options: object) -> Sandbox:
    try:
        return Sandbox.open(mode, **options)  # type: ignore[arg-type]
    except SandboxUnavailable as error:
        pytest.skip(f"{mode}: {error.message}")


@pytest.mark.parametrize("mode", ["bubblewrap", "unshare", "inner-only"])
def test_a_mode_grades_and_names_its_layers(mode: str) -> None:
    opened(mode).close()
    hostile = "import posix\ndef total(xs):\n    return sum(xs) if posix.fork() >= 0 else 0\n"
    right = "def total(xs):\n    return sum(xs)\n"
    with Judge(TASKS, mode) as judge:
        assert judge.mode == mode
        assert set(judge.layers) >= (INNER if mode == "inner-only" else INNER | NAMESPACES)
        assert list(judge.layers) == [name for name in SANDBOX_LAYERS if name in judge.layers]
        jobs = (Job(name, "total", program, BOTH) for name, program in (("hostile", hostile), ("right", right)))
        verdicts = {job.key: graded.outcomes["official"].base.verdict for job, graded in judge.grade(jobs)}
    assert verdicts == {"hostile": "fail", "right": "pass"}


def test_nothing_is_writable_without_a_private_file_system() -> None:
    opened("inner-only").close()
    program = "import io\ndef total(xs):\n    io.open('note', 'w')\n    return sum(xs)\n"
    with Judge(TASKS, "inner-only") as judge:
        ((_, graded),) = judge.grade([Job(None, "total", program, BOTH)])
    assert graded.outcomes["official"].base.reason == "exception"


def test_a_runtime_that_is_missing_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sandbox_module.IMAGE_VARIABLE, raising=False)
    with pytest.raises(SandboxUnavailable) as caught:
        Sandbox.open("apptainer-userns")
    assert sandbox_module.IMAGE_VARIABLE in caught.value.hint


def test_closing_leaves_nothing_behind() -> None:
    sandbox = Sandbox.open()
    staging = sandbox._staging
    assert staging is not None
    assert staging.path.exists()
    sandbox.close()
    assert not staging.path.exists()
    assert sandbox._process.poll() is not None


def test_a_dead_sandbox_is_a_failure_of_ours_never_a_verdict() -> None:
    from benchforge.runners.score.judge.execution import Bench
    from benchforge.runners.score.judge.expected import ExpectedStore
    from benchforge.runners.score.judge.worker import grade

    bench = Bench(Sandbox.open, OFFICIAL, lambda seconds: None)
    store = ExpectedStore(Path(), bench)
    right = "def total(xs):\n    return sum(xs)\n"
    bench.sandbox._process.kill()
    bench.sandbox._process.wait()
    with pytest.raises(SandboxBroken):
        grade(bench, store, TASKS["total"], right, BOTH)
    bench.renew()
    assert grade(bench, store, TASKS["total"], right, BOTH)["official"].base.verdict == "pass"
    bench.renew()


@pytest.fixture(scope="module")
def extracting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("extractors")
    # the sandbox's own id must be able to enter
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    (folder / "__init__.py").touch()
    shutil.copy(Path(__file__).with_name("stub_extractors.py"), folder / "stub.py")
    with Sandbox.open(extractor_directory=folder) as sandbox:
        yield sandbox


def test_an_extractor_runs_inside_and_gives_its_text(extracting: Sandbox) -> None:
    assert extracting.extract("stub:shout", "é\ud800", {"ending": "!"}) == "É\ud800!"


@pytest.mark.parametrize("text", ["loop", "die", "memory", "deep", "secrets"])
def test_text_that_breaks_an_extractor_extracts_nothing(
    extracting: Sandbox, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(extraction, "EXTRACT_SECONDS", 1.0)
    assert extracting.extract("stub:misbehave", text, {}) == ""
    assert extracting.extract("stub:misbehave", "fine", {}) == "fine"


def test_an_extractor_that_does_not_exist_is_an_error(extracting: Sandbox) -> None:
    with pytest.raises(SandboxUnavailable, match="stub:whisper"):
        extracting.extract("stub:whisper", "text", {})
    with pytest.raises(LookupError):
        extracting.extract("no such extractor", "text", {})


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter alone is shown inside, as in an image that somebody built without numpy."""
    box = outer.local_box()
    monkeypatch.setattr(outer, "local_box", lambda extract=None: dataclasses.replace(box, packages=()))


@pytest.mark.parametrize(("flavour", "module"), [("numpy", "numpy"), ("extract", "tree_sitter")])
def test_what_programs_need_inside_is_missed_at_once(no_packages: None, flavour: str, module: str) -> None:
    with Sandbox.open() as sandbox, pytest.raises(SandboxUnavailable, match=module) as caught:
        sandbox.server(flavour)
    assert caught.value.hint


def test_a_parser_that_breaks_while_it_loads_is_no_verdict(tmp_path: Path) -> None:
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    (tmp_path / "__init__.py").touch()
    (tmp_path / "broken.py").write_text("raise OSError('no such library')\n")
    with Sandbox.open(extractor_directory=tmp_path) as sandbox:
        for _ in range(2):
            with pytest.raises(SandboxUnavailable, match=r"extract\.broken"):
                sandbox.extract("broken:anything", "text", {})


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_a_worker_refuses_to_start_without_numpy(
    no_packages: None, ends: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    worker = Worker(ends[1], None, False, OFFICIAL, tmp_path, tempfile.gettempdir())
    worker._greet()
    name, error = pickle.loads(wire.receive(ends[0])[0])
    worker._bench.renew()
    assert name == "refused"
    assert isinstance(error, SandboxUnavailable)
    assert "numpy" in error.message


def test_a_full_disk_under_the_expected_values_reaches_the_caller(
    monkeypatch: pytest.MonkeyPatch, ends: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    worker = Worker(ends[1], None, False, OFFICIAL, tmp_path / "cache", tempfile.gettempdir())
    worker._answer(TASKS["halves"], "halves", "def halves(xs):\n    return xs\n", BOTH, 1)
    worker._bench.renew()
    name, error = "limit", None
    while name in ("limit", "claims"):
        name, error = pickle.loads(wire.receive(ends[0])[0])
    assert (name, getattr(error, "errno", error)) == ("refused", errno.ENOSPC)
    assert not list((tmp_path / "cache").iterdir())


def test_a_cache_that_cannot_be_written_ends_a_judge_without_a_traceback(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with Judge(TASKS, cache_directory=tmp_path / "cache") as judge, pytest.raises(OSError, match="cache"):
        list(judge.grade([Job(None, "halves", "def halves(xs):\n    return xs\n", BOTH)]))
    assert "Traceback" not in capfd.readouterr().err


def test_two_closed_folders_on_the_way_are_both_opened(tmp_path: Path) -> None:
    """Seen: an interpreter below a home of mode 0700 and extractors below another closed folder."""
    if os.geteuid() != 0:
        pytest.skip("only root drops to another id")
    closed = tmp_path / "closed"
    folder = closed / "extractors"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    shutil.copy(Path(__file__).with_name("stub_extractors.py"), folder / "stub.py")
    closed.chmod(0o700)
    with Sandbox.open(extractor_directory=folder) as sandbox:
        assert sandbox.extract("stub:shout", "a", {"ending": "!"}) == "A!"


def test_texts_that_share_a_child_extract_what_each_would_alone(extracting: Sandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(extraction, "EXTRACT_SECONDS", 1.0)
    texts = ["a", "fine", "die", "b", "memory", "loop", "c", "deep", "d", *(f"text {number}" for number in range(70))]
    extractors = ["stub:shout" if len(text) == 1 or "text" in text else "stub:misbehave" for text in texts]
    wanted = [(name, text, {"ending": "!"}) for name, text in zip(extractors, texts, strict=True)]
    together = extracting.extract_all(wanted)
    assert together == [extracting.extract(*item) for item in wanted]
    assert together[:9] == ["A!", "fine", "", "B!", "", "", "C!", "", "D!"]
    assert extracting.extract_all([]) == []
