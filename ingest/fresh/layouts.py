"""Files of dated problems, line by line, in one of two layouts; what is wrong with a line is said, not raised.

``livecodebench``  upstream's fields (``question_id`` … ``private_test_cases``, ``metadata``), and beside them
                   ``source``, ``licence`` and ``solution``, which upstream does not have: options give them as well
``jsonl``          ours: ``FIELDS`` below, documented in docs/fresh_problems.md

The tests of one problem are in memory at a time: they are kept in files of their own at once (in a folder that is
thrown away when something is wrong), as LiveCodeBench's are.
"""

from __future__ import annotations

import datetime
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..benchmarks.livecodebench_tests import MAX_LINE_BYTES, Tests, decoded, keep
from ..errors import BadInput, UsageError

FIELDS: Mapping[str, bool] = {
    "task_id": True,
    "statement": True,
    "tests": True,
    "date": True,
    "source": True,
    "licence": True,
    "solution": True,
    "title": False,
    "starter_code": False,
    "entry_point": False,
    "difficulty": False,
    "contest": False,
}
"""Field of the layout ``jsonl`` -> whether each line must have it (the three that options give count as there)."""
_TASK_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_SUFFIXES = (".jsonl", ".jsonl.gz")


class Wrong(ValueError):
    """What is wrong with one line, as words that follow its place."""


@dataclass(frozen=True, order=True)
class Fault:
    """A sentence about one line; ``problem`` is the id as it stands there, empty where there is none."""

    file: str
    line: int
    sentence: str
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {f'{self.problem}: ' if self.problem else ''}{self.sentence}"


@dataclass(frozen=True)
class Problem:
    """A line that is as it should be; ``tests`` is what ``livecodebench_tests.keep`` says of its tests."""

    file: str
    line: int
    task_id: str
    statement: str
    starter_code: str
    date: str
    source: str
    licence: str
    solution: str
    tests: Mapping[str, Any]
    title: str = ""
    difficulty: str | None = None
    contest: str | None = None

    @property
    def content(self) -> dict[str, Any]:
        """What a release holds of it: everything but where it was read."""
        return {name: value for name, value in vars(self).items() if name not in ("file", "line")}

    def fault(self, sentence: str) -> Fault:
        return Fault(self.file, self.line, sentence, self.task_id)


@dataclass(frozen=True)
class Defaults:
    """What options say for the lines that do not; ``solutions``: folder with a program ``<task_id>.py`` each."""

    source: str | None = None
    licence: str | None = None
    solutions: Path | None = None
    today: datetime.date = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).date())


def files_of(path: Path) -> list[Path]:
    """The file, or the files of the folder, in the order of their names. UsageError where there are none."""
    found = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.name.endswith(_SUFFIXES))
    if not found:
        raise UsageError(f"{path} holds no problems", "name a file of JSON lines, or a folder with *.jsonl[.gz]")
    return found


def read_problems(path: Path, layout: str, defaults: Defaults, root: Path) -> tuple[list[Problem], list[Fault]]:
    """Every line of a file or folder: its problem, and what is wrong with it. Tests are kept below ``root``.

    A line with a fault is among the problems as well where its statement, tests and solution are there: what else is
    wrong with these can be said at once. UsageError for a folder without files; OSError where one cannot be read.
    """
    problems: list[Problem] = []
    faults: list[Fault] = []
    for file in files_of(path):
        for number, line in _numbered(file, faults):
            try:
                record = _with_defaults(LAYOUTS[layout](_record(line)), defaults)
            except Wrong as error:
                faults.append(Fault(file.name, number, str(error)))
                continue
            wrong = _wrong(record, defaults.today)
            faults += [Fault(file.name, number, sentence, _id_of(record)) for sentence in wrong]
            if not wrong or _can_be_run(record):
                problems.append(_problem(file.name, number, record, root))
    return problems, faults


