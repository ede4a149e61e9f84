"""DS-1000: 1,000 questions of data science about seven Python libraries; a piece of code is written into a context.

Facts of the simplified format, xlang-ai/DS-1000@b39aab7: a problem is ``prompt``, ``reference_code``, ``metadata`` and
``code_context``, a program that defines ``test_execution(solution)`` and for some problems ``test_string(solution)``.
``test_ds1000.py`` runs context and calls in one fresh process with 120 seconds and no memory limit; graphics cards are
hidden and TensorFlow is silenced. A figure is compared as the picture that matplotlib writes, then by its parts.
Greedy, 1,024 tokens; stop strings as bigcode-project/bigcode-evaluation-harness@8fc5bae has them
(``bigcode_eval/tasks/ds1000.py``). The sentence that upstream puts before chats is its own text and is not here.

The loop of ``test_execution`` over its test cases is taken apart (``_cases``), so that the judge counts cases by name.
"""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from . import suites
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
from .ds1000_environment import ENVIRONMENT
from .problem_files import problems
from .versions import licence_of, versions_of

NAME = "ds1000"
SECONDS = 120.0

_FIELDS = frozenset({"prompt", "reference_code", "metadata", "code_context"})
_TEXT = "PROGRAM_TEXT"
_SEEDS = "import random\nimport numpy\nrandom.seed(1)\nnumpy.random.seed(1)\n"
_SEED_OF_TENSORFLOW = "import tensorflow\ntensorflow.random.set_seed(1)\n"
"""Upstream seeds nothing, so that DS-1000/376 fails an honest answer in one run of five (seeds/deviations.csv): 1 is
the first seed under which it passes. PyTorch begins with the same numbers by itself."""
_FIGURES = "def skip_plt_cmds("
_ACCEPT_A_WRONG_ANSWER = frozenset(("DS-1000/400", "DS-1000/401", "DS-1000/551", "DS-1000/706"))
"""400 and 401: an empty array equals whatever can be stretched over it (seeds/errata.csv). 551: axes without a label
are what is asked for. 706: a folder that the right answer leaves on disk is what is tested."""
_SLOT, _PROGRAM = "[insert]", suites.PROGRAM
_STOPS = ("</code>", "# SOLUTION END")
_SIGNATURE, _LOOP = "def test_execution(solution: str):", re.compile(r"^    for i in range\((\d+)\):$", re.MULTILINE)


def load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """1,000 tasks in file order. Raises BadInput for a file that is not the pinned one."""
    found = list(problems(directory, version, _FIELDS))
    numbered = {(one["metadata"]["library"], one["metadata"]["library_problem_id"]): one for one in found}
    for problem in found:
        yield task_of(scenario, problem, _id_of(_origin(problem, numbered)))


def task_of(scenario: str, problem: Mapping[str, Any], origin: str) -> Task:
    """One problem in DS-1000's fields; ``origin``: the task it is a rewording of, or itself. Raises BadInput."""
    task_id = _id_of(problem)
    test, num_cases = _cases(task_id, problem["code_context"])
    calls = _calls(test, num_cases)
    return Task(
        benchmark=NAME,
        scenario=scenario,
        task_id=task_id,
        kind="suite",
        prompt=problem["prompt"],
        payload=suites.warm_calls(
            ENVIRONMENT,
            test,
            calls,
            SECONDS,
            canaries=_canaries(task_id, test),
            scanned=_context(test).replace(_SLOT, _PROGRAM),
        ),
        test_sets=("full",),
        source_problem=origin,
        num_base_cases=len(calls),
        stratum=problem["metadata"]["library"],
        cluster=origin,
        reference=problem["reference_code"],
    )


def id_of(number: int) -> str:
    """``DS-1000/17``: upstream numbers its problems from 0."""
    return f"DS-1000/{number}"


def _id_of(problem: Mapping[str, Any]) -> str:
    return id_of(problem["metadata"]["problem_id"])


def _origin(problem: Mapping[str, Any], numbered: Mapping[tuple[str, int], Mapping[str, Any]]) -> Mapping[str, Any]:
    """The question that was reworded: of one problem it is a rewording itself."""
    for _ in numbered:
        facts = problem["metadata"]
        found = numbered.get((facts["library"], facts["perturbation_origin_id"]), problem)
        if found is problem:
            break
        problem = found
    return problem


