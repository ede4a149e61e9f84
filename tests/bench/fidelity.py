"""The official harness beside the judge on mutants of canonical solutions: every verdict that differs, with its cause.

::

    python tests/bench/fidelity.py --evalplus ENVIRONMENT --data DIR [--checkout DIR] [--share 0.1] [--jobs 2]

``--evalplus`` is a virtual environment that has evalplus 0.3.1; with ``--checkout`` (evalplus/evalplus@26d6d00) that
source runs in it instead. ``--data`` holds the problem files (``evalplus/*.jsonl.gz``). The harness runs in bubblewrap.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchforge.ingest.benchmarks import registry
from benchforge.runners.score.cross_check import Beside, CrossCheck, compare
from benchforge.runners.score.harnesses import Installed, Sample, harness_of, installed
from mutants import SEED, of_tasks

BENCHMARKS = ("humanevalplus", "mbppplus")


@contextmanager
def unpacked(data: Path) -> Iterator[Path]:
    """Folder of problem files as a loader reads them."""
    with tempfile.TemporaryDirectory(prefix="benchforge-bench-") as name:
        for benchmark in BENCHMARKS:
            artifact = registry()[benchmark].version(None).artifacts[0].name
            packed = (data / "evalplus" / f"{artifact}.gz").read_bytes()
            (Path(name) / artifact).write_bytes(gzip.decompress(packed))
        yield Path(name)


def check(benchmark: str, directory: Path, found: Installed, share: float, seed: int, jobs: int) -> CrossCheck:
    """All mutants of a seeded share of one benchmark's tasks, judged by both."""
    harness, declared = harness_of(benchmark), registry()[benchmark]
    assert harness is not None and declared.load is not None
    version = declared.version(None)
    tasks = {task.task_id: task for task in declared.load(directory, version, "default")}
    mutants = of_tasks(list(tasks.values()), share, seed)
    samples = [Sample(mutant.task_id, mutant.program) for mutant in mutants]
    means = Beside({harness.name: found}, directory, None, jobs)
    return compare(harness, tasks, samples, means, directory / version.artifacts[0].name)


def find(evalplus: Path, checkout: Path | None) -> Installed:
    harness = harness_of("humanevalplus")
    assert harness is not None
    return installed(harness, (checkout or evalplus).absolute(), evalplus.absolute() / "bin" / "python")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evalplus", type=Path, required=True)
    parser.add_argument("--checkout", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--benchmark", choices=BENCHMARKS, action="append")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    found = find(given.evalplus, given.checkout)
    with unpacked(given.data) as directory:
        for benchmark in given.benchmark or BENCHMARKS:
            result = check(benchmark, directory, found, given.share, given.seed, given.jobs)
            report(result)


def report(result: CrossCheck) -> None:
    print(
        f"{result.benchmark}: {result.num_compared} mutants, {result.num_agreed} with equal verdicts, "
        f"{len(result.differences)} parts differ, {result.num_unexplained} of them unexplained"
    )
    for one in result.differences:
        print(f"  {one.task_id} {one.part}: ours {one.ours} ({one.reason}), theirs {one.theirs}; {one.known or '?'}")
        if not one.known:
            print(textwrap.indent(one.program.strip(), "    "))


if __name__ == "__main__":
    main()
