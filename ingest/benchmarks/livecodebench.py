"""LiveCodeBench: contest problems by release; recorded samples and verdicts only, nothing is staged or executed here.

Releases grow: a problem of release 1 counts in every later test set (counts pinned in ``seeds/benchmarks.csv``; facts
of LiveCodeBench/LiveCodeBench@28fef95, ``README.md``). Other scenarios have a fixed set: 479 execution samples, 442 for
test generation, and repair over release 4.
"""

from __future__ import annotations

from .declaration import Benchmark, Design, Extraction, Oracles
from .versions import licence_of, versions_of

NAME = "livecodebench"

BENCHMARK = Benchmark(
    name=NAME,
    title="LiveCodeBench",
    kind="stdin",
    scenarios=("generation", "execution", "testgen", "repair"),
    test_sets={
        "generation": ("v1", "v2", "v3", "v4", "v5", "v6"),
        "execution": ("full",),
        "testgen": ("full",),
        "repair": ("v4",),
    },
    versions=versions_of(NAME),
    extraction=Extraction(official="livecodebench_last_two_fences", corrected="livecodebench_corrected"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design(
        "clusters", "problems of one contest share authors, theme and day; execution samples share a problem"
    ),
    licence=licence_of(NAME),
    load=None,
    aliases={
        "lcb": "",
        "livecodebench_generation": "generation",
        "livecodebench_execution": "execution",
        "lcb_codegen": "generation",
    },
    needs_staging=False,
)
