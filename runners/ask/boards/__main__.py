"""``make audit-public``: one step after the other, each of which may be stopped and resumed."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ....ingest.errors import BenchforgeError, UsageError
from ....ingest.lake import replace_file
from ...score.pending import Means
from ...signals import interruptible
from . import filling

STEPS = ("fill", "grade", "marts", "write")


def main() -> int:
    """Exit code of the command; errors are a sentence and a hint."""
    try:
        with interruptible():
            _run(_arguments())
    except BenchforgeError as error:
        _say(f"audit-public: {error.message}" + (f"\n\nhint: {error.hint}" if error.hint else ""))
        return error.exit_code
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="audit-public", description="The audit of public boards, as one document.")
    parser.add_argument("--from", dest="directory", type=Path, default=os.environ.get("BENCHFORGE_RECORDED"))
    parser.add_argument("--work", type=Path, default=Path("target/audit-public"))
    parser.add_argument("--output", type=Path, default=Path("docs/audit.md"))
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--step", choices=STEPS, action="append", help="only these; default: all")
    return parser.parse_args()


def _run(given: argparse.Namespace) -> None:
    if given.directory is None:
        raise UsageError(
            "the folder of recorded sets is not named", "make audit-public DATA=DIR, or BENCHFORGE_RECORDED"
        )
    work = filling.Work(given.work.absolute())
    steps = given.step or STEPS
    if "fill" in steps:
        filling.stage(work, given.directory)
        filling.fill(work, given.directory, _say)
    if "grade" in steps:
        for line in filling.grade(work, Means(work.datasets, None, given.jobs, False), _say):
            _say(line)
    if "marts" in steps:
        from ...aggregate import build

        build(work.run.lake.root, work.marts)
    if "write" in steps:
        for path in write(work, given.directory, given.output):
            _say(f"{path}: written")


def write(work: filling.Work, directory: Path, output: Path) -> list[Path]:
    """The document and, in ``pictures`` beside it, its pictures."""
    from .document import PICTURES, document
    from .figures import figures, moved, shares

    found = figures(work.marts, directory, work.datasets)
    texts = [document(found), shares(found), moved(found)]
    paths = [output, *(output.parent / "pictures" / name for name in PICTURES)]
    for path, text in zip(paths, texts, strict=True):
        replace_file(path, text.encode())
    return paths


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
