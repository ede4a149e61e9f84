"""What HumanEval+ and MBPP+ share: tasks out of EvalPlus' problem files, and EvalPlus' ways of asking.

Facts from evalplus/evalplus@26d6d00: ``evalplus/codegen.py`` (prompt, prefixes), ``evalplus/provider/utility.py``
(stop strings, fences), ``evalplus/provider/base.py`` (768 new tokens), ``evalplus/provider/vllm.py`` and
``evalplus/gen/util/openai_request.py`` (top_p), ``evalplus/evaluate.py`` (prompt + completion,
reference = prompt + canonical solution). The two sentences around the prompt are EvalPlus' own text: staged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .declaration import CARD_TOKENS, CHAT, COMPLETIONS, Prompt, Protocol, Task, Version
from .problem_files import problems

Deserialize = Callable[[str, list[Any]], list[Any]]

_FIELDS = frozenset({"task_id", "prompt", "entry_point", "canonical_solution", "base_input", "plus_input", "atol"})
_INSTRUCTION, _RESPONSE = "evalplus.instruction_prefix", "evalplus.response_prefix"
_END_OF_ANSWER = ("<|endoftext|>", "<|endofmask|>", "</s>", "\nif __name__", "\ndef main(", "\nprint(")
_MAX_TOKENS = 768


def tasks(benchmark: str, directory: Path, version: Version, scenario: str, deserialize: Deserialize) -> Iterator[Task]:
    """Tasks in file order; ``deserialize(task_id, argument lists)`` restores what JSON could not hold."""
    for problem in problems(directory, version, _FIELDS):
        yield task_of(benchmark, scenario, problem, deserialize)


def task_of(
    benchmark: str, scenario: str, problem: Mapping[str, Any], deserialize: Deserialize = lambda _, given: given
) -> Task:
    """One problem in EvalPlus' fields; without ``deserialize`` its inputs are what JSON says."""
    task_id, reference = problem["task_id"], problem["prompt"] + problem["canonical_solution"]
    base, plus = (deserialize(task_id, problem[name]) for name in ("base_input", "plus_input"))
    return Task(
        benchmark=benchmark,
        scenario=scenario,
        task_id=task_id,
        kind="calls",
        prompt=problem["prompt"],
        payload={
            "entry_point": problem["entry_point"],
            "base_inputs": base,
            "plus_inputs": plus,
            "atol": problem["atol"],
            "reference": reference,
            "expected": None,
        },
        test_sets=("base", "plus"),
        source_problem=task_id,
        num_base_cases=len(base),
        num_plus_cases=len(plus),
        reference=reference,
    )


def protocols(direct_stops: tuple[str, ...]) -> tuple[Protocol, ...]:
    """EvalPlus' three roads, each a protocol of its own, and the one for models that think.

    ``official``: the vLLM and transformers backends' chat, the assistant's turn begun for the model (a last message of
    role assistant is continued, not answered); ``official_api``: the OpenAI backend, no prefill, no stop strings, top_p
    0.95 even when greedy; ``official_base``: the bare prompt as a completion, with ``direct_stops`` of the dataset;
    ``card``: the OpenAI backend's words with a thinking model's own sampling and length.
    """
    asking, base = (_INSTRUCTION, _RESPONSE), (*_END_OF_ANSWER, *direct_stops)
    common: dict[str, Any] = {"max_tokens": _MAX_TOKENS, "sampled_top_p": 0.95}
    chat: dict[str, Any] = {"templating_modes": (CHAT,), "needs_strings": asking[:1]}
    begun = {**chat, "needs_strings": asking}
    return (
        Protocol("official", _chat, stop=(*_END_OF_ANSWER, "\n```\n"), **begun, **common),
        Protocol("official_api", _api, top_p=0.95, **chat, **common),
        Protocol("official_base", _base, stop=base, templating_modes=(COMPLETIONS,), **common),
        Protocol("card", _api, top_p=0.95, max_tokens=CARD_TOKENS, **chat),
    )


def _chat(task: Task, strings: Mapping[str, str]) -> Prompt:
    question = f"{strings[_INSTRUCTION]}\n```\n{task.prompt.strip()}\n```\n"
    return Prompt(messages=(("user", question), ("assistant", f"{strings[_RESPONSE]}\n```python\n")))


def _api(task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(messages=(("user", f"{strings[_INSTRUCTION]}\n```python\n{task.prompt.strip()}\n```"),))


def _base(task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(text=task.prompt.strip() + "\n")
