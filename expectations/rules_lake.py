"""Rules about the rows of a lake, verdicts apart: what one row says of itself, and what tables say of each other."""

from __future__ import annotations

from .rules import Rule

REDO = "benchforge verify, to see which part it is; then redo its shard with --force"
SAMPLE = ("model", "benchmark", "scenario", "task_id", "sample_index")
PROBLEM = ("model", "benchmark", "scenario", "task_id", "request_digest")
_NAMED = "requests.model, requests.benchmark, requests.scenario, requests.request_digest"

_PROBLEMS_SAMPLED = f"""(
    select {_NAMED}, samples.*, requests.dataset_version as version_of_request
    from gate_recount.samples as samples
    inner join gate_recount.requests as requests using (request_key, dataset_version)
)"""
TWICE = "(select {key}, count(*) as num_times from gate_lake.{table} where {few} group by {key})"

TASKS = (
    Rule(
        "one_digest_per_task",
        "tasks",
        "critical",
        "A problem that two rows give two digests: nobody knows which one verdicts are about.",
        "(select benchmark, dataset_version, scenario, task_id, min(task_digest) as one, max(task_digest) as other"
        " from gate_lake.tasks group by all)",
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
        "(select tasks.*, pins.dataset_digest as pinned from gate_lake.tasks inner join gate_seeds.benchmarks as pins"
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
        " count(*) as num_found from (select *, unnest(test_sets) as test_set from gate_recount.tasks) group by all)"
        " as counted inner join gate_facts.pins as pins using (benchmark, dataset_version, scenario, test_set))",
        "num_found > num_problems",
        ("benchmark", "dataset_version", "scenario", "test_set", "num_found", "num_problems"),
        REDO,
        ("benchmark",),
    ),
)

SAMPLES = (
    Rule(
        "index_below_n",
        "samples",
        "critical",
        "A sample index that is negative, or not below the number of samples planned.",
        "gate_lake.samples",
        "sample_index < 0 or sample_index >= num_planned",
        (*SAMPLE, "num_planned"),
        REDO,
    ),
    Rule(
        "id_is_digest",
        "samples",
        "critical",
        "A sample id that is not the digest of benchmark, scenario, task, request and index.",
        "gate_lake.samples",
        "sample_id <> unhex(left(sha256(concat_ws('|', benchmark, scenario, task_id, request_digest,"
        " sample_index)), 32))",
        (*SAMPLE, "sample_id", "request_digest"),
        REDO,
    ),
    Rule(
        "not_of_the_future",
        "samples",
        "critical",
        "An answer that arrived later than now, by more than a day.",
        "gate_lake.samples",
        "created_at > (now() at time zone 'UTC') + interval 1 day",
        (*SAMPLE, "created_at"),
        "set the clock of the machine that wrote it, then redo the shard with --force",
    ),
    Rule(
        "encoded_texts_are_json",
        "samples",
        "critical",
        "A text that is said to be a JSON string and is none.",
        "gate_lake.samples",
        "text_encoding = 'json' and not json_valid(raw_text)",
        SAMPLE,
        REDO,
    ),
    Rule(
        "stands_once",
        "samples",
        "critical",
        "A sample that stands twice among live rows: it would count twice.",
        TWICE.format(
            key="model, benchmark, scenario, comparability_digest, request_digest, task_id, sample_index",
            table="samples",
            few="task_id in (select task_id from gate_recount.samples where last_index >= 126"
            " or num_present <> bit_count(index_bits))",
        ),
        "num_times > 1",
        (*SAMPLE, "num_times"),
        REDO,
    ),
    Rule(
        "has_its_task",
        "samples",
        "critical",
        "Samples of a problem that the lake does not know: nothing says which test sets count it.",
        f"(select problems.* from {_PROBLEMS_SAMPLED} as problems anti join gate_recount.tasks as tasks on"
        " problems.benchmark = tasks.benchmark and problems.dataset_version = tasks.dataset_version"
        " and problems.scenario = tasks.scenario and problems.task_id = tasks.task_id)",
        "true",
        (*PROBLEM, "dataset_version"),
        "benchforge stage or import again: both write the tasks",
    ),
    Rule(
        "one_prompt_per_task",
        "samples",
        "critical",
        "Samples of one problem and request that were asked with different prompts.",
        _PROBLEMS_SAMPLED,
        "prompts <> num_prompts * a_prompt",
        (*PROBLEM, "num_prompts"),
        REDO,
    ),
    Rule(
        "digests_are_digests",
        "samples",
        "critical",
        "A request or comparability digest that is not 64 hexadecimal characters.",
        "gate_recount.requests",
        "not regexp_full_match(request_digest, '[0-9a-f]{64}')"
        " or not regexp_full_match(comparability_digest, '[0-9a-f]{64}')",
        ("model", "benchmark", "scenario", "request_digest", "comparability_digest"),
        REDO,
    ),
    Rule(
        "request_of_one_model",
        "samples",
        "critical",
        "One request digest under two models: the model is part of a request, so one of them was renamed.",
        "(select *, min(model) over (partition by request_digest) as other_model from gate_recount.requests)",
        "model <> other_model",
        ("model", "other_model", "benchmark", "scenario", "request_digest"),
        REDO,
    ),
    Rule(
        "digest_of_pin",
        "samples",
        "critical",
        "Samples that were asked from another file than the pinned one of the version they name.",
        "(select requests.*, pins.dataset_digest as pinned from gate_recount.requests as requests"
        " inner join gate_facts.dataset_digests as pins using (benchmark, dataset_version))",
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
        "gate_facts.requests",
        "problem is not null",
        ("model", "benchmark", "scenario", "problem", "found", "expected"),
        REDO,
    ),
    Rule(
        "prompts_are_those_of_the_request",
        "samples",
        "critical",
        "Prompts that are not those that the request was planned with.",
        "gate_facts.prompts",
        "found <> expected",
        ("model", "benchmark", "scenario", "request_digest", "found", "expected"),
        REDO,
        needs="gate_facts.prompts",
    ),
    Rule(
        "rows_of_the_manifest",
        "samples",
        "critical",
        "A shard with another number of live samples than the manifest plans.",
        "gate_facts.shards",
        "num_samples > expected_rows or (is_done and num_samples <> expected_rows)",
        ("model", "benchmark", "shard_id", "num_samples", "expected_rows"),
        "benchforge verify --repair, or redo the shard with --force",
        needs="gate_facts.shards",
    ),
    Rule(
        "shards_are_done",
        "samples",
        "warning",
        "A planned shard whose samples are not all there yet: its numbers are refused until they are.",
        "gate_facts.shards",
        "not is_done or num_samples < expected_rows",
        ("model", "benchmark", "shard_id", "stage", "num_samples", "expected_rows"),
        "benchforge status, then run what is left",
        needs="gate_facts.shards",
    ),
)

