"""From a file of marts to a report: everything into a folder beside, then in one step into its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .... import __version__
from ....ingest.errors import BadInput, UsageError
from ....ingest.names import did_you_mean
from ..names import rows
from ..reading import opened_marts
from . import charts, questions
from .boards import write_boards, write_pairs, write_panels
from .cells import Wanted, Written, write_cells
from .chunks import Chunks, packed, short_id
from .place import LAYOUT, MARK, written_beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

PAGE = Path(__file__).with_name("page")
TEXTS = ("all", "failed", "none")


@dataclass(frozen=True)
class Limits:
    """What goes into the report beside the boards: ``texts`` of all, of failed or of no samples; samples of quoted
    numbers only; models and benchmarks by patterns (none: all)."""

    texts: str = "all"
    is_only_headline: bool = False
    models: Sequence[str] = ()
    benchmarks: Sequence[str] = ()

    def holds(self, model: str, benchmark: str) -> bool:
        """Whether samples of this model on this benchmark were asked for."""
        return _fits(model, self.models) and _fits(benchmark, self.benchmarks)


@dataclass(frozen=True)
class Report:
    """What was written."""

    index: Path
    num_models: int
    num_numbers: int
    num_cells: int
    num_samples: int
    num_texts: int
    num_files: int
    num_bytes: int
    has_charts: bool


Advance = Callable[[int], None]


def write_report(
    marts: Path, output: Path, limits: Limits | None = None, watch: Callable[[int], Any] | None = None
) -> Report:
    """Write the report of the file ``marts`` into the folder ``output``; the same marts and lake give the same bytes.

    ``watch`` is told how many samples there are and gives a context manager around a function that hears how many went
    by. Raises NotStaged where nothing was built at ``marts``; UsageError where ``output`` is something else than a
    report, or a pattern fits nothing; BadInput where the marts are of another version or their lake is gone. ``output``
    is untouched then.
    """
    limits = limits or Limits()
    with opened_marts(marts) as connection, _said_in_a_sentence(marts), written_beside(output) as folder:
        return _written(connection, Chunks(folder), output.expanduser().absolute(), limits, watch or _unwatched)


def _written(
    connection: duckdb.DuckDBPyConnection, chunks: Chunks, output: Path, limits: Limits, watch: Callable[[int], Any]
) -> Report:
    samples = _write_samples(connection, chunks, limits, watch)
    cells = rows(connection, questions.CELLS)
    boards = write_boards(connection, chunks, samples, cells)
    models = [row | {"file": short_id("model", row["model"])} for row in rows(connection, questions.MODELS)]
    has_charts = charts.write_library(chunks)
    index = {
        "version": __version__,
        "texts": limits.texts,
        "is_only_headline": limits.is_only_headline,
        "patterns": {"models": list(limits.models), "benchmarks": list(limits.benchmarks)},
        "cells": cells,
        "boards": boards,
        "pairs": write_pairs(connection, chunks, boards),
        "panels": write_panels(connection, chunks, samples),
        "models": packed(models, (*questions.MODEL, "file")),
        "charts": charts.CHARTS if has_charts else None,
        "num_samples": samples.num_samples,
        "num_texts": samples.num_texts,
    }
    chunks.add("index", index)
    _write_page(chunks)
    num_numbers = sum(board["num_rows"] for board in boards)
    counts = {"num_models": len(models), "num_numbers": num_numbers, "num_cells": len(samples.cells),
              "num_samples": samples.num_samples, "num_texts": samples.num_texts}  # fmt: skip
    mark = {"kind": "benchforge report", "layout": LAYOUT, "benchforge": __version__, **counts}
    chunks.write(MARK, (json.dumps(mark, indent=1) + "\n").encode())
    return Report(output / "index.html", **counts, num_files=chunks.num_files, num_bytes=chunks.num_bytes,
                  has_charts=has_charts)  # fmt: skip


def _write_samples(
    connection: duckdb.DuckDBPyConnection, chunks: Chunks, limits: Limits, watch: Callable[[int], Any]
) -> Written:
    written = Written()
    wanted = Wanted(limits.texts, _asked_for(connection, limits))
    found = rows(connection, questions.SAMPLED)
    _refuse_unknown(found, limits)
    chosen = [row for row in found if limits.holds(row["model"], row["benchmark"])]
    if found and not chosen:
        raise UsageError("no sample is of such a model and benchmark", _SAMPLED)
    by_benchmark: dict[str, list[str]] = {}
    for row in chosen:
        by_benchmark.setdefault(row["benchmark"], []).append(row["model"])
    with watch(sum(row["num_samples"] for row in chosen)) as advance:
        for benchmark, models in by_benchmark.items():
            write_cells(connection, (benchmark, models), chunks, written, wanted, advance)
    return written


def _refuse_unknown(found: Sequence[Mapping[str, Any]], limits: Limits) -> None:
    for column, patterns in (("model", limits.models), ("benchmark", limits.benchmarks)):
        names = sorted({row[column] for row in found})
        for pattern in patterns:
            if names and not any(_fits(name, (pattern,)) for name in names):
                said = f"no sample is of a {column} {pattern!r}{did_you_mean(pattern, names)}"
                raise UsageError(said, _SAMPLED)


_SAMPLED = 'benchforge sql "select distinct model, benchmark from leaderboard"'
_QUOTED = """
    select model, benchmark, scenario, comparability_digest, origin, leaderboard.grader_id
    from headline
    inner join leaderboard using (model, benchmark, scenario, test_set, metric, comparability_digest, origin)
    where verdict = 'official' and scope = 'all'
"""


def _asked_for(connection: duckdb.DuckDBPyConnection, limits: Limits) -> Callable[[Mapping[str, Any]], bool]:
    quoted = {tuple(row.values()) for row in rows(connection, _QUOTED)} if limits.is_only_headline else set()

    def is_wanted(row: Mapping[str, Any]) -> bool:
        key = tuple(row[name] for name in questions.BEHIND)
        return not limits.is_only_headline or key in quoted

    return is_wanted


def _write_page(chunks: Chunks) -> None:
    for path in sorted(PAGE.iterdir()):
        name = path.name if path.suffix == ".html" else f"page/{path.name}"
        chunks.write(name, path.read_bytes())


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


@contextmanager
def _unwatched(total: int) -> Iterator[Advance]:
    yield lambda number: None


@contextmanager
def _said_in_a_sentence(marts: Path) -> Iterator[None]:
    """What DuckDB says of marts that do not fit this version, and of views over files that are gone."""
    import duckdb

    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        said = str(error).splitlines()[0]
        raise BadInput(f"{marts} was built by another version of benchforge: {said}", "benchforge aggregate") from error
    except duckdb.IOException as error:
        said = str(error).splitlines()[0]
        raise BadInput(
            f"the lake that {marts} was built from cannot be read any more: {said}", "benchforge aggregate"
        ) from error
