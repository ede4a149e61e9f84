"""Example data of a suite's environment: by digest, whole or not at all; and pins that agree with the declaration."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from benchforge.containers import suite_data
from benchforge.ingest.benchmarks import registry

CONTAINERS = Path(__file__).resolve().parents[2] / "containers"


@pytest.fixture
def put(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """put(content of the pin, files of the folder) -> (what lies there now, what was said)."""

    def run(pinned: bytes, **near: bytes) -> tuple[bytes | None, str]:
        folder, table = tmp_path / "near", tmp_path / "list.csv"
        folder.mkdir(exist_ok=True)
        for name, content in near.items():
            (folder / f"{name}.csv").write_bytes(content)
        address = (tmp_path / "nowhere.csv").as_uri()
        table.write_text(f"path,sha256,address\ndata/t.csv,{hashlib.sha256(pinned).hexdigest()},{address}\n")
        suite_data.main([str(table), str(tmp_path / "place"), str(folder)])
        found = tmp_path / "place" / "data" / "t.csv"
        return found.read_bytes() if found.exists() else None, capsys.readouterr().err

    return run


def test_the_pinned_file_is_taken_from_the_folder_and_kept(put):
    assert put(b"a,b\n", t=b"a,b\n") == (b"a,b\n", "")
    assert put(b"a,b\n", t=b"changed") == (b"a,b\n", "")


@pytest.mark.parametrize(("near", "said"), [({"t": b"other"}, "sha256"), ({}, "nowhere.csv")])
def test_another_file_or_none_is_named_and_left_out(put, near, said):
    content, complaint = put(b"a,b\n", **near)
    assert content is None and complaint.startswith("data/t.csv is left out") and said in complaint


@pytest.mark.parametrize("path", sorted(CONTAINERS.glob("suite-*.txt")), ids=lambda path: path.stem)
def test_pins_are_exact_and_hold_what_the_gate_asks_for(path: Path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    pins = dict(line.split("==") for line in lines)
    assert len(pins) == len(lines) and all(re.fullmatch(r"[\w.+]+", version) for version in pins.values())
    (environment,) = registry()[path.stem.removeprefix("suite-")].environments.values()
    wanted = [one.version for one in environment.requirements if one.version]
    assert wanted and set(wanted) <= set(pins.values())


def test_make_lists_the_environments_among_its_targets():
    said = subprocess.run(
        ["make", "-s", "help"], cwd=CONTAINERS.parent, capture_output=True, text=True, check=True
    ).stdout
    documented = re.findall(r"^([^\s:#][^:\n]*):[^\n]*## ", (CONTAINERS.parent / "Makefile").read_text(), re.MULTILINE)
    assert len(documented) > 15
    assert [targets for targets in documented if f"make {targets}" not in said] == []


def test_a_wheel_holds_every_file_that_makes_an_environment():
    data = tomllib.loads((CONTAINERS.parent / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    packed = {path.name for pattern in data["benchforge"] for path in CONTAINERS.parent.glob(pattern)}
    needed = {path.name for path in CONTAINERS.glob("suite*") if path.suffix != ".py"}
    assert {"suite.sh", "suite-multipl_e.js"} <= needed and needed <= packed
