"""Every lake table and every closed vocabulary, declared once.

A column is (name, type, nullable, meaning[, unit]); Arrow schemas, DuckDB types, empty parts, documentation and
checks are derived from these lists. Types are the few that Parquet, DuckDB and Spark all read the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# ---- vocabularies -----------------------------------------------------------------------------------------------

BENCHMARKS = (
    "humanevalplus",
    "mbppplus",
    "cruxeval",
    "livecodebench",
    "humaneval",
    "bigcodebench",
    "multipl_e",
    "ds1000",
    "forge_mini",
)
KINDS = ("calls", "check", "stdin", "expression", "suite")
TEST_SETS = ("base", "plus", "full", "hard", "v1", "v2", "v3", "v4", "v5", "v6")
VERDICTS = ("pass", "fail", "timeout", "error")
REASONS = (
    "ok",
    "wrong_answer",
    "exception",
    "timeout",
    "memory",
    "output_limit",
    "opaque_type",
    "syntax",
    "empty",
    "killed",
    "tamper",
    "not_one_expression",
)
ORIGINS = ("self", "published")
TRUST_TIERS = ("values", "suite", "published")
SANDBOX_MODES = ("apptainer-setuid", "apptainer-userns", "bubblewrap", "unshare", "inner-only")
SANDBOX_MODE_ALIASES = {"rlimit-only": "inner-only"}
SANDBOX_LAYERS = (
    "user_namespace",
    "mount_namespace",
    "pid_namespace",
    "network_namespace",
    "ipc_namespace",
    "no_new_privs",
    "seccomp",
    "landlock",
    "rlimits",
    "unprivileged_uid",
)
CAUSES = (
    "done",
    "notice",
    "preempted",
    "time_limit",
    "node_fail",
    "oom",
    "cancelled",
    "crashed",
    "wrong_node",
)
STAGES = ("generate", "score", "import")
THINK_STATES = ("off", "closed", "open", "forced", "absent", "hidden")
REASONING_SOURCES = (
    "reasoning",
    "reasoning_content",
    "thinking",
    "details",
    "tag",
    "channel",
    "hidden",
    "none",
)
CUTS = (
    "no",
    "max_tokens",
    "window",
    "stop_in_thinking",
    "repetition",
    "filter",
    "ceiling",
)
TEXT_FORMS = ("raw", "completion", "program")
TEMPLATING_MODES = ("chat", "completions")
VERDICT_KINDS = ("official", "strict", "corrected_extraction")
"""``corrected_extraction`` is the third combination: corrected extraction judged by the official oracle."""
PARTS = ("base", "plus")
"""The two halves of a task's tests; a task without extra tests has only ``base``."""


# ---- columns ----------------------------------------------------------------------------------------------------

TYPES: Mapping[str, str] = {
    # our name -> DuckDB type; `arrow_type` in lake.py holds the other half
    "text": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "digest": "BLOB",  # 16 bytes
    "text_list": "VARCHAR[]",
    "float_list": "DOUBLE[]",
    "int_list": "BIGINT[]",
}


@dataclass(frozen=True)
class Column:
    """One column of a lake table; ``unit`` is empty for names and counts."""

    name: str
    type: str
    nullable: bool
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """One lake table: its columns, the columns that make its Hive path, and its grain."""

    name: str
    grain: str
    partitions: tuple[str, ...]
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if not column.nullable)


def _column(name: str, type_: str, meaning: str, unit: str = "") -> Column:
    return Column(name, type_, False, meaning, unit)


def _optional(name: str, type_: str, meaning: str, unit: str = "") -> Column:
    return Column(name, type_, True, meaning, unit)


