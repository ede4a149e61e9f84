"""What was published or is about to be: files against ``publication.json``, every page decoded, rows in their folder.

A lake in the published form without that file (the bundled one) names its parts by their content instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....ingest import keys
from ....ingest.bundled import RECORDED_LAKE
from ....ingest.errors import BadInput
from ...lake_check import check_parts
from ...publish import publication_file
from ...publish.declared import REPOSITORIES
from . import Verified
from .faults import Fault
from .parts import batches, wrong_digest
from .rows import connected
from .staged import look_at_package

if TYPE_CHECKING:
    import duckdb

_KEY = ("benchmark", "model", "scenario", "task_id", "request_digest", "sample_index", "grader_id")
_OF_THE_HUB = (".gitattributes", ".cache", ".huggingface")
_SHOWN = 5


def look_at_published(folder: Path, num_threads: int, is_quick: bool) -> Verified:
    """Every repository below ``folder``, or ``folder`` itself. BadInput where nothing published is there."""
    repositories = _repositories(folder)
    faults, num_parts, num_rows = [], 0, 0
    for repository in repositories:
        faults += _files(repository, is_quick)
        parts = sorted(repository.rglob("*.parquet"))
        with ThreadPoolExecutor(max_workers=num_threads) as pool:
            looks = list(pool.map(lambda part, root=repository: _look(root, part, is_quick), parts))
        faults += [fault for fault, _ in looks if fault is not None]
        num_parts, num_rows = num_parts + len(parts), num_rows + sum(rows for _, rows in looks)
        if (repository / "data").is_dir() and not any(fault for fault, _ in looks):
            faults += _lake(repository, num_threads, is_quick)
    if folder.resolve() == RECORDED_LAKE.resolve():
        faults += look_at_package()
    return Verified(tuple(faults), num_parts, num_rows)


def _repositories(folder: Path) -> list[Path]:
    """Folders that hold a publication file or a published lake, ``folder`` itself first."""
    found = [one for one in (folder, *sorted(folder.iterdir())) if _is_published(one)]
    if not found:
        raise BadInput(f"{folder} is neither a lake nor anything published", "name a lake, or a folder of publish/")
    return found[:1] if found[0] == folder else found


def _is_published(folder: Path) -> bool:
    told = (folder / publication_file.NAME).is_file() or (folder / "data").is_dir()
    return folder.is_dir() and (told or folder.name in REPOSITORIES)


def _files(repository: Path, is_quick: bool) -> Iterator[Fault]:
    """Names, sizes and digests. A repository of another layout says so; a bare lake has no list."""
    listed = repository / publication_file.NAME
    if not listed.exists():
        if (repository / "README.md").exists():
            yield Fault("published_file", _name(repository, listed), "is gone: nothing says what was published")
        return
    said = publication_file.read(repository)
    if said is None:
        yield Fault("published_file", _name(repository, listed), "it cannot be read, or is of another layout")
        return
    found = _present(repository)
    for path in sorted(set(said.files) - set(found)):
        yield Fault("published_file", f"{repository.name}/{path}", "is listed and not there")
    for path in sorted(set(found) - set(said.files)):
        yield Fault("published_file", f"{repository.name}/{path}", "is there and not listed")
    for path in sorted(set(found) & set(said.files)):
        if wrong := _altered(repository / path, said.files[path], is_quick):
            yield Fault("published_file", f"{repository.name}/{path}", wrong)
    if publication_file.content_of(said.files) != said.content:
        yield Fault("published_file", _name(repository, listed), "its content digest is not that of its files")


def _present(repository: Path) -> list[str]:
    """Names of all files but the list itself and what the Hub's client keeps."""
    files = (path.relative_to(repository) for path in repository.rglob("*") if path.is_file())
    names = [path.as_posix() for path in files if path.parts[0] not in _OF_THE_HUB]
    return [name for name in names if name != publication_file.NAME]


def _altered(path: Path, said: Mapping[str, Any], is_quick: bool) -> str:
    """What is not as listed, as a sentence; empty: nothing."""
    if (size := path.stat().st_size) != said.get("bytes"):
        return f"has {size} bytes, listed are {said.get('bytes')}"
    return "" if is_quick or keys.sha256_file(path) == said.get("sha256") else "hashes to another digest than listed"


def _look(repository: Path, part: Path, is_quick: bool) -> tuple[Fault | None, int]:
    """The first thing wrong with a file, and its rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = _name(repository, part)
    try:
        num_rows = pq.read_metadata(part).num_rows
        if is_quick:
            return None, num_rows
        if found := wrong_digest(part):
            return Fault("part_digest", name, f"hashes to {found}: it was changed after writing"), num_rows
        if wrong := _misplaced(repository, part):
            return Fault("part_folder", name, wrong), num_rows
    except (pa.ArrowException, OSError) as error:
        return Fault("part_readable", name, " ".join(str(error).split())[:300]), 0
    return None, num_rows


def _misplaced(repository: Path, part: Path) -> str:
    """Decodes every page on the way."""
    folders = dict(word.split("=", 1) for word in part.relative_to(repository).parts[:-1] if "=" in word)
    wrong = ""
    for batch in batches(part):
        for key, folder in folders.items():
            if key not in batch.schema.names:
                return f"has no column {key}"
            others = [value for value in batch.column(key).unique().to_pylist() if value != folder]
            wrong = wrong or (f"a row of {key} {others[0]} lies in the folder of {folder}" if others else "")
    return wrong


def _lake(repository: Path, num_threads: int, is_quick: bool) -> Iterator[Fault]:
    """Keys of rows, and the tasks that they are about."""
    from ....ingest.errors import LakeError

    try:
        check_parts(repository)
    except LakeError as error:
        yield Fault("part_columns", repository.name, error.message)
        return
    if is_quick:
        return
    with connected(num_threads) as connection:
        yield from _rows(repository, connection)


def _rows(repository: Path, connection: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    data, tasks = (_reader(sorted((repository / name).rglob("*.parquet"))) for name in ("data", "tasks"))
    if not data:
        return
    present = {row[0] for row in connection.execute(f"describe select * from {data}").fetchall()}
    key = [name for name in _KEY if name in present]
    twice = f"select {', '.join(key)}, count(*) as num_rows from {data} group by all having count(*) > 1"
    yield from _found(connection, "key_twice", f"{repository.name}/data", "keys stand more than once", twice)
    if tasks:
        task = "benchmark, scenario, dataset_version, task_id"
        lost = f"select distinct {task} from {data} except select {task} from {tasks}"
        yield from _found(connection, "task_missing", f"{repository.name}/data", "tasks are not listed", lost)


def _found(connection: Any, rule: str, artifact: str, words: str, query: str) -> Iterator[Fault]:
    cursor = connection.execute(f"select *, count(*) over () as of_all from ({query}) order by all limit {_SHOWN}")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    if rows:
        number = rows[0]["of_all"]
        offenders = tuple({name: value for name, value in row.items() if name != "of_all"} for row in rows)
        yield Fault(rule, artifact, f"{number} {words}", number, offenders)


def _reader(parts: Sequence[Path]) -> str:
    files = ", ".join("'" + str(part).replace("'", "''") + "'" for part in parts)
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)" if files else ""


def _name(repository: Path, path: Path) -> str:
    return f"{repository.name}/{path.relative_to(repository).as_posix()}"
