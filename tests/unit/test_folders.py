"""Temporary folders: who removes them, and when nobody may."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from benchforge.runners.folders import Folder, remove_left


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_in_use_stays_and_one_that_was_left_goes(tmp_path: Path) -> None:
    used, left = Folder("judge-"), tmp_path / "benchforge-rows-left"
    left.mkdir()
    (left / ".lock").touch()
    (left / "expected").mkdir()
    remove_left()
    assert list(tmp_path.iterdir()) == [used.path]
    used.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_surely_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / ".lock").touch()
    (tmp_path / "benchforge-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "benchforge-unlocked").mkdir()
    (tmp_path / "benchforge-file").touch()
    remove_left()
    assert len(list(tmp_path.iterdir())) == 4 and (tmp_path / "elsewhere" / ".lock").exists()


def test_a_folder_beside_a_file_is_hidden_and_removed_once_its_maker_is_gone(tmp_path: Path) -> None:
    maker = "import sys, os\nfrom pathlib import Path\nfrom benchforge.runners.folders import Folder\n"
    killed = (
        maker + "f = Folder('build-', inside=Path(sys.argv[1]))\n(f.path / 'half').touch()\nos.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".benchforge-build-")
    with Folder("build-", inside=tmp_path) as held:
        remove_left(tmp_path)
        assert list(tmp_path.iterdir()) == [held]
    assert not list(tmp_path.iterdir())