_BENCHMARK = _column("benchmark", "text", "Benchmark key, one file in ingest/benchmarks.")
_MODEL = _column("model", "text", "Model key <org>__<name>.")
_SCENARIO = _column("scenario", "text", "What is asked of the model, e.g. cruxeval_i or default.")
_TASK_ID = _column("task_id", "text", "The benchmark's own name of the problem.")
_SAMPLE_INDEX = _column("sample_index", "int", "0-based number of the sample of this task under this request.")
_SAMPLE_ID = _column(
    "sample_id", "digest", "16 bytes: benchmark, scenario, task, request digest, sample index (keys.sample_id)."
)
_SOURCE = _optional("source", "text", "repository@commit the record was taken from; NULL where we made it.")
_SHARD = _column("shard_id", "text", "Shard that wrote this row.")

TASKS = Table(
    "tasks",
    "One row per task of a staged or recorded dataset version.",
    ("benchmark",),
    ("benchmark", "dataset_version", "scenario", "task_id"),
    (
        _BENCHMARK,
        _column("dataset_version", "text", "Version of the problem file, e.g. v0.1.10 or release_v6."),
        _optional("dataset_digest", "text", "sha256 of the staged artifact; NULL where only verdicts were recorded."),
        _SCENARIO,
        _TASK_ID,
        _optional(
            "task_digest", "text", "Everything a verdict depends on: inputs, expected values, tolerances, limits."
        ),
        _column("kind", "text", "How the task is executed and compared."),
        _column("test_sets", "text_list", "Test sets whose score counts this task."),
        _optional("num_base_cases", "int", "Base test cases."),
        _optional("num_plus_cases", "int", "Extra test cases."),
        _column("source_problem", "text", "Problem this task was made from; the cluster of overall scores."),
        _optional("stratum", "text", "Difficulty or other stratum declared by the benchmark."),
        _optional("cluster", "text", "Contest or other cluster declared by the benchmark."),
        _optional("contest_date", "date", "Day the problem became public."),
    ),
)

