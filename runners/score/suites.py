"""Where the environments of suites lie, and whether their gates are open.

An environment lies in ``<scratch>/suites/<name>``, or where ``BENCHFORGE_SUITE_<NAME>`` says (a folder, or a container
image): a venv of its own, or a folder with ``node_modules``; nothing of it may be importable by the judge.
``sandbox-check --suite`` and ``smoke`` write its gate to ``<scratch>/suites/<name>.gate.json``: what was there, by
version, when everything that it needs was found. Without an open gate nothing of a suite is scored.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...ingest import keys
from ...ingest.benchmarks.declaration import Benchmark, Task
from ...ingest.benchmarks.suites import Environment
from ...ingest.errors import NotStaged
from .sandbox.suite_box import Place

FOLDER = "suites"


def place_of(environment: Environment, scratch: Path) -> Place:
    """Where it lies, or would, with the versions that its gate found."""
    given = os.environ.get(variable_of(environment), "")
    if given.endswith(".sif"):
        return Place(
            environment, image=str(Path(given).expanduser().absolute()), versions=_versions(environment, scratch)
        )
    folder = Path(given).expanduser() if given else scratch / FOLDER / environment.name
    # one that is not needed may hold the same commands made faster
    path = str(folder.absolute()) if environment.needs_folder or given or folder.is_dir() else ""
    return Place(environment, path, versions=_versions(environment, scratch))


def variable_of(environment: Environment) -> str:
    return f"BENCHFORGE_SUITE_{environment.name.upper()}"


def is_there(place: Place) -> bool:
    """Whether the folder or image that it needs lies where it is looked for."""
    if place.image:
        return Path(place.image).is_file()
    return not place.environment.needs_folder or Path(place.folder).is_dir()


def how_to_make(place: Place) -> str:
    """The command, and the variable that names one that lies elsewhere."""
    return f"{place.environment.install}, or {variable_of(place.environment)}=FOLDER where it lies elsewhere"


def gate_of(environment: Environment, scratch: Path) -> Path:
    return scratch.absolute() / FOLDER / f"{environment.name}.gate.json"


def write_gate(place: Place, versions: Mapping[str, str], missing: Sequence[str], mode: str, scratch: Path) -> Path:
    """What was found, and what it was found of; the file is there whether the gate is open or not."""
    path = gate_of(place.environment, scratch)
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {
        "environment": place.environment.name, "is_open": not missing, "missing": list(missing),
        "versions": dict(sorted(versions.items())), "sandbox_mode": mode, "found_of": _found_of(place),
    }  # fmt: skip
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
    return path


def open_places(
    benchmark: Benchmark, tasks: Iterable[Task], scratch: Path, *, is_gated: bool = True
) -> dict[str, Place]:
    """Environments that the tasks of a suite name. NotStaged where a gate is closed, or was opened for another one."""
    names = {task.payload["environment"] for task in tasks if task.kind == "suite" and "environment" in task.payload}
    places = {one.name: place_of(one, scratch) for one in benchmark.environments.values() if one.name in names}
    for place in places.values() if is_gated else ():
        _check(benchmark, place, scratch)
    return places


def _check(benchmark: Benchmark, place: Place, scratch: Path) -> None:
    name, command = place.environment.name, f"benchforge sandbox-check --suite {benchmark.name}"
    facts = _facts(place.environment, scratch)
    if not is_there(place):
        raise NotStaged(f"the environment of {name} is not in {place.image or place.folder}", how_to_make(place))
    if not facts:
        raise NotStaged(
            f"the gate of {name} was never tried, and nothing of a suite is scored before it is open", command
        )
    if not facts.get("is_open"):
        lacking = ", ".join(map(str, facts.get("missing", ())))[:200]
        raise NotStaged(f"the gate of {name} is closed: {lacking} is missing", f"{command} says what installs it")
    if facts.get("found_of") != _found_of(place):
        raise NotStaged(f"the environment of {name} has changed since its gate was opened", command)


def _found_of(place: Place) -> str:
    """Digest of what was tried, its versions apart: they were not known before."""
    said = {"versions": [], "environment": repr(place.environment), "tools": [] if place.image else _tools(place)}
    return keys.digest_of({**place.identity(), **said})


def _tools(place: Place) -> list[list[Any]]:
    """File and size of each tool that is probed: one that the system has replaced since is another one. No times:
    machines of a cluster that have the same package need not agree on them."""
    own = [f"{place.folder}/bin", f"{place.folder}/node_modules/.bin"] if place.folder else []
    path = os.pathsep.join([*own, place.environment.path])
    names = sorted({one.probe[0] for one in place.environment.requirements if one.probe})
    found = {name: shutil.which(name, path=path) for name in names}
    files = {name: Path(file).resolve() for name, file in found.items() if file}
    return [[name, file.name, file.stat().st_size] for name, file in files.items()]


def _facts(environment: Environment, scratch: Path) -> Mapping[str, Any]:
    try:
        facts = json.loads(gate_of(environment, scratch).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _versions(environment: Environment, scratch: Path) -> tuple[tuple[str, str], ...]:
    versions = _facts(environment, scratch).get("versions", {})
    return (
        tuple(sorted((str(name), str(text)) for name, text in versions.items())) if isinstance(versions, dict) else ()
    )
