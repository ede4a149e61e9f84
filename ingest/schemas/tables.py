"""Every table of a lake, column by column."""

from __future__ import annotations

from collections.abc import Mapping

from .columns import Column, Table, column, optional
from .words import PARTS, VERDICT_KINDS

_BENCHMARK = column("benchmark", "text", "Benchmark key, one file in ingest/benchmarks.")
_MODEL = column("model", "text", "Model key <org>__<name>.")
_SCENARIO = column("scenario", "text", "What is asked of the model, e.g. cruxeval_i or default.")
_TASK_ID = column("task_id", "text", "The benchmark's own name of the problem.")
_SAMPLE_INDEX = column("sample_index", "int", "0-based number of the sample of this task under this request.")
_SAMPLE_ID = column(
    "sample_id", "digest", "16 bytes: benchmark, scenario, task, request digest, sample index (keys.sample_id)."
)
_SOURCE = optional("source", "text", "repository@commit the record was taken from; NULL where we made it.")
_SHARD = column("shard_id", "text", "Shard that wrote this row.")

TASKS = Table(
    "tasks",
    "One row per task of a staged or recorded dataset version.",
    ("benchmark",),
    ("benchmark", "dataset_version", "scenario", "task_id"),
    (
        _BENCHMARK,
        column("dataset_version", "text", "Version of the problem file, e.g. v0.1.10 or release_v6."),
        optional("dataset_digest", "text", "sha256 of the staged artifact; NULL where only verdicts were recorded."),
        _SCENARIO,
        _TASK_ID,
        optional(
            "task_digest", "text", "Everything a verdict depends on: inputs, expected values, tolerances, limits."
        ),
        column("kind", "text", "How the task is executed and compared."),
        column("test_sets", "text_list", "Test sets whose score counts this task."),
        optional("num_base_cases", "int", "Base test cases."),
        optional("num_plus_cases", "int", "Extra test cases."),
        column("source_problem", "text", "Problem this task was made from; the cluster of overall scores."),
        optional("stratum", "text", "Difficulty or other stratum declared by the benchmark."),
        optional("cluster", "text", "Contest or other cluster declared by the benchmark."),
        optional("contest_date", "date", "Day the problem became public."),
        optional("licence", "text", "Licence of the problem; NULL where the benchmark has one for all."),
        optional(
            "pinned_cells",
            "text",
            "Number of problems by scenario and test set of a release that seeds/benchmarks.csv does not pin.",
        ),
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
        column("request_digest", "text", "The request without n, seeds, shard and index (keys.request_digest)."),
        column(
            "comparability_digest",
            "text",
            "Two models are compared only where it is equal (keys.comparability_digest).",
        ),
        column("dataset_version", "text", "Version of the problem file asked from."),
        optional("dataset_digest", "text", "sha256 of that problem file."),
        _SOURCE,
        _SHARD,
        column("num_planned", "int", "Samples planned per task under this request: the n of pass@k."),
        optional(
            "text_form", "text", "raw: a model's reply; completion: continues the prompt; program: runs as it is."
        ),
        optional(
            "raw_text",
            "text",
            "Text as received, tags included; never altered. NULL where only a verdict was recorded.",
        ),
        optional(
            "text_encoding",
            "text",
            "json: raw_text, reasoning and answer are JSON strings (lone surrogates); NULL: plain.",
        ),
        optional("reasoning", "text", "Thinking, as sent apart or split by the strip rule; derivable again."),
        optional(
            "answer",
            "text",
            "Text after thinking, up to the first stop string; derivable again. NULL means raw_text is the answer.",
        ),
        optional("reasoning_source", "text", "Field or tag the reasoning came from."),
        optional("think_state", "text", "How thinking ended."),
        optional("strip_rule", "text", "Rule that splits raw_text (thinking.STRIP_RULES); NULL: none."),
        optional("prompt_opens_thinking", "bool", "The prompt ends inside an open tag; NULL: not known."),
        optional("num_close_tags", "int", "Tags that end thinking among the answer's token ids; NULL: not known."),
        optional("answer_flags", "text_list", "What is odd about the answer, in the words of ANSWER_FLAGS."),
        optional("cut", "text", "What cut the answer short, if anything."),
        optional("finish_reason", "text", "As the server said."),
        optional("stop_reason", "text", "As the server said; the stop string where the client applied it."),
        optional("prompt_digest", "text", "sha256 of the rendered prompt or messages."),
        optional("prompt_ids_digest", "text", "sha256 of the prompt's token ids: proves exactly one chat template."),
        optional("token_ids_digest", "text", "sha256 of the answer's token ids."),
        optional("prompt_tokens", "int", "As the server counted.", "tokens"),
        optional("completion_tokens", "int", "As the server counted, thinking included.", "tokens"),
        optional("reasoning_tokens", "int", "Our count up to the close tag.", "tokens"),
        optional("reasoning_tokens_server", "int", "The server's count.", "tokens"),
        optional("max_tokens_sent", "int", "As sent.", "tokens"),
        optional("max_tokens_effective", "int", "What was left in the window.", "tokens"),
        optional("temperature", "float", "Sampling temperature."),
        optional("top_p", "float", "Nucleus."),
        optional("top_k", "int", "Top k."),
        optional("min_p", "float", "Min p."),
        optional("presence_penalty", "float", "Presence penalty."),
        optional("frequency_penalty", "float", "Frequency penalty."),
        optional("repetition_penalty", "float", "Repetition penalty."),
        optional("max_tokens", "int", "Limit of the protocol.", "tokens"),
        optional("stop", "text_list", "Stop strings of the protocol."),
        optional("stop_acts", "text", "server or answer: where the stop strings act."),
        optional("seed", "int", "Run seed + sample index."),
        column("protocol", "text", "Named prompt protocol: official, corrected, card, direct, cot, recorded."),
        optional("templating_mode", "text", "chat or completions."),
        optional("thinking", "bool", "Thinking asked for."),
        optional("effort", "text", "Reasoning effort as sent."),
        optional("thinking_budget", "int", "Thinking budget as sent.", "tokens"),
        optional("thinking_budget_end", "text", "What the engine writes where the budget ends."),
        optional("chat_template_sha", "text", "sha256 of the chat template."),
        optional("model_revision", "text", "Commit of the weights."),
        optional("weights_digest", "text", "Digest of a local checkpoint."),
        optional("parent_model", "text", "Model a local checkpoint was trained from."),
        optional("training_step", "int", "Step of a local checkpoint."),
        optional("quantization", "text", "Quantization."),
        optional("dtype", "text", "Compute type."),
        optional("engine", "text", "vllm, endpoint, replay, recorded."),
        optional("engine_version", "text", "Version and fingerprint as reported."),
        optional("image_digest", "text", "Container image of the engine."),
        optional("gpu", "text", "GPU kind."),
        optional("attempts", "int", "Requests it took."),
        optional("tokens_discarded", "int", "Tokens of attempts that broke off.", "tokens"),
        optional("resumed_at", "int", "Token at which a greedy prefix was continued.", "tokens"),
        optional("latency_seconds", "float", "Wall time of the request.", "seconds"),
        optional("first_token_seconds", "float", "Until the first token; NULL: not streamed.", "seconds"),
        optional("longest_gap_seconds", "float", "Between two tokens; NULL: not streamed.", "seconds"),
        optional("cost", "float", "Price of its tokens, in the money of the model's row; NULL: no price."),
        optional("created_at", "timestamp", "When the answer arrived, UTC."),
    ),
)

