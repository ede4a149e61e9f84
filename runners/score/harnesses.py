"""The official harnesses that can be run beside the judge, as a table: what each is given, and how its word is read.

Facts from evalplus 0.3.1 and evalplus/evalplus@26d6d00 (``evalplus/evaluate.py``, ``evalplus/config.py``,
``evalplus/data``) and facebookresearch/cruxeval@190faf1 (``evaluation/``): file names, options, formats of results.
Nothing of a harness is imported or executed here; ``beside`` runs it in the outer sandbox. openai/human-eval is not
in the table: as published it executes nothing until its own source is edited.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...ingest import errors
from ...ingest.benchmarks.declaration import Task
from . import beside
from .judge import EVALPLUS_0_3_1, OFFICIAL, Rules

EVALPLUS = "evalplus==0.3.1"
Statuses = tuple[str, str | None]
"""Base and plus, in the words of a verdict; plus is None where there is none."""


@dataclass(frozen=True)
class Sample:
    """One distinct program of one task."""

    task_id: str
    program: str


@dataclass(frozen=True)
class Installed:
    """A harness on this machine: the interpreter that runs it, what that needs to see, and the rules that it has."""

    python: Path
    shown: tuple[Path, ...]
    search_path: tuple[Path, ...]
    rules: Rules


@dataclass(frozen=True)
class Harness:
    """``find(folder, python)`` looks at what the user has; ``prepare`` fills the folder and says what to run;
    ``read`` gives one answer per sample, in order. ``words`` are the verdicts that it tells apart; ``not_compared``
    names tasks that it cannot judge, with the reason."""

    name: str
    source: str
    benchmarks: tuple[str, ...]
    find: Callable[[Path, Path | None], Installed | None]
    prepare: Callable[[Installed, Sequence[Task], Sequence[Sample], Path, int, Path], beside.Command]
    read: Callable[[Path, Sequence[Sample]], list[Statuses]]
    words: frozenset[str]
    not_compared: Mapping[str, str]
    requirement: str | None = None
    """The release that PyPI has."""


def find_environment(folder: Path) -> Path | None:
    """The interpreter of a virtual environment."""
    python = folder / "bin" / "python"
    return python if python.exists() else None


def installed(harness: Harness, folder: Path, python: Path | None) -> Installed:
    """What ``folder`` holds of the harness; BadInput when it does not."""
    found = harness.find(folder, python)
    if found is None:
        raise errors.BadInput(f"{folder} holds no {harness.name}.", f"give a folder of {harness.source}")
    return found


def _interpreter(python: Path) -> tuple[Path, ...]:
    """What an interpreter of an environment needs to see: the environment, and where its base lies."""
    return python.parent.parent, python.resolve().parent.parent


def _find_evalplus(folder: Path, python: Path | None) -> Installed | None:
    """An environment that has evalplus, or a checkout of it (its dependencies: from ``python``'s environment)."""
    inside = sorted(folder.glob("lib/python*/site-packages/evalplus/config.py"))
    own = find_environment(folder)
    if inside and own is not None:
        return Installed(own, _interpreter(own), (), _evalplus_rules(inside[0]))
    config = folder / "evalplus" / "config.py"
    if not config.is_file():
        return None
    if python is None:
        raise errors.UsageError(
            f"{folder} is a checkout; it needs an interpreter that has what {EVALPLUS} depends on.",
            "add --harness-python ENVIRONMENT/bin/python",
        )
    return Installed(python, (*_interpreter(python), folder), (folder,), _evalplus_rules(config))


def _evalplus_rules(config: Path) -> Rules:
    """Which of the two known releases it is, by its smallest limit; read as a syntax tree, never executed."""
    by_limit = {rules.min_case_seconds: rules for rules in (OFFICIAL, EVALPLUS_0_3_1)}
    for statement in ast.parse(config.read_bytes()).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="DEFAULT_MIN_TIME_LIMIT")], value=ast.Constant(value=float(value))):
                if value in by_limit:
                    return by_limit[value]
            case _:
                pass
    raise errors.BadInput(f"{config.parent} is neither evalplus 0.3.1 nor 26d6d00.", f"pip install {EVALPLUS}")


_DATASETS: Mapping[str, tuple[str, str]] = {
    "humanevalplus": ("humaneval", "HUMANEVAL_OVERRIDE_PATH"),
    "mbppplus": ("mbpp", "MBPP_OVERRIDE_PATH"),
}


