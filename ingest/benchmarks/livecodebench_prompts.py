"""LiveCodeBench's ways of asking for a program: one generic prompt, and those that upstream keeps for model families.

Facts from LiveCodeBench/LiveCodeBench@28fef95: ``lcb_runner/prompts/code_generation.py`` (who is asked with which
words), ``lcb_runner/runner/parser.py`` (2,000 tokens, top_p 0.95, stop ``###``), ``vllm_runner.py`` (sends the stop),
``oai_runner.py`` and the other API runners (do not). The words are upstream's own text: staged.

A protocol is composed of a family's system sentence, its question template, and a form that puts them together. Texts
that hold a family's chat template go to ``/v1/completions`` as they are, as upstream's vLLM runner sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from .declaration import CARD_TOKENS, CHAT, COMPLETIONS, Prompt, Protocol, Task

SCENARIO = "generation"
_TOKENS, _TOP_P, _STOP = 2000, 0.95, ("###",)
_CORRECTED_TOKENS = 8192
"""Half of the window that the engine is started with; the longest statement of release 6 has 3,950 characters."""
_REASON_TOKENS = 25_000
"""Upstream's limit for o1-preview; for later models it sends none, and no top_p to either."""

Form = Callable[[str, str], Prompt]
"""(system sentence, question) -> prompt."""


def _system_and_user(system: str, question: str) -> Prompt:
    return Prompt(messages=(("system", system), ("user", question)))


def _system_and_user_stripped(system: str, question: str) -> Prompt:
    return Prompt(messages=(("system", system), ("user", question.rstrip())))


def _one_message(separator: str, system: str, question: str) -> Prompt:
    return Prompt(messages=(("user", system + separator + question),))


def _one_text(separator: str, system: str, question: str) -> Prompt:
    return Prompt(text=system + separator + question)


def _user(separator: str) -> Form:
    """One user message, no system message."""
    return partial(_one_message, separator)


def _text(separator: str) -> Form:
    """One text with the family's own template in it."""
    return partial(_one_text, separator)


@dataclass(frozen=True)
class _Style:
    """Whose words (``system_<…>``, ``<…>_function`` and ``<…>_stdin`` of the staged texts), put together how."""

    name: str
    system: str
    question: str
    form: Form
    stop: tuple[str, ...] = ()
    max_tokens: int = _TOKENS
    top_p: float = _TOP_P
    mode: str = CHAT


_CHATS = (
    _Style("official", "generic", "generic", _system_and_user, stop=_STOP),
    _Style("official_api", "generic", "generic", _system_and_user),
    _Style("corrected", "generic", "generic", _system_and_user, max_tokens=_CORRECTED_TOKENS),
)
_FAMILIES = (
    _Style("official_codeqwen", "codeqwen", "codeqwen", _text("\n\n"), _STOP, mode=COMPLETIONS),
    _Style("official_deepseek_coder", "deepseek", "deepseek", _text("\n\n"), _STOP, mode=COMPLETIONS),
    _Style("official_deepseek_r1", "deepseek_r1", "deepseek_r1", _text(""), _STOP, mode=COMPLETIONS),
    _Style("official_qwq", "qwq", "qwq", _text("\n\n"), _STOP, mode=COMPLETIONS),
    _Style("official_reason_preview", "generic", "generic", _user("\n\n"), max_tokens=_REASON_TOKENS, top_p=1.0),
    _Style("official_reason", "generic", "reason", _user("\n\n"), max_tokens=_REASON_TOKENS, top_p=1.0),
    _Style("official_claude3", "generic", "generic", _system_and_user_stripped),
    _Style("official_gemini", "gemini", "generic", _user("\n")),
    _Style("official_gemini_thinking", "generic", "generic", _user("\n")),
)
_CARD = _Style("card", "generic", "generic", _user("\n\n"), max_tokens=CARD_TOKENS)
"""As upstream asks o1-preview: no system message, which R1's card advises against, no stop."""


def protocols() -> Iterator[Protocol]:
    """``official`` first, then the base prompt, the families in the order of their names, ``card`` last."""
    yield from map(_protocol, _CHATS)
    yield Protocol(
        "official_base",
        _base,
        top_p=_TOP_P,
        max_tokens=_TOKENS,
        stop=_STOP,
        needs_strings=_BASE_STRINGS,
        templating_modes=(COMPLETIONS,),
        scenarios=(SCENARIO,),
    )
    yield from map(_protocol, (*_FAMILIES, _CARD))


def _protocol(style: _Style) -> Protocol:
    return Protocol(
        style.name,
        partial(_render, style),
        top_p=style.top_p,
        max_tokens=style.max_tokens,
        stop=style.stop,
        needs_strings=(_system(style), *(_question(style, kind) for kind in ("function", "stdin"))),
        templating_modes=(style.mode,),
        scenarios=(SCENARIO,),
    )


def _system(style: _Style) -> str:
    return f"livecodebench.system_{style.system}"


def _question(style: _Style, kind: str) -> str:
    return f"livecodebench.{style.question}_{kind}"


def _kind(task: Task) -> str:
    """Upstream goes by the starter code, not by how the program is judged."""
    return "function" if task.payload["starter_code"] else "stdin"


def _render(style: _Style, task: Task, strings: Mapping[str, str]) -> Prompt:
    template = strings[_question(style, _kind(task))]
    question = template.format(question_content=task.prompt, starter_code=task.payload["starter_code"])
    return style.form(strings[_system(style)], question)


_SHOT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "function": ("question", "sample_code", "answer"),
    "stdin": ("question", "answer"),
}
_BASE_STRINGS = tuple(
    name
    for kind, fields in _SHOT_FIELDS.items()
    for name in (
        *(f"livecodebench.example_{kind}_{state}" for state in ("solved", "open")),
        *(f"livecodebench.shot_{kind}_{field}" for field in fields),
    )
)


def _base(task: Task, strings: Mapping[str, str]) -> Prompt:
    """One solved example of the same kind, then the problem."""
    kind = _kind(task)
    shot = {field: strings[f"livecodebench.shot_{kind}_{field}"] for field in _SHOT_FIELDS[kind]}
    problem = {"question": task.prompt, "sample_code": task.payload["starter_code"], "answer": ""}
    solved = strings[f"livecodebench.example_{kind}_solved"].format(**shot)
    return Prompt(text=solved + strings[f"livecodebench.example_{kind}_open"].format(**problem))