SAMPLES = Table(
    "samples",
    "One row per planned sample: the text as received, and how it was asked for.",
    ("benchmark", "model"),
    ("sample_id",),
    (
        _BENCHMARK,
        _MODEL,
        _SCENARIO,
        _TASK_ID,
        _SAMPLE_INDEX,
        _SAMPLE_ID,
        _column("request_digest", "text", "The request without n, seeds, shard and index (keys.request_digest)."),
        _column(
            "comparability_digest",
            "text",
            "Two models are compared only where it is equal (keys.comparability_digest).",
        ),
        _column("dataset_version", "text", "Version of the problem file asked from."),
        _optional("dataset_digest", "text", "sha256 of that problem file."),
        _SOURCE,
        _SHARD,
        _column("num_planned", "int", "Samples planned per task under this request: the n of pass@k."),
        _optional(
            "text_form", "text", "raw: a model's reply; completion: continues the prompt; program: runs as it is."
        ),
        _optional(
            "raw_text",
            "text",
            "Text as received, tags included; never altered. NULL where only a verdict was recorded.",
        ),
        _optional(
            "text_encoding",
            "text",
            "json: raw_text, reasoning and answer are JSON strings (lone surrogates); NULL: plain.",
        ),
        _optional("reasoning", "text", "Thinking, as sent apart or split by the strip rule; derivable again."),
        _optional("answer", "text", "Text after thinking; derivable again. NULL means raw_text is the answer."),
        _optional("reasoning_source", "text", "Field or tag the reasoning came from."),
        _optional("think_state", "text", "How thinking ended."),
        _optional("cut", "text", "What cut the answer short, if anything."),
        _optional("finish_reason", "text", "As the server said."),
        _optional("stop_reason", "text", "As the server said."),
        _optional("prompt_digest", "text", "sha256 of the rendered prompt or messages."),
        _optional("prompt_ids_digest", "text", "sha256 of the prompt's token ids: proves exactly one chat template."),
        _optional("token_ids_digest", "text", "sha256 of the answer's token ids."),
        _optional("prompt_tokens", "int", "As the server counted.", "tokens"),
        _optional("completion_tokens", "int", "As the server counted, thinking included.", "tokens"),
        _optional("reasoning_tokens", "int", "Our count up to the close tag.", "tokens"),
        _optional("reasoning_tokens_server", "int", "The server's count.", "tokens"),
        _optional("max_tokens_sent", "int", "As sent.", "tokens"),
        _optional("max_tokens_effective", "int", "What was left in the window.", "tokens"),
        _optional("temperature", "float", "Sampling temperature."),
        _optional("top_p", "float", "Nucleus."),
        _optional("top_k", "int", "Top k."),
        _optional("min_p", "float", "Min p."),
        _optional("max_tokens", "int", "Limit of the protocol.", "tokens"),
        _optional("stop", "text_list", "Stop strings of the protocol."),
        _optional("stop_acts", "text", "server or answer: where the stop strings act."),
        _optional("seed", "int", "Run seed + sample index."),
        _column("protocol", "text", "Named prompt protocol: official, corrected, card, direct, cot, recorded."),
        _optional("templating_mode", "text", "chat or completions."),
        _optional("thinking", "bool", "Thinking asked for."),
        _optional("effort", "text", "Reasoning effort as sent."),
        _optional("thinking_budget", "int", "Thinking budget as sent.", "tokens"),
        _optional("chat_template_sha", "text", "sha256 of the chat template."),
        _optional("model_revision", "text", "Commit of the weights."),
        _optional("weights_digest", "text", "Digest of a local checkpoint."),
        _optional("parent_model", "text", "Model a local checkpoint was trained from."),
        _optional("training_step", "int", "Step of a local checkpoint."),
        _optional("quantization", "text", "Quantization."),
        _optional("dtype", "text", "Compute type."),
        _optional("engine", "text", "vllm, endpoint, replay, recorded."),
        _optional("engine_version", "text", "Version and fingerprint as reported."),
        _optional("image_digest", "text", "Container image of the engine."),
        _optional("gpu", "text", "GPU kind."),
        _optional("attempts", "int", "Requests it took."),
        _optional("tokens_discarded", "int", "Tokens of attempts that broke off.", "tokens"),
        _optional("resumed_at", "int", "Token at which a greedy prefix was continued.", "tokens"),
        _optional("latency_seconds", "float", "Wall time of the request.", "seconds"),
        _optional("created_at", "timestamp", "When the answer arrived, UTC."),
    ),
)

PROGRAMS = Table(
    "programs",
    "One row per distinct extracted program.",
    ("benchmark",),
    ("benchmark", "program_id"),
    (
        _BENCHMARK,
        _column("program_id", "digest", "First 16 bytes of sha256 of the program text (UTF-8)."),
        _column("program", "text", "The program as executed."),
    ),
)


def _verdict_columns() -> tuple[Column, ...]:
    columns: list[Column] = []
    for kind in VERDICT_KINDS:
        for part in PARTS:
            columns += [
                _optional(
                    f"{kind}_{part}_verdict", "text", f"{kind} verdict on the {part} tests alone; NULL: not judged."
                ),
                _optional(f"{kind}_{part}_reason", "text", "Why, in the words of REASONS."),
                _optional(
                    f"{kind}_{part}_first_failing_case", "int", "0-based; NULL when every case passed or none ran."
                ),
                _optional(f"{kind}_{part}_num_run", "int", "Cases run."),
                _optional(f"{kind}_{part}_num_passed", "int", "Cases passed."),
            ]
    return tuple(columns)


