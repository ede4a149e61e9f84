"""``benchforge judge``."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from .console import FORMATS, out
from .options import LIMIT_FACTOR, num_workers_of

_SHOWN = (
    ("id", 30), ("target", 24), ("official", 8), ("strict", 8), ("reason", 18), ("part", 5), ("first_failing_case", 5),
    ("cpu_seconds", 8), ("wall_seconds", 8),
)  # fmt: skip
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")
"""How files of gzip, bzip2, xz, zstd and zip begin."""
_NUM_PEEKED = 4096
_HEADS = {"first_failing_case": "case", "cpu_seconds": "cpu s", "wall_seconds": "wall s"}


@click.command(name="judge", epilog="Example: benchforge judge rows.jsonl --jobs 4 --format json")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--jobs", type=click.IntRange(min=0), default=0, help="Sandboxes side by side; 0: one per core.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="A table on a terminal without, else json: one object per row.",
)
@click.option("--sandbox-mode", help="Outer sandbox; the best available without.")
@click.option("--limit-factor", type=LIMIT_FACTOR, default=1.0, help="Factor on the official time limits.")
@click.option("--unsafe", is_flag=True, help="Grade without seccomp; every row says so.")
def command(
    file: str, jobs: int, format_: str | None, sandbox_mode: str | None, limit_factor: float, unsafe: bool
) -> None:
    """Grade rows that carry task and solution inline (JSON lines; - reads standard input), whatever corpus they are of.

    One line per row, in the order of the rows: both verdicts, the reason, the first failing case and its part, seconds,
    sandbox mode and layers. A row that cannot be graded gets a line with an error; exit code 3 when the sandbox failed.
    """
    from ..score.platform import require_linux

    require_linux()
    from ...ingest.errors import Incomplete
    from ..score.door import Means, grade_rows
    from ..signals import interruptible

    means = Means(sandbox_mode, num_workers_of(jobs), unsafe, limit_factor)
    with interruptible("the lines printed so far stand, nothing else is kept"):
        stream = _rows_of(file)
        emit = _printer(format_ or ("table" if sys.stdout.isatty() else "json"))
        num_failed = grade_rows(stream, means, emit)
    if num_failed:
        raise Incomplete(f"The sandbox failed for {num_failed} row(s).", "run the same command again for those rows")


def _rows_of(file: str) -> io.BufferedReader:
    """The open file or pipe; raises UsageError where there is nothing to read or print, or what is no text."""
    from ...ingest.errors import UsageError

    if sys.stdout is None:
        raise UsageError("Standard output is closed, so that no verdict can be printed.", "redirect it to a file")
    if file == "-" and sys.stdin is None:
        raise UsageError("Standard input is closed, so that no row can be read.", "give a file, or a pipe as -")
    # a descriptor of our own: the reading thread may still hold it when the interpreter leaves
    stream = os.fdopen(os.dup(0), "rb") if file == "-" else open(file, "rb")  # noqa: PTH123, SIM115
    name = "Standard input" if file == "-" else click.format_filename(file)
    start = stream.peek(1)[:_NUM_PEEKED]
    if start.startswith(_COMPRESSED):
        raise UsageError(f"{name} is compressed.", "unpack it: zcat FILE | benchforge judge -")
    if _is_binary(start):
        raise UsageError(f"{name} is not text in UTF-8.", "give JSON lines: one object per line")
    return stream


def _is_binary(start: bytes) -> bool:
    """By the first line: a single broken row further on is a matter of its own."""
    first = start.partition(b"\n")[0]
    is_cut = len(first) == len(start)
    try:
        codecs.getincrementaldecoder("utf-8")("surrogatepass").decode(first, final=not is_cut)
    except UnicodeError:
        return b"\0" in start
    return b"\0" in first


def _printer(format_: str) -> Callable[[Mapping[str, Any]], None]:
    if format_ == "json":
        return lambda line: out.data(json.dumps(line))
    if format_ == "csv":
        from ..score.door import COLUMNS

        out.data(",".join(COLUMNS))
        return lambda line: out.data(_as_csv([line.get(name) for name in COLUMNS]))
    out.data("  ".join(_HEADS.get(name, name).ljust(width) for name, width in _SHOWN).rstrip())
    return lambda line: out.data(_as_text(line))


def _as_csv(values: list[Any]) -> str:
    buffer = io.StringIO()
    cells = [" ".join(value) if isinstance(value, list) else value for value in values]
    csv.writer(buffer, lineterminator="\n").writerow([_printable(cell) if cell is not None else "" for cell in cells])
    return buffer.getvalue()


def _as_text(line: Mapping[str, Any]) -> str:
    if "error" in line:
        return f"{_printable(line['id'])[:30]:30}  error: {_printable(line['error'])}"
    cells = (_cell(line[name], width) for name, width in _SHOWN)
    return "  ".join(cells).rstrip()


def _cell(value: Any, width: int) -> str:
    text = "–" if value is None else f"{value:.3f}" if isinstance(value, float) else _printable(value)
    return text.rjust(width) if isinstance(value, int | float) else text[:width].ljust(width)


def _printable(value: Any) -> str:
    """Names come from a hostile file: nothing that steers a terminal, nothing that cannot be encoded."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(value))
