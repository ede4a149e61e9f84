"""What a report asks of marts and lake: SQL, and nothing else."""

from __future__ import annotations

from ....ingest.schemas import PARTS, VERDICT_KINDS

BOARD = ("benchmark", "scenario", "test_set", "metric", "verdict", "scope")
"""A board of the report: rows with other conditions stand in it, but are ranked apart."""
PAIRED = (*BOARD, "comparability_digest", "origin", "source", "dataset_version", "num_planned", "problem_set")
"""What two models of one comparison share."""
BEHIND = ("model", "benchmark", "scenario", "comparability_digest", "origin", "grader_id")
"""What the samples behind a number share."""

_QUOTED_BY = ("model", "benchmark", "scenario", "test_set", "metric", "comparability_digest", "origin")
_RANKED = ("model", *BOARD, "comparability_digest", "origin", "source", "dataset_version", "num_planned")

SCORED = (
    *("model", "score", "interval_low", "interval_high", "interval_method", "bootstrap_low", "bootstrap_high"),
    *("new_samples_low", "new_samples_high", "protocol", "temperature", "num_planned", "num_problems", "num_samples"),
    *("num_passed", "num_unanswered", "flags", "origin", "trust_tier", "detection_rate", "num_forged", "source"),
    *("dataset_version", "comparability_digest", "request_digest", "grader_id"),
)
"""What a number is shown with; named one by one, so that marts of another version are told by DuckDB."""
MODEL = (
    *("model", "hub_id", "model_revision", "licence", "is_osi_approved", "family", "parent_model", "training_step"),
    *("quantization", "context_length", "templating_mode", "cutoff_date", "cutoff_kind", "cutoff_source"),
    "num_samples",
)

CELLS = """
    with titles as (
        select benchmark, scenario, any_value(title) as title, bool_or(is_default_cell) as is_default_cell
        from dim_benchmarks
        group by benchmark, scenario
    )
    select benchmark, scenario, coalesce(title, benchmark) as title
    from (
        select distinct benchmark, scenario from leaderboard
        union
        select distinct benchmark, scenario from fct_refusals where benchmark <> 'all' and scenario <> 'all'
        union
        select distinct benchmark, scenario from stg_lake__samples
    )
    left join titles using (benchmark, scenario)
    order by coalesce(is_default_cell, false) desc, title, benchmark, scenario
"""
MODELS = f"""
    select {", ".join(MODEL)}
    from dim_models
    where
        num_samples > 0
        or model in (select model from leaderboard)
        or model in (select model from fct_refusals)
    order by model
"""
SCORES = f"""
    select
        {", ".join(f"leaderboard.{name}" for name in (*BOARD, *SCORED))}, rank_low, rank_high, num_models,
        headline.model is not null and leaderboard.verdict = 'official' and leaderboard.scope = 'all' as is_quoted
    from leaderboard
    left join (
        select {", ".join(_RANKED)}, min(rank_low) as rank_low, max(rank_high) as rank_high,
            max(num_models) as num_models
        from fct_rank_intervals
        group by all
    ) as ranks
        on {" and ".join(f"leaderboard.{name} is not distinct from ranks.{name}" for name in _RANKED)}
    left join (
        select distinct {", ".join(_QUOTED_BY)} from headline
    ) as headline
        on {" and ".join(f"leaderboard.{name} = headline.{name}" for name in _QUOTED_BY)}
    order by
        {", ".join(f"leaderboard.{name}" for name in BOARD)}, leaderboard.score desc, leaderboard.model,
        leaderboard.comparability_digest, leaderboard.origin
"""
RANKS = f"select {', '.join(PAIRED)}, model, rank from fct_rank_intervals order by all"
PAIRS = f"""
    select
        {", ".join(PAIRED)}, model, other_model, difference, difference_low, difference_high, p_value, q_all_pairs,
        num_discordant, num_problems, families_held
    from fct_model_comparisons
    order by {", ".join(PAIRED)}, model, other_model
"""
REASONS = """
    select benchmark, scenario, test_set, verdict, model, comparability_digest, origin, reason, num_samples, share
    from fct_failure_reasons
    where scope = 'all'
    order by all
"""
DISAGREEMENTS = """
    select
        benchmark, scenario, model, comparability_digest, part, axis, official_verdict, strict_verdict,
        corrected_extraction_verdict, num_samples
    from fct_verdict_disagreement_counts
    order by all
"""
COSTS = """
    select
        benchmark, scenario, test_set, model, comparability_digest, num_samples, num_samples_counted, prompt_tokens,
        completion_tokens, reasoning_tokens, gpu_seconds, coalesce(price, token_price) as price, score,
        completion_tokens_per_point, gpu_seconds_per_point
    from fct_generation_costs
    order by all
"""
CONTAMINATION = """
    select
        benchmark, scenario, test_set, verdict, metric, model, comparable_within, protocol, origin, source, month,
        num_problems, score, interval_low, interval_high, cutoff_date, cutoff_kind, is_after_cutoff
    from fct_contamination
    order by all
"""
FALLS = """
    select
        benchmark, scenario, test_set, verdict, metric, model, reference, cutoff_date, difference_in_differences,
        interval_low, interval_high, num_before, num_after
    from fct_contamination_differences
    order by all
"""
REFUSALS = """
    select
        benchmark, scenario, model, test_set, metric, verdict, scope, origin, comparability_digest, reason, detail,
        array_to_string(differing_fields, ', ') as differing_fields, num_affected
    from fct_refusals
    order by all
"""
COVERAGE = """
    with numbers as (
        select model, benchmark, scenario, max(num_problems) as num_problems, max(num_planned) as num_planned
        from headline
        group by all
    ),
    refused as (
        select model, benchmark, scenario, list(distinct reason order by reason) as reasons, count(*) as num_refused
        from fct_refusals
        where benchmark <> 'all' and scenario <> 'all'
        group by all
    ),
    pinned as (
        select benchmark, scenario, max(num_problems_pinned) as num_problems_pinned
        from dim_benchmarks
        where is_headline_test_set and is_default
        group by all
    )
    select *
    from numbers
    full join refused using (model, benchmark, scenario)
    left join pinned using (benchmark, scenario)
    order by model, benchmark, scenario
"""
SAMPLED = """
    select benchmark, model, count(*) as num_samples
    from stg_lake__samples
    group by all
    order by all
"""
TASKS = """
    select dataset_version, scenario, task_id, test_sets, has_plus, kind, stratum, contest_date, num_base_cases,
        num_plus_cases, task_digest, source_problem
    from dim_tasks
    where benchmark = $benchmark
    order by all
"""
ATTEMPTS = """
    select
        model, benchmark, scenario, stage, engine, engine_version, image_digest, gpu, cause,
        count(*) as num_attempts, sum(gpu_seconds) as gpu_seconds, sum(num_rows) as num_rows
    from stg_lake__runs
    group by all
    order by all
"""

