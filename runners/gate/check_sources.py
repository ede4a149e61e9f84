"""One DuckDB connection that shows everything a rule may ask for, each under its own schema.

``gate_lake`` are live rows, ``gate_marts`` a file of marts or a folder of its exports, ``gate_seeds`` the packaged CSV
files, ``gate_built_seeds`` those in the file of marts, ``gate_old`` what was published last. What cannot be
opened leaves its name in ``absent``: the rules that ask for it then say so, one by one.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...expectations.artifacts import Artifact, artifacts
from ...ingest import schemas
from ...ingest.errors import BadInput, BenchforgeError
from ...ingest.lake import EMPTY_PARTS, Lake
from ...ingest.liveness import refuse_all_dead

if TYPE_CHECKING:
    import duckdb

MEMORY_BYTES = 400 << 20
"""For DuckDB; beyond it, it spills. With Great Expectations and pandas (260 MiB) the process stays below 1 GiB."""
SCHEMAS = ("gate_lake", "gate_marts", "gate_seeds", "gate_built_seeds", "gate_old", "gate_facts", "gate_recount")
"""No file is called like one of these: DuckDB could not tell a file ``lake.duckdb`` from a schema ``lake``."""
NOT_EXPORTED = frozenset({"fct_sample_results", "fct_build_diff"})
"""Marts that a folder of exports may lack: the lake itself, and what moved since a build that others do not have."""


@dataclass
class Sources:
    """The open connection, the files behind each lake table, and why a relation is not there."""

    connection: duckdb.DuckDBPyConnection
    files: dict[str, list[Path]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    """Marts that an export does not hold by design: rules about them have no meaning there."""
    is_published_lake: bool = False

    def has(self, relation: str) -> bool:
        schema, _, name = relation.partition(".")
        asked = "select count(*) from information_schema.tables where table_schema = ? and table_name = ?"
        return bool(self.connection.execute(asked, [schema, name]).fetchall()[0][0])

    def show(self, relation: str, sql: str) -> None:
        """Make a view; one that the engine refuses is absent, with its words."""
        import duckdb

        try:
            self.connection.execute(f"create or replace view {relation} as {sql}").fetchall()
        except duckdb.Error as error:
            self.absent[relation] = " ".join(str(error).split())[:300]


@contextmanager
def connected() -> Iterator[Sources]:
    """An empty connection with the schemas; it spills into a folder of its own and is always closed."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="benchforge-check-") as folder:
        connection = duckdb.connect(":memory:")
        try:
            connection.execute(f"set temp_directory = '{quoted(folder)}'").fetchall()
            connection.execute(f"set memory_limit = '{MEMORY_BYTES >> 20}MiB'").fetchall()
            connection.execute("set enable_progress_bar = false; set preserve_insertion_order = false").fetchall()
            for schema in SCHEMAS:
                connection.execute(f"create schema {schema}").fetchall()
            yield Sources(connection)
        finally:
            connection.close()


def show_lake(sources: Sources, root: Path, schema: str = "gate_lake") -> None:
    """Views ``<schema>.<table>`` over live rows, of either form of a lake; a table that is damaged is absent."""
    sources.is_published_lake = is_published(root)
    for table in schemas.TABLES:
        try:
            sources.files[table] = _parts(root, table)
        except BenchforgeError as error:
            sources.absent[f"{schema}.{table}"] = f"{error.message}; {error.hint}"
            continue
        if _is_joined(root, table):
            _show_joined(sources, table, schema)
        else:
            sources.show(
                f"{schema}.{table}", f"select {_names(table)} from {parquet([_typed(table), *sources.files[table]])}"
            )


def is_published(root: Path) -> bool:
    """Whether a lake has the form it is published in (``contracts.md`` §2)."""
    return (root / "data").is_dir() and not (root / "_live").is_dir()


def _is_joined(root: Path, table: str) -> bool:
    """Whether one row of the files tells of a sample and of its verdict."""
    return is_published(root) and table in ("samples", "results")


def _parts(root: Path, table: str) -> list[Path]:
    if is_published(root):
        return sorted((root / ("data" if table in ("samples", "results") else table)).rglob("*.parquet"))
    live = Lake(root).live_parts(table)
    refuse_all_dead(root, table, live)
    return live


def _show_joined(sources: Sources, table: str, schema: str) -> None:
    """Samples or results of files whose rows tell of both. A sample that two graders judged stands in two rows."""
    reader = parquet([_typed("samples"), _typed("results"), *sources.files[table]])
    made = "unhex(left(sha256(concat_ws('|', benchmark, scenario, task_id, request_digest, sample_index)), 32))"
    columns = _names(table).replace("sample_id", f"coalesce(sample_id, {made}) as sample_id", 1)
    if table == "results":
        sources.show(f"{schema}.results", f"select {columns} from {reader} where grader_id is not null")
        return
    key = "model, benchmark, scenario, task_id, request_digest, sample_index"
    once = f"qualify row_number() over (partition by {key} order by grader_id) = 1"
    sources.show("gate_facts.joined", f"select * from {reader}")
    sources.show(f"{schema}.samples", f"select {columns} from {reader} {once if _has_two_graders(sources) else ''}")


