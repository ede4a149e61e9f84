"""Rules about the rows of a lake: what one row says of itself, and what tables say of each other."""

from __future__ import annotations

from ..ingest.schemas import PARTS, VERDICT_KINDS
from .rules import Rule

_REDO = "benchforge verify, to see which part it is; then redo its shard with --force"
_SAMPLE = ("model", "benchmark", "scenario", "task_id", "sample_index")
_PROBLEM = ("model", "benchmark", "scenario", "task_id", "request_digest")
_JUDGED = tuple((f"{kind}_{part}_verdict", f"{kind}_{part}_reason") for kind in VERDICT_KINDS for part in PARTS)
_NAMED = "requests.model, requests.benchmark, requests.scenario, requests.request_digest"

_PROBLEMS_SAMPLED = f"""(
    select {_NAMED}, samples.*, requests.dataset_version as version_of_request
    from recount.samples as samples inner join recount.requests as requests using (request_key, dataset_version)
)"""
_PROBLEMS_JUDGED = """(
    select graders.model, graders.benchmark, graders.scenario, graders.request_digest, graders.grader_id, results.*,
        samples.num_present, samples.index_bits as bits_of_samples, samples.ids as ids_of_samples,
        samples.dataset_version, tasks.task_digest
    from recount.results as results
    inner join recount.graders as graders using (grader_key)
    left join recount.samples as samples
        on graders.request_key = samples.request_key and results.task_id = samples.task_id
    left join recount.tasks as tasks
        on graders.benchmark = tasks.benchmark and graders.scenario = tasks.scenario
        and samples.dataset_version = tasks.dataset_version and results.task_id = tasks.task_id
)"""
_TWICE = "(select {key}, count(*) as num_times from lake.{table} where {few} group by {key})"

TASKS = (
    Rule(
        "one_digest_per_task",
        "tasks",
        "critical",
        "A problem that two rows give two digests: nobody knows which one verdicts are about.",
        "(select benchmark, dataset_version, scenario, task_id, min(task_digest) as one, max(task_digest) as other"
        " from lake.tasks group by all)",
        "one <> other",
        ("benchmark", "dataset_version", "scenario", "task_id", "one", "other"),
        "benchforge stage, then score the shards again with --force",
        ("benchmark",),
    ),
    Rule(
        "digest_of_pin",
        "tasks",
        "critical",
        "A problem of a version whose pinned file has another digest.",
        "(select tasks.*, pins.dataset_digest as pinned from lake.tasks inner join seeds.benchmarks as pins"
        " using (benchmark, dataset_version))",
        "dataset_digest <> pinned",
        ("benchmark", "dataset_version", "task_id", "dataset_digest", "pinned"),
        "benchforge stage, to get the pinned file",
        ("benchmark",),
    ),
    Rule(
        "no_more_than_pinned",
        "tasks",
        "critical",
        "More problems in a test set than the benchmark has.",
        "(select counted.*, pins.num_problems from (select benchmark, dataset_version, scenario, test_set,"
        " count(*) as num_found from (select *, unnest(test_sets) as test_set from recount.tasks) group by all)"
        " as counted inner join facts.pins as pins using (benchmark, dataset_version, scenario, test_set))",
        "num_found > num_problems",
        ("benchmark", "dataset_version", "scenario", "test_set", "num_found", "num_problems"),
        _REDO,
        ("benchmark",),
    ),
)

