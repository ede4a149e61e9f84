"""Rules about the marts: numbers held against rows counted again, against the seeds, and against their neighbours."""

from __future__ import annotations

from .rules import Rule, same

CELL = ("model", "benchmark", "scenario", "test_set", "verdict", "scope", "comparability_digest", "origin")
_NUMBER = (*CELL, "metric")
_KEY = ", ".join(CELL)
_BUILD = "benchforge aggregate, then check again"
_TOLERANCE = "1e-12"

_COUNTED = (
    ("num_problems", "num_problems"),
    ("num_planned", "num_planned"),
    ("num_samples", "num_judged"),
    ("num_passed", "num_passed"),
    ("num_unanswered", "num_empty"),
    ("dataset_version", "dataset_version"),
    ("trust_tier", "trust_tier"),
    ("grader_id", "grader_id"),
    ("request_digest", "request_digest"),
)
"""Column of the leaderboard -> of ``recount.cells``."""
_RECOUNTED = f"""(
    select shown.*, {", ".join(f"cells.{found} as recounted_{name}" for name, found in _COUNTED)},
        cells.num_requests, cells.num_graders, cells.num_unsafe, scores.numerator, scores.denominator,
        cells.model is not null as is_in_lake
    from marts.leaderboard as shown
    left join recount.cells as cells using ({_KEY})
    left join recount.scores as scores using ({_KEY}, metric)
)"""
_WITH_CONDITIONS = """(
    select shown.*, requests.protocol as protocol_asked, requests.temperature as temperature_asked,
        requests.top_p as top_p_asked
    from marts.leaderboard as shown
    left join recount.requests as requests
        using (model, benchmark, scenario, comparability_digest, request_digest, dataset_version)
)"""

