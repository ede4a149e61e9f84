"""Temporary folders: who removes them, and when nobody may."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

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


def test_a_folder_that_a_thread_still_writes_to_goes_when_the_process_ends(tmp_path: Path) -> None:
    maker = """
import sys, threading, time
from pathlib import Path
from benchforge.runners.folders import Folder
def write():
    for number in range(60):
        time.sleep(0.01)
        (where / "target").mkdir(parents=True, exist_ok=True)
        (where / "target" / str(number)).touch()
with Folder("build-", inside=Path(sys.argv[1])) as where:
    threading.Thread(target=write).start()
    time.sleep(0.1)
"""
    ended = subprocess.run([sys.executable, "-c", maker, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0 and list(tmp_path.iterdir()) == [], ended.stderr


def test_an_interrupt_at_any_step_of_making_a_folder_leaves_none(tmp_path: Path) -> None:
    steps = 0
    while (end := interrupted_at(steps, tmp_path)) is None:
        assert not list(tmp_path.iterdir()), f"left by an interrupt at step {steps}"
        steps += 1
    end.close()
    assert steps > 10


def interrupted_at(step: int, inside: Path) -> Folder | None:
    """Make a folder, with Ctrl-C at its so many-th line (the library's included); None where that came in time."""
    passed = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal passed
        passed += event == "line"
        if passed == step + 1 and event == "line":
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return Folder("build-", inside=inside)
    except KeyboardInterrupt:
        return None
    finally:
        sys.settrace(before)
