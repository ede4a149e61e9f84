"""Made marts for the pages that show them: made models on made boards, as Parquet files with the columns of the marts.

Types and names of columns come from the contracts in models/marts, so a mart that changes changes these too. Names are
invented and scores are drawn (one seed): nothing here says anything about a model that exists.
"""

from __future__ import annotations

import json
import random
from math import comb, sqrt
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

ROOT = Path(__file__).parents[2]
SEED = 9
# benchmark, scenario, test sets (the headline one last), problems, dataset version, mean difficulty
CELLS = (
    ("humanevalplus", "default", ("base", "plus"), 164, "v0.1.10", 0.02),
    ("mbppplus", "default", ("base", "plus"), 378, "v0.2.0", 0.06),
    ("cruxeval", "cruxeval_i", ("full",), 800, "v1", 0.14),
    ("cruxeval", "cruxeval_o", ("full",), 800, "v1", 0.16),
    ("livecodebench", "generation", ("v6",), 1055, "release_v6", 0.30),
    ("bigcodebench", "complete", ("hard", "full"), 1140, "v0.1.4", 0.22),
)
TITLES = {
    "humanevalplus": "HumanEval+",
    "mbppplus": "MBPP+",
    "cruxeval": "CRUXEval",
    "livecodebench": "LiveCodeBench",
    "bigcodebench": "BigCodeBench",
}
ORGANISATIONS = ("alder", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "ironwood", "juniper")
FAMILIES = ("lark", "finch", "heron", "wren", "swift")
SIZES = ("0.5b", "1.5b", "3b", "7b", "8b", "14b", "32b", "34b", "70b", "120b")
LICENCES = (("Apache-2.0", True), ("MIT", True), ("Apache-2.0", True), ("made community licence", False))


def models(num_models: int) -> list[str]:
    """Invented names, `<org>__<family>-<size>`, each once."""
    names = [f"{org}__{family}-{size}" for family in FAMILIES for size in SIZES for org in ORGANISATIONS]
    return names[:num_models]


