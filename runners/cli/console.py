"""The one output object: data on stdout, talk on stderr, progress only where somebody watches."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...ingest.errors import UsageError
from .tables import WRITERS, pieces

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = tuple(WRITERS)
_LOG_EVERY_SECONDS = 60.0
_SHOW_AFTER_SECONDS = 2.0


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
        sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
        sys.stdout.flush()

    def table(
        self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], format: str = "table", title: str = ""
    ) -> None:
        """Rows of dicts; ``columns`` fixes the order. Numbers stay numbers in JSON."""
        self.data("".join(pieces(rows, columns, format, title)))

    def objects(self, objects: Sequence[Mapping[str, Any]]) -> None:
        """Nested answers as one JSON array; what JSON has no number for is null."""
        self.data("".join(pieces(objects, list(dict.fromkeys(key for one in objects for key in one)), "json")))

    def sections(
        self,
        tables: Mapping[str, tuple[Iterable[Mapping[str, Any]], Sequence[str], str]],
        format: str,
        facts: Mapping[str, Any],
    ) -> None:
        """Several tables (rows, columns, title) as one answer: one JSON object with ``facts``; empty ones unseen."""
        if format == "json":
            parts = {name: json.loads("".join(pieces(*table[:2], "json"))) for name, table in tables.items()}
            return self.data(json.dumps({**facts, **parts}, indent=1))
        texts = ["".join(pieces(rows, columns, format, title)) for rows, columns, title in tables.values() if rows]
        self.data("\n".join(texts))

    def stream(
        self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], format: str, path: Path | None = None
    ) -> None:
        """As ``table``, row by row, to stdout or whole to ``path``: an interrupted file is not there."""
        if path is None:
            self.data("")
            sys.stdout.writelines(pieces(rows, columns, format))
            return sys.stdout.flush()
        with _whole(path) as temporary, temporary.open("w") as file:
            file.writelines(pieces(rows, columns, format))

    def parquet(self, reader: pa.RecordBatchReader, path: Path | None) -> None:
        """Arrow batches as one Parquet file at ``path``; UsageError where a terminal would get it."""
        import pyarrow.parquet as pq

        if path is None and sys.stdout.isatty():
            raise UsageError("Parquet is not for a terminal", "write it to a file with --output FILE.parquet")
        if path is None:
            with pq.ParquetWriter(sys.stdout.buffer, reader.schema, compression="zstd") as writer:
                for batch in reader:
                    writer.write_batch(batch)
            return
        with _whole(path) as temporary, pq.ParquetWriter(temporary, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)

    @contextmanager
    def waiting(self, label: str) -> Iterator[Callable[[float], None]]:
        """A bar of percent on a terminal once something takes longer than two seconds; else nothing."""
        if self.is_quiet or not sys.stderr.isatty():
            yield lambda percent: None
            return
        with _Percent(label) as shown:
            yield shown.at

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


class _Percent:
    """Percent done, shown from the third second on and removed at the end."""

    def __init__(self, label: str) -> None:
        self._label, self._started = label, time.monotonic()
        self._progress: Any = None
        self._task: Any = None

    def __enter__(self) -> _Percent:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def at(self, percent: float) -> None:
        if time.monotonic() - self._started < _SHOW_AFTER_SECONDS:
            return
        if self._progress is None:
            self._progress, self._task = _started_percent(self._label)
        self._progress.update(self._task, completed=max(percent, 0.0))


def _started_percent(label: str) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
    )
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    progress.start()
    return progress, progress.add_task(label, total=100)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A path beside ``path`` that takes its place at the end, or is removed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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


out = Output()
