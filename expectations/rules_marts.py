"""Rules about the other marts: held against rows counted again, against the seeds, and against the leaderboard."""

from __future__ import annotations

from .rules import Rule
from .rules_board import BUILD as _BUILD
from .rules_board import CELL, TOLERANCE

_NUMBER = (*CELL, "metric")
_KEY = ", ".join(CELL)

TASK_SCORES = (
    Rule(
        "recounted",
        "fct_task_scores",
        "critical",
        "Problems whose counts are not those of their rows, counted again.",
        "gate_facts.task_scores",
        "found is distinct from expected",
        ("model", "benchmark", "scenario", "test_set", "verdict", "scope", "request_digest", "found", "expected"),
        _BUILD,
        needs="gate_marts.fct_task_scores",
    ),
)

REASONS = (
    Rule(
        "adds_up_to_the_cell",
        "fct_failure_reasons",
        "critical",
        "Samples by reason that do not add up to the samples and passes of their cell, counted again.",
        f"(select added.*, cells.num_judged, cells.num_passed from (select {_KEY}, sum(num_samples) as num_found,"
        " coalesce(sum(num_samples) filter (where reason = 'ok'), 0) as num_passed_found"
        f" from gate_marts.fct_failure_reasons group by all) as added left join gate_recount.cells as cells"
        f" using ({_KEY}))",
        "num_found is distinct from num_judged or num_passed_found is distinct from num_passed",
        (*CELL, "num_found", "num_judged", "num_passed_found", "num_passed"),
        _BUILD,
    ),
)

TRUNCATED = (
    Rule(
        "score_of_the_leaderboard",
        "fct_truncated_answers",
        "critical",
        "A score beside cut answers that the leaderboard does not show, or a bound below it.",
        f"(select cut.*, shown.score as own_score from gate_marts.fct_truncated_answers as cut"
        f" left join gate_marts.leaderboard as shown using ({_KEY}, metric))",
        "score is distinct from own_score or score_bound < score or num_truncated > num_samples",
        (*_NUMBER, "score", "own_score", "score_bound"),
        _BUILD,
    ),
)

OVERALL = (
    Rule(
        "mean_of_headlines",
        "fct_overall_scores",
        "critical",
        "An overall score that is not the weighted mean of the headlines it is made of.",
        "(select overall_scores.model, overall_scores.overall, overall_scores.score, sum(weights.weight *"
        " headline.score) / sum(weights.weight) as own_score, count(*) as num_cells, count(headline.score) as num_found"
        " from gate_marts.fct_overall_scores as overall_scores inner join gate_seeds.overall_weights as weights"
        " on overall_scores.overall = weights.overall left join gate_marts.headline as headline on headline.model ="
        " overall_scores.model and headline.benchmark = weights.benchmark and headline.scenario = weights.scenario"
        " group by all)",
        f"num_found <> num_cells or not coalesce(abs(score - own_score) <= {TOLERANCE}, false)",
        ("model", "overall", "score", "own_score", "num_cells", "num_found"),
        _BUILD,
        ("model",),
    ),
)

