"""How long a command takes to start, in CPU seconds of its own process, beside an interpreter that does nothing.

    python tests/bench/start.py [--marts FILE]

The least of several runs: what another process does to this one's caches is noise, and only ever adds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

NUM_RUNS = 5
LIMITS = {"--help": 0.3, "status": 0.5, 'sql "select 1"': 0.6}
"""CPU seconds that a command may take to start."""


def cpu_seconds(words: list[str], folder: str) -> float:
    """User and system seconds of one process and its children."""
    pid = os.posix_spawnp(words[0], words, {**os.environ, "HOME": folder}, file_actions=_silent())
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(words)} failed")
    return usage.ru_utime + usage.ru_stime


def _silent() -> list[tuple[int, int, str, int, int]]:
    return [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (1, 2)]


def measured(marts: Path) -> dict[str, float]:
    """Least CPU seconds of each command, and of an interpreter alone (``python``)."""
    program = [sys.executable, "-m", "benchforge"]
    with tempfile.TemporaryDirectory() as folder:
        asked = {
            "python": [sys.executable, "-c", "pass"],
            "--help": [*program, "--help"],
            "status": [*program, "status", "--scratch", folder],
            'sql "select 1"': [*program, "sql", "--file", str(marts), "select 1"],
            "completion bash": [*program, "completion", "bash"],
        }
        return {name: min(cpu_seconds(words, folder) for _ in range(NUM_RUNS)) for name, words in asked.items()}


def table(found: dict[str, float]) -> str:
    lines = [f"{'benchforge':18} {'CPU s':>6} {'limit':>6} {'x python':>9}"]
    for name, seconds in found.items():
        limit = f"{LIMITS[name]:.1f}" if name in LIMITS else "–"
        lines.append(f"{name:18} {seconds:6.3f} {limit:>6} {seconds / found['python']:9.1f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--marts", type=Path, help="file of marts; built from the bundled lake without")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        marts = given.marts or Path(folder) / "benchforge.duckdb"
        if given.marts is None:
            subprocess.run(
                [sys.executable, "-m", "benchforge", "-q", "aggregate", "--recorded", "--output", str(marts)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        print(table(measured(marts)))


if __name__ == "__main__":
    main()
