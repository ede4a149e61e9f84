"""MultiPL-E: HumanEval in other languages, a scenario each (nuprl/MultiPL-E; kind ``suite``).

Languages have 154 to 161 of the 164 problems: not every signature can be translated; eleven are import-only. Counts,
names and files are those that the recorded runs used (QwenLM/Qwen2.5-Coder@d5ead97, ``multiple-eval/data``: prompts
reworded). How programs are made and run stands in ``multipl_e_languages``. A completion goes on from the prompt, inside
the function that the prompt opens; in four languages it is the tests that close it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .declaration import CHAT, COMPLETIONS, Benchmark, Design, Extraction, Oracles, Prompt, Protocol, Task, Version
from .multipl_e_languages import ENVIRONMENTS, IMPORT_ONLY, LANGUAGES, Language, file_text, test_lines
from .problem_files import problems
from .suites import steps
from .versions import licence_of, versions_of

NAME = "multipl_e"
STOP_SEPARATOR = "\0"
"""Between the stop strings that an extractor is given."""
_FIELDS = frozenset({"name", "language", "prompt", "tests", "stop_tokens"})
_SOURCE = re.compile(r"HumanEval_(\d+)_.+")


def load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """Tasks of one language in file order. Raises BadInput for a file that is not the pinned one."""
    artifacts = [one for one in version.artifacts if one.name == f"humaneval-{scenario}.jsonl"]
    if not artifacts:
        raise BadInput(f"MultiPL-E {version.name} pins no problems in {scenario}", f"one of {', '.join(LANGUAGES)}")
    for problem in problems(directory, replace(version, artifacts=tuple(artifacts)), _FIELDS):
        yield task_of(scenario, problem)


def task_of(scenario: str, problem: Mapping[str, Any]) -> Task:
    """One problem in MultiPL-E's fields. BadInput where its tests are not of the form of its language."""
    language = LANGUAGES[scenario]
    tests = test_lines(language, problem["tests"])
    payload = steps(
        language.environment,
        {language.file_name: file_text(language, problem["tests"])},
        language.steps,
        language.rule,
        tests,
        stub=problem["prompt"],
    )
    return Task(
        benchmark=NAME,
        scenario=scenario,
        task_id=problem["name"],
        kind="suite",
        prompt=problem["prompt"],
        payload={**payload, "extract": _told(language, problem)},
        test_sets=("base",),
        source_problem=source_of(problem["name"]),
        num_base_cases=len(tests),
    )


def source_of(task_id: str) -> str:
    """``HumanEval_23_strlen`` → ``HumanEval/23``."""
    named = _SOURCE.fullmatch(task_id)
    return f"HumanEval/{named[1]}" if named else task_id


def _told(language: Language, problem: Mapping[str, Any]) -> dict[str, str]:
    """What an extractor may know: where answers stop, and how the tests begin (they may close the function)."""
    lines = problem["tests"].split("\n")
    first = next(number for number, line in enumerate(lines) if line.startswith(language.test))
    return {"stops": STOP_SEPARATOR.join(problem["stop_tokens"]), "tests_begin": "\n".join(lines[:first])}


def _continued(task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(text=task.prompt)


def _asked(task: Task, strings: Mapping[str, str]) -> Prompt:
    """Ours: a chat has no official form. The function is named by the prompt itself."""
    title = LANGUAGES[task.scenario].title
    request = f"Complete this {title} code. Answer with the completed code in one block of code."
    return Prompt(messages=(("user", f"{request}\n\n```{task.scenario}\n{task.prompt}```"),))


def _protocols() -> Iterator[Protocol]:
    """``official``: the bare prompt, up to the problem's stop strings, which differ by language and are cut by the
    extractor: a server would need one list for all. 500 tokens as QwenLM/Qwen2.5-Coder@d5ead97 asks; greedy there,
    upstream samples at 0.2 and top_p 0.95 (nuprl/MultiPL-E ``automodel.py``)."""
    yield Protocol("official", _continued, max_tokens=500, sampled_top_p=0.95, templating_modes=(COMPLETIONS,))
    yield Protocol("chat", _asked, max_tokens=1024, templating_modes=(CHAT,))


_SCENARIOS = (*LANGUAGES, *IMPORT_ONLY)

BENCHMARK = Benchmark(
    name=NAME,
    title="MultiPL-E",
    kind="suite",
    scenarios=_SCENARIOS,
    test_sets=dict.fromkeys(_SCENARIOS, ("base",)),
    versions=versions_of(NAME),
    extraction=Extraction(official="multipl_e", corrected="multipl_e_corrected"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design("iid", "within one language no problem is made from another; languages share source problems"),
    licence=licence_of(NAME),
    load=load,
    protocols=tuple(_protocols()),
    aliases={"multiple": "", **{f"multipl_e_{language}": language for language in _SCENARIOS}},
    environments=ENVIRONMENTS,
    import_only=IMPORT_ONLY,
)
