"""Closed vocabularies: the only words that a column of a lake may hold."""

from __future__ import annotations

from collections.abc import Mapping

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
"""The order in which they are listed; one that is not here comes after these."""
KINDS = ("calls", "check", "stdin", "expression", "suite")
TEST_SETS = ("base", "plus", "full", "hard", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9")
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
REASONING_FIELDS = REASONING_SOURCES[:4]
"""Fields that servers send thinking in, in the order they are looked at (``details``: ``reasoning_details``)."""
ANSWER_FLAGS = (
    "parser_misroute",
    "server_stop",
    "client_stop",
    "fence_only_in_thinking",
    "close_tag_spelled",
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
DEVIATIONS = ("temperature", "seed", "top_p", "stop", "max_tokens", "thinking", "template")
"""What ``engine.allow`` may name: parameters that a server ignores, and is used all the same."""
TEXT_FORMS = ("raw", "completion", "program")
TEMPLATING_MODES = ("chat", "completions")
VERDICT_KINDS = ("official", "strict", "corrected_extraction")
"""``corrected_extraction`` is the third combination: corrected extraction judged by the official oracle."""
PARTS = ("base", "plus")
"""The two halves of a task's tests; a task without extra tests has only ``base``."""

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