RESULTS = Table(
    "results",
    "One row per sample and grader; only columns that a second run reproduces byte for byte.",
    ("benchmark", "model"),
    ("sample_id", "grader_id"),
    (
        _BENCHMARK,
        _MODEL,
        _SCENARIO,
        _TASK_ID,
        _SAMPLE_INDEX,
        _SAMPLE_ID,
        _optional("request_digest", "text", "As in samples: counting verdicts per request needs no join of all rows."),
        _optional("comparability_digest", "text", "As in samples."),
        _optional("dataset_version", "text", "As in samples."),
        _column(
            "grader_id",
            "text",
            "Digest of judge, oracle, limits, interpreter, container; or published:<repo>@<commit>.",
        ),
        _optional("task_digest", "text", "Task as judged."),
        _optional(
            "program_id", "digest", "Program of the official extraction; NULL for a published verdict without its text."
        ),
        _optional("corrected_program_id", "digest", "Program of the corrected extraction."),
        *_verdict_columns(),
        _column("origin", "text", "self: we ran it; published: somebody else's verdict."),
        _column("trust_tier", "text", "values, suite or published."),
        _SOURCE,
        _optional("licence", "text", "Licence of a published verdict's source."),
        _optional("sandbox_mode", "text", "Outer layer that was active."),
        _optional("sandbox_layers", "text_list", "Every layer that was active."),
        _column("is_unsafe", "bool", "Graded with --unsafe: refused by the marts."),
        _optional(
            "limit_factor",
            "float",
            "Time limits of this grader over the official ones; scores are made of 1.0 only, NULL: not known.",
        ),
        _SHARD,
    ),
)

TIMINGS = Table(
    "timings",
    "One row per sample and grader: what a second run does not reproduce.",
    ("benchmark", "model"),
    ("sample_id", "grader_id"),
    (
        _BENCHMARK,
        _MODEL,
        _SAMPLE_ID,
        _column("grader_id", "text", "Grader of the result this belongs to."),
        _optional("cpu_seconds", "float", "CPU time of the child.", "seconds"),
        _optional("wall_seconds", "float", "From fork to last answer.", "seconds"),
        _optional("peak_memory_bytes", "int", "Largest resident set of the child.", "bytes"),
        _optional("case_seconds", "float_list", "Wall time per case, base then plus.", "seconds"),
        _optional(
            "base_limit_share",
            "float",
            "Program of the official extraction: the largest share of its official limit that a base case took.",
        ),
        _optional("plus_limit_share", "float", "The same over the extra cases."),
        _optional(
            "corrected_base_limit_share",
            "float",
            "As base_limit_share, of the corrected extraction's program; NULL where it is the same program.",
        ),
        _optional("corrected_plus_limit_share", "float", "The same over the extra cases."),
        _optional("host", "text", "Node."),
        _optional("attempt", "int", "1 unless the sandbox had to be restarted."),
        _optional("is_reused", "bool", "Verdict looked up: an equal program was graded before."),
        _SHARD,
    ),
)

PROBLEM_MEANS = Table(
    "problem_means",
    "One row per problem, model, scenario, protocol and source: a mean that others recorded, its samples not known.",
    ("benchmark", "model"),
    ("benchmark", "dataset_version", "scenario", "model", "protocol", "source", "task_id"),
    (
        _BENCHMARK,
        _column("dataset_version", "text", "Version of the problem file, e.g. release_v4."),
        _SCENARIO,
        _MODEL,
        _column("protocol", "text", "Named prompt protocol: direct or cot."),
        _column("metric", "text", "What the mean is a mean of, as the source names it, e.g. pass@1."),
        _TASK_ID,
        _column("source_problem", "text", "The source's id of the problem; several tasks may be made from one."),
        _column("mean", "float", "Mean over the samples of this problem, from 0 to 1."),
        _column("stated_percent", "text", "The mean in percent, with the digits of the source."),
        _optional("num_samples", "int", "Samples behind the mean; NULL where the source does not say."),
        _optional("stratum", "text", "Difficulty, as the source names it."),
        _optional("cluster", "text", "Contest, as tasks name it; NULL where the source does not say."),
        _optional("contest_date", "date", "Day the problem became public; NULL where the source does not say."),
        _optional("recorded_date", "date", "Day that the source states beside the mean; windows go by contest_date."),
        _column("source", "text", "repository@commit the record was taken from, else the file's own digest."),
        _optional("licence", "text", "Licence of the source."),
        _SHARD,
    ),
)