LEADERBOARD = (
    Rule(
        "recounted",
        "leaderboard",
        "critical",
        "A number that its rows do not give when they are counted again: problems, samples, passes, the integers of"
        " the score, or who judged.",
        _RECOUNTED,
        "not is_in_lake or numerator is distinct from score_numerator or denominator is distinct from"
        f" score_denominator or {' or '.join(f'{name} is distinct from recounted_{name}' for name, _ in _COUNTED)}"
        " or num_requests <> 1 or num_graders <> 1",
        (
            *_NUMBER,
            "score_numerator",
            "numerator",
            "num_problems",
            "recounted_num_problems",
            "num_passed",
            "recounted_num_passed",
        ),
        _BUILD,
    ),
    Rule(
        "score_is_its_fraction",
        "leaderboard",
        "critical",
        "A score that is not its numerator over its denominator.",
        "marts.leaderboard",
        f"not (abs(score - score_numerator::double / score_denominator::double) <= {_TOLERANCE})",
        (*_NUMBER, "score", "score_numerator", "score_denominator"),
        _BUILD,
    ),
    Rule(
        "score_within_its_intervals",
        "leaderboard",
        "critical",
        "A score outside its own interval.",
        "marts.leaderboard",
        "not (score between interval_low and interval_high) or not (score between bootstrap_low and bootstrap_high)",
        (*_NUMBER, "score", "interval_low", "interval_high", "bootstrap_low", "bootstrap_high"),
        _BUILD,
    ),
    Rule(
        "intervals_recomputed",
        "leaderboard",
        "critical",
        "An interval or a standard error that the histogram of the rows, counted again, does not give.",
        "recount.intervals",
        "moved <> ''",
        (*_NUMBER, "moved"),
        _BUILD,
    ),
    Rule(
        "every_sample_judged",
        "leaderboard",
        "critical",
        "A number over fewer verdicts than samples were planned.",
        "marts.leaderboard",
        "num_samples <> num_problems::bigint * num_planned or k > num_planned or num_passed > num_samples"
        " or num_unanswered > num_samples",
        (*_NUMBER, "num_problems", "num_planned", "num_samples"),
        _BUILD,
    ),
    Rule(
        "every_problem_of_the_pin",
        "leaderboard",
        "critical",
        "A number over fewer or more problems than the seed pins for the test set.",
        "(select shown.*, pins.num_problems as num_pinned from marts.leaderboard as shown left join facts.pins as pins"
        " using (benchmark, dataset_version, scenario, test_set) where shown.scope = 'all')",
        "num_problems is distinct from num_pinned",
        (*_NUMBER, "num_problems", "num_pinned"),
        _BUILD,
    ),
    Rule(
        "shown_or_refused",
        "leaderboard",
        "critical",
        "A number that the rows give and that is neither shown nor refused by name.",
        f"(select distinct cells.* from recount.cells as cells anti join marts.leaderboard using ({_KEY})"
        f" anti join marts.fct_refusals using ({_KEY}) where cells.scope = 'all' and cells.model not in"
        " (select model from marts.fct_refusals as refusals where refusals.benchmark = cells.benchmark"
        " and refusals.scenario = cells.scenario and refusals.metric = 'all'"
        " and refusals.comparability_digest = cells.comparability_digest and refusals.model = cells.model"
        " and refusals.verdict in ('all', cells.verdict) and refusals.test_set in ('all', cells.test_set)))",
        "true",
        (*CELL, "num_problems", "num_passed"),
        _BUILD,
    ),
    Rule(
        "every_metric",
        "leaderboard",
        "critical",
        "A cell that lacks a metric which other cells with as many samples have, and which is not refused.",
        f"(select cells.*, metrics.metric from (select distinct {_KEY}, num_planned from marts.leaderboard) as cells"
        " inner join (select metric, k from marts.leaderboard group by all) as metrics"
        " on metrics.k <= cells.num_planned"
        f" anti join marts.leaderboard using ({_KEY}, metric) anti join marts.fct_refusals using ({_KEY}, metric))",
        "true",
        (*_NUMBER, "num_planned"),
        _BUILD,
    ),
    Rule(
        "not_refused_as_well",
        "leaderboard",
        "critical",
        "A number that is shown and refused at once.",
        f"(select shown.*, refusals.reason as refusal from marts.leaderboard as shown inner join (select *, metric as"
        f" metric_refused from marts.fct_refusals) as refusals using ({_KEY})"
        " where refusals.metric_refused in ('all', shown.metric))",
        "true",
        (*_NUMBER, "refusal"),
        _BUILD,
    ),
    Rule(
        "nothing_unsafe",
        "leaderboard",
        "critical",
        "A number over verdicts that were given without the sandbox.",
        _RECOUNTED,
        "num_unsafe > 0",
        (*_NUMBER, "num_unsafe"),
        "score the shard again without --unsafe",
    ),
    Rule(
        "conditions_as_asked",
        "leaderboard",
        "critical",
        "A protocol, temperature or nucleus other than the samples were asked with.",
        _WITH_CONDITIONS,
        " or ".join(f"{name} is distinct from {name}_asked" for name in ("protocol", "temperature", "top_p")),
        (*_NUMBER, "protocol", "protocol_asked", "temperature", "temperature_asked"),
        _BUILD,
    ),
    Rule(
        "known_by_the_dimensions",
        "leaderboard",
        "critical",
        "A number of a model or a benchmark that has no row in dim_models or dim_benchmarks.",
        "(select shown.*, models.model as known_model, benchmarks.benchmark as known_benchmark"
        " from marts.leaderboard as shown left join marts.dim_models as models using (model)"
        " left join marts.dim_benchmarks as benchmarks using (benchmark, dataset_version, scenario, test_set))",
        "known_model is null or known_benchmark is null",
        (*_NUMBER, "dataset_version"),
        _BUILD,
    ),
)

_OF_HEADLINE = ("score", "interval_low", "interval_high", "interval_method", "bootstrap_low", "bootstrap_high",
                "num_problems", "num_planned", "num_unanswered", "trust_tier", "source", "protocol", "temperature",
                "dataset_version", "flags")  # fmt: skip
