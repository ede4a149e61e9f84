"""BigCodeBench: practical tasks around 139 libraries, each judged by unittest (bigcode-project/bigcodebench@47eff25).

The whole set (1,140 problems) and the hard one (148) are two datasets that models are asked apart: two versions here,
named after the set and the commit of bigcode-project/bigcodebench-annotation whose file both are read from (the hard
one by its list of ids). A test program judges in the process of the program that it tests: kind ``suite``.

Facts from that commit. ``evaluate.py``: calibrated by default, imports and signature of the prompt with a body of
``pass`` stand before every solution; 30 GiB of address space and data, 10 MiB of stack; ``eval/__init__.py``: one limit
of 240 s (more only for a reference that needs more: none does), plus one, and ``TestCases`` is the class whose tests
count. ``provider/utility.py``, ``provider/vllm.py``, ``generate.py``: prompts, stop strings, 1,280 new tokens,
``top_p`` 0.95 unless greedy; the two sentences around a prompt are the harness's own text: staged. Its remote back ends
(gradio, e2b) are absent: programs run on this machine or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..bundled.task_ids import known_task_ids
from . import suites
from .bigcodebench_environment import ENVIRONMENT
from .declaration import (
    CARD_TOKENS,
    CHAT,
    COMPLETIONS,
    Benchmark,
    Design,
    Extraction,
    Oracles,
    Prompt,
    Protocol,
    Task,
    Version,
)
from .problem_files import problems
from .versions import licence_of, versions_of

NAME = "bigcodebench"
COMPLETE, INSTRUCT = "complete", "instruct"
LIMIT_SECONDS = 241.0
"""``max(240, 1, seconds of the reference) + 1``; the slowest of the 1,140 references takes under a minute."""
TESTS = "TestCases"
_MODULE_NAMES = "import os, sys\nfrom os import environ\n"
"""Bound in the harness's module before the program (``eval/__init__.py``), which may use them without an import."""
_FIELDS = frozenset(
    {"task_id", "complete_prompt", "instruct_prompt", "canonical_solution", "code_prompt", "test", "entry_point"}
)
_INSTRUCTION, _RESPONSE = "bigcodebench.instruction_prefix", "bigcodebench.response_prefix"
_END_OF_ANSWER = ("<|endoftext|>", "<|endofmask|>", "</s>", "\nif __name__", "\ndef main(", "\nprint(")
_DIRECT = ("\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert ")
_MAX_TOKENS = 1280


def load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """1,140 or 148 tasks in file order. Raises BadInput for a file that is not the pinned one."""
    chosen = frozenset(known_task_ids(NAME, version.name, scenario) or ())
    for problem in problems(directory, version, _FIELDS):
        if problem["task_id"] in chosen:
            yield task_of(problem, scenario, version.name.partition("-")[0])


def task_of(problem: Mapping[str, Any], scenario: str, test_set: str) -> Task:
    """One problem in BigCodeBench's fields; its reference is graded as a sample is, calibrated."""
    payload = suites.warm_unittest(
        ENVIRONMENT,
        problem["test"],
        LIMIT_SECONDS,
        program=f"{_MODULE_NAMES}{problem['code_prompt']}\n    pass\n{suites.PROGRAM}",
        entry_point=problem["entry_point"],
    )
    payload["tests"] = [name for name in payload["tests"] if name.partition(".")[0] == TESTS]
    return Task(
        benchmark=NAME,
        scenario=scenario,
        task_id=problem["task_id"],
        kind="suite",
        prompt=problem[f"{scenario}_prompt"],
        payload=payload,
        test_sets=(test_set,),
        source_problem=problem["task_id"],
        num_base_cases=len(payload["tests"]),
        reference=f"{problem['complete_prompt']}\n{problem['canonical_solution']}",
    )


def _protocols() -> tuple[Protocol, ...]:
    """``official``: the vLLM back end's chat, the answer begun for the model; ``official_api``: the OpenAI back end,
    nothing begun, no stop strings, ``top_p`` 0.95 even when greedy; ``official_base``: the bare prompt, which exists
    for ``complete`` alone (``generate.py`` refuses it otherwise); ``card``: a thinking model's own sampling."""
    common: dict[str, Any] = {"max_tokens": _MAX_TOKENS, "sampled_top_p": 0.95}
    chat: dict[str, Any] = {"templating_modes": (CHAT,)}
    base: dict[str, Any] = {"templating_modes": (COMPLETIONS,), "scenarios": (COMPLETE,)}
    both = (_INSTRUCTION, _RESPONSE)
    # a closing fence ends an answer only where the sentence that begins it holds one: the pinned sentence does not
    return (
        Protocol("official", _chat, stop=_END_OF_ANSWER, needs_strings=both, **chat, **common),
        Protocol("official_api", _api, top_p=0.95, max_tokens=_MAX_TOKENS, needs_strings=both[:1], **chat),
        Protocol("official_base", _base, stop=(*_END_OF_ANSWER, *_DIRECT), **base, **common),
        Protocol("card", _api, top_p=0.95, max_tokens=CARD_TOKENS, needs_strings=both[:1], **chat),
    )


def _question(task: Task, strings: Mapping[str, str]) -> str:
    if task.scenario == COMPLETE:
        return f"{strings[_INSTRUCTION]}\n```\n{task.prompt.strip()}\n```\n"
    return f"{strings[_INSTRUCTION]}\n{task.prompt.strip()}\n"


def _chat(task: Task, strings: Mapping[str, str]) -> Prompt:
    begun = f"{strings[_RESPONSE]}\n```python\n"
    return Prompt(messages=(("user", _question(task, strings)), ("assistant", begun)))


def _api(task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(messages=(("user", _question(task, strings)),))


def _base(task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(text=task.prompt)


BENCHMARK = Benchmark(
    name=NAME,
    title="BigCodeBench",
    kind="suite",
    scenarios=(COMPLETE, INSTRUCT),
    test_sets={COMPLETE: ("full", "hard"), INSTRUCT: ("full", "hard")},
    versions=versions_of(NAME),
    extraction=Extraction(official="bigcodebench_sanitize", corrected="bigcodebench_corrected"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design("iid", "problems written one by one, each around libraries of its own"),
    licence=licence_of(NAME),
    load=load,
    protocols=_protocols(),
    aliases={"bcb": "", "bigcodebench_complete": COMPLETE, "bigcodebench_instruct": INSTRUCT},
    environments={"": ENVIRONMENT},
)