RUNS = Table(
    "runs",
    "One row per attempt of a shard, append-only.",
    (),
    ("run_id",),
    (
        _column("run_id", "text", "Shard, stage and attempt."),
        _column("shard_id", "text", "Shard."),
        _column("stage", "text", "generate, score or import."),
        _optional("benchmark", "text", "Benchmark of the shard."),
        _optional("model", "text", "Model of the shard."),
        _optional("scenario", "text", "Scenario of the shard."),
        _optional("request_digest", "text", "Request of the shard (keys.request_digest)."),
        _optional("num_planned", "int", "n of that request when the shard was planned: known before any sample is."),
        _column("attempt", "int", "1-based attempt of this shard and stage."),
        _optional("job_id", "text", "SLURM job, array task and restart."),
        _optional("node", "text", "Node."),
        _optional("gpu", "text", "GPU kind."),
        _optional("num_gpus", "int", "GPUs held."),
        _optional("gpu_seconds", "float", "Monotonic, times num_gpus.", "seconds"),
        _optional("wall_seconds", "float", "Monotonic.", "seconds"),
        _optional("num_restarts", "int", "Engine or sandbox restarts."),
        _optional("num_rows", "int", "Rows written by this attempt."),
        _optional("image_digest", "text", "Container image."),
        _optional("engine", "text", "Engine."),
        _optional("engine_version", "text", "Engine version."),
        _optional("engine_flags", "text", "Engine flags as JSON."),
        _column("cause", "text", "How the attempt ended."),
        _optional("detail", "text", "One sentence on the cause."),
        _column("started_at", "timestamp", "UTC."),
        _column("ended_at", "timestamp", "UTC."),
    ),
)

REGRADES = Table(
    "regrades",
    "One row per regrading, program, oracle, part of the tests and outcome: how often it came out so.",
    ("benchmark", "model"),
    ("regrade_id", "task_id", "program_id", "oracle", "part", "verdict", "reason"),
    (
        _BENCHMARK,
        _MODEL,
        _SCENARIO,
        _TASK_ID,
        _column("task_digest", "text", "Task as judged."),
        _column("program_id", "digest", "Program that was run."),
        _column("grader_id", "text", "Who judged, as in results."),
        _column("regrade_id", "text", "One run of score --regrade on one shard."),
        _column("oracle", "text", "Oracle by name."),
        _column("is_official_oracle", "bool", "It gives the official verdict."),
        _column("is_strict_oracle", "bool", "It gives the strict verdict."),
        _column("part", "text", "base or plus."),
        _column("verdict", "text", "pass, fail, timeout or error."),
        _column("reason", "text", "Why, in the words of REASONS."),
        _column("num_gradings", "int", "Gradings of this regrading that came out so."),
        _column("limit_factor", "float", "Time limits over the official ones."),
        _column("is_unsafe", "bool", "Graded with --unsafe."),
        _SHARD,
    ),
)

TABLES: Mapping[str, Table] = {
    table.name: table for table in (TASKS, SAMPLES, PROGRAMS, RESULTS, TIMINGS, RUNS, PROBLEM_MEANS, REGRADES)
}

VOCABULARIES: Mapping[str, tuple[str, ...]] = {
    "kind": KINDS,
    "origin": ORIGINS,
    "trust_tier": TRUST_TIERS,
    "sandbox_mode": SANDBOX_MODES,
    "cause": CAUSES,
    "stage": STAGES,
    "think_state": THINK_STATES,
    "reasoning_source": REASONING_SOURCES,
    "cut": CUTS,
    "text_form": TEXT_FORMS,
    "templating_mode": TEMPLATING_MODES,
    "part": PARTS,
    "verdict": VERDICTS,
    "reason": REASONS,
    **{f"{kind}_{part}_verdict": VERDICTS for kind in VERDICT_KINDS for part in PARTS},
    **{f"{kind}_{part}_reason": REASONS for kind in VERDICT_KINDS for part in PARTS},
}
"""Column name -> the only values it may hold (NULL apart)."""
