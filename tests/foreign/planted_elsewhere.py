"""Faults planted into honest logs of LiveCodeBench and of the other tools."""

from __future__ import annotations

import datetime
import json

from faults import AT_MOST, CODE, DRAFT, EXACT, FENCE, FENCED, NOT_KNOWN, Fault, doubled, each, set_members, without
from honest_logs import Document, reply
from sample_edits import SOLVED, UNSOLVED, Plant, all_failed, edit, metadata, spoiled

# ---- LiveCodeBench -------------------------------------------------------------------------------------------------


def _headings(document: Document) -> None:
    """The stop ``###`` cut every reply at its first heading: of these nothing is left but a sentence."""
    for place, row in enumerate(document):
        row["output_list"] = [reply(place)]
    edit("livecodebench", document, range(0, 60, 2), passed=False, text="First I think.\n", program="")


def _shifted(document: Document) -> None:
    """One failed request wrote five empty replies in a row of their own."""
    for row in document[8:14]:
        row |= {"output_list": [""] * 5, "code_list": [""] * 5, "graded_list": [False] * 5, "pass@1": 0.0}


def _in_errata(document: Document) -> None:
    for row, name in zip(document[1:7:2], ("3194", "3221", "abc311_c"), strict=True):
        row["question_id"] = name


def _without_errata(document: Document) -> Document:
    return [row for place, row in enumerate(document) if place not in (1, 3, 5)]


def _no_tests(document: Document) -> None:
    for place in range(1, 9, 2):
        document[1][str(place)] = [[]]


def _no_generation(document: Document) -> None:
    for place in range(1, 41, 2):
        document[1][str(place)] = []


_ITERATED = "import sys\nfor line in sys.stdin:\n    print(line)\n"
_GLOBAL = "seen = 0\n\ndef count():\n    global seen\n    seen += 1\n"
_LCB = "livecodebench"
_LIVECODEBENCH = (
    Fault("lcb_stop_hashes", _LCB, _headings, AT_MOST),
    Fault("unclosed_fence_dropped", _LCB, spoiled(_LCB, text=f"### So\n{FENCE}python\n{CODE}", program=""), AT_MOST),
    Fault(
        "last_two_fence_lines",
        _LCB,
        spoiled(_LCB, text=f"### So\n{FENCED}then\n{FENCE}\n1 2", program="then we"),
        AT_MOST,
    ),
    Fault("unfinished_think_draft_graded", _LCB, spoiled(_LCB, text=f"### <think>maybe {FENCED} or"), NOT_KNOWN),
    Fault("first_fence_block", _LCB, spoiled(_LCB, text=f"### So\n{DRAFT}{FENCED}", program="draft = 1"), AT_MOST),
    Fault(
        "lcb_globals_in_wrapper",
        _LCB,
        spoiled(_LCB, program=_GLOBAL, said=metadata(-4, "name 'seen' is not defined")),
        AT_MOST,
    ),
    Fault("lcb_stdin_idioms", _LCB, spoiled(_LCB, program=_ITERATED, said=metadata(-4, "Runtime Error")), AT_MOST),
    Fault(
        "lcb_stdin_mock_change",
        _LCB,
        spoiled(_LCB, program=_ITERATED, said=metadata(-4, "'MockStdinWithBuffer' object is not iterable")),
        AT_MOST,
    ),
    Fault("infrastructure_scored_wrong", _LCB, spoiled(_LCB, said=metadata(-5, "TestRunnerError")), AT_MOST),
    Fault("lcb_death_as_runner_error", _LCB, spoiled(_LCB, said=metadata(-5, "list index out of range")), NOT_KNOWN),
    Fault(
        "stderr_without_fileno",
        _LCB,
        all_failed(_LCB, said="Error during testing: fileno"),
        AT_MOST,
        (),
        frozenset({"rlimit_inherited"}),
    ),
    Fault("rlimit_inherited", _LCB, all_failed(_LCB, said=metadata(-4, "MemoryError")), AT_MOST),
    Fault("import_preamble", _LCB, spoiled(_LCB, said=metadata(-4, "name 'deque' is not defined")), AT_MOST),
    Fault("lcb_release_or_window", _LCB, without(range(380, 400)), NOT_KNOWN),
    Fault("lcb_failed_request_shift", _LCB, _shifted, AT_MOST, (5,)),
    Fault(
        "window_before_cutoff",
        _LCB,
        lambda document: edit(_LCB, document, range(1, 121, 4), passed=True),
        EXACT,
        cutoff=datetime.date(2024, 3, 31),
    ),
    Fault("lcb_errata", _LCB, _in_errata, EXACT, honest=_without_errata),
    Fault("empty_suite_passes", "livecodebench_eval", _no_tests, AT_MOST),
    Fault("lcb_problem_without_samples", "livecodebench_eval", _no_generation, EXACT),
)

# ---- others --------------------------------------------------------------------------------------------------------


def _left_out(document: Document) -> None:
    for place in range(0, 400, 2):
        name = f"sample_{place}"
        document["raw_generations"][name][-1] = "none"
        document["raw_scored_generations"][name].pop()


