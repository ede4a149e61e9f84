"""Causes in a tool's grader or in the machine it graded on. Each function is the detector of the cause of its name."""

from __future__ import annotations

import ast
import re

from ....ingest.formats import Record
from .evidence import Evidence, Finding, doc, error_code, is_passed, parses, said

LM, LCB, EVALPLUS, EVALSCOPE = "lm-evaluation-harness", "LiveCodeBench", "EvalPlus", "evalscope"
_MIN_STRINGS = 20
_ALWAYS_EQUAL = re.compile(r"def\s+__eq__\s*\([^)]*\)[^:]*:\s*return\s+True|\bor\s+True\s*$")
_IDIOMS = re.compile(r"for\s+\w+\s+in\s+sys\.stdin\b|\bopen\(0\)|sys\.stdout\.buffer|sys\.stdin\.buffer|os\.read\(0")
_COMMON_NAMES = re.compile(
    r"name '(List|Dict|Set|Tuple|Optional|Any|math|deque|defaultdict|Counter|heapq|bisect|itertools|collections|re|np)'"
    r" is not defined"
)
_NOT_DEFINED = re.compile(r"name '(\w+)' is not defined")
_NO_JUDGE = ("Sandbox is not initialized", "remote evaluator unreachable")
_MANY = 0.5


def lmeval_cruxeval_o_quotes(evidence: Evidence) -> Finding | None:
    outputs = [record for record in evidence.records if evidence.tool == LM and "output" in doc(record)]
    strings = [record for record in outputs if _is_string(record)]
    others = (record for record in outputs if not _is_string(record))
    is_seen = len(strings) >= _MIN_STRINGS and any(map(is_passed, others)) and not any(map(is_passed, strings))
    right = [record for record in strings if _holds_answer(record.text or "", str(doc(record)["output"]))]
    sentence = f"none of the {len(strings)} problems whose answer is a string was passed, these are right"
    return evidence.finding("lmeval_cruxeval_o_quotes", right if is_seen else (), sentence, -1, is_exact=True)


def _holds_answer(reply: str, expected: str) -> bool:
    """Whether what stands behind ``==`` or the opening tag is the string expected, however it is quoted."""
    answer = reply.split("[ANSWER]")[-1].split("[/ANSWER]")[0].split("==")[-1].strip()
    try:
        return bool(ast.literal_eval(answer) == ast.literal_eval(expected))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def _is_string(record: Record) -> bool:
    return str(doc(record)["output"])[:1] in ("'", '"')


def lmeval_cruxeval_o_echo(evidence: Evidence) -> Finding | None:
    echoes = [
        record
        for record in evidence.passed
        if evidence.tool == LM and "output" in doc(record) and f"f({doc(record).get('input')})" in (record.text or "")
    ]
    sentence = "passed with the very call that was asked for, which official rules leave out"
    return evidence.finding("lmeval_cruxeval_o_echo", echoes, sentence, 1, is_exact=True)


def lmeval_mbpp_plus_base_tests(evidence: Evidence) -> Finding | None:
    base_only = [
        record
        for record in evidence.records
        if evidence.tool == LM and {"test", "test_list"} <= set(doc(record)) and _is_of_test_list(record)
    ]
    sentence = "graded on the asserts of MBPP alone, not on the extra tests"
    return evidence.finding("lmeval_mbpp_plus_base_tests", base_only, sentence)


def _is_of_test_list(record: Record) -> bool:
    asserts = [line for line in str(record.notes.get("target") or "").split("\n") if line.strip()]
    known = doc(record)["test_list"]
    return bool(asserts) and isinstance(known, list) and all(one in known for one in asserts)


def evalscope_bigcodebench_no_unittest(evidence: Evidence) -> Finding | None:
    unrun = [
        record
        for record in evidence.passed
        if evidence.tool == EVALSCOPE
        and record.task_id.startswith("BigCodeBench/")
        and "success" in said(record)
        and not re.search(r"Ran \d+ test", said(record))
    ]
    return evidence.finding("evalscope_bigcodebench_no_unittest", unrun, "passed without one unit test run", 1)


def evalscope_lcb_sandbox_wrapper(evidence: Evidence) -> Finding | None:
    odd = [
        record
        for record in evidence.failed
        if evidence.tool == EVALSCOPE and re.search(r"expected (True, got true|False, got false)", said(record))
    ]
    return evidence.finding("evalscope_lcb_sandbox_wrapper", odd, "JSON's true was compared as a text", -1)


def empty_suite_passes(evidence: Evidence) -> Finding | None:
    untested = [record for record in evidence.passed if record.notes.get("num_tests") == 0]
    return evidence.finding("empty_suite_passes", untested, "passed without one test", 1)


def forged_equality(evidence: Evidence) -> Finding | None:
    forged = [record for record in evidence.passed if _ALWAYS_EQUAL.search(record.program or record.text or "")]
    return evidence.finding("forged_equality", forged, "passed with an object or expression that equals everything", 1)


def lcb_stdin_mock_change(evidence: Evidence) -> Finding | None:
    found = [record for record in evidence.failed if "MockStdinWithBuffer' object is not iterable" in said(record)]
    return evidence.finding(
        "lcb_stdin_mock_change", found, "read standard input line by line, which the tool broke", -1
    )


