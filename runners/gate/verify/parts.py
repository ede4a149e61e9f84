"""One look at a part: the digest in its name, footer, columns, and every page decoded, in the memory of one batch.

Hashing and decoding release the interpreter's lock, so parts are looked at side by side in threads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ....ingest import schemas
from ....ingest.errors import LakeError
from ....ingest.lake import Lake, check_part
from ...lake_check import ADDED_LATER

BATCH_ROWS, BATCH_BYTES = 16_384, 16 << 20
NAMED_BY_CONTENT = re.compile(r"part-(?:.+-)?([0-9a-f]{12})\.parquet")
"""How every writer of ours names a part; other names say nothing of the bytes."""


@dataclass(frozen=True)
class Look:
    """What one part is. ``rule`` is the first rule that it breaks, None for a whole part; ``num_rows`` None: unread."""

    name: str
    table: str
    num_rows: int | None = None
    rule: str | None = None
    message: str = ""

    @property
    def is_whole(self) -> bool:
        return self.rule is None


def look_at_all(lake: Lake, parts: Iterable[tuple[str, str]], num_threads: int, is_quick: bool) -> Iterator[Look]:
    """(table, name relative to the lake) -> looks, in the same order. ``is_quick``: footers alone."""
    with ThreadPoolExecutor(max_workers=num_threads) as pool:
        yield from pool.map(lambda part: look_at(lake.root, part[0], part[1], is_quick), parts)


def look_at(root: Path, table: str, name: str, is_quick: bool = False) -> Look:
    """One live part. OSError of the file system (not of the file) is a complaint as well: the part cannot be read."""
    path = root / name
    if not path.exists():
        return Look(name, table, None, "part_missing", f"{name} counts and is not there")
    try:
        wrong = None if is_quick else wrong_digest(path)
    except OSError as error:
        return Look(name, table, None, "part_readable", _sentence(error))
    try:
        found = _read(path, table, name, is_quick)
    except (LakeError, OSError) as error:
        found = Look(name, table, None, "part_readable", _sentence(error))
    if wrong is None:
        return found
    message = f"{name} hashes to {wrong}: it was changed after writing"
    return replace(found, rule="part_digest", message="; ".join(filter(None, (message, found.message))))


def wrong_digest(path: Path) -> str | None:
    """First 12 characters of the sha256 of the bytes, where the name says others."""
    named = NAMED_BY_CONTENT.fullmatch(path.name)
    if named is None:
        return None
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()[:12]
    return None if found == named[1] else found


def columns_wrong(table: str, path: Path) -> str:
    """What is wrong with the columns of a part, as a sentence; empty: nothing. LakeError: no readable footer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = set(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise LakeError(f"{path.name} has no readable footer: {error}") from error
    try:
        check_part(table, path)
    except LakeError as error:
        return error.message
    declared = set(schemas.TABLES[table].column_names())
    if foreign := sorted(found - declared):
        return f"{path.name} has a column that {table} does not declare: {', '.join(foreign)}"
    if lost := sorted(declared - found - ADDED_LATER.get(table, frozenset())):
        return f"{path.name} lacks the column {', '.join(lost)}"
    return ""


def batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[Any]:
    """Record batches of bounded size; a column chunk is never held whole."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
        footer = file.metadata
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
        num_bytes = sum(group.total_byte_size for group in groups)
        size = max(1, min(BATCH_ROWS, BATCH_BYTES * max(1, footer.num_rows) // max(1, num_bytes)))
        yield from file.iter_batches(size, columns=columns, use_threads=False)


def _read(path: Path, table: str, name: str, is_quick: bool) -> Look:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if wrong := columns_wrong(table, path):
        return Look(name, table, None, "part_columns", wrong)
    num_rows = pq.read_metadata(path).num_rows
    if is_quick:
        return Look(name, table, num_rows)
    try:
        num_read, misplaced = _decoded(path, table, name)
    except (pa.ArrowException, OSError) as error:
        return Look(name, table, None, "part_readable", f"{name} cannot be decoded: {_sentence(error)}")
    if num_read != num_rows:
        return Look(name, table, None, "part_readable", f"{name}: footer says {num_rows} rows, pages hold {num_read}")
    if misplaced:
        return Look(name, table, num_rows, "part_folder", f"{name}: {misplaced}")
    return Look(name, table, num_rows)


def _decoded(path: Path, table: str, name: str) -> tuple[int, str]:
    """Rows decoded, and what is out of place among them (empty: nothing)."""
    folders = dict(folder.split("=", 1) for folder in name.split("/") if "=" in folder)
    num_rows, wrong = 0, ""
    for batch in batches(path):
        num_rows += batch.num_rows
        wrong = wrong or _misplaced(batch, table, folders)
    return num_rows, wrong


def _misplaced(batch: Any, table: str, folders: dict[str, str]) -> str:
    declared = schemas.TABLES[table]
    for key in declared.partitions:
        others = [value for value in batch.column(key).unique().to_pylist() if value != folders.get(key, value)]
        if others:
            return f"a row of {key} {others[0]} lies in the folder of {folders[key]}"
    for column in declared.required():
        if batch.column(column).null_count:
            return f"a row without {column}"
    return ""


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