_CANDIDATES = "(select * from marts.leaderboard where verdict = 'official' and scope = 'all' and metric = 'pass@1')"
HEADLINE = (
    Rule(
        "is_of_the_leaderboard",
        "headline",
        "critical",
        "A headline that is not a number of the leaderboard, column for column.",
        f"(select shown.*, {', '.join(f'own.{name} as own_{name}' for name in _OF_HEADLINE)},"
        f" own.is_headline_test_set from marts.headline as shown left join {_CANDIDATES} as own"
        " using (model, benchmark, scenario, test_set, comparability_digest, origin))",
        f"{' or '.join(f'{name} is distinct from own_{name}' for name in _OF_HEADLINE)} or metric <> 'pass@1'"
        " or is_headline_test_set is distinct from true",
        ("model", "benchmark", "scenario", "test_set", "score", "own_score", "interval_low", "own_interval_low"),
        _BUILD,
    ),
    Rule(
        "one_for_each_model",
        "headline",
        "critical",
        "A model with numbers on the headline test set of a benchmark and neither a headline nor a refusal.",
        "(select distinct model, benchmark, scenario from marts.leaderboard where verdict = 'official' and"
        " scope = 'all' and metric = 'pass@1' and is_headline_test_set) as candidates"
        " anti join marts.headline using (model, benchmark, scenario)"
        " anti join (select * from marts.fct_refusals where metric = 'headline') as refused"
        " using (model, benchmark, scenario)",
        "true",
        ("model", "benchmark", "scenario"),
        _BUILD,
    ),
    Rule(
        "ours_before_published",
        "headline",
        "critical",
        "Somebody else's verdict in the headline where we have our own.",
        f"marts.headline semi join {_CANDIDATES} as own on headline.model = own.model and headline.benchmark ="
        " own.benchmark and headline.scenario = own.scenario and own.is_headline_test_set and own.origin = 'self'",
        "origin <> 'self'",
        ("model", "benchmark", "scenario", "origin", "score"),
        _BUILD,
    ),
    Rule(
        "rank_of_its_board",
        "headline",
        "critical",
        "A rank interval that fct_rank_intervals does not hold.",
        "(select shown.*, ranks.rank_low as own_rank_low, ranks.rank_high as own_rank_high from marts.headline as"
        " shown left join (select * from marts.fct_rank_intervals where verdict = 'official' and scope = 'all') as"
        " ranks using (model, benchmark, scenario, test_set, comparability_digest, origin, metric))",
        "rank_low is distinct from own_rank_low or rank_high is distinct from own_rank_high",
        ("model", "benchmark", "scenario", "rank_low", "own_rank_low", "rank_high", "own_rank_high"),
        _BUILD,
    ),
)

RANKS = (
    Rule(
        "score_of_the_leaderboard",
        "fct_rank_intervals",
        "critical",
        "A ranked score that the leaderboard does not show, or a board of another size than it says.",
        "(select ranks.*, shown.score as own_score, count(*) over (partition by ranks.benchmark, ranks.scenario,"
        " ranks.test_set, ranks.metric, ranks.verdict, ranks.scope, ranks.comparability_digest, ranks.origin,"
        " ranks.source, ranks.dataset_version, ranks.num_planned, ranks.problem_set) as num_found"
        f" from marts.fct_rank_intervals as ranks left join marts.leaderboard as shown using ({_KEY}, metric))",
        "score is distinct from own_score or num_models <> num_found or rank_high > num_models or rank_low < 1",
        (*_NUMBER, "score", "own_score", "rank_low", "rank", "rank_high", "num_models", "num_found"),
        _BUILD,
    ),
    Rule(
        "order_of_scores",
        "fct_rank_intervals",
        "critical",
        "A rank that is not 1 + the number of models of the board with a higher score.",
        "(select *, rank() over (partition by benchmark, scenario, test_set, metric, verdict, scope,"
        " comparability_digest, origin, source, dataset_version, num_planned, problem_set order by score desc)"
        " as own_rank from marts.fct_rank_intervals)",
        "rank <> own_rank",
        (*_NUMBER, "score", "rank", "own_rank"),
        _BUILD,
    ),
)

COMPARISONS = (
    Rule(
        "difference_of_scores",
        "fct_model_comparisons",
        "critical",
        "A difference that is not that of the two scores on the leaderboard.",
        f"(select pairs.*, one.score - other.score as difference_of_scores from marts.fct_model_comparisons as pairs"
        f" left join marts.leaderboard as one using ({_KEY}, metric) left join marts.leaderboard as other on"
        " pairs.other_model = other.model and "
        + " and ".join(f"pairs.{name} = other.{name}" for name in (*CELL[1:], "metric"))
        + ")",
        f"not coalesce(abs(difference - difference_of_scores) <= {_TOLERANCE}, false)",
        ("model", "other_model", *_NUMBER[1:], "difference", "difference_of_scores"),
        _BUILD,
    ),
)