SAMPLES = (
    Rule(
        "index_below_n",
        "samples",
        "critical",
        "A sample index that is negative, or not below the number of samples planned.",
        "lake.samples",
        "sample_index < 0 or sample_index >= num_planned",
        (*_SAMPLE, "num_planned"),
        _REDO,
    ),
    Rule(
        "id_is_digest",
        "samples",
        "critical",
        "A sample id that is not the digest of benchmark, scenario, task, request and index.",
        "lake.samples",
        "sample_id <> unhex(left(sha256(concat_ws('|', benchmark, scenario, task_id, request_digest,"
        " sample_index)), 32))",
        (*_SAMPLE, "sample_id", "request_digest"),
        _REDO,
    ),
    Rule(
        "not_of_the_future",
        "samples",
        "critical",
        "An answer that arrived later than now, by more than a day.",
        "lake.samples",
        "created_at > (now() at time zone 'UTC') + interval 1 day",
        (*_SAMPLE, "created_at"),
        "set the clock of the machine that wrote it, then redo the shard with --force",
    ),
    Rule(
        "encoded_texts_are_json",
        "samples",
        "critical",
        "A text that is said to be a JSON string and is none.",
        "lake.samples",
        "text_encoding = 'json' and not json_valid(raw_text)",
        _SAMPLE,
        _REDO,
    ),
    Rule(
        "stands_once",
        "samples",
        "critical",
        "A sample that stands twice among live rows: it would count twice.",
        _TWICE.format(
            key="model, benchmark, scenario, comparability_digest, request_digest, task_id, sample_index",
            table="samples",
            few="task_id in (select task_id from recount.samples where last_index >= 126"
            " or num_present <> bit_count(index_bits))",
        ),
        "num_times > 1",
        (*_SAMPLE, "num_times"),
        _REDO,
    ),
    Rule(
        "has_its_task",
        "samples",
        "critical",
        "Samples of a problem that the lake does not know: nothing says which test sets count it.",
        f"(select problems.* from {_PROBLEMS_SAMPLED} as problems anti join recount.tasks as tasks on"
        " problems.benchmark = tasks.benchmark and problems.dataset_version = tasks.dataset_version"
        " and problems.scenario = tasks.scenario and problems.task_id = tasks.task_id)",
        "true",
        (*_PROBLEM, "dataset_version"),
        "benchforge stage or import again: both write the tasks",
    ),
    Rule(
        "one_prompt_per_task",
        "samples",
        "critical",
        "Samples of one problem and request that were asked with different prompts.",
        _PROBLEMS_SAMPLED,
        "first_prompt <> last_prompt",
        (*_PROBLEM, "first_prompt", "last_prompt"),
        _REDO,
    ),
    Rule(
        "digests_are_digests",
        "samples",
        "critical",
        "A request or comparability digest that is not 64 hexadecimal characters.",
        "recount.requests",
        "not regexp_full_match(request_digest, '[0-9a-f]{64}')"
        " or not regexp_full_match(comparability_digest, '[0-9a-f]{64}')",
        ("model", "benchmark", "scenario", "request_digest", "comparability_digest"),
        _REDO,
    ),
    Rule(
        "request_of_one_model",
        "samples",
        "critical",
        "One request digest under two models: the model is part of a request, so one of them was renamed.",
        "(select *, min(model) over (partition by request_digest) as other_model from recount.requests)",
        "model <> other_model",
        ("model", "other_model", "benchmark", "scenario", "request_digest"),
        _REDO,
    ),
    Rule(
        "digest_of_pin",
        "samples",
        "critical",
        "Samples that were asked from another file than the pinned one of the version they name.",
        "(select requests.*, pins.dataset_digest as pinned from recount.requests as requests"
        " inner join facts.dataset_digests as pins using (benchmark, dataset_version))",
        "dataset_digest <> pinned",
        ("model", "benchmark", "dataset_version", "dataset_digest", "pinned"),
        "benchforge stage, then generate the shards again with --force",
    ),
    Rule(
        "request_is_its_digest",
        "samples",
        "critical",
        "A request, or what makes it comparable, whose digest is not that of the fields its rows carry: a condition was"
        " changed. Recorded rows carry every field; ours are held against the manifest.",
        "facts.requests",
        "problem is not null",
        ("model", "benchmark", "scenario", "problem", "found", "expected"),
        _REDO,
    ),
    Rule(
        "prompts_are_those_of_the_request",
        "samples",
        "critical",
        "Prompts that are not those that the request was planned with.",
        "facts.prompts",
        "found <> expected",
        ("model", "benchmark", "scenario", "request_digest", "found", "expected"),
        _REDO,
        needs="facts.prompts",
    ),
    Rule(
        "rows_of_the_manifest",
        "samples",
        "critical",
        "A shard with another number of live samples than the manifest plans.",
        "facts.shards",
        "num_samples > expected_rows or (is_done and num_samples <> expected_rows)",
        ("model", "benchmark", "shard_id", "num_samples", "expected_rows"),
        "benchforge verify --repair, or redo the shard with --force",
        needs="facts.shards",
    ),
    Rule(
        "shards_are_done",
        "samples",
        "warning",
        "A planned shard whose samples are not all there yet: its numbers are refused until they are.",
        "facts.shards",
        "not is_done or num_samples < expected_rows",
        ("model", "benchmark", "shard_id", "stage", "num_samples", "expected_rows"),
        "benchforge status, then run what is left",
        needs="facts.shards",
    ),
)

