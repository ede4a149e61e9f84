"""Tests that install from an index of packages; they run under ``make test-containers``."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def package_index() -> None:
    """Skips where nobody asked, or where package steps cannot be run."""
    if not os.environ.get("BENCHFORGE_CONTAINERS"):
        pytest.skip("package steps of definitions are run by make test-containers (BENCHFORGE_CONTAINERS=1)")
    if shutil.which("bwrap") is None:
        pytest.skip("package steps are run under bubblewrap, and it is not installed")