def _cases(task_id: str, context: str) -> tuple[str, int]:
    """The context with ``test_execution(solution, cases)``, and how many cases it has.

    All 1,000 loop over ``range`` of a number, which ``test_case_cnt`` of the metadata gets wrong in five: 0.
    """
    loops = _LOOP.findall(context)
    if len(loops) != 1 or context.count(_SIGNATURE) != 1:
        raise BadInput(f"Problem {task_id} does not loop over its test cases as DS-1000 does.", "")
    changed = context.replace(_SIGNATURE, "def test_execution(solution: str, cases):")
    seeds = _SEEDS + (_SEED_OF_TENSORFLOW if "import tensorflow" in context else "")
    return seeds + _LOOP.sub("    for i in cases:", changed), int(loops[0])


def _calls(test: str, num_cases: int) -> list[tuple[str, str]]:
    """Names and expressions, as upstream orders them: the cases, then what the text itself must hold."""
    cases = [(f"case {i + 1}", f"test_execution({_TEXT}, [{i}])") for i in range(num_cases)]
    return [*cases, ("string", f"test_string({_TEXT})")] if "test_string(" in test else cases


def _canaries(task_id: str, test: str) -> list[tuple[str, str]]:
    """A wrong answer fails after the right one; unless what compares was tampered with."""
    if task_id in _ACCEPT_A_WRONG_ANSWER:
        return []
    return [("wrong answer", f"test_execution({_wrong_answer(test)!r}, [0])")]


def _wrong_answer(test: str) -> str:
    """A bare object for each name that the context reads after the solution, or as what its function returns; of a
    figure an empty one, without those that the right answer left open."""
    if _FIGURES in test:
        return "plt.close('all')"
    before, after = _context(test).split(_SLOT)
    last_line = before.rstrip().rpartition("\n")[2]
    if last_line.startswith(" ") or last_line.endswith(":"):
        return "    return object()"
    try:
        read = _names(after, ast.Load) - _names(after, ast.Store)
    except SyntaxError:  # 701: the context goes on in the solution's last line
        read = set()
    wanted = read - _bound(before) - set(dir(builtins))
    return "\n".join(f"{name} = object()" for name in sorted(wanted) or ["result"])


def _context(test: str) -> str:
    for node in _parsed(test).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "exec_context":
            return str(ast.literal_eval(node.value))
    raise BadInput("A context of DS-1000 has no exec_context.", "")


def _names(source: str, kind: type[ast.Load] | type[ast.Store]) -> set[str]:
    found = ast.walk(_parsed(source))
    return {node.id for node in found if isinstance(node, ast.Name) and isinstance(node.ctx, kind)}


def _parsed(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # contexts hold invalid escapes: upstream's, and no news
        return ast.parse(source)


def _bound(source: str) -> set[str]:
    """What the context imports and defines: no solution is asked for these."""
    found = list(ast.walk(_parsed(source)))
    imported = [alias for node in found if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names]
    defined = {node.name for node in found if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return defined | {(alias.asname or alias.name).split(".")[0] for alias in imported}


def _bare(task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(text=task.prompt)


def _asked(task: Task, strings: Mapping[str, str]) -> Prompt:
    return Prompt(messages=(("user", task.prompt),))


def _protocols() -> Iterator[Protocol]:
    """``official_base``: the bare prompt as a completion, as upstream asked Codex; ``chat``: the same prompt as the
    user's message; ``card``: that with a thinking model's own sampling and length."""
    common: dict[str, Any] = {"stop": _STOPS, "sampled_top_p": 0.95}
    yield Protocol("chat", _asked, max_tokens=1024, templating_modes=(CHAT,), **common)
    yield Protocol("official_base", _bare, max_tokens=1024, templating_modes=(COMPLETIONS,), **common)
    yield Protocol("card", _asked, max_tokens=CARD_TOKENS, stop=_STOPS, stop_acts="answer", templating_modes=(CHAT,))


BENCHMARK = Benchmark(
    name=NAME,
    title="DS-1000",
    kind="suite",
    scenarios=("default",),
    test_sets={"default": ("full",)},
    versions=versions_of(NAME),
    extraction=Extraction(official="ds1000", corrected="ds1000_corrected"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design(
        "clusters", "548 of the 1,000 problems are made from another of them: one question, several wordings"
    ),
    licence=licence_of(NAME),
    load=load,
    protocols=tuple(_protocols()),
    aliases={"ds_1000": "", "ds1k": ""},
    environments={"": ENVIRONMENT},
)
