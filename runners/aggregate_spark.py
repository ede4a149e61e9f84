# pyright: reportMissingImports=false
# (Spark is an extra: the project's own environment does without)
"""The same dbt project on Spark, for lakes that one machine is too small for.

One process makes the session, gives it the live files of the lake as temporary views (``lake_<table>``) and the
estimators as Arrow functions, and runs dbt in it: dbt-spark's session method takes the session that is there. The
marts come back as Parquet and are put into a file like the one that DuckDB builds, so every later command reads either.
Where Spark runs is Spark's own business: ``spark.master`` of ``spark-defaults.conf``, or ``--master``.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..ingest.errors import BadInput, Interrupted
from ..ingest.schemas import PUBLISHED, TABLES, Table
from .aggregate import NOT_EXPORTED, PROJECT, Built, failures, finished, resolved, workshop_beside
from .lake_check import check_parts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TYPES: Mapping[str, str] = {
    "text": "string",
    "int": "bigint",
    "float": "double",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp_ntz",
    "digest": "binary",
    "text_list": "array<string>",
    "float_list": "array<double>",
    "int_list": "array<bigint>",
}
_SETTINGS: Mapping[str, str] = {
    "spark.sql.catalogImplementation": "in-memory",  # a Hive metastore would leave its database where the command runs
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, as in DuckDB
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",  # a model may be called 7
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",  # every refused statement would be pages; dbt says what failed in a line
}


def build(lake_root: Path | None, output: Path, *, master: str | None = None, compiled: Path | None = None) -> Built:
    """Build every mart of ``lake_root`` on Spark into ``output``, and export it to ``marts/`` beside it.

    ``compiled`` is a folder for what dbt compiled, its ``manifest.json`` among it; by default nothing of it is kept.
    Raises LakeError for a damaged part, BadInput where Spark or Java is missing, or a model or test fails;
    ``output`` is untouched then.
    """
    lake = resolved(lake_root)
    check_parts(lake)
    output = output.expanduser().resolve()
    with workshop_beside(output) as workshop:
        with session(workshop / "warehouse", master) as spark:
            form = register(spark, lake)
            _run_dbt(lake, form, compiled or workshop / "target")
            folders = {name: _written(spark, name, workshop / "parquet") for name in _marts()}
        _collected(folders, workshop / output.name, output.parent / "marts")
        return finished(workshop, output)


@contextmanager
def session(warehouse: Path, master: str | None) -> Iterator[SparkSession]:
    """A session whose tables lie in ``warehouse``; stopped afterwards."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise BadInput("Spark needs Java, which is not installed", "apt-get install default-jre-headless")
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise BadInput("Spark is not installed", "pip install 'benchforge[spark]'") from None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder: Any = SparkSession.builder
    for name, value in {**_settings(master), "spark.sql.warehouse.dir": str(warehouse)}.items():
        builder = builder.config(name, value)
    made = (builder.master(master) if master else builder).appName("benchforge aggregate").getOrCreate()
    try:
        yield made
    finally:
        made.stop()


def _settings(master: str | None) -> Mapping[str, str]:
    """On one machine a shuffle needs no 200 tasks, Spark's default: the tables behind a leaderboard are small."""
    is_local = master is not None and master.startswith("local")
    return {**_SETTINGS, "spark.sql.shuffle.partitions": "4"} if is_local else _SETTINGS


def register(spark: SparkSession, lake: Path) -> str:
    """The lake's tables as views and the estimators as functions of the session; the form of the lake."""
    from ..macros.udfs import lake_files
    from ..macros.udfs_spark import register as register_functions

    register_functions(spark)
    forms = set()
    for table in TABLES:
        found = lake_files(str(lake), table)
        forms.add(found["form"])
        _frame(spark, _written_as(table, found["form"]), found["files"]).createOrReplaceTempView(f"lake_{table}")
    return "published" if "published" in forms else "lake"


def _written_as(table: str, form: str) -> Table:
    """The table whose columns the files hold: published samples and results lie side by side."""
    return PUBLISHED if form == "published" and table in ("samples", "results") else TABLES[table]


def _frame(spark: SparkSession, table: Table, patterns: list[str]) -> DataFrame:
    """The files with the declared schema: a column that an older part lacks is NULL."""
    types = {column.name: _TYPES[column.type] for column in table.columns}
    columns = ", ".join(f"{name} {type_}" for name, type_ in types.items())
    return spark.read.schema(columns).parquet(*(file for pattern in patterns for file in _files(pattern)))


def _files(pattern: str) -> list[str]:
    folder, is_glob, _ = pattern.partition("/**/")
    return sorted(map(str, Path(folder).rglob("*.parquet"))) if is_glob else [pattern]


def _run_dbt(lake: Path, form: str, target: Path) -> None:
    from dbt.cli.main import dbtRunner
    from dbt_common.events.event_manager_client import cleanup_event_logger

    cleanup_event_logger()  # as in aggregate.py
    folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(target)]
    quiet = ["--log-level", "none", "--log-level-file", "none", "--log-path", str(target), "--no-use-colors"]
    words = ["--target", "spark", "--vars", json.dumps({"lake_root": str(lake), "lake_form": form})]
    outcome = dbtRunner().invoke(["build", "--exclude-resource-type", "unit_test", *folders, *quiet, *words])
    if isinstance(outcome.exception, KeyboardInterrupt):
        raise Interrupted("the build was interrupted; the marts are as they were", "run the same command again")
    if outcome.exception is not None:
        raise BadInput(
            f"dbt could not start: {str(outcome.exception)[:400]}", "dbt build, to see whether DuckDB agrees"
        )
    if not outcome.success:
        raise BadInput(failures(outcome.result), "dbt build, to see whether DuckDB agrees")


def _marts() -> list[str]:
    return sorted(path.stem for path in (PROJECT / "models" / "marts").rglob("*.sql"))


def _written(spark: SparkSession, name: str, folder: Path) -> Path:
    spark.table(f"main.{name}").write.parquet(str(folder / name))
    return folder / name


def _collected(folders: Mapping[str, Path], path: Path, marts: Path) -> None:
    """A file of marts; what DuckDB has as a view over the lake is a view over Spark's rows, which move to ``marts``."""
    import duckdb

    with duckdb.connect(str(path)) as connection:
        for name, folder in folders.items():
            if name in NOT_EXPORTED:
                shutil.rmtree(marts / name, ignore_errors=True)
                marts.mkdir(parents=True, exist_ok=True)
                os.replace(folder, marts / name)
            kind, place = ("view", marts / name) if name in NOT_EXPORTED else ("table", folder)
            rows = f"select * from read_parquet('{str(place).replace(chr(39), chr(39) * 2)}/*.parquet')"
            connection.execute(f"create {kind} {name} as {rows}{'' if kind == 'view' else ' order by all'}").fetchall()
