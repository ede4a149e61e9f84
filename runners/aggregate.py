"""From a lake to a file of marts: check the parts, build with dbt into a new file, replace, export.

``build`` runs the same dbt project as plain ``dbt build``, so both give the same marts; equal means equal
``mart_hashes``. A reader that has the old file open keeps reading it: the new one takes its name only when it is whole.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..ingest.bundled import RECORDED_LAKE
from ..ingest.errors import BadInput, Interrupted
from .folders import Folder, remove_left
from .gate.seal import seal
from .lake_check import check_parts

if TYPE_CHECKING:
    import duckdb

PROJECT = Path(__file__).resolve().parent.parent
"""The package is a dbt project: dbt_project.yml, profiles.yml, models, macros, seeds lie in its root."""
NOT_EXPORTED = ("fct_sample_results",)
"""Marts that are views over the lake: their rows are the lake itself."""

_FAILED = ("error", "fail", "runtime error")

Advance = Callable[[int, str], None]
"""Hears that so many nodes have ended, and the name of the last."""
Watch = Callable[[int], AbstractContextManager[Advance]]
"""Given the number of nodes, what is told about each as it ends."""


@contextmanager
def unwatched(total: int) -> Iterator[Advance]:
    yield lambda number, name: None


@dataclass(frozen=True)
class Built:
    """What one build made."""

    path: Path
    exports: tuple[Path, ...]
    headline: tuple[dict[str, Any], ...]
    num_refusals: int


def build(
    lake_root: Path | None,
    output: Path,
    *,
    num_threads: int = 4,
    watch: Watch = unwatched,
    against: Path | None = None,
) -> Built:
    """Build every mart of ``lake_root`` (None: the bundled lake) into ``output`` and export it to ``marts/`` beside it.

    ``against`` is an older file of marts (``output`` itself, too) for ``fct_build_diff``. ``watch`` is told the number
    of nodes, then each as it ends. Raises LakeError for a damaged part, BadInput when a model or a data test fails,
    OSError (ENOSPC) on a full disk; ``output`` is untouched then.
    """
    lake = resolved(lake_root)
    check_parts(lake)
    output = output.expanduser().resolve()
    with workshop_beside(output) as workshop:
        made = workshop / output.name
        older = against and against.expanduser().resolve()
        run_dbt(lake, made, target=workshop / "target", num_threads=num_threads, watch=watch, against=older)
        seal(made, lake)
        return finished(workshop, output)


@contextmanager
def workshop_beside(output: Path) -> Iterator[Path]:
    """A folder to build in, on the file system of ``output``; what a killed build left there is removed first."""
    output.parent.mkdir(parents=True, exist_ok=True)
    remove_left(output.parent)
    with Folder("build-", inside=output.parent) as folder:
        yield folder


def finished(workshop: Path, output: Path) -> Built:
    """The whole file of marts in ``workshop`` takes the place of ``output``, its exports that of the old ones."""
    made = workshop / output.name
    exports = _export(made, workshop / "marts")
    headline, num_refusals = _summary(made)
    os.replace(made, output)
    return Built(output, _replaced(exports, output.parent / "marts"), headline, num_refusals)


def would_write(lake_root: Path | None, output: Path) -> list[Path]:
    """The files that ``build`` would write; the lake is checked as ``build`` checks it, nothing is written."""
    check_parts(resolved(lake_root))
    output = output.expanduser().resolve()
    marts = sorted(path.stem for path in (PROJECT / "models" / "marts").glob("*.sql"))
    return [output, *(output.parent / "marts" / f"{mart}.parquet" for mart in marts if mart not in NOT_EXPORTED)]


def run_dbt(
    lake: Path,
    path: Path,
    *,
    target: Path,
    num_threads: int,
    watch: Watch = unwatched,
    against: Path | None = None,
) -> None:
    """``dbt build`` of the packaged project into the file ``path``, without unit tests: they are about code."""
    variables = {"lake_root": str(lake), "duckdb_path": str(path), "previous_build": str(against or "")}
    folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(target)]
    quiet = ["--log-level", "none", "--log-level-file", "none", "--log-path", str(target), "--no-use-colors"]
    common = [*folders, *quiet, "--target", "local", "--vars", json.dumps(variables)]
    try:
        outcome = _parsed_and_built(common, num_threads, watch)
    finally:
        _close_connections()
    if isinstance(outcome.exception, KeyboardInterrupt):
        raise Interrupted("the build was interrupted; the marts are as they were", "run the same command again")
    results = getattr(outcome.result, "results", None) or []
    said = [str(node.message) for node in results if str(node.status) in _FAILED]
    _refuse_full_disk([str(outcome.exception or ""), *said], path)
    if outcome.exception is not None:
        raise BadInput(f"dbt could not start: {_sentence(outcome.exception)}", "dbt build, to see all it says")
    if not outcome.success:
        raise BadInput(failures(outcome.result), "dbt build --vars 'lake_root: DIR', to see all it says")


def _parsed_and_built(common: list[str], num_threads: int, watch: Watch) -> Any:
    """What dbt says of the last step that it came to."""
    from dbt.cli.main import dbtRunner
    from dbt_common.events.event_manager_client import cleanup_event_logger

    # before it has read its flags dbt logs to standard output, where data belong: of an interrupt a traceback
    cleanup_event_logger()
    outcome = dbtRunner().invoke(["parse", *common])
    if not outcome.success:
        return outcome
    manifest: Any = outcome.result
    nodes = [node for node in manifest.nodes.values() if node.resource_type in ("model", "seed", "test")]
    with watch(len(nodes)) as advance:
        runner = dbtRunner(manifest=manifest, callbacks=[_listener(advance)])
        words = ["build", "--exclude-resource-type", "unit_test", "--threads", str(num_threads)]
        return runner.invoke([*words, *common])


def mart_hashes(path: Path) -> dict[str, str]:
    """sha256 per mart over all its rows in key order; two files hold the same marts exactly when these are equal."""
    hashes = {}
    with opened(path) as connection:
        for mart in marts_of(connection):
            rows = f"select string_agg(sha256(to_json(mart)::varchar), '' order by mart) from {mart} as mart"
            found = connection.execute(f"select sha256(coalesce(({rows}), ''))").fetchall()
            hashes[mart] = found[0][0]
    return hashes


def marts_of(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the marts in an open file, sorted: everything in schema main."""
    query = "select table_name from information_schema.tables where table_schema = 'main' order by table_name"
    return [name for (name,) in connection.execute(query).fetchall()]