RESULTS = (
    Rule(
        "no_sandbox_error",
        "results",
        "critical",
        "A sandbox_error among the verdicts: a failure of ours is no result of a model.",
        "lake.results",
        " or ".join(f"'sandbox_error' in ({verdict}, {reason})" for verdict, reason in _JUDGED),
        (*_SAMPLE, "grader_id"),
        "benchforge score --force of its shard",
    ),
    Rule(
        "reason_fits_verdict",
        "results",
        "critical",
        "A pass whose reason is not ok, or a reason ok without a pass: one of the two was changed.",
        "lake.results",
        " or ".join(f"({verdict} = 'pass') <> ({reason} = 'ok')" for verdict, reason in _JUDGED),
        (*_SAMPLE, "grader_id", *(name for pair in _JUDGED[:4] for name in pair)),
        "benchforge score --force of its shard",
    ),
    Rule(
        "cases_fit_verdict",
        "results",
        "critical",
        "A pass with a failing case, or more cases passed than run.",
        "lake.results",
        " or ".join(
            f"({kind}_{part}_verdict = 'pass' and ({kind}_{part}_first_failing_case is not null"
            f" or {kind}_{part}_num_passed < {kind}_{part}_num_run))"
            f" or {kind}_{part}_num_passed > {kind}_{part}_num_run"
            for kind in VERDICT_KINDS
            for part in PARTS
        ),
        (*_SAMPLE, "grader_id"),
        "benchforge score --force of its shard",
    ),
    Rule(
        "origin_fits_grader",
        "results",
        "critical",
        "Somebody else's verdict that is given out as ours, or ours as somebody else's.",
        "recount.graders",
        "(origin = 'published') <> (trust_tier = 'published') or num_trust_tiers > 1"
        " or (origin = 'self' and grader_id like 'published:%')",
        ("model", "benchmark", "scenario", "origin", "trust_tier", "grader_id"),
        _REDO,
    ),
    Rule(
        "published_with_licence",
        "results",
        "warning",
        "A published verdict whose source states no licence.",
        "lake.results",
        "origin = 'published' and licence is null",
        (*_SAMPLE, "source"),
        "import the record again with its licence",
    ),
    Rule(
        "stands_once",
        "results",
        "critical",
        "A verdict that stands twice for one sample and grader.",
        _TWICE.format(
            key="model, benchmark, scenario, sample_id, grader_id",
            table="results",
            few="coalesce(limit_factor, 1.0) <> 1.0 or sample_index >= 126 or task_id in (select task_id from"
            " recount.results where num_results <> bit_count(index_bits))",
        ),
        "num_times > 1",
        ("model", "benchmark", "scenario", "sample_id", "grader_id", "num_times"),
        _REDO,
    ),
    Rule(
        "is_of_a_sample",
        "results",
        "critical",
        "A verdict without a sample, or about other samples than those of its request.",
        _PROBLEMS_JUDGED,
        "num_present is null or bit_count(index_bits & bits_of_samples) <> bit_count(index_bits)"
        " or (index_bits = bits_of_samples and num_results = num_present and ids <> ids_of_samples)",
        (*_PROBLEM, "grader_id", "num_results", "num_present"),
        _REDO,
    ),
    Rule(
        "is_of_a_sample_one_by_one",
        "results",
        "critical",
        "A verdict whose sample id no sample has: asked row by row where counts alone do not prove it.",
        f"(select results.* from lake.results as results anti join lake.samples as samples"
        f" on results.sample_id = samples.sample_id where coalesce(results.limit_factor, 1.0) <> 1.0"
        f" or results.sample_index >= 126 or results.task_id in (select task_id from {_PROBLEMS_JUDGED}"
        f" where index_bits <> bits_of_samples or num_present is null))",
        "true",
        (*_SAMPLE, "sample_id", "grader_id"),
        _REDO,
    ),
    Rule(
        "task_as_judged",
        "results",
        "critical",
        "A verdict about another form of the problem than the lake holds.",
        _PROBLEMS_JUDGED,
        "first_task_digest <> task_digest or last_task_digest <> task_digest",
        (*_PROBLEM, "first_task_digest", "task_digest"),
        "benchforge score --force of its shard",
    ),
    Rule(
        "all_of_a_done_shard",
        "results",
        "critical",
        "A shard that is marked as scored and has not one verdict for each of its samples.",
        "facts.shards",
        "is_scored and num_results <> expected_rows",
        ("model", "benchmark", "shard_id", "num_results", "expected_rows"),
        "benchforge verify --repair, or score the shard again with --force",
        needs="facts.shards",
    ),
)

