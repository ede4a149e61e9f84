"""Lakes of any size with made-up verdicts, written by DuckDB straight to Parquet under the declared schemas.

The cells are real ones (164 + 164 + 378 + 800 + 479 = 1,985 problems in five benchmarks, pinned), so nothing on the
board is refused. Every value is a function of its key: the same options give the same rows on every machine.

::

    python tests/bench/synthetic_lake.py DIR --rows 1e6 --samples 10
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import duckdb
from benchforge.ingest import schemas
from benchforge.ingest.lake import Lake, arrow_schema
from benchforge.ingest.pins import pins_of

NUM_PROBLEMS = 1985


@dataclass(frozen=True)
class Cell:
    """One benchmark scenario that the lake is asked on."""

    benchmark: str
    version: str
    scenario: str
    num_problems: int
    test_sets: tuple[str, ...]
    task_name: str
    has_plus: bool = False
    has_clusters: bool = False
    is_published: bool = False
    """Our own verdicts need a pinned problem file, which this benchmark does not have."""


CELLS = (
    Cell("humaneval", "v1", "default", 164, ("base",), "HumanEval/"),
    Cell("humanevalplus", "v0.1.10", "default", 164, ("base", "plus"), "HumanEval/", has_plus=True),
    Cell("mbppplus", "v0.2.0", "default", 378, ("base", "plus"), "Mbpp/", has_plus=True),
    Cell("cruxeval", "v1", "cruxeval_i", 800, ("full",), "sample_"),
    Cell("livecodebench", "release_v6", "execution", 479, ("full",), "sample_", has_clusters=True, is_published=True),
)


@dataclass(frozen=True)
class Layout:
    """How the rows of a table lie on disk: ``files_per_model`` parts of each model, or one part for each benchmark."""

    num_models: int
    num_samples: int
    files_per_model: int = 0
    with_timings: bool = True

    @property
    def num_rows(self) -> int:
        return self.num_models * NUM_PROBLEMS * self.num_samples


def write(root: Path, layout: Layout) -> Path:
    """Write the lake below ``root`` and return it; all parts of a table are made live by one line per benchmark."""
    lake = Lake(root)
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false; set preserve_insertion_order = true").fetchall()
        for cell in CELLS:
            connection.execute(_asked(cell, layout)).fetchall()
            _commit(lake, cell, "tasks", _copied(connection, root, cell, "tasks", layout, _task_values(cell)))
            for table in ("samples", "results", "timings"):
                if table != "timings" or layout.with_timings:
                    values = {"samples": _sample_values, "results": _result_values, "timings": _timing_values}[table]
                    parts = _copied(connection, root, cell, table, layout, values(cell, layout))
                    _commit(lake, cell, table, parts)
    return root


def _asked(cell: Cell, layout: Layout) -> str:
    """Keys of every sample in the order of the lake; a part is a range of them. Passes: easy problems, good models."""
    return f"""
        create or replace macro asked(first, last) as table
        select
            'made__model_' || lpad((m % 100000)::varchar, 5, '0') as model,
            '{cell.task_name}' || t as task_id,
            i as sample_index,
            hash(m, t, i, '{cell.benchmark}') as luck,
            (hash(t, '{cell.benchmark}') % 100 + hash(m) % 60) / 100.0 as ease
        from range(first, last) as models(m)
        cross join range({cell.num_problems}) as tasks(t)
        cross join range({layout.num_samples}) as samples(i)
    """


def _copied(
    connection: duckdb.DuckDBPyConnection, root: Path, cell: Cell, table: str, layout: Layout, values: dict[str, str]
) -> list[Path]:
    if table == "tasks":
        ranges = [("", f"(select '{cell.task_name}' || t as task_id, t from range({cell.num_problems}) as tasks(t))")]
    elif layout.files_per_model:
        ranges = [(f"model=made__model_{m:05d}", f"asked({m}, {m + 1})") for m in range(layout.num_models)]
    else:
        ranges = [("model=all", f"asked(0, {layout.num_models})")]
    return [
        part for folder, rows in ranges for part in _parts(connection, root, cell, table, folder, rows, values, layout)
    ]


def _parts(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    cell: Cell,
    table: str,
    folder: str,
    rows: str,
    values: dict[str, str],
    layout: Layout,
) -> list[Path]:
    directory = root / table / f"benchmark={cell.benchmark}" / folder
    directory.mkdir(parents=True, exist_ok=True)
    pieces = max(1, layout.files_per_model) if table != "tasks" else 1
    parts = []
    for piece in range(pieces):
        parts.append(directory / f"part-{cell.scenario}-{piece}.parquet")
        where = f"where hash(task_id) % {pieces} = {piece}" if pieces > 1 else ""
        select = ", ".join(
            f"({values.get(field.name, 'null')})::{schemas.TYPES[column.type]} as {field.name}"
            for field, column in zip(arrow_schema(table), schemas.TABLES[table].columns, strict=True)
        )
        connection.execute(
            f"copy (select {select} from {rows} {where}) to '{parts[-1]}' (format parquet, compression zstd)"
        ).fetchall()
    return parts


def _commit(lake: Lake, cell: Cell, table: str, parts: list[Path]) -> None:
    lake.commit(f"made-{cell.benchmark}", "import" if table == "tasks" else "score", parts)


def _task_values(cell: Cell) -> dict[str, str]:
    return {
        "benchmark": f"'{cell.benchmark}'",
        "dataset_version": f"'{cell.version}'",
        "dataset_digest": _digest(cell),
        "scenario": f"'{cell.scenario}'",
        "task_id": "task_id",
        "task_digest": "sha256(task_id)",
        "kind": "'calls'",
        "test_sets": "[" + ", ".join(f"'{name}'" for name in cell.test_sets) + "]",
        "num_base_cases": "5",
        "num_plus_cases": "50" if cell.has_plus else "0",
        "source_problem": "task_id",
        "cluster": "'contest_' || (t // 4)" if cell.has_clusters else "null",
    }


def _shared_values(cell: Cell) -> dict[str, str]:
    return {
        "benchmark": f"'{cell.benchmark}'",
        "model": "model",
        "scenario": f"'{cell.scenario}'",
        "task_id": "task_id",
        "sample_index": "sample_index",
        "sample_id": f"unhex(left(sha256(concat_ws('|', '{cell.benchmark}', '{cell.scenario}', task_id, "
        f"{_request_values(cell)['request_digest']}, sample_index)), 32))",
        "shard_id": f"'made-{cell.benchmark}'",
    }


def _request_values(cell: Cell) -> dict[str, str]:
    return {
        "request_digest": f"sha256(model || '{cell.benchmark}')",
        "comparability_digest": f"sha256('{cell.benchmark} {cell.scenario}')",
        "dataset_version": f"'{cell.version}'",
    }


def _sample_values(cell: Cell, layout: Layout) -> dict[str, str]:
    return {
        **_shared_values(cell),
        **_request_values(cell),
        "dataset_digest": _digest(cell),
        "num_planned": str(layout.num_samples),
        "text_form": "'raw'",
        "think_state": "'off'",
        "finish_reason": "case when luck % 50 = 0 then 'length' else 'stop' end",
        "prompt_tokens": "300",
        "completion_tokens": "luck % 700",
        "temperature": "0.8" if layout.num_samples > 1 else "0.0",
        "top_p": "0.95",
        "max_tokens": "1024",
        "protocol": "'official'",
        "templating_mode": "'chat'",
        "thinking": "false",
        "chat_template_sha": "sha256(model)",
        "model_revision": "left(sha256(model), 40)",
        "dtype": "'bfloat16'",
        "engine": "'vllm'",
        "latency_seconds": "(luck % 1000) / 100.0",
    }


_OURS = {"origin": "'self'", "trust_tier": "'values'", "sandbox_mode": "'bubblewrap'"}
_PUBLISHED = {"origin": "'published'", "trust_tier": "'published'", "source": "'made/verdicts@0000000'",
              "licence": "'MIT'"}  # fmt: skip


def _result_values(cell: Cell, layout: Layout) -> dict[str, str]:
    program = "unhex(md5((luck % 1000000007)::varchar))"
    values = {
        **_shared_values(cell),
        **_request_values(cell),
        "grader_id": f"sha256('grader {cell.benchmark}')",
        "task_digest": "sha256(task_id)",
        "program_id": program,
        "corrected_program_id": program,
        **(_PUBLISHED if cell.is_published else _OURS),
        "is_unsafe": "false",
        "limit_factor": "1.0",
    }
    for kind, margin in (("official", "0"), *(() if cell.is_published else (("strict", "0.01"),))):
        for part in schemas.PARTS if cell.has_plus else ("base",):
            passes = f"(luck // {1 if part == 'base' else 1009}) % 1000 < 1000 * (ease - 0.2 + {margin})"
            values |= {
                f"{kind}_{part}_verdict": f"case when {passes} then 'pass' else 'fail' end",
                f"{kind}_{part}_reason": f"case when {passes} then 'ok' when luck % 97 = 0 then 'empty' "
                "else 'wrong_answer' end",
                f"{kind}_{part}_num_run": "5",
                f"{kind}_{part}_num_passed": f"case when {passes} then 5 else 3 end",
            }
    return values


def _timing_values(cell: Cell, layout: Layout) -> dict[str, str]:
    return {
        **_shared_values(cell),
        "grader_id": f"sha256('grader {cell.benchmark}')",
        "cpu_seconds": "(luck % 1000) / 1e4",
        "wall_seconds": "(luck % 1000) / 1e4",
        "peak_memory_bytes": "30000000",
        "base_limit_share": "(luck % 1000) / case when luck % 50 = 0 then 1e3 else 1e4 end",
        "plus_limit_share": "(luck % 997) / case when luck % 49 = 0 then 1e3 else 1e4 end" if cell.has_plus else "null",
        "attempt": "1",
        "is_reused": "false",
    }


def _digest(cell: Cell) -> str:
    digest = pins_of(cell.benchmark)[cell.version].dataset_digest
    return f"'{digest}'" if digest else "null"


def num_models(num_rows: float, num_samples: int) -> int:
    """Models that make about ``num_rows`` rows."""
    return max(1, round(num_rows / NUM_PROBLEMS / num_samples))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--rows", type=float, default=1e6)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--files-per-model", type=int, default=0)
    parser.add_argument("--no-timings", action="store_true")
    asked = parser.parse_args()
    models = num_models(asked.rows, asked.samples)
    layout = Layout(models, asked.samples, asked.files_per_model, with_timings=not asked.no_timings)
    write(asked.root, layout)
    print(f"{layout.num_rows} rows of {models} models below {asked.root}")


if __name__ == "__main__":
    main()