def _prepare_evalplus(
    found: Installed, tasks: Sequence[Task], samples: Sequence[Sample], problems: Path, jobs: int, folder: Path
) -> beside.Command:
    """Its own problem file cut to the tasks that have samples: it refuses to run with fewer samples than problems."""
    dataset, variable = _DATASETS[tasks[0].benchmark]
    _write_problems(problems, {sample.task_id for sample in samples}, folder / "problems.jsonl")
    lines = [json.dumps({"task_id": sample.task_id, "solution": sample.program}) for sample in samples]
    (folder / "samples.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    argv = (str(found.python), "-m", "evalplus.evaluate", "--dataset", dataset)
    return beside.Command(
        argv=(*argv, "--samples", f"{beside.RESULT}/samples.jsonl", "--parallel", str(jobs)),
        shown=found.shown,
        folder=folder,
        seconds=600 + 130.0 * len(samples) / max(1, jobs),
        environment={variable: f"{beside.RESULT}/problems.jsonl", **_search_path(found.search_path)},
    )


def _write_problems(problems: Path, task_ids: set[str], target: Path) -> None:
    with problems.open(encoding="utf-8") as source, target.open("w", encoding="utf-8") as stream:
        stream.writelines(line for line in source if line.strip() and json.loads(line)["task_id"] in task_ids)


def _read_evalplus(folder: Path, samples: Sequence[Sample]) -> list[Statuses]:
    """Its result lists a task's samples in the order of the file."""
    (path,) = sorted(folder.glob("samples*eval_results.json")) or (folder / "samples_eval_results.json",)
    results = beside.read_json(path)
    try:
        lists = {task_id: iter(rows) for task_id, rows in results["eval"].items()}
        rows = [next(lists[sample.task_id]) for sample in samples]
        return [(str(row["base_status"]), row["plus_status"]) for row in rows]
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise errors.Incomplete("The harness's result lacks some of the samples.", "run it by hand") from error


def _find_cruxeval(folder: Path, python: Path | None) -> Installed | None:
    """A checkout; numpy is all that it needs."""
    if not (folder / "evaluation" / "evaluate_generations.py").is_file():
        return None
    chosen = python or Path(sys.executable)
    packages = Path(os.path.realpath(sysconfig.get_paths()["platlib"]))
    # our own packages are bound one by one, so that an environment's ``site`` has no say in it
    search_path = (packages,) if python is None else ()
    shown = (chosen.resolve().parent.parent,) if python is None else _interpreter(chosen)
    return Installed(chosen.resolve() if python is None else chosen, (*shown, folder), (folder, *search_path), OFFICIAL)


def _prepare_cruxeval(
    found: Installed, tasks: Sequence[Task], samples: Sequence[Sample], problems: Path, jobs: int, folder: Path
) -> beside.Command:
    """Every sample as a problem of its own: otherwise answers that it drops could not be told from each other."""
    by_id = {task.task_id: task.payload for task in tasks}
    direction = tasks[0].payload["direction"]
    rows = [{"id": f"sample_{number}", **_row(by_id[sample.task_id])} for number, sample in enumerate(samples)]
    for name in ("data", "evaluation"):
        (folder / name).mkdir()
    (folder / "data" / "cruxeval.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    answers = {f"sample_{number}": [sample.program] for number, sample in enumerate(samples)}
    # which direction it is, upstream reads from the path
    asked = f"{direction}.json"
    (folder / "evaluation" / asked).write_text(json.dumps(answers), encoding="utf-8")
    script = found.search_path[0] / "evaluation" / "evaluate_generations.py"
    return beside.Command(
        argv=(str(found.python), str(script), "--generations_path", asked, "--scored_results_path", "scored.json"),
        shown=found.shown,
        folder=folder,
        seconds=600 + 5.0 * len(samples),
        environment=_search_path(found.search_path[1:]),
        directory=f"{beside.RESULT}/evaluation",
    )


def _row(payload: Mapping[str, Any]) -> dict[str, str]:
    return {name: payload[name] for name in ("code", "input", "output")}


def _read_cruxeval(folder: Path, samples: Sequence[Sample]) -> list[Statuses]:
    scored = beside.read_json(folder / "evaluation" / "scored.json")
    try:
        verdicts = [scored["raw_scored_generations"][f"sample_{number}"][0] for number in range(len(samples))]
    except (KeyError, IndexError, TypeError) as error:
        raise errors.Incomplete("The harness's result lacks some of the samples.", "run it by hand") from error
    return [("pass" if verdict is True else "fail", None) for verdict in verdicts]


def _search_path(folders: Sequence[Path]) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(map(str, folders))} if folders else {}


HARNESSES: tuple[Harness, ...] = (
    Harness(
        name="evalplus",
        source="evalplus 0.3.1 (an environment that has it) or evalplus/evalplus@26d6d00 (a checkout)",
        benchmarks=("humanevalplus", "mbppplus"),
        find=_find_evalplus,
        prepare=_prepare_evalplus,
        read=_read_evalplus,
        words=frozenset(("pass", "fail", "timeout")),
        not_compared={
            "Mbpp/255": "its expected outputs make the harness larger than the memory limit that its samples inherit"
        },
        requirement=EVALPLUS,
    ),
    Harness(
        name="cruxeval",
        source="facebookresearch/cruxeval@190faf1 (a checkout)",
        benchmarks=("cruxeval",),
        find=_find_cruxeval,
        prepare=_prepare_cruxeval,
        read=_read_cruxeval,
        words=frozenset(("pass", "fail")),
        not_compared={},
    ),
)


def harness_of(benchmark: str) -> Harness | None:
    return next((harness for harness in HARNESSES if benchmark in harness.benchmarks), None)
