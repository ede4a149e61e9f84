"""A newcomer, played by a script: a new user with an empty home and no cache, a clean clone, and our own pages only.

    python tests/e2e/newcomer.py [--log FILE] [--shared FOLDER]

Prints how long it took to the first leaderboard, to the score of an EvalPlus file of one's own, and to a toy benchmark
that was added by following docs/howto/add_a_benchmark.md to the letter, with the lines that had to be written. As root
it makes a user for it; else only home and environment are new. With recorded public data (``--shared``, as the tests
use it) the own file is a real one; else it is a file of forge_mini. Needs the network for packages.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "docs"))
from docs_blocks import blocks  # noqa: E402

USER = "benchforge-newcomer"
PROBLEMS = "evalplus/HumanEvalPlus-v0.1.10.jsonl.gz"
SAMPLES = "qwen2.5-coder-1.5b-base/evalplus/humaneval/generated.jsonl.gz"
KEPT = ("PIP_", "SSL_", "LANG", "REQUESTS_CA_BUNDLE")
"""Variables that a registry may need; nothing else of the caller's environment is passed on."""


@dataclass
class Newcomer:
    """Where the newcomer works, and what every command said and took."""

    home: Path
    user: str
    log: Path
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    marks: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def clone(self) -> Path:
        return self.home / "benchforge"

    def types(self, script: str, where: Path | None = None) -> str:
        """Run it as typed, in a shell; the output is kept. Stops everything where a command fails."""
        path = f"{self.clone}/.venv/bin:/usr/local/bin:/usr/bin:/bin"
        variables = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
        variables |= {"HOME": str(self.home), "PATH": path, "TERM": "dumb"}
        words = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
        words += ["bash", "-euo", "pipefail", "-c", script]
        if self.user:
            words = ["runuser", "-u", self.user, "--", *words]
        started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            words, cwd=where or self.home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = time.monotonic() - started
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.seconds, self.cpu_seconds = self.seconds + took, self.cpu_seconds + cpu
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {script.strip()}\n{done.stdout}[{took:.1f} s, {cpu:.1f} CPU s, exit {done.returncode}]\n\n")
        if done.returncode:
            sys.exit(f"the newcomer is stuck at:\n{script}\n{done.stdout[-3000:]}")
        return done.stdout

    def mark(self, name: str) -> None:
        self.marks[name] = (self.seconds, self.cpu_seconds)


def blocks_of(page: str) -> list[str]:
    return [block.text for block in blocks() if block.page == page]


@contextlib.contextmanager
def arrived(log: Path) -> Iterator[Newcomer]:
    """A new user where we may make one; user and home are gone afterwards."""
    user = USER if os.geteuid() == 0 else ""
    with tempfile.TemporaryDirectory(prefix="newcomer-") as folder:
        home = Path(folder) / "home"
        if user:
            Path(folder).chmod(0o755)
            subprocess.run(["useradd", "--create-home", "--home-dir", str(home), user], check=True)
            home.chmod(0o755)
        else:
            home.mkdir()
        try:
            yield Newcomer(home, user, log)
        finally:
            if user:
                subprocess.run(["userdel", user], check=False)


def bring(newcomer: Newcomer, source: Path, name: str) -> Path:
    """A file that the newcomer has."""
    target = newcomer.home / name
    target.parent.mkdir(exist_ok=True)
    shutil.copy(source, target)
    if newcomer.user:
        entry = pwd.getpwnam(newcomer.user)
        for path in (target.parent, target):
            os.chown(path, entry.pw_uid, entry.pw_gid)
    return target


def clone(newcomer: Newcomer) -> None:
    """What is committed, as a forge would hand it over."""
    bundle = newcomer.home.parent / "benchforge.bundle"
    subprocess.run(["git", "-C", str(ROOT), "bundle", "create", "-q", str(bundle), "HEAD"], check=True)
    bundle.chmod(0o644)
    newcomer.types(f"git clone -q {bundle} benchforge 2>&1 | grep -v 'detached HEAD' || true")


def own_file(newcomer: Newcomer, shared: Path | None) -> str:
    """Docs: docs/howto/score_your_samples.md, with a real file where there is one."""
    if shared is None:
        for block in blocks_of("docs/howto/score_your_samples.md")[1:3]:
            said = newcomer.types(block, newcomer.clone)
        return said
    bring(newcomer, shared / PROBLEMS, f"problems/{Path(PROBLEMS).name}")
    samples = bring(newcomer, shared / SAMPLES, "own/samples.jsonl.gz")
    script = blocks_of("docs/howto/score_your_samples.md")[0]
    script = script.replace("DIR", str(newcomer.home / "problems")).replace("samples.jsonl", str(samples))
    return newcomer.types(script.replace("import auto", "import auto --benchmark humanevalplus", 1), newcomer.clone)


def toy_benchmark(newcomer: Newcomer) -> int:
    """Docs: docs/howto/add_a_benchmark.md and the worked example that it names. Returns the lines written."""
    page = (newcomer.clone / "CONTRIBUTING.md").read_text(encoding="utf-8").split("### A worked example")[1]
    written = {
        "riddles.jsonl": re.search(r"```json\n(.*?)```", page, re.DOTALL),
        "ingest/benchmarks/riddles.py": re.search(r"```python\n(.*?)```", page, re.DOTALL),
        "seeds/benchmarks.csv": re.search(r"```csv\n(.*?)```", page, re.DOTALL),
    }
    lines = 0
    for name, found in written.items():
        assert found is not None, f"CONTRIBUTING.md shows no {name}"
        lines += sum(bool(line.strip()) for line in found[1].splitlines()) if name != "riddles.jsonl" else 0
        newcomer.types(f"cat >> {name} <<'NEWCOMER'\n{found[1]}NEWCOMER\n", newcomer.clone)
    for block in blocks_of("docs/howto/add_a_benchmark.md"):
        newcomer.types(block, newcomer.clone)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--log", type=Path, default=Path("newcomer.log"))
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    given = parser.parse_args()
    shared = given.shared if (given.shared / "MANIFEST.jsonl").exists() else None
    given.log.write_text("")
    with arrived(given.log.absolute()) as newcomer:
        clone(newcomer)
        newcomer.types("make demo", newcomer.clone)
        newcomer.mark("first leaderboard")
        for block in [text for page in ("README.md", "docs/tutorial.md") for text in run_blocks(page)]:
            newcomer.types(block, newcomer.clone)
        newcomer.mark("README's tour and tutorial")
        own_file(newcomer, shared)
        newcomer.mark("score of an own EvalPlus file")
        lines = toy_benchmark(newcomer)
        newcomer.mark("toy benchmark")
        report(newcomer, lines, shared is not None)


def run_blocks(page: str) -> list[str]:
    return [block.text for block in blocks() if block.page == page and block.group]


def report(newcomer: Newcomer, lines: int, is_real: bool) -> None:
    print(f"{'step':32} {'seconds':>8} {'CPU s':>7}")
    before = (0.0, 0.0)
    for name, at in newcomer.marks.items():
        print(f"{name:32} {at[0] - before[0]:8.1f} {at[1] - before[1]:7.1f}")
        before = at
    print(f"lines written for the toy benchmark: {lines} (and its problem file)")
    print(f"own file: {'164 samples of HumanEval+' if is_real else 'forge_mini'}; every output: {newcomer.log}")


if __name__ == "__main__":
    main()
