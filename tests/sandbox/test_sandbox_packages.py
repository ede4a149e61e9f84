"""Of what is installed beside an interpreter a program sees numpy, and nothing that holds an answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.runners.score.judge.execution import Bench
from benchforge.runners.score.judge.expected import ExpectedStore
from benchforge.runners.score.judge.rules import OFFICIAL
from benchforge.runners.score.judge.worker import grade
from benchforge.runners.score.sandbox import Sandbox, outer

from .conftest import TASKS, total_task

READS = "import io\ndef total(xs):\n    return sum(xs) if io.open({path!r}).read() else None\n"
IMPORTS = "def total(xs):\n    import {name}\n    return sum(xs)\n"
Verdict = Callable[[str], str]


@pytest.fixture(params=["bubblewrap", "unshare", "inner-only"])
def verdict(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """Grade where the interpreter's prefix (a folder of the test's) has packages installed in it."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == tmp_path.stat().st_uid and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    for name in ("lib/python3.11/site-packages/answers", "lib/python3.11/here", "envs/other/lib", "share"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "note.txt").write_text("42")
    local_box = outer.local_box

    def box_with_packages(extract: Path | None = None) -> outer.Box:
        box = local_box(extract)
        binds = (*box.binds, outer.Bind(str(tmp_path), str(tmp_path)))
        covered = outer._covered([bind.source for bind in binds if not bind.link], "/nowhere", Path("/nowhere"))
        return dataclasses.replace(box, binds=binds, covered=tuple(covered))

    monkeypatch.setattr(outer, "local_box", box_with_packages)
    try:
        Sandbox.open(request.param).close()
    except SandboxUnavailable as error:
        pytest.skip(f"{request.param}: {error.message}")
    bench = Bench(lambda: Sandbox.open(request.param), OFFICIAL, lambda seconds: None)
    store = ExpectedStore(tmp_path / "expected", bench)
    request.addfinalizer(bench.renew)
    return lambda program: grade(bench, store, total_task(), program, ["official"])["official"].base.verdict


def test_installed_packages_are_hidden_and_the_rest_of_the_prefix_is_not(verdict: Verdict, tmp_path: Path) -> None:
    assert verdict(READS.format(path=f"{tmp_path}/lib/python3.11/here/note.txt")) == "pass"
    assert verdict(READS.format(path=f"{tmp_path}/share/note.txt")) == "pass"
    assert verdict(READS.format(path=f"{tmp_path}/lib/python3.11/site-packages/answers/note.txt")) != "pass"
    assert verdict(READS.format(path=f"{tmp_path}/envs/other/lib/note.txt")) != "pass"


def test_numpy_is_importable_and_what_only_the_extractors_need_is_not(verdict: Verdict) -> None:
    assert verdict(IMPORTS.format(name="numpy.linalg")) == "pass"
    for name in ("tree_sitter", "tree_sitter_python", "duckdb", "benchforge"):
        assert verdict(IMPORTS.format(name=name)) != "pass"
    assert TASKS


def test_the_folders_of_other_environments_and_of_this_package_are_covered(tmp_path: Path) -> None:
    prefix = tmp_path / "conda"
    inner = "lib/python3.12/site-packages"
    for name in (inner, f"envs/one/{inner}", "pkgs/numpy", "local/lib/python3.12/dist-packages", "src/benchforge"):
        (prefix / name).mkdir(parents=True)
    found = outer._covered([str(prefix)], str(prefix), prefix / "src/benchforge")
    wanted = ("envs", inner, "local/lib/python3.12/dist-packages", "pkgs", "src/benchforge")
    assert set(found) == {str(prefix / name) for name in wanted}
    # an interpreter that is itself one of the environments stays reachable
    found = outer._covered([str(prefix)], str(prefix / "envs/one"), prefix / "src/benchforge")
    assert str(prefix / "envs") not in found
    assert str(prefix / "envs/one" / inner) in found


def test_without_a_mount_the_paths_beside_the_covered_ones_are_named(tmp_path: Path) -> None:
    for name in ("lib/python3.11/site-packages/numpy", "lib/python3.11/json", "lib/other", "bin"):
        (tmp_path / name).mkdir(parents=True)
    beside = outer._beside(str(tmp_path), [f"{tmp_path}/lib/python3.11/site-packages"])
    assert beside == [f"{tmp_path}/{name}" for name in ("bin", "lib/other", "lib/python3.11/json")]
