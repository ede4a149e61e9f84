"""Verdicts of a log beside ours: every sample that differs gets one cause, and the effect is the difference itself."""

from dataclasses import replace

import pytest
from benchforge.ingest.formats import Judgement, LogFacts, Record
from benchforge.runners.ask.audit.detectors import findings
from benchforge.runners.ask.audit.differences import UNEXPLAINED, differences, late
from benchforge.runners.ask.audit.evidence import Evidence
from benchforge.runners.ask.audit.known import known_causes
from benchforge.runners.ask.audit.regrading import Regraded

PASSED, FAILED, TIMEOUT = Judgement("pass", "ok"), Judgement("fail"), Judgement("timeout", "timeout")
NUM_TASKS = 20
CODE = "def f(x):\n    return x + 1\n"


def _log(tool, task_id, verdict, *, text=CODE, notes=None, file_name="log", part="base", format_name="any"):
    """Twenty problems with one sample each; the first is the one in question, of the others every second passes."""
    judgements = {"base": verdict} if part == "base" else {"base": PASSED, part: verdict}
    rows = [Record(task_id, 0, text, "program", judgements, notes=notes or {})]
    rows += [Record(f"t{i}", 0, CODE, "program", {"base": PASSED if i % 2 else FAILED}) for i in range(1, NUM_TASKS)]
    return Evidence(format_name, tool, LogFacts(tool=tool), tuple(rows), file_name=file_name)


def _ours(log, is_pass, *, is_base_pass=None, **more):
    """Official rules agree with the log, but for the first sample."""
    agreed = {(one.task_id, 0): all(part.verdict == "pass" for part in one.judgements.values()) for one in log.records}
    key = (log.records[0].task_id, 0)
    official = {**agreed, key: is_pass}
    base = {**agreed, key: is_pass if is_base_pass is None else is_base_pass}
    return replace(Regraded(official, official, base, base, {}), **more)


def _case(tool, task_id, verdict, is_ours_pass, *, of_log=None, **of_ours):
    log = _log(tool, task_id, verdict, **(of_log or {}))
    return log, _ours(log, is_ours_pass, **of_ours)


_MBPP = {"notes": {"doc": {"test_list": ["assert f(1) == 2"]}}}
_CSHARP = {"text": "class P { static void Main() { Debug.Assert(F(1) == 2); } }", "format_name": "multipl-e-graded"}
CASES = {
    "tampering_sample": _case("CRUXEval", "s0", PASSED, False, reasons={("s0", 0): "tamper"}),
    "forged_equality": _case("CRUXEval", "s0", PASSED, False, reasons={("s0", 0): "not_one_expression"}),
    "python_too_old": _case("CRUXEval", "s0", FAILED, True, codes={"s0": "def f(x): return x.removeprefix('a')"}),
    "evalplus_find_zero": _case("EvalPlus", "HumanEval/32", FAILED, True),
    "evalplus_oracle_version": _case("EvalPlus", "Mbpp/2", FAILED, True),
    "lmeval_mbpp_plus_base_tests": _case(
        "lm-evaluation-harness", "Mbpp/3", PASSED, False, of_log=_MBPP, is_base_pass=True
    ),
    "evalscope_mbpp_plus_base_tests": _case("evalscope", "Mbpp/3", PASSED, False, is_base_pass=True),
    "cruxeval_mode_from_path": _case(
        "CRUXEval", "s0", FAILED, True, of_log={"text": "'a'", "file_name": "my-input-run.json"}
    ),
    "opencompass_mbpp_markers": _case("OpenCompass", "Mbpp/3", FAILED, True, of_log={"text": "DONE = 1\n"}),
    "multipl_e_cs_crash_passes": _case(
        "MultiPL-E",
        "HumanEval_12_longest",
        PASSED,
        False,
        of_log=_CSHARP,
        reasons={("HumanEval_12_longest", 0): "exception"},
    ),
    "evalplus_time_floor": _case("EvalPlus", "HumanEval/3", TIMEOUT, True, of_log={"part": "plus"}),
    "whole_program_3s": _case("human-eval", "HumanEval/3", TIMEOUT, True),
    "timeouts_near_limit": _case("LiveCodeBench", "t0", PASSED, False, reasons={("t0", 0): "timeout"}),
    UNEXPLAINED: _case("LiveCodeBench", "t0", PASSED, False, reasons={("t0", 0): "wrong_answer"}),
}