TASK_SCORES = (
    Rule(
        "recounted",
        "fct_task_scores",
        "critical",
        "Problems whose counts are not those of their rows, counted again.",
        "facts.task_scores",
        "found is distinct from expected",
        ("model", "benchmark", "scenario", "test_set", "verdict", "scope", "request_digest", "found", "expected"),
        _BUILD,
        needs="marts.fct_task_scores",
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
        f" from marts.fct_failure_reasons group by all) as added left join recount.cells as cells using ({_KEY}))",
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
        f"(select cut.*, shown.score as own_score from marts.fct_truncated_answers as cut"
        f" left join marts.leaderboard as shown using ({_KEY}, metric))",
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
        " from marts.fct_overall_scores as overall_scores inner join seeds.overall_weights as weights"
        " on overall_scores.overall = weights.overall left join marts.headline as headline on headline.model ="
        " overall_scores.model and headline.benchmark = weights.benchmark and headline.scenario = weights.scenario"
        " group by all)",
        f"num_found <> num_cells or not coalesce(abs(score - own_score) <= {_TOLERANCE}, false)",
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
        " from marts.dim_models as dim left join seeds.models as seed using (model))",
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
        "(select model from seeds.models union select distinct model from recount.requests) as known"
        " anti join marts.dim_models using (model)",
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
        "marts.dim_models",
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
        "(select dim.*, seed.cutoff_date as seed_cutoff_date, seed.kind as seed_kind from marts.dim_models as dim"
        " left join seeds.model_cutoffs as seed using (model))",
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
        " marts.dim_models as dim left join (select model, sum(num_samples) as num_found, count(distinct benchmark)"
        " as num_asked from recount.requests group by model) as counted using (model))",
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
        " as num_pinned from marts.dim_benchmarks as dim inner join seeds.benchmarks as seed"
        " using (benchmark, dataset_version) left join facts.pins as pins"
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
        "(select benchmark, dataset_version, scenario, test_set, num_problems, num_problems_pinned from facts.pins"
        " full join marts.dim_benchmarks using (benchmark, dataset_version, scenario, test_set))",
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
        "marts.dim_benchmarks semi join marts.leaderboard using (benchmark, dataset_version, scenario, test_set)",
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
        " from (select *, true as here from marts.dim_tasks) as found full join recount.tasks as own"
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
        "(select agreement.*, seed.published as seed_published from marts.fct_published_agreement as agreement"
        " left join seeds.published_scores as seed on agreement.model = seed.model and agreement.benchmark ="
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
        "facts.marts_now",
        "found is distinct from sealed",
        ("mart", "num_rows", "num_rows_sealed", "found", "sealed"),
        _BUILD,
        ("mart",),
        needs="facts.marts_now",
    ),
    Rule(
        "of_this_lake",
        "marts",
        "critical",
        "Marts that were built from other parts of the lake than are live now: of another lake, or of an older state.",
        "facts.lake_now",
        "found is distinct from sealed",
        ("lake_table", "num_parts", "num_parts_sealed", "found", "sealed"),
        _BUILD,
        ("lake_table",),
        needs="facts.lake_now",
    ),
    Rule(
        "is_sealed",
        "marts",
        "warning",
        "A file of marts that plain dbt built: changes to marts that are not counted again would not be seen.",
        "facts.unsealed",
        "true",
        ("file",),
        _BUILD,
        (),
        needs="facts.unsealed",
    ),
)

MART_RULES = (*LEADERBOARD, *HEADLINE, *RANKS, *COMPARISONS, *TASK_SCORES, *REASONS, *TRUNCATED, *OVERALL, *MODELS,
              *BENCHMARKS, *TASKS, *AGREEMENT, *SEAL)  # fmt: skip

__all__ = ["CELL", "MART_RULES", "same"]
