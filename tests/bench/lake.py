"""Marts over lakes of made-up rows against the scan of the same columns, against polars and pandas, and by size.

::

    python tests/bench/lake.py [--rows 1e6] [--place DIR] [--skip files,build] [--sizes 1e7,1e8]

Every figure is CPU time (user + system, all threads) of a process of its own, and a ratio within one run. Marts are
the models from the lake's rows to the cells and their histograms, as dbt compiled them; intervals are the business of
``marts.py``. The scan reads the columns that those models read and takes the largest value of each. Exit status 1
where a bar of the issue is missed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import lake_scripts
import synthetic_lake
from synthetic_lake import Layout

CHAIN = (
    "int_requests_summarized", "int_graders_summarized", "int_samples_by_task", "int_results_by_task",
    "int_counts_by_task", "int_task_counts_scoped", "int_cells_by_counts", "int_cells_by_passes", "int_cells_clustered",
    "int_cells_aggregated",
)  # fmt: skip
BARS = {1: 15.0, 10: 5.0, 100: 3.0}
POLARS_BAR, PANDAS_BAR, FILES_BAR, BUILD_BAR, MEMORY_BAR = 2.0, 5.0, 4.0, 2.0, 1 << 30
ROOT = Path(__file__).resolve().parents[2]


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def in_process(*words: object) -> dict[str, Any]:
    """What one of the jobs below prints, run by an interpreter of its own."""
    done = subprocess.run([sys.executable, __file__, "--job", *map(str, words)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


# ---- jobs: each in a process of its own -------------------------------------------------------------------------


def opened(path: str = ":memory:") -> Any:
    import duckdb
    from benchforge.macros.udfs import register

    connection = duckdb.connect(path)
    connection.execute("set enable_progress_bar = false").fetchall()
    register(connection)
    return connection


def reader(lake: Path, table: str) -> str:
    from benchforge.macros.udfs import lake_files

    files = ", ".join(f"'{name}'" for name in lake_files(str(lake), table)["files"])
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"


def scan(lake: str, aggregate: str) -> dict[str, Any]:
    """The columns of samples and results that the models read, each under one cheap aggregate."""
    with opened() as connection:
        started = cpu_seconds()
        for table, columns in (
            ("samples", lake_scripts.SAMPLE_COLUMNS),
            ("results", lake_scripts.RESULT_COLUMNS),
        ):
            found = ", ".join(f"{aggregate}({name})" for name in columns)
            connection.execute(f"select {found} from {reader(Path(lake), table)}").fetchall()
        return {"cpu": cpu_seconds() - started}


def prepare(lake: str, work: str) -> dict[str, Any]:
    """Compile the models for a lake and make what the chain rests on: seeds, views, tasks, pins."""
    from dbt.cli.main import dbtRunner

    variables = {"lake_root": lake, "duckdb_path": f"{work}/marts.duckdb"}
    common = [
        "--project-dir", str(ROOT), "--profiles-dir", str(ROOT), "--target-path", f"{work}/target",
        "--log-level", "none", "--log-level-file", "none", "--vars", json.dumps(variables),
    ]  # fmt: skip
    outcome = dbtRunner().invoke(["build", "--resource-type", "seed", "--resource-type", "model", *common,
                                  "--select", "+int_cells_aggregated"])  # fmt: skip
    return {"is_built": bool(outcome.success)}


def marts(lake: str, work: str) -> dict[str, Any]:
    """The chain again, model by model, in a plain DuckDB process."""
    nodes = json.loads(Path(work, "target/manifest.json").read_text())["nodes"]
    steps = {}
    with opened(f"{work}/marts.duckdb") as connection:
        for name in CHAIN:
            node = nodes[f"model.benchforge.{name}"]
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            sql = Path(work, "target/compiled/benchforge", node["original_file_path"]).read_text()
            started = cpu_seconds()
            connection.execute(f'create or replace {kind} "{node["schema"]}"."{name}" as {sql}').fetchall()
            steps[name] = cpu_seconds() - started
        rows = connection.execute(
            f"select {', '.join(lake_scripts.CELL)}, sum(num_problems) from intermediate.int_cells_by_passes"
            " where scope = 'all' group by all"
        ).fetchall()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"cpu": sum(steps.values()), "steps": steps, "peak": peak, "checksum": lake_scripts.checksum(rows)}


def script(name: str, lake: str) -> dict[str, Any]:
    function: Callable[[Path], str] = {"polars": lake_scripts.by_polars, "pandas": lake_scripts.by_pandas}[name]
    started = cpu_seconds()
    return {"checksum": function(Path(lake)), "cpu": cpu_seconds() - started}


def compacted(lake: str) -> dict[str, Any]:
    from benchforge.runners.compact import compact, planned

    started = cpu_seconds()
    found = planned(Path(lake))
    num_parts = sum(len(one.parts) for one in found)
    list(compact(Path(lake), found))
    return {"cpu": cpu_seconds() - started, "parts": num_parts, "made": len(found)}


def whole_build(lake: str, work: str) -> dict[str, Any]:
    from benchforge.runners.aggregate import run_dbt

    started = cpu_seconds()
    run_dbt(Path(lake), Path(work, "marts.duckdb"), target=Path(work, "target"), num_threads=2)
    return {"cpu": cpu_seconds() - started}


JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    "scan": scan, "prepare": prepare, "marts": marts, "script": script, "compacted": compacted, "build": whole_build,
}  # fmt: skip


# ---- tables -----------------------------------------------------------------------------------------------------


def measured(place: Path, num_rows: float, num_samples: int, *, scripts: bool = True) -> dict[str, Any]:
    """One lake: scan, marts, scripts."""
    models = synthetic_lake.num_models(num_rows, num_samples)
    layout = Layout(models, num_samples, with_timings=False)
    lake, work = place / "lake", place / "work"
    shutil.rmtree(place, ignore_errors=True)
    synthetic_lake.write(lake, layout)
    work.mkdir()
    in_process("prepare", lake, work)
    found = {"rows": layout.num_rows, "n": num_samples, "scan": in_process("scan", lake, "max")["cpu"]}
    found["decode"] = in_process("scan", lake, "any_value")["cpu"]
    found["marts"] = in_process("marts", lake, work)
    if scripts:
        found["scripts"] = {name: in_process("script", name, lake) for name in scripts_at_hand()}
    shutil.rmtree(place)
    return found


def scripts_at_hand() -> tuple[str, ...]:
    """polars is of the group bench: nothing else here needs it."""
    if importlib.util.find_spec("polars"):
        return ("polars", "pandas")
    print("polars is not installed (pip install --group bench): its row is left out")
    return ("pandas",)


def show(found: dict[str, Any]) -> list[str]:
    """Print one lake's row; the sentences of the bars it misses."""
    marts_cpu, rows = found["marts"]["cpu"], found["rows"]
    ratio = marts_cpu / found["scan"]
    print(
        f"{rows:>11,} rows  n = {found['n']:<3}  scan {found['scan'] / rows * 1e9:6.0f} ns/row"
        f" (decode alone {found['decode'] / rows * 1e9:4.0f})  marts {marts_cpu / rows * 1e9:6.0f} ns/row"
        f" = {ratio:4.1f}x scan  peak {found['marts']['peak'] / (1 << 20):5.0f} MiB"
    )
    for name, cpu in sorted(found["marts"]["steps"].items(), key=lambda item: -item[1]):
        print(f"{'':14}{name:28}{cpu / rows * 1e9:8.0f} ns/row")
    missed = [] if ratio <= BARS[found["n"]] else [f"n = {found['n']}: marts are {ratio:.1f}x the scan"]
    for name, other in found.get("scripts", {}).items():
        times, bar = other["cpu"] / marts_cpu, {"polars": POLARS_BAR, "pandas": PANDAS_BAR}[name]
        equal = other["checksum"] == found["marts"]["checksum"]
        print(f"{'':14}{name:28}{times:8.1f}x the marts' time, {'same checksum' if equal else 'ANOTHER CHECKSUM'}")
        if times < bar or not equal:
            missed.append(f"n = {found['n']}: {name} {times:.1f}x, equal: {equal}")
    return missed