def _has_two_graders(sources: Sources) -> bool:
    """A look at few columns that saves a sort of all rows."""
    if not sources.has("gate_facts.joined"):
        return False
    graders = "select count(distinct coalesce(grader_id, '')) as num_graders from gate_facts.joined"
    asked = (
        f"select count(*) from ({graders} group by model, benchmark, scenario, request_digest) where num_graders > 1"
    )
    return bool(sources.connection.execute(asked).fetchall()[0][0])


def _typed(table: str) -> Path:
    """The zero-row part: an empty table has its columns, and an old part all of them."""
    return EMPTY_PARTS / f"{table}.parquet"


def _names(table: str) -> str:
    return ", ".join(schemas.TABLES[table].column_names())


def show_marts(sources: Sources, built: Path, schema: str = "gate_marts") -> None:
    """Views ``<schema>.<mart>`` of a file of marts, or of a folder that holds ``<mart>.parquet`` at any depth.

    Raises BadInput where neither a mart can be read nor a file be opened.
    """
    marts = [artifact for artifact in artifacts().values() if artifact.kind == "mart"]
    if built.is_dir():
        _show_exports(sources, built, marts, schema)
    else:
        _show_file(sources, built, marts, schema)
    if not any(sources.has(f"{schema}.{mart.name}") for mart in marts):
        raise BadInput(f"{built} holds no mart that can be read", "name what benchforge aggregate made")


def _show_exports(sources: Sources, folder: Path, marts: list[Artifact], schema: str) -> None:
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.parquet")):
        found.setdefault(path.stem, []).append(path)
    for mart in marts:
        if mart.name in found:
            sources.show(f"{schema}.{mart.name}", f"select * from {parquet(found[mart.name])}")
        elif mart.name in NOT_EXPORTED:
            sources.left_out.add(f"{schema}.{mart.name}")
        else:
            sources.absent[f"{schema}.{mart.name}"] = f"{folder} holds no {mart.name}.parquet"


def _show_file(sources: Sources, path: Path, marts: list[Artifact], schema: str) -> None:
    import duckdb

    name = f"file_of_{schema}"
    try:
        sources.connection.execute(f"attach '{quoted(path)}' as {name} (read_only)").fetchall()
        inner = _name_inside(sources.connection, name) or path.stem
        sources.connection.execute(f"detach {name}").fetchall()
        sources.connection.execute(f"attach '{quoted(path)}' as \"{inner}\" (read_only)").fetchall()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path} cannot be read as a file of marts: {reason}", "benchforge aggregate") from error
    for mart in marts:
        sources.show(f"{schema}.{mart.name}", f'select * from "{inner}".main.{mart.name}')
    if schema == "gate_marts":
        for seed in _seed_names():
            sources.show(f"gate_built_seeds.{seed}", f'select * from "{inner}".seeds.{seed}')
        sources.show("gate_facts.seal", f'select * from "{inner}".sealed.seal')


def _name_inside(connection: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """The name that the views of a file call it by: that of the file they were built in, whatever it is called now."""
    asked = "select sql from duckdb_views() where database_name = ? and schema_name = 'main'"
    for (sql,) in connection.execute(asked, [name]).fetchall():
        found = re.search(r'"?([A-Za-z0-9_.-]+?)"?\."?(?:main|intermediate|staging)"?\."?\w+', sql)
        if found:
            return found.group(1)
    return None


def show_seeds(sources: Sources, folder: Path, schema: str) -> None:
    """Views ``<schema>.<seed>`` of the CSV files in a folder, under their declared types."""
    for seed in artifacts().values():
        if seed.kind == "seed":
            name = seed.name.removeprefix("seed_")
            types = ", ".join(f"'{column}': '{type_}'" for column, type_ in seed.columns.items())
            path = quoted(folder / f"{name}.csv")
            reader = f"read_csv('{path}', header = true, delim = ',', quote = '\"', escape = '\"', types = {{{types}}})"
            sources.show(f"{schema}.{name}", f"select * from {reader}")


def _seed_names() -> list[str]:
    return [one.name.removeprefix("seed_") for one in artifacts().values() if one.kind == "seed"]


def parquet(files: list[Path]) -> str:
    """SQL of the rows of the files; a column that one lacks is NULL."""
    names = ", ".join(f"'{quoted(file)}'" for file in files)
    return f"read_parquet([{names}], union_by_name = true, hive_partitioning = false)"


def quoted(path: Path | str) -> str:
    return str(path).replace("'", "''")