def _renamed(prefix: str) -> Plant:
    return each(lambda place, row: row["sample_score"]["score"]["metadata"].update(task_id=f"{prefix}{place}"))


def _no_unittest(document: Document) -> None:
    edit("evalscope", document, range(1, 60, 2), passed=True)
    _renamed("BigCodeBench/")(document)
    for row in document:
        row["sample_score"]["score"]["metadata"]["execution_result"] = {"status": "success", "output": ""}


def _mixed_groups(document: Document) -> None:
    for place, row in enumerate(document):
        row["sample_score"]["score"]["metadata"]["task_id"] = f"HumanEval/{place // 2}"


def _any_of_four(document: Document) -> None:
    for row in document["details"].values():
        row["prediction"] = ["1", "2", "3", "4"]


def _counted(document: Document) -> None:
    del document["samples"][100:]


def _cut_at_angles(document: Document) -> None:
    for place, texts in enumerate(document["generations"]):
        texts[0] = "def solution(x):\n    if x " if place % 4 == 0 else CODE
        if place % 4 == 0:
            document["test_case"][str(place)][0][1]["passed"] = False


def _prompt_alone(document: Document) -> None:
    for place in (*SOLVED, *UNSOLVED):
        document["generations"][place] = [f'def solution(x):\n    """{"words " * 300}"""\n']
        document["test_case"][str(place)][0][1]["passed"] = False


def _uncalibrated(document: Document) -> None:
    for samples in document["eval"].values():
        samples[0]["solution"] = samples[0]["solution"].split("pass\n", 1)[1]


def _gold(failing: int) -> str:
    """``…_pass_at_k.json`` beside the results."""
    names = [f"BigCodeBench/{place}" for place in range(failing)]
    return json.dumps(
        {"pass@1": 0.5, "split": "complete", "subset": "hard", "failed_tasks": names, "gt_pass_rate": 1 - failing / 148}
    )


_OTHERS = (
    Fault("cruxeval_shrunk_n", "cruxeval", _left_out, EXACT, (3,)),
    Fault("n_below_k", "cruxeval", set_members(pass_at_5=100.0), NOT_KNOWN),
    Fault("rounded_before_compare", "cruxeval", set_members(pass_at_1=33.3), EXACT, (3,)),
    Fault("short_token_budget", "inspect", spoiled("inspect", said="max_tokens"), AT_MOST),
    Fault("missing_samples", "inspect", _counted, NOT_KNOWN),
    Fault("import_preamble", "human_eval", spoiled("human_eval", said="name 'List' is not defined"), AT_MOST),
    Fault("duplicate_samples", "human_eval", doubled, EXACT),
    Fault(
        "opencompass_he_lstrip",
        "opencompass",
        spoiled("opencompass", program="return 1", said="'return' outside function"),
        AT_MOST,
    ),
    Fault(
        "added_memory_limit",
        "opencompass",
        spoiled("opencompass", said="Global Timeout or Memory Limit Exceeded"),
        AT_MOST,
    ),
    Fault("opencompass_cruxeval_any", "opencompass", _any_of_four, AT_MOST),
    Fault(
        "first_fence_block", "evalscope", spoiled("evalscope", text=f"{DRAFT}{FENCED}", program="draft = 1"), AT_MOST
    ),
    Fault(
        "infrastructure_scored_wrong", "evalscope", spoiled("evalscope", said="Sandbox is not initialized."), AT_MOST
    ),
    Fault("evalscope_lcb_sandbox_wrapper", "evalscope", spoiled("evalscope", said="expected True, got true"), AT_MOST),
    Fault("evalscope_bigcodebench_no_unittest", "evalscope", _no_unittest, AT_MOST),
    Fault("evalscope_repeat_groups", "evalscope", _mixed_groups, AT_MOST),
    Fault(
        "unpaired_think_close",
        "nemo_skills",
        spoiled("nemo_skills", text=f"{DRAFT}</think>\n{FENCED}", program="draft = 1\n"),
        AT_MOST,
    ),
    Fault("null_content", "nemo_skills", spoiled("nemo_skills", text="", program=""), AT_MOST),
    Fault(
        "unclosed_fence_dropped",
        "nemo_skills",
        spoiled("nemo_skills", text=f"So:\n{FENCE}python\n{CODE}", program=""),
        AT_MOST,
    ),
    Fault("bc_mbpp_unescaped_stop", "bigcode", _cut_at_angles, AT_MOST),
    Fault("bc_prompt_over_limit", "bigcode", _prompt_alone, AT_MOST),
    Fault("bigcodebench_calibration", "bigcodebench", _uncalibrated, NOT_KNOWN),
    Fault("bigcodebench_gold_failures_counted", "bigcodebench", lambda document: None, NOT_KNOWN, beside=_gold(3)),
    Fault(
        "library_versions",
        "bigcodebench",
        lambda document: None,
        AT_MOST,
        (),
        frozenset({"bigcodebench_gold_failures_counted"}),
        beside=_gold(90),
    ),
)

OTHER_FAULTS = (*_LIVECODEBENCH, *_OTHERS)
