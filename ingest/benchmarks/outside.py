"""Benchmarks that we do not run: verdicts of others on problems that are known by their names only.

Their keys begin with ``outside_`` (``outside_swe_bench_verified``), so that no table shows them as ours. What a file
holds is the benchmark: its version is the digest of its problems' names, and counts are pinned by the tasks themselves,
as with a benchmark of one's own. Nothing of theirs is judged here; intervals, comparisons and ranks need verdicts only.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from .. import keys
from .declaration import Benchmark, Design, Extraction, Oracles, Version

PREFIX, SCENARIO, TEST_SET = "outside_", "default", "full"
_KEY = re.compile(rf"{PREFIX}[a-z0-9][a-z0-9_]{{0,60}}")
_OTHERS = re.compile(r"[^a-z0-9]+")


def is_outside(name: str) -> bool:
    return _KEY.fullmatch(name) is not None


def key_of(title: str) -> str:
    """``SWE-bench Verified`` → ``outside_swe_bench_verified``."""
    return PREFIX + (_OTHERS.sub("_", title.lower().replace("+", "_plus")).strip("_")[:60] or "unnamed")


@cache
def outside(name: str) -> Benchmark:
    """The declaration that every such benchmark has."""
    return Benchmark(
        name=name,
        title=name,
        kind="suite",
        scenarios=(SCENARIO,),
        test_sets={SCENARIO: (TEST_SET,)},
        versions=(Version("recorded", ()),),
        extraction=Extraction(official="plain", corrected="plain"),
        oracles=Oracles(official="official", strict="strict"),
        design=Design("iid", "nothing is known of the problems but their names"),
        licence="",
        load=None,
        needs_staging=False,
    )


def version_of_names(task_ids: Collection[str]) -> tuple[str, str, str]:
    """(dataset_version, dataset_digest, counts as the seed writes them) of a set of problems."""
    names = sorted(set(task_ids))
    digest = keys.digest_of(names)
    return f"names-{digest[:12]}", digest, f"{SCENARIO}:{TEST_SET}={len(names)}"