def _numbered(file: Path, faults: list[Fault]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, blank ones left out; a file that breaks off is a fault after its last line."""
    number = 0
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rb") as stream:
            while line := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    faults.append(Fault(file.name, number, f"the line has more than {MAX_LINE_BYTES} bytes"))
                    return
                if line.strip():
                    yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile):
        faults.append(Fault(file.name, number + 1, "the file is damaged or cut off here"))


def _record(line: bytes) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Wrong("this is not JSON") from error
    if not isinstance(record, dict):
        raise Wrong("this is no JSON object")
    return record


def _id_of(record: Any) -> str:
    name = record.get("task_id", record.get("question_id")) if isinstance(record, dict) else None
    return name if isinstance(name, str) and _TASK_ID.fullmatch(name) else ""


def _wrong(record: Mapping[str, Any], today: datetime.date) -> list[str]:
    """Every sentence about the record."""
    return [
        *_missing(record),
        *_odd_texts(record),
        *_odd_values(record, today),
        *_odd_tests(record["tests"], record),
    ]


def _can_be_run(record: Mapping[str, Any]) -> bool:
    """Whether a record with faults has all that comparing it and running its solution needs."""
    texts = (record.get("statement"), record.get("solution"), record.get("starter_code") or "-")
    is_whole = isinstance(record["tests"], Tests) and not _odd_tests(record["tests"], record)
    return is_whole and bool(_id_of(record)) and all(map(_is_text, texts))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and _is_encodable(value)


def _problem(file: str, number: int, record: Mapping[str, Any], root: Path) -> Problem:
    """What is no text, or no day, has a stand-in: a fault says so, and keeps it from being released."""
    names = (name for name in FIELDS if name not in ("tests", "entry_point"))
    texts = {name: record[name] for name in names if _is_text(record.get(name))}
    texts["date"] = (_day(texts.get("date", "")) or datetime.date.min).isoformat()
    stand_ins = dict.fromkeys(("source", "licence", "starter_code"), "")
    return Problem(file, number, **{**stand_ins, **texts, "tests": keep(record["tests"], root)})


def _odd_tests(tests: Any, record: Mapping[str, Any]) -> list[str]:
    if not isinstance(tests, Tests):
        return [] if tests is None else [str(tests)]
    is_called = tests.fn_name is not None
    return [] if bool(record.get("starter_code")) == is_called else ["starter_code and the method's name go together"]


def _with_defaults(record: Mapping[str, Any], defaults: Defaults) -> dict[str, Any]:
    given = {name: getattr(defaults, name) for name in ("source", "licence")}
    filled = {**record, **{name: value for name, value in given.items() if value and not record.get(name)}}
    if not filled.get("solution") and defaults.solutions and (name := _id_of(record)):
        path = defaults.solutions / f"{name}.py"
        filled["solution"] = path.read_text("utf-8", errors="replace") if path.is_file() else None
    return filled


def _missing(record: Mapping[str, Any]) -> list[str]:
    hints = {"licence": " (or say --licence for all)", "source": " (or say --source for all)"}
    hints["solution"] = " (or --solutions DIR with ID.py)"
    absent = [name for name, is_required in FIELDS.items() if is_required and record.get(name) in (None, "")]
    unknown = sorted(set(record) - set(FIELDS))
    sentences = [f"{name} is missing{hints.get(name, '')}" for name in absent]
    return sentences + [f"there is no field {name}: fields are {', '.join(FIELDS)}" for name in unknown]


def _odd_texts(record: Mapping[str, Any]) -> list[str]:
    found = []
    for name in FIELDS:
        value = record.get(name)
        if name != "tests" and value is not None and not isinstance(value, str):
            found.append(f"{name} is not a text")
        elif isinstance(value, str) and not _is_encodable(value):
            found.append(f"{name} has half a character (a lone surrogate)")
    return found


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _odd_values(record: Mapping[str, Any], today: datetime.date) -> list[str]:
    found = []
    name, date, entry = (record.get(key) for key in ("task_id", "date", "entry_point"))
    if isinstance(name, str) and name and not _TASK_ID.fullmatch(name):
        found.append(f"task_id {name[:40]!r} is not made of letters, digits, dots, dashes and _ (100 at most)")
    if isinstance(date, str) and date and (sentence := _odd_date(date, today)):
        found.append(sentence)
    if isinstance(entry, str) and not (_NAME.fullmatch(entry) and record.get("starter_code")):
        found.append("entry_point names a method of the class in starter_code, which must be there")
    return found


_FIRST_YEAR = 1950


def _odd_date(text: str, today: datetime.date) -> str:
    day = _day(text)
    if day is None:
        return f"date {text[:40]!r} is no day: write 2026-03-31"
    if day.year < _FIRST_YEAR:  # 0026-03-31 would make a problem older than every cutoff
        return f"date {day} is too early to be true: write 2026-03-31"
    # a day too late would make a problem clean for every model: one day for time zones
    return f"date {day} is still to come" if day > today + datetime.timedelta(days=1) else ""


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.datetime.fromisoformat(text).date()
    except ValueError:
        return None


def _of_jsonl(record: Mapping[str, Any]) -> dict[str, Any]:
    return {**record, "tests": _own_tests(record)}


def _own_tests(record: Mapping[str, Any]) -> Tests | str | None:
    """Tests in the layout ``jsonl``; what is wrong with them; None where there are none."""
    given, entry = record.get("tests"), record.get("entry_point")
    if not given:
        return None
    names = {"input", "output"} if entry is None else {"args", "output"}
    if not isinstance(given, list) or not all(isinstance(test, dict) and set(test) == names for test in given):
        return f"tests is not a list of objects with {' and '.join(sorted(names))} alone"
    if entry is None:
        return _checked(Tests([test["input"] for test in given], [test["output"] for test in given], None))
    if not all(isinstance(test["args"], list) and test["args"] for test in given):
        return "args of a test is not a list of arguments"
    inputs = ["\n".join(map(json.dumps, test["args"])) for test in given]
    return _checked(Tests(inputs, [json.dumps(test["output"]) for test in given], str(entry)))


def _checked(tests: Tests) -> Tests | str:
    """Tests that a program which does nothing fails."""
    if not all(type(text) is str for text in (*tests.inputs, *tests.outputs)):
        return "input and output of a test are texts"
    nothing = "" if tests.fn_name is None else "null"
    if all(text.strip() == nothing for text in tests.outputs):
        return "a program that does nothing would pass every test"
    return tests


def _of_livecodebench(record: Mapping[str, Any]) -> dict[str, Any]:
    """Upstream's fields under our names; its contest as the marts write it."""
    platform, contest = record.get("platform"), record.get("contest_id")
    found = {name: record.get(theirs) for name, theirs in _THEIRS.items()}
    found |= {name: record.get(name) for name in ("source", "licence", "solution")}
    found["contest"] = f"{platform or ''}/{contest}" if contest else None
    try:
        has_tests = "public_test_cases" in record and "private_test_cases" in record
        found["tests"] = _checked(decoded(record)) if has_tests else None
    except BadInput:
        found["tests"] = "public_test_cases, private_test_cases or metadata are not what upstream writes"
    return found


_THEIRS = {
    "task_id": "question_id",
    "title": "question_title",
    "statement": "question_content",
    "starter_code": "starter_code",
    "date": "contest_date",
    "difficulty": "difficulty",
}

LAYOUTS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "jsonl": _of_jsonl,
    "livecodebench": _of_livecodebench,
}