def write_marts(folder: Path, num_models: int = 500) -> None:
    """The marts of the leaderboard repository where docs/publication.md puts them; those not made are empty."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    columns_of = contracts()
    for mart in _exposed():
        columns = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in columns_of[mart])
        connection.execute(f"create table {mart} ({columns})")
    names = models(num_models)
    _insert(connection, "dim_models", _model_rows(names))
    _insert(connection, "dim_benchmarks", _benchmark_rows())
    _insert(connection, "leaderboard", _score_rows(names))
    _insert(connection, "fct_refusals", _refusal_rows(names))
    for mart, query in DERIVED.items():
        made = connection.sql(query)
        kept = [column for column in connection.table(mart).columns if column in made.columns]
        made.select(*kept).create_view("made_view")
        connection.execute(f"insert into {mart} by name from made_view")
    for mart in _exposed():
        config = folder / mart.removeprefix("fct_").removeprefix("dim_")
        config.mkdir(exist_ok=True)
        connection.execute(f"copy {mart} to '{config / mart}.parquet' (format parquet, compression zstd)")
    (folder / "publication.json").write_text(json.dumps({"layout": 1, "benchforge": "0.1.0"}), encoding="utf-8")
    connection.close()


def contracts() -> dict[str, list[dict[str, Any]]]:
    """Mart → its columns, as the YAML beside the models declares them."""
    found = {}
    for path in sorted((ROOT / "models" / "marts").glob("*.yml")):
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        found.update({model["name"]: model["columns"] for model in declared.get("models", []) if "columns" in model})
    return found


def _exposed() -> list[str]:
    declared = yaml.safe_load((ROOT / "models" / "marts" / "_marts__exposures.yml").read_text(encoding="utf-8"))
    exposure = next(one for one in declared["exposures"] if one["name"] == "benchforge_leaderboard")
    return [reference[len("ref('") : -len("')")] for reference in exposure["depends_on"]]


def _insert(connection: duckdb.DuckDBPyConnection, mart: str, rows: list[dict[str, Any]]) -> None:
    made = pa.Table.from_pylist(rows)
    connection.register("made", made)
    connection.execute(f"insert into {mart} by name select * from made")
    connection.unregister("made")


def _model_rows(names: list[str]) -> list[dict[str, Any]]:
    rows = []
    for number, model in enumerate(names):
        licence, is_osi_approved = LICENCES[number % len(LICENCES)]
        rows.append(
            {
                "model": model,
                "hub_id": model.replace("__", "/"),
                "model_revision": f"{number:040x}",
                "family": model.split("__")[1].rsplit("-", 1)[0],
                "licence": licence,
                "hub_license": licence.lower() if is_osi_approved else "other",
                "is_osi_approved": is_osi_approved,
                "is_excluded": False,
                "is_declared": True,
                "num_benchmarks": 5,
                "num_samples": 4337,
                "context_length": 32768,
                "templating_mode": "chat",
            }
        )
    return rows


def _benchmark_rows() -> list[dict[str, Any]]:
    return [
        {
            "benchmark": benchmark,
            "scenario": scenario,
            "test_set": test_set,
            "dataset_version": version,
            "title": TITLES[benchmark],
            "licence": "MIT",
            "num_problems_pinned": num_problems,
            "is_headline_test_set": test_set == test_sets[-1],
            "is_default": True,
            "is_default_cell": benchmark != "bigcodebench",
            "trust_tier": "values",
        }
        for benchmark, scenario, test_sets, num_problems, version, _ in CELLS
        for test_set in test_sets
    ]


def _score_rows(names: list[str]) -> list[dict[str, Any]]:
    draw = random.Random(SEED)
    rows = []
    for number, model in enumerate(names):
        skill = 0.25 + 0.7 * number / max(len(names), 2) + draw.uniform(-0.06, 0.06)
        origins = ("self", "published") if number % 7 == 3 else ("self",)
        for cell in CELLS:
            for origin in origins:
                rows += _rows_of_a_cell(draw, model, cell, skill, origin, 10 if number % 5 == 0 else 1)
    return rows


def _rows_of_a_cell(
    draw: random.Random, model: str, cell: tuple[Any, ...], skill: float, origin: str, num_planned: int
) -> list[dict[str, Any]]:
    benchmark, scenario, test_sets, num_problems, version, difficulty = cell
    mean = min(max(skill - difficulty + draw.uniform(-0.05, 0.05), 0.0), 1.0)
    scopes = {"all": num_problems} | ({"clean": num_problems // 3} if benchmark == "livecodebench" else {})
    rows = []
    for depth, test_set in enumerate(test_sets):
        for verdict, gain in (("official", 0.0), ("strict", 0.01)):
            for scope, num_scope in scopes.items():
                for k in (1, 5, 10):
                    if k > num_planned:
                        continue
                    share = min(max(1 - (1 - mean + 0.03 * depth - gain) ** (1 + 0.3 * (k - 1)), 0.0), 1.0)
                    named = (model, benchmark, scenario, test_set, verdict, scope, origin, version)
                    rows.append(_row(named, k, num_planned, num_scope, round(share * num_scope), test_sets))
    return rows


def _row(
    named: tuple[str, ...], k: int, num_planned: int, num_problems: int, num_passed: int, test_sets: tuple[str, ...]
) -> dict[str, Any]:
    model, benchmark, scenario, test_set, verdict, scope, origin, version = named
    low, high = _wilson(num_passed, num_problems)
    source = "made/verdicts@0000000" if origin == "published" else None
    return {
        "model": model,
        "benchmark": benchmark,
        "scenario": scenario,
        "test_set": test_set,
        "verdict": verdict,
        "scope": scope,
        "comparability_digest": f"{num_planned:02d}" + "c" * 62,
        "origin": origin,
        "metric": f"pass@{k}",
        "k": k,
        "dataset_version": version,
        "protocol": "official",
        "temperature": 0.0 if num_planned == 1 else 0.8,
        "grader_id": f"published:{source}" if source else "9" * 64,
        "source": source,
        "request_digest": "d" * 64,
        "trust_tier": "published" if source else ("suite" if benchmark == "bigcodebench" else "values"),
        "detection_rate": 96 / 97 if benchmark == "bigcodebench" and not source else None,
        "num_forged": 97 if benchmark == "bigcodebench" and not source else None,
        "num_problems": num_problems,
        "num_planned": num_planned,
        "num_samples": num_problems * num_planned,
        "num_passed": num_passed * num_planned,
        "num_unanswered": num_passed % 3,
        "score_numerator": num_passed * comb(num_planned, k),
        "score_denominator": num_problems * comb(num_planned, k),
        "score": num_passed / num_problems,
        "interval_low": low,
        "interval_high": high,
        "bootstrap_low": low,
        "bootstrap_high": high,
        "bootstrap_method": "exact",
        "interval_method": "wilson",
        "estimand": "problems like these",
        "flags": ["few_failures"] if num_problems - num_passed < 3 else [],
        "se_total": sqrt(max(num_passed * (num_problems - num_passed), 1) / num_problems**3),
        "is_headline_test_set": test_set == test_sets[-1],
    }


def _wilson(num_passed: int, num_problems: int) -> tuple[float, float]:
    """95 % limits (Wilson 1927), so that made intervals look like those of the marts."""
    square = 1.959963984540054**2
    centre = (num_passed + square / 2) / (num_problems + square)
    half = sqrt(square * (num_passed * (num_problems - num_passed) / num_problems + square / 4))
    return max(centre - half / (num_problems + square), 0.0), min(centre + half / (num_problems + square), 1.0)


def _refusal_rows(names: list[str]) -> list[dict[str, Any]]:
    whole = dict.fromkeys(("scenario", "test_set", "scope", "comparability_digest", "origin"), "all")
    overall = {"benchmark": "all", "verdict": "official", "metric": "pass@1 of default_cells", "num_affected": 1}
    said = {
        "reason": "incomplete_overall",
        "detail": "no headline for made/cell",
        "differing_fields": [],
        "problems": [],
    }
    rows: list[dict[str, Any]] = [{"model": names[0], **whole, **overall, **said}]
    for number, model in enumerate(names):
        benchmark, scenario, test_sets, num_problems, _, _ = CELLS[number % len(CELLS)]
        common = {"model": model, "benchmark": benchmark, "scenario": scenario, "scope": "all", "origin": "self"}
        digest = {"comparability_digest": "01" + "c" * 62, "differing_fields": [], "problems": []}
        cell = {"test_set": test_sets[-1], "verdict": "official"}
        rows.append(
            common
            | digest
            | cell
            | {
                "metric": "pass@100",
                "reason": "fewer_samples_than_k",
                "detail": "n = 10 is smaller than k = 100",
                "num_affected": num_problems,
            }
        )
        if number % 9 == 0:
            rows.append(
                common
                | digest
                | cell
                | {
                    "metric": "all",
                    "reason": "sandbox_errors",
                    "detail": "1 sample has no verdict: its sandbox ended three times",
                    "problems": [f"{benchmark}/7"],
                    "num_affected": 1,
                }
            )
    return rows


DERIVED = {
    "headline": """
        select *, 1 as num_candidates, 'made rows, official verdict, pass@1' as headline_rule
        from (
            select leaderboard.* exclude (k)
            from leaderboard
            where verdict = 'official' and metric = 'pass@1' and scope = 'all' and is_headline_test_set
            qualify row_number() over (partition by model, benchmark, scenario order by origin desc) = 1
        )
        left join (
            select distinct on (model, benchmark, scenario)
                model, benchmark, scenario, rank_low, rank_high, could_be_first, num_models as num_models_ranked
            from fct_rank_intervals
            where verdict = 'official' and metric = 'pass@1' and scope = 'all' and origin = 'self'
        ) using (model, benchmark, scenario)
    """,
    "fct_rank_intervals": """
        select
            * exclude (better, worse, interval_low, interval_high),
            1 + better as rank_low,
            num_models - worse as rank_high,
            better = 0 as could_be_first,
            3.5 as tukey_constant
        from (
            select
                model, benchmark, scenario, test_set, metric, verdict, scope, comparability_digest, origin, source,
                dataset_version, num_planned, 'made' as problem_set, score, num_problems, interval_low, interval_high,
                rank() over board_by_score as rank,
                count(*) over board as num_models,
                (
                    select count(*)
                    from leaderboard as other
                    where (other.benchmark, other.scenario, other.test_set, other.metric, other.verdict, other.scope)
                        = (leaderboard.benchmark, leaderboard.scenario, leaderboard.test_set, leaderboard.metric,
                            leaderboard.verdict, leaderboard.scope)
                        and other.origin = leaderboard.origin and other.num_planned = leaderboard.num_planned
                        and other.interval_low > leaderboard.interval_high
                ) as better,
                (
                    select count(*)
                    from leaderboard as other
                    where (other.benchmark, other.scenario, other.test_set, other.metric, other.verdict, other.scope)
                        = (leaderboard.benchmark, leaderboard.scenario, leaderboard.test_set, leaderboard.metric,
                            leaderboard.verdict, leaderboard.scope)
                        and other.origin = leaderboard.origin and other.num_planned = leaderboard.num_planned
                        and other.interval_high < leaderboard.interval_low
                ) as worse
            from leaderboard
            where verdict = 'official'
            window
                board as (
                    partition by benchmark, scenario, test_set, metric, scope, origin, num_planned
                ),
                board_by_score as (
                    partition by benchmark, scenario, test_set, metric, scope, origin, num_planned order by score desc
                )
        )
    """,
    "fct_model_comparisons": """
        select
            low.benchmark, low.scenario, low.test_set, low.metric, low.verdict, low.scope, low.comparability_digest,
            low.origin, low.dataset_version, low.num_planned, 'made' as problem_set,
            (count(*) over same_board * 2) ** 0.5 + 0.5 as num_models, low.num_problems,
            low.model, high.model as other_model,
            low.score - high.score as difference,
            difference - 1.96 * sqrt(low.se_total ** 2 + high.se_total ** 2) as difference_low,
            difference + 1.96 * sqrt(low.se_total ** 2 + high.se_total ** 2) as difference_high,
            'score' as interval_method,
            (low.num_problems * abs(difference))::int as num_discordant,
            exp(-abs(difference) / sqrt(low.se_total ** 2 + high.se_total ** 2)) as p_value,
            'sign_flip_saddlepoint' as p_method,
            p_value as q_all_pairs,
            ['all_pairs'] as families,
            if(p_value < 0.05, ['all_pairs'], []) as families_held,
            sqrt(low.se_total ** 2 + high.se_total ** 2) as se_total
        from leaderboard as low
        inner join leaderboard as high
            using (benchmark, scenario, test_set, metric, verdict, scope, comparability_digest, origin)
        where low.verdict = 'official' and low.metric = 'pass@1' and low.origin = 'self' and low.scope = 'all'
            and low.is_headline_test_set and low.model < high.model
        window same_board as (partition by benchmark, scenario, comparability_digest)
    """,
}
DERIVED = {name: DERIVED[name] for name in ("fct_rank_intervals", "headline", "fct_model_comparisons")}
