"""CRUXEval: 800 small functions; what a call returns (``cruxeval_o``), arguments for a result (``cruxeval_i``).

Facts from facebookresearch/cruxeval@190faf1: ``prompts.py`` (four prompts, staged), ``openai/openai_prompt.py`` and
``openai_run.py`` (system sentence, 100 and 1,000 tokens), ``inference/`` (1,024 and 2,048 tokens with the prompt), stop
string ``[/ANSWER]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

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

NAME = "cruxeval"
DIRECTIONS: Mapping[str, str] = {"cruxeval_i": "input", "cruxeval_o": "output"}

_FIELDS = frozenset({"id", "code", "input", "output"})
_SYSTEM = "cruxeval.system"
_STOP = ("[/ANSWER]",)


def load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """800 tasks in file order. Raises BadInput for a file that is not the pinned one."""
    for problem in problems(directory, version, _FIELDS):
        yield task_of(scenario, problem)


def task_of(scenario: str, problem: Mapping[str, Any]) -> Task:
    """One problem in CRUXEval's fields, asked in the direction of the scenario."""
    direction = DIRECTIONS[scenario]
    return Task(
        benchmark=NAME,
        scenario=scenario,
        task_id=problem["id"],
        kind="expression",
        prompt=_question(direction, problem),
        payload={**{name: problem[name] for name in ("code", "input", "output")}, "direction": direction},
        test_sets=("full",),
        source_problem=problem["id"],
        num_base_cases=1,
        reference=problem["output"] if direction == "output" else f"f({problem['input']})",
    )


def _question(direction: str, problem: Mapping[str, Any]) -> str:
    """The problem's own lines of the prompt: what an extractor finds again in a text that repeats the prompt."""
    if direction == "output":
        return f"{problem['code']}\nassert f({problem['input']}) == ??"
    return f"{problem['code']}\nassert f(??) == {problem['output']}"


def _template_name(style: str, task: Task) -> str:
    return f"cruxeval.{style}_{task.payload['direction']}"


def _filled(style: str, task: Task, strings: Mapping[str, str]) -> str:
    slots = {name: task.payload[name] for name in ("code", "input", "output")}
    return strings[_template_name(style, task)].format(**slots)


def _chat(style: str, task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(messages=(("system", strings[_SYSTEM]), ("user", _filled(style, task, strings))))


def _text(style: str, task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(text=_filled(style, task, strings))


def _user(style: str, task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(messages=(("user", _filled(style, task, strings)),))


def _protocols() -> Iterator[Protocol]:
    """``direct`` and ``cot`` ask a chat API as upstream does; ``…_base`` continues the bare prompt, its vLLM road;
    ``card`` asks a model that thinks: the direct prompt, no system message, and the stop only after its thinking.

    Upstream samples (n = 10, temperature 0.2 and 0.8, top_p 0.95 on the vLLM road, unset on the API's); greedy is the
    default here. Its 1,024 and 2,048 tokens on the vLLM road count the prompt, ours do not.
    """
    direct = ("cruxeval.direct_input", "cruxeval.direct_output")
    for style, chat_tokens, text_tokens in (("direct", 100, 1024), ("cot", 1000, 2048)):
        needed = tuple(name.replace("direct", style) for name in direct)
        yield Protocol(
            style,
            partial(_chat, style),
            max_tokens=chat_tokens,
            stop=_STOP,
            needs_strings=(_SYSTEM, *needed),
            templating_modes=(CHAT,),
        )
        yield Protocol(
            f"{style}_base",
            partial(_text, style),
            max_tokens=text_tokens,
            stop=_STOP,
            needs_strings=needed,
            sampled_top_p=0.95,
            templating_modes=(COMPLETIONS,),
        )
    yield Protocol(
        "card",
        partial(_user, "direct"),
        max_tokens=CARD_TOKENS,
        stop=_STOP,
        stop_acts="answer",
        needs_strings=direct,
        templating_modes=(CHAT,),
    )


BENCHMARK = Benchmark(
    name=NAME,
    title="CRUXEval",
    kind="expression",
    scenarios=("cruxeval_i", "cruxeval_o"),
    test_sets={"cruxeval_i": ("full",), "cruxeval_o": ("full",)},
    versions=versions_of(NAME),
    extraction=Extraction(official="cruxeval_official", corrected="cruxeval_corrected"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design("iid", "functions generated one by one and filtered, none derived from another"),
    licence=licence_of(NAME),
    load=load,
    protocols=tuple(_protocols()),
    aliases={
        "cruxeval_i": "cruxeval_i",
        "cruxeval_o": "cruxeval_o",
        "cruxeval_input": "cruxeval_i",
        "cruxeval_output": "cruxeval_o",
    },
)
