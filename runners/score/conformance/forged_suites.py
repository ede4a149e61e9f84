"""Forged samples of suites: what share of them the judge sees, and what share passes.

The tests of a suite run in the sample's process, so that 0 forged passes cannot be promised; this measures what is
seen. Two made tasks (TestCase classes; a shell script) are judged in environments made of this machine's own
interpreter and shell, by ``judge.suite``. Rows of ``suite_attacks.jsonl`` are written against the tests as an attacker
who read this package would write them; a row counts as

``seen``      some flag was raised, or the report was refused as tampering
``passed``    officially a pass: what an undetected forgery costs
``forges``    its tests were reported as passed before any flag is looked at: the rows that flags alone hold back
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....ingest.benchmarks import suites
from ....ingest.benchmarks.declaration import Task
from ..judge import OFFICIAL
from ..judge.execution import Bench
from ..judge.suite import judged, run
from ..sandbox import Sandbox
from ..sandbox.suite_box import Place

_HERE = Path(__file__).parent
_SECONDS = 20.0
_TEST = """
import unittest


class TestCases(unittest.TestCase):
    def test_first(self):
        expected = [1, 4, 9]
        self.assertEqual(task_func([1, 2, 3]), expected)

    def test_none(self):
        expected = []
        self.assertEqual(task_func([]), expected)

    def test_raises(self):
        with self.assertRaises(TypeError):
            task_func("12")
"""
WARM = suites.Environment(
    name="forged_warm", runner=suites.WARM, install="none", python="bin/python3",
    preload=("unittest", "unittest.mock", "json", "inspect", "contextlib"),
    limits=suites.Limits(memory_bytes=8 << 30, resident_bytes=1 << 30),
)  # fmt: skip
SHELL = suites.Environment(
    name="forged_shell", runner=suites.STEPS, install="apt install bash", needs_folder=False,
    limits=suites.Limits(resident_bytes=512 << 20),
    patterns=(
        suites.Pattern("leaves", suites.RISK, r"\b(?:exit|exec)\b"),
        suites.Pattern("trap", suites.TAMPER, r"\btrap\b"),
        suites.Pattern("reads its own text", suites.TAMPER, r"\$0|BASH_SOURCE|/proc/"),
        suites.Pattern("replaces a command", suites.TAMPER, r"^\s*(?:\[|test|echo)\s*\(\)|\b(?:enable|alias)\b"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Forged:
    """How one row went."""

    id: str
    category: str
    forges: bool
    seen: bool
    passed: bool
    passed_strictly: bool
    flags: Sequence[str]


def rows() -> list[Mapping[str, str]]:
    text = (_HERE / "suite_attacks.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


@functools.cache
def tasks() -> Mapping[str, Task]:
    """The two made tasks, each with an honest solution."""
    squares = suites.warm_unittest(WARM, _TEST, _SECONDS, entry_point="task_func")
    script = f'{suites.PROGRAM}\n[ "$(double 4)" = 8 ] || exit 1\necho {suites.NONCE}\n'
    command = suites.Step("run", ("bash", "main.sh"), _SECONDS)
    double = suites.steps(SHELL, {"main.sh": script}, [command], suites.Rule())
    honest = "def task_func(values):\n    if not isinstance(values, list):\n        raise TypeError(values)\n"
    honest += "    return [value * value for value in values]\n"
    return {
        "squares": _task("squares", squares, honest, len(squares["tests"])),
        "double": _task("double", double, "double() { echo $((2 * $1)); }\n", 1),
    }


def _task(name: str, payload: Mapping[str, object], reference: str, num_tests: int) -> Task:
    return Task("forged", "default", name, "suite", "", payload, ("full",), name, num_tests, reference=reference)


def places() -> dict[str, Place]:
    return {WARM.name: Place(WARM, sys.prefix), SHELL.name: Place(SHELL)}


def measured(mode: str | None = None, wanted: Sequence[str] = ()) -> Iterator[Forged]:
    """Each row (of the named categories, or all); SandboxUnavailable where no sandbox for suites starts here."""
    bench = Bench(lambda place: Sandbox.open(mode, place=place), OFFICIAL, lambda seconds: None, places=places())
    try:
        for row in rows():
            if not wanted or row["category"] in wanted:
                yield _measured(bench, row)
    finally:
        bench.renew()


def _measured(bench: Bench, row: Mapping[str, str]) -> Forged:
    seen = run(bench, tasks()[row["task"]], row["solution"])
    verdicts = [judged(seen, is_strict=is_strict) for is_strict in (False, True)]
    return Forged(
        row["id"], row["category"], seen.part.verdict == "pass",
        bool(seen.flags) or seen.part.reason == "tamper",
        verdicts[0].verdict == "pass", verdicts[1].verdict == "pass",
        sorted(f"{level}: {name}" for level, name in seen.flags) or [seen.part.reason],
    )  # fmt: skip


def main() -> None:
    """The table, one line per row that was not seen or that passed, and the two shares."""
    found = list(measured())
    for one in found:
        if one.passed or not one.seen:
            print(f"{one.id}: seen={one.seen} passed={one.passed} strictly={one.passed_strictly} ({one.flags[0]})")
    num_forging = sum(one.forges for one in found)
    for category in dict.fromkeys(one.category for one in found):
        these = [one for one in found if one.category == category]
        counts = {name: sum(getattr(one, name) for one in these) for name in ("forges", "seen", "passed")}
        print(f"{category:12} {len(these):3} rows", *(f"{number:3} {name}" for name, number in counts.items()))
    print(f"{len(found)} rows, {num_forging} report a pass before flags are looked at")
    print(f"detection_rate {sum(one.seen for one in found) / len(found):.4f}")
    print(f"passed officially {sum(one.passed for one in found)}, strictly {sum(one.passed_strictly for one in found)}")


if __name__ == "__main__":
    main()