def lcb_stdin_idioms(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.failed
        if evidence.tool == LCB
        and not record.notes.get("starter_code")
        and _IDIOMS.search(record.program or "")
        and "MockStdinWithBuffer" not in said(record)
        and (error_code(record) == -4 or re.search(r'"output"\s*:\s*""', said(record)))
    ]
    return evidence.finding("lcb_stdin_idioms", found, "reads or writes in a way that plain Python allows", -1)


def lcb_globals_in_wrapper(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.failed
        if evidence.tool == LCB
        and (name := _NOT_DEFINED.search(said(record)))
        and re.search(rf"^\s*global\b[^\n]*\b{name[1]}\b", record.program or "", re.MULTILINE)
    ]
    return evidence.finding(
        "lcb_globals_in_wrapper", found, "a global of the program is none in the tool's wrapper", -1
    )


def lcb_death_as_runner_error(evidence: Evidence) -> Finding | None:
    found = [one for one in evidence.failed if error_code(one) == -5 and "list index out of range" in said(one)]
    return evidence.finding("lcb_death_as_runner_error", found, "the child died, and the reason is lost")


def infrastructure_scored_wrong(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.records
        if not is_passed(record)
        and (
            any(words in said(record) for words in _NO_JUDGE)
            or (error_code(record) == -5 and "list index out of range" not in said(record))
        )
    ]
    return evidence.finding(
        "infrastructure_scored_wrong", found, "the judge failed, and the sample was counted wrong", -1
    )


def stderr_without_fileno(evidence: Evidence) -> Finding | None:
    found = [record for record in evidence.failed if re.search(r"Error during testing: .*fileno", said(record))]
    is_general = len(found) > _MANY * len(evidence.records)
    return evidence.finding(
        "stderr_without_fileno", found if is_general else (), "standard error had no file behind it", -1
    )


def added_memory_limit(evidence: Evidence) -> Finding | None:
    found = [record for record in evidence.failed if "Global Timeout or Memory Limit Exceeded" in said(record)]
    return evidence.finding("added_memory_limit", found, "a memory limit that the benchmark does not have", -1)


def import_preamble(evidence: Evidence) -> Finding | None:
    found = [record for record in evidence.failed if _COMMON_NAMES.search(said(record))]
    return evidence.finding("import_preamble", found, "a common import was forgotten, which other tools forgive", -1)


def prompt_context_missing(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.failed
        if (name := _NOT_DEFINED.search(said(record)))
        and re.search(rf"^\s*(def|class)\s+{name[1]}\b", record.prompt or "", re.MULTILINE)
    ]
    return evidence.finding("prompt_context_missing", found, "a helper that stands in the prompt was not there", -1)


def mbpp_setup_ignored(evidence: Evidence) -> Finding | None:
    found = [one for one in evidence.failed if evidence.tool == LM and str(doc(one).get("test_setup_code", "")).strip()]
    return evidence.finding("mbpp_setup_ignored", found, "the problem's set-up code was not run before the tests", -1)


def evalplus_time_floor(evidence: Evidence) -> Finding | None:
    slow = [
        record
        for record in evidence.records
        if evidence.tool == EVALPLUS
        and {part: one.verdict for part, one in record.judgements.items()} == {"base": "pass", "plus": "timeout"}
    ]
    is_bulk = len(slow) >= max(3, 0.05 * len(evidence.records))
    return evidence.finding("evalplus_time_floor", slow if is_bulk else (), "out of time on the extra tests alone", -1)


def timeouts_under_load(evidence: Evidence) -> Finding | None:
    slow = [one for one in evidence.failed if any(part.verdict == "timeout" for part in one.judgements.values())]
    plus_alone = [one for one in slow if "base" in one.judgements and one.judgements["base"].verdict == "pass"]
    is_bulk = len(slow) - len(plus_alone) >= max(5, 0.1 * len(evidence.records))
    return evidence.finding("timeouts_under_load", slow if is_bulk else (), "out of time, many on cheap problems", -1)


def macos_setrlimit(evidence: Evidence) -> Finding | None:
    programs = [record for record in evidence.records if (record.program or record.text or "").strip()]
    is_all = evidence.tool == EVALPLUS and len(evidence.failed) == len(evidence.records) >= 50
    sound = [record for record in programs if parses(record.program or record.text or "")] if is_all else []
    is_odd = len(sound) > _MANY * len(evidence.records)
    return evidence.finding("macos_setrlimit", sound if is_odd else (), "Python that parses, and nothing passed", -1)


def multipl_e_shared_tmp(evidence: Evidence) -> Finding | None:
    if evidence.tool != "MultiPL-E" or len(evidence.by_task) <= 164:
        return None
    return Finding("multipl_e_shared_tmp", f"{len(evidence.by_task)} problems, a language has at most 161")


def bigcodebench_gold_failures_counted(evidence: Evidence) -> Finding | None:
    notes = [note for note in evidence.facts.notes if "no passing gold solution" in note]
    return Finding("bigcodebench_gold_failures_counted", notes[0]) if notes else None