PROGRAMS = (
    Rule(
        "id_is_digest",
        "programs",
        "critical",
        "A program whose id is not the digest of its text: the text was changed after it was graded.",
        "lake.programs",
        "program_id <> unhex(left(sha256(program), 32))",
        ("benchmark", "program_id"),
        _REDO,
        ("benchmark",),
    ),
)

TIMINGS = (
    Rule(
        "no_more_than_results",
        "timings",
        "critical",
        "More timings than verdicts of a grader.",
        "(select timed.*, coalesce(judged.num_results, 0) as num_results from (select benchmark, model, grader_id,"
        " count(*) as num_timings from lake.timings group by all) as timed left join (select benchmark, model,"
        " grader_id, count(*) as num_results from lake.results group by all) as judged"
        " using (benchmark, model, grader_id))",
        "num_timings > num_results",
        ("model", "benchmark", "grader_id", "num_timings", "num_results"),
        _REDO,
    ),
)

RUNS = (
    Rule(
        "ends_after_it_starts",
        "runs",
        "critical",
        "An attempt that ends before it starts, or later than now by more than a day.",
        "lake.runs",
        "ended_at < started_at or ended_at > (now() at time zone 'UTC') + interval 1 day",
        ("run_id", "benchmark", "model", "started_at", "ended_at"),
        "set the clock of the machine that wrote it",
    ),
    Rule(
        "rows_of_an_import",
        "runs",
        "critical",
        "An import that wrote another number of rows than the lake holds of it.",
        "(select runs.*, coalesce(counted.num_found, 0) as num_found from (select * from lake.runs where"
        " stage = 'import' and cause = 'done' qualify row_number() over (partition by shard_id order by attempt desc)"
        " = 1) as runs left join facts.rows_of_shards as counted using (shard_id))",
        "num_found <> num_rows",
        ("run_id", "benchmark", "model", "shard_id", "num_rows", "num_found"),
        "benchforge import the file again with --force",
    ),
)

PROBLEM_MEANS = (
    Rule(
        "mean_as_stated",
        "problem_means",
        "critical",
        "A recorded mean outside 0 to 1, or other than the percentage that its source states.",
        "lake.problem_means",
        "not (mean between 0 and 1) or abs(mean - try_cast(stated_percent as double) / 100) > 1e-12",
        ("model", "benchmark", "scenario", "task_id", "mean", "stated_percent"),
        "benchforge import the file again with --force",
    ),
)

LAKE_RULES = (*TASKS, *SAMPLES, *RESULTS, *PROGRAMS, *TIMINGS, *RUNS, *PROBLEM_MEANS)
