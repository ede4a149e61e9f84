"""Known causes: each one that a log shows is planted into an honest log and found, and honest logs show none."""

import csv
import datetime
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from benchforge.ingest.formats import Judgement, LogFacts, Record, TaskFacts
from benchforge.ingest.recorded import AUTO, Wanted
from benchforge.runners.ask.audit.detectors import detectors, findings
from benchforge.runners.ask.audit.evidence import Evidence
from benchforge.runners.ask.audit.report import audited

ROOT = Path(__file__).resolve().parent.parent.parent
PASSED, FAILED, TIMEOUT = Judgement("pass", "ok"), Judgement("fail"), Judgement("timeout", "timeout")
CODE = "def f(x):\n    return x + 1\n"
FENCED = f"Here it is:\n```python\n{CODE}```\n"
LM, LCB, EVALPLUS, EVALSCOPE = "lm-evaluation-harness", "LiveCodeBench", "EvalPlus", "evalscope"


def _row(task_id, verdict=FAILED, index=0, text=FENCED, program=CODE, **more):
    judgements = {} if verdict is None else {"base": verdict}
    more.setdefault("notes", {})
    return Record(task_id, index, text, "raw", judgements, program=program, **more)


def _log(tool, *rows, stated=None, dataset=None, **facts):
    return Evidence("any", tool, LogFacts(tool=tool, **facts), tuple(rows), stated or {}, dataset)


def _honest(tool, n=1, **more):
    """Twenty problems, every second one solved; texts of one problem differ."""
    rows = [
        _row(f"t{task}", PASSED if task % 2 else FAILED, index, f"{FENCED}{task} {index}", **more)
        for task in range(20)
        for index in range(n)
    ]
    return _log(tool, *rows)


def _said(words, tool=LCB, program=CODE, **more):
    return _log(tool, _row("t0", notes={"metadata": words}, program=program, **more), _row("t1", PASSED))


_CRUX = [
    _row(
        f"s{i}", FAILED if i < 25 else PASSED, text="'a'" if i < 25 else "1", notes={"doc": {"output": o, "input": "1"}}
    )
    for i, o in enumerate(["'a'"] * 25 + ["1"] * 5)
]
_MBPP = {"test": "x", "test_list": ["assert f(1) == 2"], "code": "def solution():\n    return 'a long text'\n"}
_HE = {"task_id": "HumanEval/0", "prompt": "def f(x):\n", "entry_point": "f"}
_SLOW = replace(_row("t0"), judgements={"base": PASSED, "plus": TIMEOUT})
_DAY = TaskFacts(contest_date=datetime.date(2024, 8, 3))

