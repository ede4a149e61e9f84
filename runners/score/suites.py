"""Where the environments of suites lie, and whether their gates are open.

An environment lies in ``<scratch>/suites/<name>``, or where ``BENCHFORGE_SUITE_<NAME>`` says: a venv of its own, or a
folder with ``node_modules``; nothing of it may be importable by the judge. ``sandbox-check`` and ``smoke`` write its
gate beside it (``<name>.gate.json``): what was there, by version, when everything that it needs was found.
"""

from __future__ import annotations

import os
from pathlib import Path

from ...ingest.benchmarks.suites import Environment

FOLDER = "suites"


def folder_of(environment: Environment, scratch: Path) -> Path:
    """Where it lies, or would; absolute."""
    given = os.environ.get(variable_of(environment), "")
    return (Path(given).expanduser() if given else scratch / FOLDER / environment.name).absolute()


def variable_of(environment: Environment) -> str:
    return f"BENCHFORGE_SUITE_{environment.name.upper()}"
