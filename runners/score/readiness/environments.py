"""The gates of suites: what an environment needs, tried inside its own sandbox, and the command for what is missing.

A gate that passed is a file beside the environment; ``score`` wants it. It is for what was there when it was tried:
another set of distributions, another image, another declaration closes it again.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ....ingest.benchmarks.declaration import Benchmark
from ....ingest.benchmarks.suites import Environment, Requirement
from ....ingest.errors import SandboxUnavailable
from ..judge import OFFICIAL
from ..judge.execution import Bench, start
from ..judge.suite import lines_of
from ..sandbox import Sandbox
from ..sandbox.connection import SandboxBroken
from ..sandbox.suite_box import Place
from ..suites import how_to_make, is_there, place_of, write_gate
from .finding import CAUTION, FAIL, PASS, Finding

_PROBE_SECONDS, _IMPORT_SECONDS = 60.0, 300.0
_IMPORTS = """
import importlib, importlib.metadata, json, sys
found, owners = {}, importlib.metadata.packages_distributions()
if sys.version_info < (3, 11):  # goes by top_level.txt alone there, which many wheels lack
    for one in importlib.metadata.distributions():
        for path in one.files or ():
            if path.name == "__init__.py" and len(path.parts) == 2:
                owners.setdefault(path.parts[0], []).append(one.metadata["Name"])
for name in json.loads(sys.argv[1]):
    try:
        importlib.import_module(name)
        owner = (owners.get(name.partition(".")[0]) or [""])[0]
        found[name] = [True, importlib.metadata.version(owner) if owner else sys.version.split()[0]]
    except BaseException as error:
        found[name] = [False, f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"]
print()
print(json.dumps(found))
"""
_PROTECTS = "what the programs of a suite are compiled and run with"


def environments_of(benchmark: Benchmark, scenarios: Sequence[str] = ()) -> list[Environment]:
    """Each once; of some scenarios, or of all."""
    wanted = scenarios or benchmark.scenarios
    found = [benchmark.environment_of(scenario) for scenario in wanted]
    return list({one.name: one for one in found if one is not None}.values())


def findings(environment: Environment, scratch: Path, mode: str | None = None) -> Iterator[Finding]:
    """One line per requirement, and one for the gate, which is written; nothing is raised for what is missing."""
    place = place_of(environment, scratch)
    if not is_there(place):
        found = f"not in {place.image or place.folder}"
        yield Finding(f"suite {environment.name}", FAIL, found, _PROTECTS, how_to_make(place))
        return
    try:
        with Sandbox.open(mode, place=place) as sandbox:
            bench = Bench(lambda _: sandbox, OFFICIAL, lambda seconds: None, places={environment.name: place})
            found = list(_tried(bench, place))
            mode = sandbox.mode
    except (SandboxUnavailable, SandboxBroken) as error:
        sentence, fix = (error.message, error.hint) if isinstance(error, SandboxUnavailable) else (str(error), "")
        yield Finding(f"suite {environment.name}", FAIL, sentence, _PROTECTS, fix or environment.install)
        return
    yield from (finding for finding, _ in found)
    is_open = all(finding.status != FAIL for finding, _ in found)
    versions = {finding.check: version for finding, version in found if finding.status == PASS}
    missing = [finding.check for finding, _ in found if finding.status == FAIL]
    path = write_gate(place, versions, missing, mode or "", scratch)
    said = f"open, kept in {path}" if is_open else f"closed: {len(missing)} of {len(found)} requirements are missing"
    yield Finding(f"gate {environment.name}", PASS if is_open else FAIL, said, "scores of this suite",
                  "" if is_open else environment.install)  # fmt: skip


def _tried(bench: Bench, place: Place) -> Iterator[tuple[Finding, str]]:
    modules = [one for one in place.environment.requirements if not one.probe]
    imported = _imported(bench, place, [one.name for one in modules]) if modules else {}
    for one in place.environment.requirements:
        is_there, text = _probed(bench, place, one) if one.probe else imported.get(one.name, (False, "no answer"))
        yield _finding(one, is_there, text), text


def _finding(one: Requirement, is_there: bool, text: str) -> Finding:
    is_right = is_there and one.version in text
    if is_there and not is_right:
        text = f"{text}, not {one.version}"
    status = PASS if is_right else CAUTION if one.is_optional else FAIL
    return Finding(one.name, status, text, _PROTECTS, "" if is_right else one.install)


def _probed(bench: Bench, place: Place, one: Requirement) -> tuple[bool, str]:
    """Whether its command ends well, and the first line that it prints."""
    facts = _run(bench, place, list(one.probe), _PROBE_SECONDS)
    if facts is None:
        return False, f"{one.probe[0]} is not there"
    printed = [line for text in facts["outputs"] for line in _text(text).splitlines() if line.strip()]
    shown = next((line for line in printed if one.version in line), printed[0] if printed else "").strip()[:120]
    return not (facts["exit_code"] or facts["signal"] or facts["cause"]), shown


def _imported(bench: Bench, place: Place, modules: list[str]) -> Mapping[str, tuple[bool, str]]:
    """All modules in one process: the libraries of a suite share most of what they import."""
    python = f"{place.shown_folder}/{place.environment.python}" if place.shown_folder else "python3"
    facts = _run(bench, place, [python, "-I", "-c", _IMPORTS, json.dumps(modules)], _IMPORT_SECONDS)
    if facts is None:
        return {}
    try:
        last = _text(facts["outputs"][0]).strip().splitlines()[-1]
        return {str(name): (bool(found[0]), str(found[1])) for name, found in json.loads(last).items()}
    except (ValueError, IndexError, AttributeError):
        why = facts["cause"] or _text(facts["outputs"][1]).strip()[-150:] or "no answer"
        return dict.fromkeys(modules, (False, why))


def _run(bench: Bench, place: Place, argv: list[str], seconds: float) -> Mapping[str, Any] | None:
    """One command in a place like a sample's; None where the command is not there."""
    step = {"argv": argv, "seconds": seconds, "stdin": "", "removes": []}
    spec = {
        "runner": "steps", "files": {}, "steps": [step], "variables": place.variables(), "is_scanned": False,
        "limits": dataclasses.replace(place.environment.limits),
    }  # fmt: skip
    try:
        with start(bench, bench.suite(place), spec, 2 * seconds + 60) as claims:
            lines = lines_of(claims)
    except SandboxBroken as error:
        if "is not there" in str(error):
            return None
        raise
    return next((line[2] for line in lines if line[0] == "step"), None)


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode("utf-8", "replace")