PLANTED = {
    "lmeval_cruxeval_o_quotes": _log(LM, *_CRUX),
    "lmeval_cruxeval_o_echo": _log(LM, _row("s0", PASSED, text="f(1)", notes={"doc": {"output": "2", "input": "1"}})),
    "lmeval_mbpp_plus_base_tests": _log(LM, _row("Mbpp/2", notes={"doc": _MBPP, "target": "assert f(1) == 2"})),
    "evalscope_bigcodebench_no_unittest": _log(
        EVALSCOPE, _row("BigCodeBench/0", PASSED, notes={"execution": {"status": "success"}})
    ),
    "evalscope_lcb_sandbox_wrapper": _log(EVALSCOPE, _row("t0", notes={"execution": "expected True, got true"})),
    "empty_suite_passes": _log(LCB, _row("0", PASSED, notes={"num_tests": 0})),
    "forged_equality": _log(LCB, _row("t0", PASSED, program="class A:\n    def __eq__(self, other): return True\n")),
    "lcb_stdin_mock_change": _said("TypeError: 'MockStdinWithBuffer' object is not iterable"),
    "lcb_stdin_idioms": _said('{"error_code": -4}', program="import sys\nfor line in sys.stdin:\n    print(line)\n"),
    "lcb_globals_in_wrapper": _said("name 'seen' is not defined", program="def g():\n    global seen\n    seen += 1\n"),
    "lcb_death_as_runner_error": _said('{"error_code": -5, "error": "list index out of range"}'),
    "infrastructure_scored_wrong": _log(EVALSCOPE, _row("t0", notes={"x": "Sandbox is not initialized."})),
    "stderr_without_fileno": _log(LCB, _row("t0", notes={"metadata": "Error during testing: fileno"})),
    "added_memory_limit": _said("Global Timeout or Memory Limit Exceeded", "OpenCompass"),
    "import_preamble": _said("NameError: name 'deque' is not defined", "human-eval"),
    "prompt_context_missing": _said("name 'poly' is not defined", "human-eval", prompt="def poly(x): ...\ndef f(x):"),
    "mbpp_setup_ignored": _log(LM, _row("Mbpp/367", notes={"doc": {"test_setup_code": "root = 1"}})),
    "evalplus_time_floor": _log(EVALPLUS, *(replace(_SLOW, task_id=f"t{i}") for i in range(3))),
    "timeouts_under_load": _log("human-eval", *(_row(f"t{i}", TIMEOUT) for i in range(6))),
    "macos_setrlimit": _log(EVALPLUS, *(_row(f"t{i}") for i in range(50))),
    "multipl_e_shared_tmp": _log("MultiPL-E", *(_row(f"HumanEval_{i}_f") for i in range(170))),
    "bigcodebench_gold_failures_counted": _log(
        "BigCodeBench", notes=("3 problems have no passing gold solution where this was graded, and count: a, b, c",)
    ),
    "lmeval_he_instruct_first_fence": _log(LM, _row("t0", program="def f(x):\n", notes={"doc": _HE})),
    "lmeval_he_instruct_rfind": _log(LM, _row("t0", program="def f(x):\n```python\n" + CODE, notes={"doc": _HE})),
    "first_fence_block": _log("OpenCompass", _row("t0", text=f"```\ndraft\n```\n{FENCED}", program="draft")),
    "last_two_fence_lines": _log(LCB, _row("t0", text=f"{FENCED}then\n```\nan example", program="then we")),
    "unfinished_think_draft_graded": _log(LCB, _row("t0", text=f"<think>maybe {FENCED} or")),
    "unpaired_think_close": _log("NeMo-Skills", _row("t0", text=f"{FENCED}</think>\n```\nx = 1\n```")),
    "opencompass_he_lstrip": _log(
        "OpenCompass", _row("t0", text="return x", program=None, notes={"result": "'return' outside function"})
    ),
    "bc_mbpp_unescaped_stop": _log(
        "bigcode-evaluation-harness", *(_row(f"{i}", None, text=CODE if i % 2 else "if a ") for i in range(100))
    ),
    "special_token_tail": _log("bigcode-evaluation-harness", _row("0", program=CODE + "<|endoftext|>")),
    "unsanitised_or_old_sanitiser": _log(EVALPLUS, _row("t0", program=None)),
    "unclosed_fence_dropped": _log(LCB, _row("t0", text=f"So:\n```python\n{CODE}", program="")),
    "lcb_stop_hashes": _log(
        LCB,
        *(
            _row(f"t{i}", text="First I think.\n" if i < 9 else FENCED, program="" if i < 9 else CODE)
            for i in range(100)
        ),
    ),
    "lmeval_stops_on_chat": _log(LM, _row("t0", text="```python\nimport math\n", notes={"doc": _HE})),
    "lmeval_he_instruct_prompt_versions": _log(LM, _row("t0", prompt="Write it:\\n```python\\n", notes={"doc": {}})),
    "double_bos": _log(LCB, _row("t0", prompt="<|begin_of_text|>Solve it.")),
    "short_token_budget": _log(EVALSCOPE, _row("t0", finish_reason="length"), _row("t1", PASSED)),
    "stops_inside_thinking": _log(LM, _row("t0", text="<think>let me", program="", finish_reason="stop")),
    "null_content": _log(LM, _row("t0", text="", completion_tokens=90)),
    "fewshot_is_test_mbppplus": _log(LM, _row("Mbpp/2", prompt="Done: " + _MBPP["code"], notes={"doc": _MBPP})),
    "n_below_k": _log("CRUXEval", _row("s0"), stated={"pass@5": 100.0}),
    "cruxeval_shrunk_n": _log(
        "CRUXEval", _row("s0", PASSED), _row("s0", Judgement("fail", "empty"), 1), stated={"pass@1": 100.0}
    ),
    "lcb_failed_request_shift": _log(
        LCB, *(_row(f"t{t}", index=i, text="" if t == 1 else FENCED) for t in range(3) for i in (0, 1))
    ),
    "fixed_seed_repeats": _log(
        LM, *(_row(f"t{t}", index=i, text=f"{t}") for t in range(5) for i in (0, 1)), temperature=0.8
    ),
    "temperature_dropped": _log(LM, *(_row(f"t{t}", index=i, text=f"{t}") for t in range(5) for i in (0, 1))),
    "greedy_not_deterministic": _log(LM, _row("t0", text="a"), _row("t0", index=1, text="b"), temperature=0.0),
    "one_sample_under_many": _log("lighteval", _row("t0", notes={"metrics": {"codegen_pass@1:16": 1.0}})),
    "evalscope_repeat_groups": _log(EVALSCOPE, _row("1", prompt="a"), _row("1", index=1, prompt="b")),
    "lmeval_cruxeval_t08_top_p": _log(
        LM, _row("s0", notes={"doc": {"code": "c", "input": "1", "output": "2"}}), temperature=0.8
    ),
    "mbpp_variants": _log("OpenCompass", *(_row(f"Mbpp/{i}", PASSED) for i in range(257))),
    "mbppplus_v010_v020": _log(EVALPLUS, _row("Mbpp/2"), dataset=("mbppplus", "v0.1.0")),
    "humanevalplus_versions": _log(EVALPLUS, _row("HumanEval/0"), dataset=("humanevalplus", "v0.1.9")),
    "lcb_release_or_window": _log(
        LCB, *(_row(f"{i}", PASSED, task_facts=_DAY) for i in range(454)), benchmark="livecodebench"
    ),
    "evalscope_lcb_overlapping_subsets": _log(
        EVALSCOPE, stated={"acc release_v1": 1.0, "acc release_v2": 2.0}, benchmark="livecodebench", num_samples=9000
    ),
    "limited_subset": _log(LM, notes=("humaneval was asked 10 of its 164 problems (--limit or --samples)",)),
    "missing_samples": _log("inspect_ai", _row("t0"), num_samples=790),
    "duplicate_samples": _log(
        "NeMo-Skills", *(_row(f"t{i % 3}", index=i // 3, text=f"{i % 3}") for i in range(6)), temperature=None
    ),
    "opencompass_mbppplus_plus_only": _log(
        "OpenCompass",
        _row("Mbpp/2", PASSED),
        replace(_row("Mbpp/3"), judgements={"base": FAILED, "plus": PASSED}),
        replace(_row("Mbpp/4"), judgements={"base": PASSED, "plus": PASSED}),
        stated={"mbppplus accuracy": 200 / 3},
    ),
    "opencompass_cruxeval_any": _log(
        "OpenCompass", _row("0", PASSED, notes={"num_predictions": 4}), _row("1", notes={"num_predictions": 4})
    ),
    "lcb_errata": _log(LCB, _row("3194"), _row("1", PASSED), benchmark="livecodebench"),
    "lmeval_chat_four_stops": _log(
        LM, _row("t0", text="x\nprint(x)", notes={"until": ["\nclass", "\ndef", "\n#", "\nif", "\nprint"]})
    ),
    "template_missing": _log(LM, _row("t0", prompt="def f(x):"), model="org/Model-7B-Instruct"),
    "prefill_missing": replace(_log(EVALPLUS, _row("t0")), file_name="org--model_openai_temp_0.0_eval_results.json"),
    "trailing_newline": _log(LM, _row("t0", prompt="def f(x):", notes={"doc": _HE})),
    "lcb_prompt_variants": _log(EVALSCOPE, _row("t0", prompt="Solve this."), benchmark="livecodebench"),
    "bc_prompt_over_limit": _log(
        "bigcode-evaluation-harness", _row("0", text=f'def f(x):\n    """{"words " * 300}"""\n', program=None)
    ),
    "lcb_execution_shrunk_n": _log(LCB, _row("s0", PASSED), _row("s0", Judgement("fail", "empty"), 1)),
    "lcb_problem_without_samples": _log(LCB, _row("0", PASSED), _row("1"), num_tasks=4),
    "evalplus_mini_or_noextreme": _log(EVALPLUS, _row("t0"), dataset_hash="401e75ad986361dccc7afecb4121e295"),
    "unknown_problem_file": _log(EVALPLUS, _row("t0"), dataset_hash="0" * 32),
    "ds1000_insertion_subset": _log("bigcode-evaluation-harness", *(_row(f"{i}", None) for i in range(845))),
    "rlimit_inherited": _log("OpenCompass", *(_row(f"t{i}") for i in range(60))),
    "library_versions": _log(
        "BigCodeBench", *(_row(f"t{i}") for i in range(10)), notes=("9 problems have no passing gold solution …",)
    ),
    "bigcodebench_calibration": _log("BigCodeBench", *(_row(f"BigCodeBench/{i}") for i in range(60))),
    "stale_result_file": replace(
        _log(EVALPLUS, _row("t0"), _row("t1")), texts_beside={("t0", 0): CODE, ("t1", 0): FENCED}
    ),
    "window_before_cutoff": replace(
        _log(
            LCB,
            _row("t0", PASSED, task_facts=_DAY),
            _row("t1", task_facts=TaskFacts(contest_date=datetime.date(2025, 1, 4))),
        ),
        cutoff=datetime.date(2024, 9, 1),
    ),
    "rounded_before_compare": _log(
        "CRUXEval", _row("s0", PASSED), *(_row(f"s{i}") for i in (1, 2)), stated={"pass@1": 33.3}
    ),
    "stated_not_its_verdicts": _log(EVALPLUS, _row("t0", PASSED), _row("t1"), stated={"pass@1": 55.5}),
}
"""Cause -> a log in which it is, and nothing else need be."""


@pytest.fixture(scope="module")
def seed():
    with (ROOT / "seeds" / "known_causes.csv").open() as file:
        return {row["cause_id"]: row for row in csv.DictReader(file)}


def test_every_cause_that_a_log_shows_has_a_detector_and_every_detector_a_cause(seed):
    seen = {name for name, row in seed.items() if row["seen_by"] == "log"}
    assert seen == set(detectors()) == set(PLANTED) and len(seen) >= 40
    assert all(row["seen_by"] in ("log", "regrade", "board", "beside_the_log", "not_visible") for row in seed.values())


def test_every_cause_says_where_it_is_known_from(seed):
    for name, row in seed.items():
        assert row["evidence"] and row["mechanism"] and row["applies_to"], name
        own = f"tests/unit/test_known_causes.py::{test_a_planted_fault_is_found_and_named.__name__}[{name}]"
        assert (row["test_name"] == own) == (row["seen_by"] == "log"), name
        assert bool(row["test_name"]) == (row["seen_by"] in ("log", "regrade", "board")), name


def test_documents_count_the_causes_as_the_seed_does(seed):
    number = Counter(row["seen_by"] for row in seed.values())
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    said = f"of {len(seed)} known causes (`seeds/known_causes.csv`) {number['log']} are found in the log itself and"
    assert f"{said} {number['regrade']} by grading again" in readme
    design = " ".join((ROOT / "docs/design/audit.md").read_text("utf-8").split())
    assert f"the log ({number['log']}, each" in design and f"grading again ({number['regrade']})" in design
    assert f"published table ({number['board']}), something beside the log ({number['beside_the_log']}:" in design


@pytest.mark.parametrize("cause_id", PLANTED)
def test_a_planted_fault_is_found_and_named(cause_id, seed):
    found = {finding.cause_id: finding for finding in findings(PLANTED[cause_id])}
    assert cause_id in found and found[cause_id].sentence
    finding = found[cause_id]
    assert set(finding.samples) <= {(one.task_id, one.sample_index) for one in PLANTED[cause_id].records}
    signs = {"up": (0, 1), "down": (0, -1)}
    if finding.effect_points and seed[cause_id]["direction"] in signs:
        assert (finding.effect_points > 0) - (finding.effect_points < 0) in signs[seed[cause_id]["direction"]]


TOOLS = (
    LM,
    LCB,
    EVALPLUS,
    EVALSCOPE,
    "OpenCompass",
    "bigcode-evaluation-harness",
    "human-eval",
    "MultiPL-E",
    "lighteval",
)


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("tool", TOOLS)
def test_an_honest_log_shows_no_cause(tool, n):
    assert list(findings(_honest(tool, n))) == []


@pytest.mark.parametrize("tool", [LM, LCB, EVALPLUS, EVALSCOPE])
def test_a_fault_planted_among_honest_samples_is_worth_what_was_planted(tool):
    """Two of twenty samples cut at the limit: ten points at most, and named with their problems."""
    honest = _honest(tool)
    cut = {"t2", "t8"}
    rows = tuple(replace(one, finish_reason="length") if one.task_id in cut else one for one in honest.records)
    (found,) = findings(replace(honest, records=rows))
    assert (found.cause_id, {task for task, _ in found.samples}) == ("short_token_budget", cut)
    assert found.effect_points == pytest.approx(-10)


def test_recorded_logs_show_what_is_known_of_them_and_no_more(shared_data):
    expected = {
        "cruxeval/mercury-coder-small-beta-input/generations_scored_input.json.gz": {"n_below_k"},
        "simple-evals-ru/humaneval/08_gigachat_lite.jsonl.gz": {"import_preamble", "missing_samples"},
        "simple-evals-ru/humaneval/16_deepseek_v3.jsonl.gz": set(),
        "inspect/docent-intercode-ctf.eval": {"missing_samples"},
        "evalplus/llama3-8b-instruct-base/samples_eval_results.json.gz": set(),
        "evalplus/llama3-70B-instruct-base/samples_eval_results.json.gz": set(),
        "evalplus/llama3-70-bad/samples_eval_results.json.gz": set(),
        "evalplus/qwen2.5-coder-1.5b-dpo/samples_eval_results.json.gz": set(),
        "evalplus/phi-1/phi_1_samples_eval_results.json.gz": set(),
        "bigcodebench/qwen2.5-coder-7b-instruct-full-instruct/sanitized_calibrated_eval_results.json.gz": set(),
        "bigcodebench/checkpoint-400-hard-instruct/sanitized_calibrated_eval_results.json.gz": set(),
        "bigcode/codellama_7b_humaneval_baseline/test_case.json.gz": set(),
        "bigcode/codellama_7b_mbpp_500rl/test_case.json.gz": set(),
        "bigcode/Qwen2.5-Coder-7B_mbpp_baseline/test_case.json.gz": set(),
        "cruxeval/sample-codellama-7b-input/sample_scored_codellama-7b_temp0.2_input.json.gz": set(),
        "human-eval/mxeval-codellama_7b_mbxp_1000rlcpp/samples.jsonl_results.jsonl.gz": set(),
        "livecodebench/qwen2.5-ins-7b/Scenario.codegeneration_1_0.2_eval.json.gz": set(),
        "livecodebench/qwen2.5-ins-7b/Scenario.selfrepair_1_0.2_eval.json.gz": set(),
        "livecodebench/custom-2730/2730_codegeneration_output_eval_all.json": set(),
        "multipl-e/cpp.csv": set(),
        "multipl-e/lua.csv": set(),
        "evalscope/viz-qwen-plus-gsm8k/reviews/qwen-plus/gsm8k_main.jsonl.gz": set(),
        "every-eval-ever/ai2_arc_claude-sonnet-4-0_samples.jsonl": set(),
        "lm-eval/samples_math_perturbed_full_2026-01-21T03-44-18.458309.jsonl.gz": set(),
    }
    for file, causes in expected.items():
        audit = audited(shared_data / "logs" / file, Wanted(AUTO, None), {}, None)
        assert {one.finding.cause_id for one in audit.causes if one.kind == "cause"} == causes, file
    assert sum(not causes for causes in expected.values()) >= 20
