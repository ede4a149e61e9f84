"""What a node's driver says, and why a job may find itself on the wrong node."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.slurm.gpus import Driver, Gpu, driver_seen, mismatch, parse_gpus

PRO = Gpu("NVIDIA RTX PRO 6000 Blackwell Server Edition", "580.95.05", "12.0")
A40 = Gpu("NVIDIA A40", "550.54.15", "8.6")


def test_gpus_are_read_from_the_drivers_listing():
    text = "NVIDIA A40, 550.54.15, 8.6\nNVIDIA A40, 550.54.15, 8.6\na warning\n"
    assert parse_gpus(text) == [A40, A40]


@pytest.mark.parametrize(
    ("seen", "constraint", "names", "driver", "why"),
    [
        (Driver((PRO,)), "sm120", (), "", ""),
        (Driver((PRO,)), "sm_120&gpu96g", (PRO.name,), "580.65.06", ""),
        (Driver((A40,)), "", (), "", ""),  # nobody said what is wanted
        (Driver(), "sm120", (), "", ""),  # no driver to ask, nothing known of one
        (Driver((A40, PRO)), "sm120", (PRO.name,), "", ""),  # one of both is ours
        (Driver((A40,)), "sm120", (), "", "its NVIDIA A40 is sm86, and the job asked for sm120"),
        (Driver((A40,)), "", (PRO.name,), "", f"it has NVIDIA A40, and {PRO.name} is wanted"),
        (Driver(), "", (PRO.name,), "", "it has no GPU driver"),
        (Driver((A40,)), "", (A40.name,), "570.1", "its driver is 550.54.15, older than the 570.1"),
        (Driver((A40,)), "", (A40.name,), "550.9.1", ""),  # 54 is more than 9
        (Driver(complaint="nvidia-smi: No devices were found"), "", (), "", "its driver does not work"),
    ],
)
def test_a_node_is_wrong_only_where_something_speaks_against_it(
    seen: Driver, constraint: str, names: tuple[str, ...], driver: str, why: str
):
    said = mismatch(seen, constraint, names, {driver, "600.1"} if driver else set())
    assert said.startswith(why) and bool(said) == bool(why)


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("echo 'NVIDIA A40, 550.54.15, 8.6'", Driver((A40,))),
        ("echo 'Failed to initialize NVML: Driver/library version mismatch' >&2; exit 18", "version mismatch"),
        ("echo 'No devices were found'", "No devices were found"),
        (None, Driver()),
    ],
)
def test_a_driver_that_does_not_work_is_told_from_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, found: Driver | str
):
    if program is not None:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{program}\n", encoding="utf-8")
        (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    seen = driver_seen()
    assert seen == found if isinstance(found, Driver) else found in seen.complaint and not seen.gpus