@pytest.mark.parametrize("cause_id", CASES)
def test_a_verdict_that_differs_is_named_and_worth_one_sample(cause_id):
    log, ours = CASES[cause_id]
    (found,) = differences(log, ours)
    sign = -1 if ours.official[log.records[0].task_id, 0] else 1
    assert (found.cause_id, found.samples) == (cause_id, ((log.records[0].task_id, 0),))
    assert found.is_exact and found.effect_points == pytest.approx(sign * 100 / NUM_TASKS)


def test_every_cause_that_grading_again_shows_is_among_the_cases():
    seen = {name for name, row in known_causes().items() if row["seen_by"] == "regrade"}
    elsewhere = {"official_extraction_loses", "official_oracle_differs"}
    assert seen - elsewhere <= set(CASES) and elsewhere <= seen


@pytest.mark.parametrize("of_log", [{"format_name": "multipl-e-graded"}, {"text": _CSHARP["text"]}])
def test_a_crash_in_another_language_or_of_another_harness_is_not_laid_to_c_sharp(of_log):
    log, ours = _case("MultiPL-E", "t0", PASSED, False, of_log=of_log, reasons={("t0", 0): "exception"})
    assert [one.cause_id for one in differences(log, ours)] == [UNEXPLAINED]


def test_equal_verdicts_are_no_difference():
    log = _log("EvalPlus", "HumanEval/3", PASSED)
    assert differences(log, _ours(log, True)) == []


def test_half_of_a_limit_is_near_it():
    log = _log("LiveCodeBench", "t0", FAILED)
    (found,) = differences(log, _ours(log, True, limit_shares={("t0", 0): 0.7}))
    assert found.cause_id == "timeouts_near_limit"
    (found,) = differences(log, _ours(log, True, limit_shares={("t0", 0): 0.1}))
    assert found.cause_id == UNEXPLAINED


def test_a_cause_that_the_log_showed_takes_its_samples_and_gets_an_exact_effect():
    """Two samples with a token's tail failed; official rules cut the tail, and one of them passes."""
    log = _log("bigcode-evaluation-harness", "t0", FAILED, text=f"{CODE}<|endoftext|>")
    rows = (log.records[0], replace(log.records[2], text=f"{CODE}<|endoftext|>"), *log.records[3:])
    log = replace(log, records=rows)
    (before,) = findings(log)
    (after,) = differences(log, _ours(log, True), [before])
    weight = 100 / len(rows)
    assert (before.effect_points, before.is_exact) == (pytest.approx(-2 * weight), False)
    assert (after.cause_id, after.is_exact, len(after.samples)) == ("special_token_tail", True, 2)
    assert after.effect_points == pytest.approx(-weight)


def test_official_and_strict_rules_are_told_apart_by_extraction_and_oracle():
    log = _log("LiveCodeBench", "t0", FAILED)
    official, others = _ours(log, False).official, dict.fromkeys((("t2", 0), ("t4", 0)), True)
    ours = Regraded(official, {**official, **others}, official, official, {}, corrected={("t2", 0): True})
    found = {one.cause_id: one for one in differences(log, ours)}
    assert set(found) == {"official_extraction_loses", "official_oracle_differs"}
    assert found["official_extraction_loses"].samples == (("t2", 0),)
    assert all(one.effect_points == pytest.approx(-100 / NUM_TASKS) for one in found.values())


def test_time_outs_are_told_apart_from_other_failures():
    log = _log("LiveCodeBench", "t0", FAILED)
    assert late(_ours(log, False)) is None
    said = late(_ours(log, False, reasons={("t0", 0): "timeout"}))
    assert said == "of 10 failures by official rules 1 are time-outs (t0)"