OF_SAMPLE = (
    *("task_id", "sample_index", "sample_id", "request_digest", "dataset_version", "dataset_digest", "prompt_digest"),
    *("chat_template_sha", "protocol", "templating_mode", "temperature", "top_p", "top_k", "min_p", "max_tokens"),
    *("thinking", "effort", "thinking_budget", "seed", "model_revision", "weights_digest", "parent_model"),
    *("training_step", "quantization", "dtype", "engine", "engine_version", "image_digest", "gpu", "prompt_tokens"),
    *("completion_tokens", "reasoning_tokens", "finish_reason", "stop_reason", "think_state", "reasoning_source"),
    *("cut", "answer_flags", "attempts", "num_planned", "created_at", "shard_id"),
)
OF_RESULT = (
    *("task_digest", "program_id", "corrected_program_id", "trust_tier", "sandbox_mode", "sandbox_layers"),
    *("limit_factor", "is_unsafe", "licence"),
)
READINGS = tuple(f"{kind}_{part}" for kind in VERDICT_KINDS for part in PARTS)
OUTCOME = tuple(f"{reading}_{what}" for reading in READINGS for what in ("verdict", "reason"))
CASES = tuple(f"{reading}_{what}" for reading in READINGS for what in ("first_failing_case", "num_run", "num_passed"))
TEXTS = ("raw_text", "reasoning", "answer", "program", "corrected_program")


def _read_alike(name: str) -> str:
    """The third reading of a program that both extractions give is the official one, as the marts have it."""
    if not name.startswith("corrected_extraction_"):
        return f"results.{name}"
    official = name.replace("corrected_extraction_", "official_")
    return f"coalesce(results.{name}, if(corrected_program_id = program_id, results.{official}, null)) as {name}"


SAMPLES = f"""
    select
        samples.model, samples.benchmark, samples.scenario, samples.comparability_digest, results.origin,
        results.grader_id, coalesce(results.source, samples.source) as source,
        {", ".join(f"samples.{name}" for name in (*OF_SAMPLE, "text_form", "text_encoding"))},
        {", ".join(f"results.{name}" for name in OF_RESULT)},
        {", ".join(_read_alike(name) for name in (*OUTCOME, *CASES))},
        {{texts}}
    from stg_lake__samples as samples
    left join (
        select *
        from stg_lake__results
        where benchmark = $benchmark and list_contains($models, model) and coalesce(limit_factor, 1.0) = 1.0
    ) as results using (sample_id)
    {{programs}}
    where samples.benchmark = $benchmark and list_contains($models, samples.model)
    order by {", ".join(BEHIND)}, task_id, sample_index, sample_id
"""
_PROGRAMS = """
    left join (
        select program_id as id, program from stg_lake__programs where benchmark = $benchmark
    ) as programs
        on results.program_id = programs.id
    left join (
        select program_id as id, program as corrected_program from stg_lake__programs where benchmark = $benchmark
    ) as corrected
        on results.corrected_program_id = corrected.id
        and results.corrected_program_id is distinct from results.program_id
"""


def samples(texts: str) -> str:
    """The query of all samples of ``$models`` on ``$benchmark``; ``texts``: all, failed or none.

    A sample counts as failed where any reading of it is not passed, or none was judged.
    """
    if texts == "none":
        return SAMPLES.format(texts=", ".join(f"null as {name}" for name in TEXTS), programs="")
    shown = "samples.raw_text, samples.reasoning, samples.answer, program, corrected_program"
    if texts == "failed":
        passed = " and ".join(f"coalesce(results.{reading}_verdict, 'pass') = 'pass'" for reading in READINGS)
        is_failed = f"not (results.official_base_verdict is not null and {passed})"
        shown = ", ".join(f"if({is_failed}, {name}, null) as {name.rpartition('.')[2]}" for name in shown.split(", "))
    return SAMPLES.format(texts=shown, programs=_PROGRAMS)
