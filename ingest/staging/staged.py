"""Staged problems and protocol strings, as the other stages read them: checked on the way in, checked again here.

::

    <datasets_root>/<benchmark>/<version>/<artifact>     problem files, unpacked, one digest each (seeds/benchmarks.csv)
    <datasets_root>/strings/<harness>.json               prompt texts of a harness, one digest each (strings.py)
"""

from __future__ import annotations

from pathlib import Path

from ..benchmarks.declaration import Benchmark, Task, Version
from ..errors import NotStaged, UsageError


def staged_directory(datasets_root: Path, benchmark: Benchmark, version: Version) -> Path:
    """Where the artifacts of a version lie once staged."""
    return datasets_root / benchmark.name / version.name


def load_tasks(benchmark: Benchmark, version_name: str | None, scenario: str, datasets_root: Path) -> list[Task]:
    """All tasks of one scenario in the benchmark's own order; ``version_name`` None is the default version.

    Raises UsageError (unknown version or scenario), NotStaged (no problem file on this machine, or none exists for
    this benchmark), BadInput (the staged file is not the pinned one).
    """
    version = pinned_version(benchmark, version_name)
    if scenario not in benchmark.scenarios:
        raise UsageError(f"{benchmark.name} has no scenario {scenario!r}", f"one of {', '.join(benchmark.scenarios)}")
    if benchmark.load is None or not benchmark.grades(scenario):
        raise NotStaged(
            f"{benchmark.name} {scenario} is import-only: its problems are not staged",
            "benchforge import --help says how",
        )
    directory = staged_directory(datasets_root, benchmark, version)
    if benchmark.needs_staging and not all((directory / artifact.name).is_file() for artifact in version.artifacts):
        raise NotStaged(
            f"{benchmark.name} {version.name} is not staged in {datasets_root}",
            f"benchforge stage {benchmark.name} --version {version.name} --from DIR",
        )
    return list(benchmark.load(directory, version, scenario))


def pinned_version(benchmark: Benchmark, name: str | None) -> Version:
    """The named version, or the default one. Raises UsageError that lists the pinned ones."""
    try:
        return benchmark.version(name)
    except KeyError as error:
        known = ", ".join(version.name for version in benchmark.versions)
        raise UsageError(f"{benchmark.name} has no version {name!r}", f"one of {known}") from error