_OF_SEED = (
    ("hub_id", "hub_id"),
    ("model_revision", "revision"),
    ("family", "family"),
    ("licence", "licence"),
    ("hub_license", "hub_license"),
    ("is_osi_approved", "osi_approved"),
    ("tier", "tier"),
    ("context_length", "context_length"),
    ("quantization", "quantization"),
)
"""Column of ``dim_models`` -> of the seed."""
MODELS = (
    Rule(
        "as_in_the_seed",
        "dim_models",
        "critical",
        "Terms of a model that seeds/models.csv does not state: licence, OSI approval, revision.",
        "(select dim.*, seed.model is not null as is_in_seed,"
        f" {', '.join(f'seed.{b} as seed_{a}' for a, b in _OF_SEED)}"
        " from gate_marts.dim_models as dim left join gate_seeds.models as seed using (model))",
        "is_declared is distinct from is_in_seed or "
        + " or ".join(f"{name} is distinct from seed_{name}" for name, _ in _OF_SEED),
        ("model", "licence", "seed_licence", "is_osi_approved", "seed_is_osi_approved", "model_revision"),
        _BUILD,
        ("model",),
    ),
    Rule(
        "all_of_the_seed",
        "dim_models",
        "critical",
        "A model of seeds/models.csv, or one with samples, that the dimension lacks.",
        "(select model from gate_seeds.models union select distinct model from gate_recount.requests) as known"
        " anti join gate_marts.dim_models using (model)",
        "true",
        ("model",),
        _BUILD,
        ("model",),
    ),
    Rule(
        "licence_and_osi",
        "dim_models",
        "critical",
        "A declared model without licence, licence tag or OSI approval: nobody could say how its rows may be used.",
        "gate_marts.dim_models",
        "is_declared and (coalesce(licence, '') = '' or coalesce(hub_license, '') = '' or is_osi_approved is null)",
        ("model", "licence", "hub_license", "is_osi_approved"),
        "fill its row of seeds/models.csv, then benchforge aggregate",
        ("model",),
    ),
    Rule(
        "cutoff_as_in_the_seed",
        "dim_models",
        "critical",
        "A cutoff date that neither seeds/model_cutoffs.csv nor the variable model_cutoffs states.",
        "(select dim.*, seed.cutoff_date as seed_cutoff_date, seed.kind as seed_kind from gate_marts.dim_models as dim"
        " left join gate_seeds.model_cutoffs as seed using (model))",
        "(cutoff_date is distinct from seed_cutoff_date or cutoff_kind is distinct from seed_kind)"
        " and coalesce(cutoff_source, '') not like '%variable model_cutoffs%'",
        ("model", "cutoff_date", "seed_cutoff_date", "cutoff_source"),
        _BUILD,
        ("model",),
    ),
    Rule(
        "samples_counted",
        "dim_models",
        "critical",
        "A number of samples or benchmarks of a model other than the lake holds.",
        "(select dim.*, coalesce(counted.num_found, 0) as num_found, coalesce(counted.num_asked, 0) as num_asked from"
        " gate_marts.dim_models as dim left join (select model, sum(num_samples) as num_found,"
        " count(distinct benchmark)"
        " as num_asked from gate_recount.requests group by model) as counted using (model))",
        "num_samples <> num_found or num_benchmarks <> num_asked",
        ("model", "num_samples", "num_found", "num_benchmarks", "num_asked"),
        _BUILD,
        ("model",),
    ),
)

_OF_BENCHMARK = ("title", "kind", "hub_id", "hub_revision", "licence", "dataset_digest", "trust_tier", "is_default")
BENCHMARKS = (
    Rule(
        "as_in_the_seed",
        "dim_benchmarks",
        "critical",
        "A licence, digest or number of problems that seeds/benchmarks.csv does not state.",
        f"(select dim.*, {', '.join(f'seed.{name} as seed_{name}' for name in _OF_BENCHMARK)}, pins.num_problems"
        " as num_pinned from gate_marts.dim_benchmarks as dim inner join gate_seeds.benchmarks as seed"
        " using (benchmark, dataset_version) left join gate_facts.pins as pins"
        " using (benchmark, dataset_version, scenario, test_set))",
        f"{' or '.join(f'{name} is distinct from seed_{name}' for name in _OF_BENCHMARK)}"
        " or num_problems_pinned is distinct from num_pinned",
        (
            "benchmark",
            "dataset_version",
            "scenario",
            "test_set",
            "licence",
            "seed_licence",
            "num_problems_pinned",
            "num_pinned",
        ),
        _BUILD,
        ("benchmark",),
    ),
    Rule(
        "all_of_the_seed",
        "dim_benchmarks",
        "critical",
        "A test set that seeds/benchmarks.csv pins and the dimension lacks, or one that nothing pins.",
        "(select benchmark, dataset_version, scenario, test_set, num_problems, num_problems_pinned from gate_facts.pins"
        " full join gate_marts.dim_benchmarks using (benchmark, dataset_version, scenario, test_set))",
        "num_problems is null or num_problems_pinned is null",
        ("benchmark", "dataset_version", "scenario", "test_set", "num_problems", "num_problems_pinned"),
        _BUILD,
        ("benchmark",),
    ),
    Rule(
        "licence_is_stated",
        "dim_benchmarks",
        "critical",
        "A benchmark with numbers on the leaderboard and no licence.",
        "gate_marts.dim_benchmarks semi join gate_marts.leaderboard using (benchmark, dataset_version,"
        " scenario, test_set)",
        "coalesce(licence, '') = ''",
        ("benchmark", "dataset_version", "scenario", "test_set"),
        "fill the licence in seeds/benchmarks.csv, or of the problems that were taken in",
        ("benchmark",),
    ),
)

