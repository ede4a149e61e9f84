"""The one output object: data on stdout, talk on stderr, progress only where somebody watches."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from ...ingest.errors import UsageError

FORMATS = ("table", "json", "csv")
_LOG_EVERY_SECONDS = 60.0


class Progress(Protocol):
    """What a stage tells about its way: ``advance(n, note)``."""

    def advance(self, number: int = 1, note: str = "") -> None: ...


class Output:
    """``table`` writes data to stdout in the asked format; ``say`` talks on stderr unless quiet."""

    def __init__(self) -> None:
        self.is_quiet = False

    def say(self, text: str) -> None:
        if not self.is_quiet:
            print(text, file=sys.stderr, flush=True)

    def data(self, text: str) -> None:
        if sys.stdout is None:
            raise UsageError("Standard output is closed, so that nothing can be printed.", "redirect it to a file")
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()

    def table(
        self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], format: str = "table", title: str = ""
    ) -> None:
        """Rows of dicts; ``columns`` fixes the order. Numbers stay numbers in JSON."""
        listed = [{name: row.get(name) for name in columns} for row in rows]
        if format == "json":
            self.data(json.dumps(listed, indent=1, default=str))
        elif format == "csv":
            self.data(_csv(listed, columns))
        else:
            self.data(_text_table(listed, columns, title))

    @contextmanager
    def progress(self, total: int, label: str) -> Iterator[Progress]:
        """A bar on a terminal, one line a minute in a log, nothing when quiet."""
        if self.is_quiet:
            yield _Silent()
        elif sys.stderr.isatty():
            with _bar(total, label) as bar:
                yield bar
        else:
            yield _Log(self, total, label)


class _Silent:
    def advance(self, number: int = 1, note: str = "") -> None:
        pass


class _Log:
    """One line a minute, and one at the end: readable in a batch log."""

    def __init__(self, output: Output, total: int, label: str) -> None:
        self._output, self._total, self._label = output, total, label
        self._done, self._started, self._last = 0, time.monotonic(), time.monotonic()

    def advance(self, number: int = 1, note: str = "") -> None:
        self._done += number
        now = time.monotonic()
        if now - self._last >= _LOG_EVERY_SECONDS or self._done == self._total:
            self._last = now
            rate = self._done / max(now - self._started, 1e-9)
            self._output.say(f"{self._label}: {self._done}/{self._total} ({rate:.1f}/s){' ' + note if note else ''}")


class _Bar:
    def __init__(self, progress: Any, task: Any) -> None:
        self._progress, self._task = progress, task

    def advance(self, number: int = 1, note: str = "") -> None:
        self._progress.update(self._task, advance=number, note=note)


@contextmanager
def _bar(total: int, label: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        yield _Bar(progress, progress.add_task(label, total=total, note=""))


def _csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _text_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], title: str) -> str:
    """Plain aligned text: rich only where colour is wanted costs 0.1 s of start, and a pipe needs none."""
    cells = [[_cell(row[name]) for name in columns] for row in rows]
    widths = [max([len(name), *(len(line[i]) for line in cells)]) for i, name in enumerate(columns)]
    right = [bool(rows) and all(isinstance(row[name], int | float | None) for row in rows) for name in columns]
    lines = [_line(columns, widths, right), "  ".join("─" * width for width in widths)]
    lines += [_line(line, widths, right) for line in cells]
    head = [_bold(title), ""] if title else []
    return "\n".join(head + lines)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        text.rjust(width) if is_right else text.ljust(width)
        for text, width, is_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip()


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, bytes):
        return value.hex()
    return str(value).replace("\n", "⏎")


def _bold(text: str) -> str:
    wants_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return f"\033[1m{text}\033[0m" if wants_colour else text


out = Output()