@contextmanager
def opened(path: Path, *, with_functions: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Read-only connection, always closed: DuckDB 2 prints pages about leaks at exit otherwise.

    Raises BadInput where the file is none of DuckDB's, of a newer one, or held by somebody who writes.
    """
    connection = _connected(path)
    try:
        connection.execute("set enable_progress_bar = false").fetchall()
        if with_functions:
            from ..macros.udfs import register

            register(connection)
        yield connection
    finally:
        connection.close()


def _connected(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    try:
        return duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        raise BadInput(f"{path} cannot be read as a file of marts: {said}", "benchforge aggregate") from error


def _export(path: Path, folder: Path) -> list[Path]:
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    try:
        return _copied(path, folder)
    except duckdb.Error as error:
        _refuse_full_disk([str(error)], path)
        raise


def _copied(path: Path, folder: Path) -> list[Path]:
    written = []
    with opened(path) as connection:
        for mart in marts_of(connection):
            if mart not in NOT_EXPORTED:
                written.append(folder / f"{mart}.parquet")
                target = str(written[-1]).replace("'", "''")
                rows = f"select * from {mart} order by all"
                connection.execute(f"copy ({rows}) to '{target}' (format parquet, compression zstd)").fetchall()
    return written


def _replaced(exports: list[Path], folder: Path) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    for path in exports:
        os.replace(path, folder / path.name)
    return tuple(folder / path.name for path in exports)


def _summary(path: Path) -> tuple[tuple[dict[str, Any], ...], int]:
    with opened(path) as connection:
        board = connection.execute("select * from headline")
        names = [column[0] for column in board.description or ()]
        rows = tuple(dict(zip(names, row, strict=True)) for row in board.fetchall())
        refusals = connection.execute("select count(*) from fct_refusals").fetchall()
    return rows, refusals[0][0]


def resolved(lake_root: Path | None) -> Path:
    return (lake_root or RECORDED_LAKE).expanduser().resolve()


def _refuse_full_disk(said: Iterable[str], path: Path) -> None:
    """DuckDB and dbt wrap the error of the disk into theirs; the user is to read the disk's."""
    for text in said:
        for code in (errno.ENOSPC, errno.EDQUOT):
            if f"[Errno {code}]" in text or os.strerror(code) in text:
                raise OSError(code, os.strerror(code), str(path.parent.parent))


def _listener(advance: Advance) -> Callable[[Any], None]:
    def hear(event: Any) -> None:
        if event.info.name == "NodeFinished":
            advance(1, event.data.node_info.node_name)

    return hear


def failures(result: Any) -> str:
    """One sentence from the nodes that failed, the first one in full."""
    failed = [node for node in getattr(result, "results", []) if str(node.status) in _FAILED]
    if not failed:
        return "dbt build failed"
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{failed[0].node.name} failed: {' '.join(str(failed[0].message).split())}{more}"


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:400] or type(error).__name__


def _close_connections() -> None:
    """dbt-duckdb keeps its file open until the process ends; the file is to be moved before that."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()
