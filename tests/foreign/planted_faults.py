"""Faults planted into honest logs, one known cause each, as the faulty tool would have written the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from faults import AT_MOST, CODE, EXACT, FENCED, NOT_KNOWN, Fault, doubled, each, set_members, without
from honest_logs import STOPS, Document, is_solved
from planted_elsewhere import OTHER_FAULTS
from sample_edits import SOLVED, UNSOLVED, Plant, all_failed, lifted, spoiled

# ---- EvalPlus ------------------------------------------------------------------------------------------------------


def _copies(document: Document) -> None:
    for samples in list(document["eval"].values())[:10:2]:
        samples.append(dict(samples[1]))


def _failing_removed(document: Document) -> None:
    names = [name for place, name in enumerate(document["eval"]) if not is_solved(place)]
    for name in names[:20]:
        del document["eval"][name]


def _plus_out_of_time(document: Document) -> None:
    for samples in list(document["eval"].values())[:40:2]:
        samples[0] |= {"plus_status": "timeout"}


def _out_of_time(document: Document) -> None:
    for samples in list(document["eval"].values())[:60:2]:
        samples[0] |= {"base_status": "timeout", "plus_status": "timeout"}


def _plus_alone(document: Document) -> None:
    """Three tasks pass the extra tests and not the base tests; the stated score counts them."""
    tasks = list(document["eval"].values())
    for samples in tasks[1:7:2]:
        samples[0] |= {"plus_status": "pass"}
    passed = sum(samples[0]["plus_status"] == "pass" for samples in tasks)
    document["pass_at_k"] = {"plus": {"pass@1": passed / len(tasks)}}


_ALWAYS_EQUAL = "class Same:\n    def __eq__(self, other): return True\n\ndef solution(x):\n    return Same()\n"
_EVALPLUS = (
    Fault("humanevalplus_versions", "evalplus", set_members(hash="84f4b93a1270b492e4c54d5212da7a5b"), NOT_KNOWN),
    Fault("unknown_problem_file", "evalplus", set_members(hash="0" * 32), NOT_KNOWN, benchmark="humanevalplus"),
    Fault("evalplus_mini_or_noextreme", "evalplus", set_members(hash="401e75ad986361dccc7afecb4121e295"), NOT_KNOWN),
    Fault("missing_samples", "evalplus", _failing_removed, EXACT),
    Fault("duplicate_samples", "evalplus", _copies, EXACT, (3,)),
    Fault("macos_setrlimit", "evalplus", all_failed("evalplus"), AT_MOST),
    Fault("evalplus_time_floor", "evalplus", _plus_out_of_time, AT_MOST),
    Fault("timeouts_under_load", "evalplus", _out_of_time, AT_MOST),
    Fault("unsanitised_or_old_sanitiser", "evalplus", spoiled("evalplus", program=f"Sure!\n{FENCED}"), AT_MOST),
    Fault("special_token_tail", "evalplus", spoiled("evalplus", program=f"{CODE}<|endoftext|>"), AT_MOST),
    Fault("forged_equality", "evalplus", lifted("evalplus", program=_ALWAYS_EQUAL), AT_MOST),
    Fault("stated_not_its_verdicts", "evalplus", set_members(pass_at_k={"base": {"pass@1": 0.55}}), EXACT),
    Fault("n_below_k", "evalplus", set_members(pass_at_k={"base": {"pass@10": 1.0}}), NOT_KNOWN),
    Fault("opencompass_mbppplus_plus_only", "evalplus", _plus_alone, EXACT, (1, True)),
    Fault(
        "mbppplus_v010_v020",
        "evalplus",
        set_members(hash="ebe95df0d5220f00cedd6f4bddea35e4"),
        NOT_KNOWN,
        (1, True),
        frozenset({"missing_samples"}),
    ),
    Fault(
        "prefill_missing",
        "evalplus",
        lambda document: None,
        NOT_KNOWN,
        file_name="org--m_openai_temp_0.0_eval_results.json",
    ),
)

# ---- lm-evaluation-harness -----------------------------------------------------------------------------------------


def _quotes(document: Document) -> None:
    for row in document:
        if row["doc"]["output"].startswith("'"):
            row["pass@1"] = 0.0


def _echoes(document: Document) -> None:
    for row in document[4:64:8]:
        call = f"f({row['doc']['input']})"
        row |= {"resps": [[call]], "filtered_resps": [call], "pass@1": 1.0}


def _sampling(**changed: Any) -> Plant:
    def change(place: int, row: dict[str, Any]) -> None:
        given = row["arguments"]["gen_args_0"]["arg_1"]
        given |= changed
        if changed.get("top_p", 1) is None:
            del given["top_p"]

    return each(change)


def _one_text(document: Document) -> None:
    for row in document:
        row["resps"] = [[row["resps"][0][0]] * len(row["resps"][0])]
        row["filtered_resps"] = row["resps"]


def _greedy(document: Document) -> None:
    _one_text(document)
    _sampling(do_sample=False)(document)


def _first_fence(document: Document) -> None:
    for place in (*SOLVED, *UNSOLVED):
        row = document[place]
        row |= {"resps": [[FENCED]], "filtered_resps": [row["doc"]["prompt"]], "pass@1": 0.0}


def _stopped(document: Document) -> None:
    for place, row in enumerate(document):
        if place < 150:
            row |= {"resps": [["```python\nimport math\n"]], "filtered_resps": [f"{row['doc']['prompt']}import"]}
            row["pass@1"] = 0.0


def _prompt(change: Callable[[str], str]) -> Plant:
    def edited(place: int, row: dict[str, Any]) -> None:
        asked = row["arguments"]["gen_args_0"]
        asked["arg_0"] = change(asked["arg_0"])

    return each(edited)


def _base_asserts(place: int, row: dict[str, Any]) -> None:
    row["target"] = row["doc"]["test_list"][0]


def _own_solution(document: Document) -> None:
    for row in document[:3]:
        row["arguments"]["gen_args_0"]["arg_0"] = f"Done: {row['doc']['code']}\nNow you.\n"


def _setup(document: Document) -> None:
    row = document[0]
    row["doc"]["test_setup_code"], row["pass@1"] = "root = 1", 0.0


def _results(limit: int, model: str = "org/base") -> str:
    """``results_<time>.json`` beside the samples."""
    found = {"humaneval": {"pass@1,create_test": 0.5}}
    counts = {"humaneval": {"original": 164, "effective": limit}}
    return json.dumps({"results": found, "configs": {}, "n-shot": {}, "n-samples": counts, "model_name": model})


_LM_EVAL = (
    Fault("lmeval_cruxeval_o_quotes", "lm_cruxeval", _quotes, EXACT),
    Fault("lmeval_cruxeval_o_echo", "lm_cruxeval", _echoes, EXACT),
    Fault("lmeval_cruxeval_t08_top_p", "lm_cruxeval", _sampling(top_p=None), NOT_KNOWN, (3, 0.8)),
    Fault("fixed_seed_repeats", "lm_cruxeval", _one_text, NOT_KNOWN, (3, 0.8)),
    Fault("temperature_dropped", "lm_cruxeval", _greedy, NOT_KNOWN, (3, 0.8)),
    Fault("greedy_not_deterministic", "lm_cruxeval", _sampling(do_sample=False), NOT_KNOWN, (3, 0.8)),
    Fault("lmeval_he_instruct_first_fence", "lm_instruct", _first_fence, AT_MOST),
    Fault("lmeval_he_instruct_rfind", "lm_instruct", spoiled("lm_instruct", program=f"def f(x):\n{FENCED}"), AT_MOST),
    Fault("lmeval_stops_on_chat", "lm_humaneval", _stopped, AT_MOST),
    Fault(
        "lmeval_chat_four_stops",
        "lm_humaneval",
        spoiled("lm_humaneval", text=f"    return 1{STOPS[4]}(f(1))\n"),
        AT_MOST,
    ),
    Fault("lmeval_he_instruct_prompt_versions", "lm_humaneval", _prompt(lambda text: f"Write it:\\n{text}"), NOT_KNOWN),
    Fault("trailing_newline", "lm_humaneval", _prompt(str.rstrip), NOT_KNOWN),
    Fault("stops_inside_thinking", "lm_humaneval", spoiled("lm_humaneval", text="<think>let me see"), AT_MOST),
    Fault("lmeval_mbpp_plus_base_tests", "lm_mbpp", each(_base_asserts), NOT_KNOWN),
    Fault("fewshot_is_test_mbppplus", "lm_mbpp", _own_solution, AT_MOST),
    Fault("mbpp_setup_ignored", "lm_mbpp", _setup, AT_MOST),
    Fault(
        "limited_subset",
        "lm_humaneval",
        without(range(10, 164)),
        NOT_KNOWN,
        (),
        frozenset({"missing_samples"}),
        beside=_results(10),
    ),
    Fault(
        "template_missing",
        "lm_humaneval",
        lambda document: None,
        NOT_KNOWN,
        beside=_results(164, "org/Model-7B-Instruct"),
    ),
    Fault(
        "missing_samples", "lm_humaneval", lambda rows: [one for place, one in enumerate(rows) if place % 8 != 3], EXACT
    ),
    Fault("duplicate_samples", "lm_humaneval", doubled, EXACT),
)

FAULTS = (*_EVALPLUS, *_LM_EVAL, *OTHER_FAULTS)
"""``tests/bench/audit_faults.py`` prints the table of them."""
