"""Rules about verdicts: what a row says of itself, and whether it is about the sample and the task that it names."""

from __future__ import annotations

from ..ingest.schemas import PARTS, VERDICT_KINDS
from .rules import Rule
from .rules_lake import PROBLEM, REDO, SAMPLE, TWICE

_JUDGED = tuple((f"{kind}_{part}_verdict", f"{kind}_{part}_reason") for kind in VERDICT_KINDS for part in PARTS)
_PROBLEMS_JUDGED = """(
    select graders.model, graders.benchmark, graders.scenario, graders.request_digest, graders.grader_id, results.*,
        samples.num_present, samples.index_bits as bits_of_samples, samples.ids as ids_of_samples,
        samples.dataset_version, tasks.task_digest
    from gate_recount.results as results
    inner join gate_recount.graders as graders using (grader_key)
    left join gate_recount.samples as samples
        on graders.request_key = samples.request_key and results.task_id = samples.task_id
    left join gate_recount.tasks as tasks
        on graders.benchmark = tasks.benchmark and graders.scenario = tasks.scenario
        and samples.dataset_version = tasks.dataset_version and results.task_id = tasks.task_id
)"""

RESULT_RULES = (
    Rule(
        "no_sandbox_error",
        "results",
        "critical",
        "A sandbox_error among the verdicts: a failure of ours is no result of a model.",
        "gate_lake.results",
        " or ".join(f"'sandbox_error' in ({verdict}, {reason})" for verdict, reason in _JUDGED),
        (*SAMPLE, "grader_id"),
        "benchforge score --force of its shard",
    ),
    Rule(
        "reason_fits_verdict",
        "results",
        "critical",
        "A pass whose reason is not ok, or a reason ok without a pass: one of the two was changed.",
        "gate_lake.results",
        " or ".join(f"({verdict} = 'pass') <> ({reason} = 'ok')" for verdict, reason in _JUDGED),
        (*SAMPLE, "grader_id", *(name for pair in _JUDGED[:4] for name in pair)),
        "benchforge score --force of its shard",
    ),
    Rule(
        "cases_fit_verdict",
        "results",
        "critical",
        "A pass with a failing case, or more cases passed than run.",
        "gate_lake.results",
        " or ".join(
            f"({kind}_{part}_verdict = 'pass' and ({kind}_{part}_first_failing_case is not null"
            f" or {kind}_{part}_num_passed < {kind}_{part}_num_run))"
            f" or {kind}_{part}_num_passed > {kind}_{part}_num_run"
            for kind in VERDICT_KINDS
            for part in PARTS
        ),
        (*SAMPLE, "grader_id"),
        "benchforge score --force of its shard",
    ),
    Rule(
        "origin_fits_grader",
        "results",
        "critical",
        "Somebody else's verdict that is given out as ours, or ours as somebody else's.",
        "gate_recount.graders",
        "(origin = 'published') <> (trust_tier = 'published') or num_trust_tiers > 1"
        " or (origin = 'self' and grader_id like 'published:%')",
        ("model", "benchmark", "scenario", "origin", "trust_tier", "grader_id"),
        REDO,
    ),
    Rule(
        "published_with_licence",
        "results",
        "warning",
        "A published verdict whose source states no licence.",
        "gate_lake.results",
        "origin = 'published' and licence is null",
        (*SAMPLE, "source"),
        "import the record again with its licence",
    ),
    Rule(
        "stands_once",
        "results",
        "critical",
        "A verdict that stands twice for one sample and grader.",
        TWICE.format(
            key="model, benchmark, scenario, sample_id, grader_id",
            table="results",
            few="coalesce(limit_factor, 1.0) <> 1.0 or sample_index >= 126 or task_id in (select task_id from"
            " gate_recount.results where num_results <> bit_count(index_bits))",
        ),
        "num_times > 1",
        ("model", "benchmark", "scenario", "sample_id", "grader_id", "num_times"),
        REDO,
    ),
    Rule(
        "is_of_a_sample",
        "results",
        "critical",
        "A verdict without a sample, or about other samples than those of its request.",
        _PROBLEMS_JUDGED,
        "num_present is null or bit_count(index_bits & bits_of_samples) <> bit_count(index_bits)"
        " or (index_bits = bits_of_samples and num_results = num_present and ids <> ids_of_samples)",
        (*PROBLEM, "grader_id", "num_results", "num_present"),
        REDO,
    ),
    Rule(
        "is_of_a_sample_one_by_one",
        "results",
        "critical",
        "A verdict whose sample id no sample has: asked row by row where counts alone do not prove it.",
        f"(with doubted as (select distinct task_id from {_PROBLEMS_JUDGED} where index_bits <> bits_of_samples or"
        " num_present is null), few as (select * from gate_lake.results where coalesce(limit_factor, 1.0) <> 1.0"
        " or sample_index >= 126 or task_id in (select task_id from doubted))"
        " select few.* from few anti join (select sample_id from gate_lake.samples"
        " where task_id in (select task_id from few)) as samples on few.sample_id = samples.sample_id)",
        "true",
        (*SAMPLE, "sample_id", "grader_id"),
        REDO,
    ),
    Rule(
        "task_as_judged",
        "results",
        "critical",
        "A verdict about another form of the problem than the lake holds.",
        _PROBLEMS_JUDGED,
        "task_digests <> num_task_digests * hash(task_digest)::hugeint",
        (*PROBLEM, "num_task_digests", "task_digest"),
        "benchforge score --force of its shard",
    ),
    Rule(
        "all_of_a_done_shard",
        "results",
        "critical",
        "A shard that is marked as scored and has not one verdict for each of its samples.",
        "gate_facts.shards",
        "is_scored and num_results <> expected_rows",
        ("model", "benchmark", "shard_id", "num_results", "expected_rows"),
        "benchforge verify --repair, or score the shard again with --force",
        needs="gate_facts.shards",
    ),
)
