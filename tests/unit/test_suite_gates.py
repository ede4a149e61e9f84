"""A gate is for what was there when it was tried: a tool that the system replaces closes it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.benchmarks.multipl_e_languages import LANGUAGES
from benchforge.ingest.errors import NotStaged
from benchforge.runners.score import suites
from benchforge.runners.score.conformance import forged_suites


def test_a_tool_that_was_replaced_closes_the_gate(tmp_path: Path):
    tool = tmp_path / "tools" / "php"
    tool.parent.mkdir()
    environment = dataclasses.replace(LANGUAGES["php"].environment, path=str(tool.parent))
    benchmark = dataclasses.replace(registry()["multipl_e"], environments={"php": environment})
    double = forged_suites.tasks()["double"]
    task = dataclasses.replace(double, payload={**double.payload, "environment": environment.name})

    def replaced(text: str) -> None:
        tool.write_text(f"#!/bin/sh\n{text}\n")
        tool.chmod(0o755)

    replaced("echo 8.2")
    suites.write_gate(suites.place_of(environment, tmp_path), {"php": "8.2"}, [], "bubblewrap", tmp_path)
    assert list(suites.open_places(benchmark, [task], tmp_path)) == [environment.name]
    replaced("echo 8.2")  # the same package on another machine
    assert suites.open_places(benchmark, [task], tmp_path)
    replaced("echo version 8.4")
    with pytest.raises(NotStaged, match="has changed since its gate was opened"):
        suites.open_places(benchmark, [task], tmp_path)
