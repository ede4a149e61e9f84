"""LiveCodeBench beside upstream's own runner, where a checkout of it is at hand.

``BENCHFORGE_LIVECODEBENCH`` names a checkout of LiveCodeBench/LiveCodeBench@28fef95; ``make bench`` sets
``BENCHFORGE_BENCH``, for what takes minutes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
for place in (HERE, HERE.parent / "sandbox"):
    sys.path.insert(0, str(place))

import livecodebench as bench  # noqa: E402
from livecodebench_programs import CALLS, STDIN, SUM  # noqa: E402

CHECKOUT, IS_BENCH = os.environ.get("BENCHFORGE_LIVECODEBENCH"), bool(os.environ.get("BENCHFORGE_BENCH"))
needs_upstream = pytest.mark.skipif(
    not CHECKOUT, reason="BENCHFORGE_LIVECODEBENCH names no checkout of LiveCodeBench/LiveCodeBench@28fef95"
)
_OF_THE_MACHINE = {"sum: a tall stack of C": "the stack that a shell gives decides"}


def test_a_made_set_has_the_layout_of_the_hub(shared_data: Path, tmp_path: Path):
    made = bench.make(shared_data, tmp_path / "hub", 3, 1)
    records = [json.loads(line) for line in (made.folder / "test.jsonl").open()]
    assert len(records) == len(made.programs) == 4
    assert len(json.dumps(records[-1])) > 1 << 20
    bench.stage(made, tmp_path / "livecodebench" / "release_v6")
    assert (tmp_path / "livecodebench" / "release_v6" / "tests.jsonl").read_text().count("\n") == 4


@needs_upstream
@pytest.mark.slow
def test_upstream_still_gives_every_small_program_the_recorded_code(tmp_path: Path):
    assert CHECKOUT is not None
    rows = {f"sum: {row[0]}": (SUM, row) for row in STDIN}
    rows |= {f"{task['fn_name']}: {row[0]}": (task, row) for task, row in CALLS}
    folder = tmp_path / "hub"
    folder.mkdir()
    with (folder / "test.jsonl").open("w") as stream:
        for name, (task, _) in rows.items():
            cases = list(zip(task["inputs"], task["outputs"], strict=True))
            stream.write(json.dumps(bench.record(name, cases, method=task["fn_name"])) + "\n")
    made = bench.Made(folder, {name: [row[1]] for name, (_, row) in rows.items()})
    found = bench.theirs(made, Path(CHECKOUT), 2).codes
    differing = {name: found[name] for name, (_, row) in rows.items() if found[name] != row[2]}
    assert {name: code for name, code in differing.items() if name not in _OF_THE_MACHINE} == {}


@needs_upstream
@pytest.mark.slow
def test_the_bench_runs(shared_data: Path):
    """The ratios are printed; loaded machines are no reason to fail, other codes than upstream's are."""
    assert CHECKOUT is not None
    bench.run(Path(CHECKOUT), shared_data, is_quick=not IS_BENCH)
