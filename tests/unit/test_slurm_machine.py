"""What probe says of a machine's containers, with a stand-in for apptainer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from benchforge.slurm import machine

APPTAINER = """\
#!/bin/sh
case "$1" in
--version) echo "apptainer version 1.5.3";;
buildcfg) echo "LIBEXECDIR={folder}/libexec"; echo "APPTAINER_CONF_FILE={folder}/apptainer.conf";;
esac
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything that limits need is there."""
    program = tmp_path / "apptainer"
    program.write_text(APPTAINER.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(machine, "_CGROUP_2", tmp_path / "cgroup.controllers")
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / "bus").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/bus,guid=1")
    return tmp_path


def test_limits_need_everything(folder: Path):
    assert machine.containers() == "apptainer version 1.5.3, user namespaces, limits of its own"


def test_the_starter_of_the_setuid_package_is_seen(folder: Path):
    starter = folder / "libexec" / "apptainer" / "bin" / "starter-suid"
    starter.parent.mkdir(parents=True)
    starter.touch()
    assert ", setuid, " in machine.containers()


@pytest.mark.parametrize(
    ("gone", "lacks"),
    [
        ("cgroup.controllers", "cgroup v2"),
        ("bus", "user bus at "),
        ("apptainer.conf", "systemd cgroups in apptainer.conf"),
        ("XDG_RUNTIME_DIR", "XDG_RUNTIME_DIR"),
        ("DBUS_SESSION_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"),
    ],
)
def test_what_is_missing_is_named_with_what_bounds_a_job_instead(
    folder: Path, monkeypatch: pytest.MonkeyPatch, gone: str, lacks: str
):
    if gone.isupper():
        monkeypatch.delenv(gone)
    elif gone == "apptainer.conf":
        (folder / gone).write_text("# a comment\nsystemd cgroups = no\n")
    else:
        (folder / gone).unlink()
    said = machine.containers()
    assert f"no limits of its own (no {lacks}" in said and said.endswith("): --mem of SLURM")
