"""``benchforge check`` against the build that it checks, on a lake of made-up rows: CPU seconds and peak memory.

::

    python tests/bench/check.py [--rows 1e7] [--samples 10] [--place DIR]

Each figure is of a process of its own. The build's SQL time is that of the whole build less that of an empty lake; the
import of Great Expectations is counted apart. Exit status 1 where a bar of the issue is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import synthetic_lake
from lake import cpu_seconds

TIME_BAR, MEMORY_BAR = 0.5, 1 << 30


def in_process(job: str, *words: object) -> dict[str, Any]:
    argv = [sys.executable, __file__, "--job", job, *map(str, words)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def build(lake: str, output: str) -> dict[str, Any]:
    from benchforge.runners.aggregate import build as build_marts

    started = cpu_seconds()
    build_marts(Path(lake), Path(output), num_threads=2)
    return {"cpu": cpu_seconds() - started}


def check(lake: str, output: str) -> dict[str, Any]:
    from benchforge.expectations.judge import load
    from benchforge.ingest.config import load_settings
    from benchforge.runners.gate.check import check as check_marts

    started = cpu_seconds()
    load()
    loaded = cpu_seconds()
    found = check_marts(load_settings({"run.scratch": str(Path(output).parent)}, None), Path(output), Path(lake))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"import": loaded - started, "cpu": cpu_seconds() - loaded, "peak": peak, "rules": found.rules_run,
            "findings": [f"{one.artifact}.{one.rule}" for one in found.findings]}  # fmt: skip


JOBS = {"build": build, "check": check}


def measured(place: Path, num_rows: float, num_samples: int) -> list[str]:
    """Print the table; the sentences of the bars that are missed."""
    layout = synthetic_lake.Layout(synthetic_lake.num_models(num_rows, num_samples), num_samples, with_timings=False)
    synthetic_lake.write(place / "lake", layout)
    (place / "none").mkdir()
    empty = in_process("build", place / "none", place / "empty" / "marts.duckdb")["cpu"]
    full = in_process("build", place / "lake", place / "full" / "marts.duckdb")["cpu"]
    found = in_process("check", place / "lake", place / "full" / "marts.duckdb")
    ratio = found["cpu"] / (full - empty)
    print(
        f"{'rows':>12}{'n':>5}{'build':>9}{'empty':>8}{'SQL':>8}{'check':>8}{'of SQL':>8}{'import':>8}{'peak MiB':>10}"
    )
    print(f"{layout.num_rows:>12,}{num_samples:>5}{full:>9.1f}{empty:>8.1f}{full - empty:>8.1f}{found['cpu']:>8.1f}"
          f"{ratio:>8.2f}{found['import']:>8.1f}{found['peak'] >> 20:>10}")  # fmt: skip
    missed = [f"check takes {ratio:.2f} of the build's SQL time"] if ratio > TIME_BAR else []
    missed += [f"peak {found['peak'] >> 20} MiB"] if found["peak"] > MEMORY_BAR else []
    return missed + [f"false alarm: {name}" for name in found["findings"]]


def main() -> None:
    if sys.argv[1:2] == ["--job"]:
        print(json.dumps(JOBS[sys.argv[2]](*sys.argv[3:])))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=1e7)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--place", type=Path)
    asked = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="benchforge-check-", dir=asked.place))
    try:
        missed = measured(place, asked.rows, asked.samples)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print("\n".join(f"missed: {sentence}" for sentence in missed) or "every bar held")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
