"""A file of marts for `benchforge report`: the made board of made_board.py, made samples behind some of its numbers.

Tables of the lake have the columns that ingest/schemas declares, marts those of their contracts. The texts are what a
hostile model would write; nothing of them may reach the page as anything but text.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from benchforge.ingest.keys import program_id
from benchforge.ingest.lake import arrow_schema
from benchforge.ingest.schemas import TABLES
from benchforge.ingest.texts import storable
from made_board import CELLS, SEED, contracts, models, write_marts

RUN = "document.title='run'"
HOSTILE = (
    f"</script><script>{RUN}</script>",
    f"<!--<script>{RUN}//-->",
    f"line\u2028break\u2029{RUN}",
    "half a pair: \ud83d, and the other half: \ude00",
    "x = 1 # \u202e } \u2066if admin: \u2069 \u2066begin\u2069",
    f"<img src=x onerror={RUN}><svg onload={RUN}>",
    "{{constructor.constructor('" + RUN + "')()}} ${" + RUN + "} `" + RUN + "`",
    "\x00\x07\x1b[31mred\x1b[0m\u200b\u00ad\ufeff\U000e0041",
    "a" * 1_000_000,
    "```python\ndef solve(x):\n    '''doc'''\n    return x + 1  # \U0001f600 after 16 bits\n```\nand prose",
)
NUM_SAMPLED = 4
"""Models that have samples, from the first one on; the last two answer ten times."""
MONTHS = 12

FILLED = {
    "fct_failure_reasons": """
        select
            * exclude (shares, num_passed_), unnest(['ok', 'wrong_answer', 'exception', 'timeout']) as reason,
            unnest([1.0, 0.6, 0.3, 0.1]) as part,
            if(reason = 'ok', score, (1 - score) * part) as share,
            (share * num_samples_of_cell)::bigint as num_samples, num_problems
        from (
            select
                model, benchmark, scenario, test_set, verdict, scope, comparability_digest, origin, score,
                num_samples as num_samples_of_cell, num_problems, 0 as shares, 0 as num_passed_
            from leaderboard where metric = 'pass@1' and scope = 'all'
        )
    """,
    "fct_generation_costs": """
        select
            model, benchmark, scenario, comparability_digest, test_set, num_samples, num_samples as num_samples_counted,
            num_samples * 300 as prompt_tokens, (num_samples * (80 + 400 * score))::bigint as completion_tokens,
            (num_samples * (0.2 + score))::double as gpu_seconds, score,
            completion_tokens / (100 * score) as completion_tokens_per_point,
            gpu_seconds / (100 * score) as gpu_seconds_per_point, 0 as tokens_discarded, 1 as num_attempts
        from leaderboard
        where metric = 'pass@1' and verdict = 'official' and scope = 'all' and origin = 'self'
            and is_headline_test_set and score > 0
    """,
    "fct_contamination": f"""
        select
            'verdicts' as score_kind, model, benchmark, dataset_version, scenario, test_set, verdict, origin, metric,
            comparability_digest as comparable_within, protocol, source, 30 as num_problems, 3 as num_contests,
            (date '2024-01-01' + to_months(month_))::date as month,
            least(greatest(leaderboard.score - if(month_ > 6, 0.1, 0.0) + 0.03 * sin(month_), 0.02), 0.98) as score,
            score - 0.05 as interval_low, score + 0.05 as interval_high, 'made' as interval_method,
            [] as flags, date '2024-07-15' as cutoff_date, 'release_date' as cutoff_kind, month_ > 6 as is_after_cutoff
        from leaderboard, range(0, {MONTHS}) as months(month_)
        where benchmark = 'livecodebench' and metric = 'pass@1' and verdict = 'official' and scope = 'all'
            and origin = 'self'
    """,
    "fct_contamination_differences": """
        select
            'verdicts' as score_kind, model, benchmark, dataset_version, scenario, test_set, verdict, origin, metric,
            'alder__lark-0.5b' as reference, date '2024-07-15' as cutoff_date, -0.08 as difference_in_differences,
            -0.12 as interval_low, -0.04 as interval_high, 180 as num_before, 150 as num_after, 330 as num_problems
        from leaderboard
        where benchmark = 'livecodebench' and metric = 'pass@1' and verdict = 'official' and scope = 'all'
            and origin = 'self' and model <> 'alder__lark-0.5b'
    """,
    "fct_verdict_disagreement_counts": """
        select
            model, benchmark, scenario, comparability_digest, 'base' as part, 'extraction' as axis,
            'fail' as official_verdict, 'pass' as strict_verdict, 'pass' as corrected_extraction_verdict,
            3 as num_samples
        from leaderboard
        where metric = 'pass@1' and verdict = 'official' and scope = 'all' and origin = 'self' and is_headline_test_set
    """,
}


def write_marts_file(path: Path, num_models: int = 500) -> Path:
    """Made marts and made tables of a lake in one DuckDB file, by the names that `benchforge aggregate` gives them."""
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect(str(path)) as connection:
        connection.execute("set enable_progress_bar = false")
        write_marts(Path(scratch), num_models)
        for mart, columns in contracts().items():
            declared = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in columns)
            connection.execute(f"create table {mart} ({declared})")
        for file in sorted(Path(scratch).glob("*/*.parquet")):
            connection.execute(f"insert into {file.stem} by name from '{file}'")
        for mart, query in FILLED.items():
            _insert_known(connection, mart, query)
        for schema in ("staging", "intermediate", "seeds"):
            connection.execute(f"create schema {schema}")
        _write_lake(connection, models(num_models))
    return path


def _insert_known(connection: duckdb.DuckDBPyConnection, mart: str, query: str) -> None:
    made = connection.sql(query)
    kept = [column for column in connection.table(mart).columns if column in made.columns]
    made.select(*[f'"{column}"' for column in kept]).create_view("made_view")
    connection.execute(f"insert into {mart} by name from made_view")


def _write_lake(connection: duckdb.DuckDBPyConnection, names: list[str]) -> None:
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    draw = random.Random(SEED)
    programs: dict[bytes, str] = {}
    for number, model in enumerate(names[:NUM_SAMPLED]):
        for benchmark, scenario, test_sets, _, version, _ in CELLS[:3]:
            place = (model, benchmark, scenario, version)
            _add_samples(rows, programs, draw, place, test_sets, 10 if number % 5 == 0 else 1)
    for benchmark in {row["benchmark"] for row in rows["samples"]}:
        rows["programs"] += [
            {"benchmark": benchmark, "program_id": key, "program": text} for key, text in sorted(programs.items())
        ]
    rows["tasks"] = list({(row["benchmark"], row["scenario"], row["task_id"]): row for row in rows["tasks"]}.values())
    for table, made in rows.items():
        data = pa.Table.from_pylist([storable(row) if table == "samples" else row for row in made], arrow_schema(table))
        connection.register("made", data)
        connection.execute(f"create table staging.stg_lake__{table} as select * from made")
        connection.unregister("made")
    connection.execute(
        "insert into dim_tasks by name select benchmark, dataset_version, scenario, task_id, kind, test_sets,"
        " list_contains(test_sets, 'plus') as has_plus, 3 as num_base_cases, 9 as num_plus_cases, source_problem,"
        " task_digest from staging.stg_lake__tasks"
    )


def _add_samples(
    rows: dict[str, list[dict[str, Any]]],
    programs: dict[bytes, str],
    draw: random.Random,
    place: tuple[str, ...],
    test_sets: tuple[str, ...],
    num_planned: int,
) -> None:
    model, benchmark, scenario, version = place
    named = {"model": model, "benchmark": benchmark, "scenario": scenario, "dataset_version": version}
    digest = f"{num_planned:02d}" + "c" * 62
    shared = {"request_digest": "d" * 64, "comparability_digest": digest, "shard_id": "made"}
    for task, text in enumerate(HOSTILE):
        task_id = f"{benchmark}/{task}" if task else f"{benchmark}/<b>&\u202e{RUN}"
        rows["tasks"].append(
            {"benchmark": benchmark, "dataset_version": version, "scenario": scenario, "task_id": task_id,
             "kind": "calls", "test_sets": list(test_sets), "source_problem": task_id, "task_digest": "e" * 64}
        )  # fmt: skip
        for index in range(num_planned):
            sample_id = draw.randbytes(16)
            program = text.encode("utf-8", "replace").decode()
            programs[program_id(program)] = program
            sample = {
                "sample_id": sample_id, "task_id": task_id, "sample_index": index, "num_planned": num_planned,
                "raw_text": text, "reasoning": f"<think>{text[:2000]}", "text_form": "raw", "protocol": "official",
                "prompt_digest": "f" * 64, "model_revision": "a" * 40, "chat_template_sha": "b" * 64,
                "image_digest": "sha256:" + "9" * 64, "temperature": 0.0, "engine": "vllm", "completion_tokens": 200,
            }  # fmt: skip
            rows["samples"].append({**named, **shared, **sample})
            base = "pass" if draw.random() < 0.7 else "fail"
            plus = "pass" if base == "pass" and draw.random() < 0.8 else "fail"
            result = {
                "sample_id": sample_id, "task_id": task_id, "sample_index": index, "grader_id": "9" * 64,
                "program_id": program_id(program), "corrected_program_id": program_id(program), "origin": "self",
                "trust_tier": "values", "is_unsafe": False, "limit_factor": 1.0, "sandbox_mode": "bubblewrap",
                "sandbox_layers": ["seccomp", "landlock"], "official_base_verdict": base, "strict_base_verdict": "pass",
                "official_base_reason": "ok" if base == "pass" else "wrong_answer", "strict_base_reason": "ok",
                "official_plus_verdict": plus, "strict_plus_verdict": plus,
                "official_plus_reason": "ok" if plus == "pass" else "exception", "strict_plus_reason": None,
                "official_base_first_failing_case": None if base == "pass" else 1, "official_base_num_run": 3,
                "official_base_num_passed": 3 if base == "pass" else 1,
            }  # fmt: skip
            rows["results"].append({**named, **shared, **result})
