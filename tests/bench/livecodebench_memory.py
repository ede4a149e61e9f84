"""Peak memory of LiveCodeBench at the size of release 6, measured on a made dataset of that size on disk.

::

    python tests/bench/livecodebench_memory.py --upstream CHECKOUT --place DIR [--problems 1055] [--theirs 26 53 106]

Release 6 is 1,055 problems in 4.5 GB of lines: 4.26 MB a line in the mean, which is what every line here has (its text
is 6.3 MB: numbers pack to half, and base64 takes a third more). Problems differ in their public test and share some
sixteen hidden sets, so that making them costs a write: nobody who reads a line can know. Ours stages and grades all of
them, one program a problem that fails its first test; upstream's own loader and runner do the same on as many problems
as is said, since it needs gigabytes for each hundred: what all of them would take lies on the line through those.
``DIR`` needs three times the size of the dataset.
"""

from __future__ import annotations

import argparse
import base64
import json
import pickle
import random
import shutil
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import livecodebench as bench
from benchforge.ingest import keys
from benchforge.ingest.benchmarks import livecodebench_problems
from benchforge.ingest.benchmarks.livecodebench_tests import stage_tests
from benchforge.runners.cli.console import out
from measure import Figures, measured

LINE_BYTES = 4_260_000
NUM_SETS = 16
NUM_TESTS = 20
PROGRAM = "print()\n"
COLUMNS = ("what", "problems", "dataset_gigabytes", "peak_megabytes", "cpu_seconds", "wall_seconds")


def hidden_sets(line_bytes: int, number: int = NUM_SETS) -> list[str]:
    """``private_test_cases`` of a little less than so many bytes each."""
    draw = random.Random(0)
    pool = " ".join(str(draw.randrange(10**6)) for _ in range(200_000))
    num_characters = int(1.475 * line_bytes / NUM_TESTS)
    made = []
    for _ in range(number):
        cases = []
        for _ in range(NUM_TESTS):
            start = draw.randrange(len(pool))
            text = (pool[start:] + pool * (num_characters // len(pool) + 1))[:num_characters]
            half = num_characters // 2
            cases.append({"input": text[:half], "output": text[half:], "testtype": "stdin"})
        made.append(base64.b64encode(zlib.compress(pickle.dumps(json.dumps(cases)), 1)).decode())
    return made


def write(path: Path, num_problems: int, sets: Sequence[str]) -> None:
    """A file as on the Hub; problem names sort as they are written."""
    with path.open("w") as stream:
        for number in range(num_problems):
            record = bench.record(f"p{number:05}", [(f"{number}\n", f"{number}!")])
            record["private_test_cases"] = sets[number % len(sets)]
            stream.write(json.dumps(record) + "\n")


def prepare(place: Path, num_problems: int) -> None:
    """What is there before tests are staged, and the programs."""
    directory = place / "livecodebench" / bench.VERSION.name
    directory.mkdir(parents=True)
    records = (bench.record(f"p{number:05}", [("", "")]) for number in range(num_problems))
    fields = livecodebench_problems.FIELDS
    lines = [keys.canonical_json({name: row[name] for name in fields}) for row in records]
    (directory / "statements.jsonl").write_text("".join(f"{line}\n" for line in lines))
    programs = {f"p{number:05}": [PROGRAM] for number in range(num_problems)}
    (place / "programs.json").write_text(json.dumps(programs))


def stage(place: Path) -> None:
    """The hidden tests of the file, as ``benchforge stage`` keeps them."""
    names = json.loads((place / "programs.json").read_text())
    stage_tests([place / "test.jsonl"], {place / "livecodebench" / bench.VERSION.name: frozenset(names)})


def ours(place: Path, num_problems: int) -> Iterator[dict[str, Any]]:
    prepare(place, num_problems)
    figures = measured([sys.executable, __file__, "--stage", str(place)])
    yield _row("ours, staging", num_problems, place, figures)
    figures = measured([sys.executable, bench.__file__, "--grade", str(place), "--jobs", "2", *bench.BOTH])
    rows = json.loads((place / "rows.json").read_text())
    assert len(rows) == num_problems and {code for code, _ in rows.values()} == {-2}
    yield _row("ours, both verdicts, 2 workers", num_problems, place, figures)


def theirs(place: Path, num_problems: int, upstream: Path) -> dict[str, Any]:
    """The first so many lines of the file."""
    folder = place / "theirs"
    folder.mkdir()
    try:
        with (place / "test.jsonl").open() as stream, (folder / "test.jsonl").open("w") as part:
            part.writelines(line for line, _ in zip(stream, range(num_problems), strict=False))
        programs = {f"p{number:05}": [PROGRAM] for number in range(num_problems)}
        side = bench.theirs(bench.Made(folder, programs), upstream, 2)
        assert set(side.codes.values()) == {-2}
        return _row("upstream, 2 workers", num_problems, folder, side.figures)
    finally:
        shutil.rmtree(folder)


def _row(what: str, num_problems: int, place: Path, figures: Figures) -> dict[str, Any]:
    size = (place / "test.jsonl").stat().st_size
    values = (what, num_problems, size / 1e9, figures.peak_memory_bytes / 2**20, figures.cpu_seconds)
    assert figures.status == 0, what
    return dict(zip(COLUMNS, (*values, figures.wall_seconds), strict=True))


def on_the_line(rows: Sequence[dict[str, Any]], num_problems: int) -> float:
    """Megabytes at so many problems, by least squares through what was measured."""
    points = [(row["problems"], row["peak_megabytes"]) for row in rows]
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return mean_y + slope * (num_problems - mean_x)


def run(place: Path, num_problems: int, upstream: Path | None, of_theirs: Sequence[int]) -> list[dict[str, Any]]:
    place.mkdir(parents=True)
    write(place / "test.jsonl", num_problems, hidden_sets(LINE_BYTES))
    table = list(ours(place, num_problems))
    out.table(table, COLUMNS)
    if upstream is not None:
        rows = [theirs(place, number, upstream) for number in of_theirs]
        table += rows
        out.table(table, COLUMNS)
        reached = on_the_line(rows, num_problems)
        most = max(row["peak_megabytes"] for row in table if row["what"].startswith("ours"))
        out.say(f"{num_problems} problems: upstream {reached:.0f} MB on that line, ours {most:.0f} MB measured")
        out.say(f"ratio {reached / most:.1f}, the bar is 10")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", type=Path)
    parser.add_argument("--place", type=Path)
    parser.add_argument("--problems", type=int, default=bench.NUM_PROBLEMS)
    parser.add_argument("--theirs", type=int, nargs="+", default=(26, 53, 106))
    parser.add_argument("--stage", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        stage(given.stage)
    elif given.place is None:
        parser.error("--place is needed")
    else:
        run(given.place, given.problems, given.upstream, given.theirs)


if __name__ == "__main__":
    main()