PROGRAMS = (
    Rule(
        "id_is_digest",
        "programs",
        "critical",
        "A program whose id is not the digest of its text: the text was changed after it was graded.",
        "gate_lake.programs",
        "program_id <> unhex(left(sha256(program), 32))",
        ("benchmark", "program_id"),
        REDO,
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
        " count(*) as num_timings from gate_lake.timings group by all) as timed left join (select benchmark, model,"
        " grader_id, count(*) as num_results from gate_lake.results group by all) as judged"
        " using (benchmark, model, grader_id))",
        "num_timings > num_results",
        ("model", "benchmark", "grader_id", "num_timings", "num_results"),
        REDO,
    ),
)

RUNS = (
    Rule(
        "ends_after_it_starts",
        "runs",
        "critical",
        "An attempt that ends before it starts, or later than now by more than a day.",
        "gate_lake.runs",
        "ended_at < started_at or ended_at > (now() at time zone 'UTC') + interval 1 day",
        ("run_id", "benchmark", "model", "started_at", "ended_at"),
        "set the clock of the machine that wrote it",
    ),
    Rule(
        "rows_of_an_import",
        "runs",
        "critical",
        "An import that wrote another number of rows than the lake holds of it.",
        "(select runs.*, coalesce(counted.num_found, 0) as num_found from (select * from gate_lake.runs where"
        " stage = 'import' and cause = 'done' qualify row_number() over (partition by shard_id order by attempt desc)"
        " = 1) as runs left join gate_facts.rows_of_shards as counted using (shard_id))",
        "num_found <> num_rows",
        ("run_id", "benchmark", "model", "shard_id", "num_rows", "num_found"),
        "benchforge import the file again with --force",
        needs="gate_facts.rows_of_shards",
    ),
)

PROBLEM_MEANS = (
    Rule(
        "mean_as_stated",
        "problem_means",
        "critical",
        "A recorded mean outside 0 to 1, or other than the percentage that its source states.",
        "gate_lake.problem_means",
        "not (mean between 0 and 1) or abs(mean - try_cast(stated_percent as double) / 100) > 1e-12",
        ("model", "benchmark", "scenario", "task_id", "mean", "stated_percent"),
        "benchforge import the file again with --force",
    ),
)

LAKE_RULES = (*TASKS, *SAMPLES, *PROGRAMS, *TIMINGS, *RUNS, *PROBLEM_MEANS)