PROGRAMS = Table(
    "programs",
    "One row per distinct extracted program.",
    ("benchmark",),
    ("benchmark", "program_id"),
    (
        _BENCHMARK,
        column("program_id", "digest", "First 16 bytes of sha256 of the program text (UTF-8)."),
        column("program", "text", "The program as executed."),
    ),
)


def _verdict_columns() -> tuple[Column, ...]:
    columns: list[Column] = []
    for kind in VERDICT_KINDS:
        for part in PARTS:
            columns += [
                optional(
                    f"{kind}_{part}_verdict", "text", f"{kind} verdict on the {part} tests alone; NULL: not judged."
                ),
                optional(f"{kind}_{part}_reason", "text", "Why, in the words of REASONS."),
                optional(
                    f"{kind}_{part}_first_failing_case", "int", "0-based; NULL when every case passed or none ran."
                ),
                optional(f"{kind}_{part}_num_run", "int", "Cases run."),
                optional(f"{kind}_{part}_num_passed", "int", "Cases passed."),
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
        optional("request_digest", "text", "As in samples: counting verdicts per request needs no join of all rows."),
        optional("comparability_digest", "text", "As in samples."),
        optional("dataset_version", "text", "As in samples."),
        column(
            "grader_id",
            "text",
            "Digest of judge, oracle, limits, interpreter, container; or published:<repo>@<commit>.",
        ),
        optional("task_digest", "text", "Task as judged."),
        optional(
            "program_id", "digest", "Program of the official extraction; NULL for a published verdict without its text."
        ),
        optional("corrected_program_id", "digest", "Program of the corrected extraction."),
        *_verdict_columns(),
        column("origin", "text", "self: we ran it; published: somebody else's verdict."),
        column("trust_tier", "text", "values, suite or published."),
        _SOURCE,
        optional("licence", "text", "Licence of a published verdict's source."),
        optional("sandbox_mode", "text", "Outer layer that was active."),
        optional("sandbox_layers", "text_list", "Every layer that was active."),
        column("is_unsafe", "bool", "Graded with --unsafe: refused by the marts."),
        optional(
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
        column("grader_id", "text", "Grader of the result this belongs to."),
        optional("cpu_seconds", "float", "CPU time of the child.", "seconds"),
        optional("wall_seconds", "float", "From fork to last answer.", "seconds"),
        optional("peak_memory_bytes", "int", "Largest resident set of the child.", "bytes"),
        optional("case_seconds", "float_list", "Wall time per case, base then plus.", "seconds"),
        optional(
            "base_limit_share",
            "float",
            "Program of the official extraction: the largest share of its official limit that a base case took.",
        ),
        optional("plus_limit_share", "float", "The same over the extra cases."),
        optional(
            "corrected_base_limit_share",
            "float",
            "As base_limit_share, of the corrected extraction's program; NULL where it is the same program.",
        ),
        optional("corrected_plus_limit_share", "float", "The same over the extra cases."),
        optional("host", "text", "Node."),
        optional("attempt", "int", "1 unless the sandbox had to be restarted."),
        optional("is_reused", "bool", "Verdict looked up: an equal program was graded before."),
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
        column("dataset_version", "text", "Version of the problem file, e.g. release_v4."),
        _SCENARIO,
        _MODEL,
        column("protocol", "text", "Named prompt protocol: direct or cot."),
        column("metric", "text", "What the mean is a mean of, as the source names it, e.g. pass@1."),
        _TASK_ID,
        column("source_problem", "text", "The source's id of the problem; several tasks may be made from one."),
        column("mean", "float", "Mean over the samples of this problem, from 0 to 1."),
        column("stated_percent", "text", "The mean in percent, with the digits of the source."),
        optional("num_samples", "int", "Samples behind the mean; NULL where the source does not say."),
        optional("stratum", "text", "Difficulty, as the source names it."),
        optional("cluster", "text", "Contest, as tasks name it; NULL where the source does not say."),
        optional("contest_date", "date", "Day the problem became public; NULL where the source does not say."),
        optional("recorded_date", "date", "Day that the source states beside the mean; windows go by contest_date."),
        column("source", "text", "repository@commit the record was taken from, else the file's own digest."),
        optional("licence", "text", "Licence of the source."),
        _SHARD,
    ),
)

