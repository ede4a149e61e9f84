"""BigCodeBench: recorded verdicts only, so far (bigcode-project/bigcodebench@47eff25).

The whole set (1,140 problems) and the hard one (148) are two datasets that models are asked apart: two versions here,
named after the set and the commit of bigcode-project/bigcodebench-annotation whose file they are pinned to (the hard
one by the lines of its problems). A test program judges in the process of the program it tests: kind ``suite``.
"""

from __future__ import annotations

from .declaration import Benchmark, Design, Extraction, Oracles
from .versions import licence_of, versions_of

NAME = "bigcodebench"

BENCHMARK = Benchmark(
    name=NAME,
    title="BigCodeBench",
    kind="suite",
    scenarios=("complete", "instruct"),
    test_sets={"complete": ("full", "hard"), "instruct": ("full", "hard")},
    versions=versions_of(NAME),
    extraction=Extraction(official="plain", corrected="plain"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design("iid", "problems written one by one, each around libraries of its own"),
    licence=licence_of(NAME),
    load=None,
    aliases={"bcb": "", "bigcodebench_complete": "complete", "bigcodebench_instruct": "instruct"},
    needs_staging=False,
)