def small_files(place: Path) -> list[str]:
    """10,000 small parts of samples and results: what compact costs, and what it saves each scan."""
    lake = place / "lake"
    shutil.rmtree(place, ignore_errors=True)
    synthetic_lake.write(lake, Layout(10, 25, files_per_model=100, with_timings=False))
    before = in_process("scan", lake, "any_value")["cpu"]
    made = in_process("compacted", lake)
    after = in_process("scan", lake, "any_value")["cpu"]
    scans = made["cpu"] / (before - after)
    print(
        f"small files: scan of {made['parts']:,} parts {before:.2f} s, of {made['made']} compacted ones {after:.2f} s;"
        f" compact {made['cpu']:.2f} s = {scans:.1f} scans"
    )
    shutil.rmtree(place)
    return [] if scans <= FILES_BAR else [f"compact pays for itself after {scans:.1f} scans"]


def builds(place: Path, num_rows: float) -> list[str]:
    """``dbt build`` of everything, tests included, against the same on an empty lake."""
    shutil.rmtree(place, ignore_errors=True)
    (place / "none").mkdir(parents=True)
    synthetic_lake.write(place / "lake", Layout(synthetic_lake.num_models(num_rows, 10), 10))
    empty = in_process("build", place / "none", place / "empty")["cpu"]
    full = in_process("build", place / "lake", place / "full")["cpu"]
    print(f"dbt build: empty lake {empty:.1f} s, {num_rows:.0e} rows {full:.1f} s = {full / empty:.1f}x")
    shutil.rmtree(place)
    return [] if full <= BUILD_BAR * empty else [f"dbt build takes {full / empty:.1f}x the empty one"]


def main() -> None:
    if sys.argv[1:2] == ["--job"]:
        print(json.dumps(JOBS[sys.argv[2]](*sys.argv[3:])))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=1e6)
    parser.add_argument("--samples", default="1,10,100")
    parser.add_argument(
        "--sizes", default="", help="Rows of n = 100 lakes whose cost by row is compared, e.g. 1e7,1e8."
    )
    parser.add_argument("--skip", default="")
    parser.add_argument("--place", type=Path)
    asked = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="benchforge-lake-", dir=asked.place))
    missed: list[str] = []
    try:
        for num_samples in map(int, filter(None, asked.samples.split(","))):
            missed += show(measured(place / "one", asked.rows, num_samples))
        by_size = [
            measured(place / "one", float(size), 100, scripts=False) for size in filter(None, asked.sizes.split(","))
        ]
        missed += [sentence for found in by_size for sentence in show(found)]
        costs = [found["marts"]["cpu"] / found["rows"] for found in by_size]
        if costs and costs[-1] > costs[0]:
            missed.append(f"a row costs {costs[-1] / costs[0]:.2f}x when there are more")
        missed += [f"peak {f['marts']['peak'] >> 20} MiB" for f in by_size if f["marts"]["peak"] > MEMORY_BAR]
        if "files" not in asked.skip:
            missed += small_files(place / "files")
        if "build" not in asked.skip:
            missed += builds(place / "build", asked.rows)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print("\n".join(f"missed: {sentence}" for sentence in missed) or "every bar held")
    sys.exit(bool(missed))


if __name__ == "__main__":
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    main()