RUNS = Table(
    "runs",
    "One row per attempt of a shard, append-only.",
    (),
    ("run_id",),
    (
        column("run_id", "text", "Shard, stage and attempt."),
        column("shard_id", "text", "Shard."),
        column("stage", "text", "generate, score or import."),
        optional("benchmark", "text", "Benchmark of the shard."),
        optional("model", "text", "Model of the shard."),
        optional("scenario", "text", "Scenario of the shard."),
        optional("request_digest", "text", "Request of the shard (keys.request_digest)."),
        optional("num_planned", "int", "n of that request when the shard was planned: known before any sample is."),
        column("attempt", "int", "1-based attempt of this shard and stage."),
        optional("job_id", "text", "SLURM job, array task and restart."),
        optional("node", "text", "Node."),
        optional("gpu", "text", "GPU kind."),
        optional("num_gpus", "int", "GPUs held."),
        optional("gpu_seconds", "float", "Monotonic, times num_gpus.", "seconds"),
        optional("wall_seconds", "float", "Monotonic.", "seconds"),
        optional("num_restarts", "int", "Engine or sandbox restarts."),
        optional("num_rows", "int", "Rows written by this attempt."),
        optional("image_digest", "text", "Container image."),
        optional("engine", "text", "Engine."),
        optional("engine_version", "text", "Engine version."),
        optional("engine_flags", "text", "Engine flags as JSON."),
        column("cause", "text", "How the attempt ended."),
        optional("detail", "text", "One sentence on the cause."),
        column("started_at", "timestamp", "UTC."),
        column("ended_at", "timestamp", "UTC."),
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
        column("task_digest", "text", "Task as judged."),
        column("program_id", "digest", "Program that was run."),
        column("grader_id", "text", "Who judged, as in results."),
        column("regrade_id", "text", "One run of score --regrade on one shard."),
        column("oracle", "text", "Oracle by name."),
        column("is_official_oracle", "bool", "It gives the official verdict."),
        column("is_strict_oracle", "bool", "It gives the strict verdict."),
        column("part", "text", "base or plus."),
        column("verdict", "text", "pass, fail, timeout or error."),
        column("reason", "text", "Why, in the words of REASONS."),
        column("num_gradings", "int", "Gradings of this regrading that came out so."),
        column("limit_factor", "float", "Time limits over the official ones."),
        column("is_unsafe", "bool", "Graded with --unsafe."),
        _SHARD,
    ),
)

TABLES: Mapping[str, Table] = {
    table.name: table for table in (TASKS, SAMPLES, PROGRAMS, RESULTS, TIMINGS, RUNS, PROBLEM_MEANS, REGRADES)
}
