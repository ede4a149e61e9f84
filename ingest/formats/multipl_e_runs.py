"""MultiPL-E's own files: completions and results of one problem, a folder of them, and the CSV files of 2022.

Shapes as nuprl/MultiPL-E writes them, read from the copy yohei-kobashi/MultiPL-E@19cfdb5 (``evaluation/src/main.py``,
``pass_k.py``, ``evaluation/test_inputs``). A result passes when its status is ``OK`` and its exit code 0. There can be
fewer results than completions (a run that was resumed); upstream then takes the number of results for n, and here the
others are samples without a verdict.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .glimpse import Glimpse
from .multipl_e import facts_of
from .records import Context, Judgement, Log, LogFacts, Record, log_format
from .source_files import json_document
from .text_stream import text_lines

TOOL = "MultiPL-E"
_PROBLEM_FILE = re.compile(r"(HumanEval|mbpp)_\d+_\w+?(\.results)?\.(json|yaml)(\.gz)?")
_LANGUAGES: Mapping[str, str] = {
    "c++": "cpp",
    "c#": "cs",
    "javascript": "js",
    "typescript": "ts",
    "bash": "sh",
    "python": "py",
    "lua": "lua",
}
_CSV_LINE = re.compile(r"[^,\n]+,HumanEval_\d+_\w+,\w+\s*$")


def open_problems(path: Path, context: Context) -> Log:
    files = _problem_files(path) if path.is_dir() else [path]
    first = json_document(files[0])
    facts = LogFacts(
        tool=TOOL,
        benchmark="multipl_e",
        scenario=_language(first.get("language")),
        temperature=first.get("temperature"),
        top_p=first.get("top_p"),
        max_tokens=first.get("max_tokens"),
        num_tasks=len({_problem(file) for file in files}),
    )
    return Log(lambda: _records(files, context), facts)


def _problem_files(folder: Path) -> list[Path]:
    """Of a problem with results only these: they hold the programs as well."""
    found = sorted(one for one in folder.iterdir() if _PROBLEM_FILE.fullmatch(one.name) and ".yaml" not in one.name)
    graded = {_problem(one) for one in found if ".results." in one.name}
    return [one for one in found if ".results." in one.name or _problem(one) not in graded]


def _problem(path: Path) -> str:
    return path.name.split(".", 1)[0]


def _language(word: Any) -> str | None:
    return _LANGUAGES.get(str(word).lower(), str(word).lower()) if word else None


def _records(files: list[Path], context: Context) -> Iterator[Record]:
    for path in files:
        document = json_document(path)
        name = document.get("name")
        if not isinstance(name, str):
            raise BadInput(f"{path} names no problem", "check that the format named fits the file")
        results = document.get("results")
        yield from _results(path, name, results, context) if results else _completions(name, document, context)


def _completions(name: str, document: Mapping[str, Any], context: Context) -> Iterator[Record]:
    for index, text in enumerate(document.get("completions") or ()):
        yield Record(
            name,
            index,
            text,
            context.text_form or "completion",
            prompt=document.get("prompt"),
            task_facts=facts_of(name),
            notes={"stop": document.get("stop_tokens")},
        )


def _results(path: Path, name: str, results: Any, context: Context) -> Iterator[Record]:
    for index, result in enumerate(results):
        if not isinstance(result, dict) or not isinstance(result.get("status"), str):
            raise BadInput(f"{path}: result {index} has no status", "check that the format named fits the file")
        yield Record(
            name,
            index,
            result.get("program"),
            (context.text_form or "program") if result.get("program") is not None else None,
            {"base": _judgement(result)},
            task_facts=facts_of(name),
            notes={"status": result["status"], "stderr": result.get("stderr")},
        )


def _judgement(result: Mapping[str, Any]) -> Judgement:
    status, exit_code = result["status"], result.get("exit_code", 0)
    if status == "OK" and exit_code == 0:
        return Judgement("pass", "ok")
    words = {"Timeout": Judgement("timeout", "timeout"), "SyntaxError": Judgement("fail", "syntax")}
    return words.get(status, Judgement("fail", "exception" if status == "Exception" else None))


def open_csv(path: Path, context: Context) -> Log:
    """``language,problem,status``, one sample per problem; a last line that counts the passes is stated, no problem."""
    lines = [line for _, line in text_lines(path)]
    language = _language(next(csv.reader(lines[:1]))[0])
    counted = [match for line in lines if (match := re.fullmatch(r"Total .*Passed (\d+)", line.strip()))]
    num_tasks = sum(bool(_CSV_LINE.match(line)) for line in lines)
    stated = {"pass@1": 100 * int(counted[-1][1]) / num_tasks} if counted and num_tasks else {}
    facts = LogFacts(tool=TOOL, benchmark="multipl_e", scenario=language, tool_version="2022")
    return Log(lambda: _csv_records(path), facts, stated)


def _csv_records(path: Path) -> Iterator[Record]:
    for number, line in text_lines(path):
        if _CSV_LINE.match(line):
            _, name, status = (cell.strip() for cell in line.split(","))
            yield Record(
                name, 0, judgements={"base": _judgement({"status": status})}, line=number, task_facts=facts_of(name)
            )


def open_pass_at_k(path: Path, context: Context) -> Log:
    """``per_problem_all.csv``: pass@k of every problem, language and model, of which the means are stated scores."""
    sums: dict[tuple[str, str, str], list[float]] = {}
    for row in csv.DictReader(line for _, line in text_lines(path)):
        if row.get("pass@1"):
            key = (str(row["dataset"]), str(row["lang"]), f"{row['model']} {row['variation']}")
            sums.setdefault(key, []).append(float(str(row["pass@1"])))
    scores = {f"{' '.join(key)} pass@1": 100 * sum(values) / len(values) for key, values in sums.items()}
    return Log(lambda: iter(()), LogFacts(tool=TOOL, title="pass@k by problem"), scores)


def _is_problem(glimpse: Glimpse) -> bool:
    if glimpse.kind == "folder":
        return any(_PROBLEM_FILE.fullmatch(name) for name in glimpse.names)
    has_answers = glimpse.has("completions") or glimpse.has("results")
    return glimpse.kind == "object" and glimpse.has("name", "language", "prompt", "tests") and has_answers


FORMATS = (
    log_format(
        "multipl-e",
        open_problems,
        "MultiPL-E completions or results: the file of one problem, or the folder of all",
        tool=TOOL,
        recognises=_is_problem,
    ),
    log_format(
        "multipl-e-csv",
        open_csv,
        "MultiPL-E <language>.csv of 2022: a status per problem",
        tool=TOOL,
        recognises=lambda glimpse: glimpse.kind == "text" and bool(_CSV_LINE.match(glimpse.start.split("\n", 1)[0])),
    ),
    log_format(
        "multipl-e-means",
        open_pass_at_k,
        "MultiPL-E per_problem_all.csv: pass@k by problem, read as stated scores",
        tool=TOOL,
        recognises=lambda glimpse: glimpse.kind == "text" and glimpse.start.startswith("dataset,lang,problem,model,"),
        has_samples=False,
    ),
)