TASKS = (
    Rule(
        "as_in_the_lake",
        "dim_tasks",
        "critical",
        "A problem other than the lake holds it, one that is missing, or one too many.",
        "(select benchmark, dataset_version, scenario, task_id, found.task_digest as digest_found, own.task_digest,"
        " found.benchmark is not null as is_found, own.task_id is not null as is_own, found.test_sets as sets_found,"
        " own.test_sets as test_sets, found.contest_date as date_found, own.contest_date as contest_date,"
        " found.cluster as cluster_found, own.cluster as own_cluster"
        " from (select *, true as here from gate_marts.dim_tasks) as found full join gate_recount.tasks as own"
        " using (benchmark, dataset_version, scenario, task_id))",
        "not is_found or not is_own or digest_found is distinct from task_digest or sets_found is distinct from"
        " test_sets or date_found is distinct from contest_date or cluster_found is distinct from own_cluster",
        ("benchmark", "dataset_version", "scenario", "task_id", "digest_found", "task_digest"),
        _BUILD,
        ("benchmark",),
    ),
)

AGREEMENT = (
    Rule(
        "figures_of_the_seed",
        "fct_published_agreement",
        "critical",
        "A published figure other than seeds/published_scores.csv states, or one that our rows miss unexplained.",
        "(select agreement.*, seed.published as seed_published from gate_marts.fct_published_agreement as agreement"
        " left join gate_seeds.published_scores as seed on agreement.model = seed.model and agreement.benchmark ="
        " seed.benchmark and agreement.scenario = seed.scenario and agreement.protocol is not distinct from"
        " seed.protocol and agreement.temperature is not distinct from seed.temperature and agreement.test_set ="
        " seed.test_set and agreement.metric = seed.metric and agreement.source = seed.source)",
        "abs(published - seed_published) > 1e-9 or seed_published is null"
        " or (num_problems > 0 and not coalesce(is_reproduced, true))",
        ("model", "benchmark", "scenario", "metric", "published", "seed_published", "reproduced"),
        _BUILD,
    ),
)

SEAL = (
    Rule(
        "as_it_was_built",
        "marts",
        "critical",
        "A mart that holds other rows than when it was built.",
        "gate_facts.marts_now",
        "found is distinct from sealed",
        ("mart", "num_rows", "num_rows_sealed", "found", "sealed"),
        _BUILD,
        ("mart",),
        needs="gate_facts.marts_now",
    ),
    Rule(
        "of_this_lake",
        "marts",
        "critical",
        "Marts that were built from other parts of the lake than are live now: of another lake, or of an older state.",
        "gate_facts.lake_now",
        "found is distinct from sealed",
        ("lake_table", "num_parts", "num_parts_sealed", "found", "sealed"),
        _BUILD,
        ("lake_table",),
        needs="gate_facts.lake_now",
    ),
    Rule(
        "is_sealed",
        "marts",
        "warning",
        "A file of marts that plain dbt built: changes to marts that are not counted again would not be seen.",
        "gate_facts.unsealed",
        "true",
        ("file",),
        _BUILD,
        (),
        needs="gate_facts.unsealed",
    ),
)

MART_RULES = (*TASK_SCORES, *REASONS, *TRUNCATED, *OVERALL, *MODELS, *BENCHMARKS, *TASKS, *AGREEMENT, *SEAL)
