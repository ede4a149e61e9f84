"""LiveCodeBench's hidden tests: read without unpickling, kept in one file per problem, opened one problem at a time.

Facts of livecodebench/code_generation_lite and LiveCodeBench/LiveCodeBench@28fef95
``lcb_runner/benchmarks/code_generation.py``: a line of ``test.jsonl`` … ``test6.jsonl`` has ``public_test_cases`` (JSON
text), ``private_test_cases`` (JSON text, or base64 over zlib over a pickle of JSON text) and ``metadata`` (JSON text;
``func_name`` where a method is called). Upstream unpickles; here a reader takes the one string that may be in there.

::

    <datasets_root>/livecodebench/tests/<sha256>.jsonl.gz   one problem's tests: a line with the method's name, then
                                                            one line {"input", "output"} per test, public ones first
    <datasets_root>/livecodebench/<release>/tests.jsonl     which of them a release has, by problem; written last

Files are named by what is in them (sha256 of the unpacked lines, reckoned once, when staged), so that releases share
them, and staging that was interrupted goes on.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import keys
from ..errors import BadInput, NotStaged
from ..lake import replace_file
from .one_pickled_text import NotOneText, text_of_pickle

INDEX = "tests.jsonl"
MAX_LINE_BYTES = 1 << 29
MAX_UNPACKED_BYTES = 1 << 30
"""Of one problem's tests. The largest of release 6 stay far below: whatever claims more is no test."""
_PACKING = 1
"""gzip's level: a tenth of the time of the default one, for files a fifth larger."""
_HIDDEN, _PUBLIC = "private_test_cases", "public_test_cases"
_Case = tuple[str, str]


@dataclass(frozen=True)
class StoredTests:
    """Where one problem's tests lie. A task's payload holds this; its digest follows the tests and never the place."""

    sha256: str
    num_tests: int
    num_bytes: int = field(repr=False)
    path: Path = field(repr=False, compare=False)


@dataclass(frozen=True)
class Tests:
    """Tests of one problem in upstream's order; ``fn_name`` is the method that they call, None for standard input."""

    inputs: Sequence[str]
    outputs: Sequence[str]
    fn_name: str | None


def has_tests(path: Path) -> bool:
    """Whether a file's first problem brings hidden tests; False for whatever else it is."""
    try:
        record = json.loads(next(lines_of(path)))
        return isinstance(record, dict) and isinstance(record.get(_HIDDEN), str) and record.get(_PUBLIC) is not None
    except (OSError, EOFError, ValueError, zlib.error, StopIteration, BadInput):
        return False


def stage_tests(paths: Iterable[Path], wanted: Mapping[Path, frozenset[str]]) -> Mapping[Path, int]:
    """Keep the tests of releases, one problem in memory at a time. ``wanted``: a release's folder -> its problems.

    Returns how many problems by folder; nothing where no file has hidden tests. Raises BadInput for tests that cannot
    be read, where a problem of some release has none, and where a release was staged with other tests before: then no
    index is written. No digest of tests is published: the first staging of a release is what later ones must repeat.
    """
    rows: dict[str, Mapping[str, Any]] = {}
    asked = frozenset().union(*wanted.values())
    for path in [path for path in paths if has_tests(path)]:
        for record in _records(path):
            task_id = str(record.get("question_id"))
            if task_id in asked and task_id not in rows:
                rows[task_id] = _kept(path, record, next(iter(wanted)).parent)
    if not rows:
        return {}
    for directory, task_ids in wanted.items():
        _refuse_missing(directory, task_ids, rows)
        _refuse_changed(directory, task_ids, rows)
    for directory, task_ids in wanted.items():
        lines = "".join(f"{keys.canonical_json(rows[task_id])}\n" for task_id in sorted(task_ids))
        replace_file(directory / INDEX, lines.encode())
    return {directory: len(task_ids) for directory, task_ids in wanted.items()}


def _records(path: Path) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(lines_of(path), start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{path}: line {number} is not JSON", _TAKE) from error
        if isinstance(record, dict):
            yield record


def _refuse_missing(directory: Path, task_ids: frozenset[str], rows: Mapping[str, Any]) -> None:
    missing = sorted(task_ids - set(rows))
    if missing:
        number = len(task_ids) - len(missing)
        raise BadInput(
            f"{number} of {len(task_ids)} problems of {directory.name} have their tests there, {missing[0]} has none",
            "put all the files test*.jsonl of livecodebench/code_generation_lite there",
        )


def _refuse_changed(directory: Path, task_ids: frozenset[str], rows: Mapping[str, Any]) -> None:
    before = index_of(directory)
    changed = sorted(name for name in task_ids & set(before) if before[name][0].sha256 != rows[name]["sha256"])
    if changed:
        raise BadInput(
            f"The tests of {len(changed)} of {len(task_ids)} problems of {directory.name} are not those that were "
            f"staged before, the first is {changed[0]}",
            f"{_TAKE}, or remove {directory / INDEX} to stage the new ones: what was judged by the old is judged again",
        )


def index_of(directory: Path) -> Mapping[str, tuple[StoredTests, str | None]]:
    """Problem -> its tests, and the method's name; empty where a release has none. BadInput for a damaged file."""
    path = directory / INDEX
    if not path.is_file():
        return {}
    try:
        return dict(_entry(json.loads(line), directory) for line in path.read_text("utf-8").splitlines())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is damaged", f"remove {path} and stage it again") from error


def opened(stored: StoredTests) -> Tests:
    """One problem's tests. Raises NotStaged for a file that is gone, BadInput for one that is not what was staged."""
    hint = (
        "benchforge stage livecodebench --version RELEASE --from DIR writes it again; of your own, put the folder back"
    )
    try:
        # in one piece: the standard library's stream takes as long again for its own steps
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        content = stream.decompress(stored.path.read_bytes(), stored.num_bytes + 1)
        if not stream.eof:
            raise EOFError
    except FileNotFoundError as error:
        raise NotStaged(f"{stored.path} is missing", hint) from error
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{stored.path} is damaged", hint) from error
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise BadInput(f"{stored.path} is not what was staged: its sha256 differs", hint)
    first, *lines = content.splitlines()
    cases = [json.loads(line.decode()) for line in lines]  # json would look for the encoding of each
    return Tests([case["input"] for case in cases], [case["output"] for case in cases], json.loads(first)["fn_name"])


def decoded(record: Mapping[str, Any]) -> Tests:
    """Tests of one line of upstream's files, public ones first. Raises BadInput in words about the line."""
    name = record.get("question_id")
    try:
        cases = [*_cases(json.loads(record[_PUBLIC])), *_cases(_hidden(record[_HIDDEN]))]
        fn_name = json.loads(record["metadata"] or "{}").get("func_name")
        if not cases or not isinstance(fn_name, str | None):
            raise NotOneText("there is no test, or the method's name is not text")
    except KeyError as error:
        raise BadInput(f"problem {name} lacks {error.args[0]}", _TAKE) from error
    except (ValueError, TypeError, AttributeError, RecursionError, zlib.error, MemoryError) as error:
        raise BadInput(f"the tests of problem {name} cannot be read: {_about(error)}", _TAKE) from error
    return Tests([given for given, _ in cases], [wanted for _, wanted in cases], fn_name)


_TAKE = "take the file from livecodebench/code_generation_lite again"


def _about(error: Exception) -> str:
    return str(error) if isinstance(error, NotOneText) else "it is not what upstream writes"


def _hidden(text: str) -> Any:
    """JSON; else base64 over zlib over a pickle that is one text, which is JSON."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        packed = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise NotOneText("they are neither JSON nor base64") from error
    return json.loads(text_of_pickle(_unpacked(packed)))


def _unpacked(packed: bytes) -> bytes:
    stream = zlib.decompressobj()
    content = stream.decompress(packed, MAX_UNPACKED_BYTES)
    if not stream.eof:
        raise NotOneText(f"they are cut off, or unpack to more than {MAX_UNPACKED_BYTES} bytes")
    return content


def _cases(given: Any) -> Iterator[_Case]:
    for case in given:
        pair = case["input"], case["output"]
        if not all(type(text) is str for text in pair):
            raise NotOneText("an input or an output is not text")
        yield pair


def _kept(path: Path, record: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Write one problem's file unless it is there; its row of the index."""
    try:
        tests = decoded(record)
    except BadInput as error:
        raise BadInput(f"{path}: {error.message}", error.hint) from error
    return {"question_id": record["question_id"], **keep(tests, root)}


def keep(tests: Tests, root: Path) -> dict[str, Any]:
    """Write one problem's file below ``root`` unless it is there and whole; what is needed to open it again."""
    content = b"".join(_written(tests))
    digest = hashlib.sha256(content).hexdigest()
    target = place_of(root, digest)
    if not _is_kept(target, content):
        replace_file(target, gzip.compress(content, _PACKING, mtime=0))
    return {
        "sha256": digest,
        "num_tests": len(tests.inputs),
        "num_bytes": len(content),
        "fn_name": tests.fn_name,
    }


def _is_kept(target: Path, content: bytes) -> bool:
    """Whether the file is there with this content: a damaged one is written again. A tenth of what packing costs."""
    try:
        with gzip.open(target) as stream:
            return stream.read(len(content) + 1) == content
    except (OSError, EOFError, zlib.error):
        return False


def _written(tests: Tests) -> Iterator[bytes]:
    yield keys.canonical_json({"fn_name": tests.fn_name}).encode() + b"\n"
    for given, wanted in zip(tests.inputs, tests.outputs, strict=True):
        yield json.dumps({"input": given, "output": wanted}).encode() + b"\n"


def _entry(row: Mapping[str, Any], directory: Path) -> tuple[str, tuple[StoredTests, str | None]]:
    return row["question_id"], (stored_in(directory.parent, row), row["fn_name"])


def stored_in(root: Path, row: Mapping[str, Any]) -> StoredTests:
    """Tests that ``keep`` wrote below ``root``; ValueError or KeyError for a row that it did not give."""
    digest, num_tests, num_bytes = row["sha256"], row["num_tests"], row["num_bytes"]
    if not 0 < num_bytes <= MAX_UNPACKED_BYTES or len(digest) != 64 or num_tests < 1:
        raise ValueError
    return StoredTests(digest, num_tests, num_bytes, place_of(root, digest))


def place_of(root: Path, digest: str) -> Path:
    """File of the tests with this sha256."""
    return root / "tests" / f"{digest}.jsonl.gz"


def lines_of(path: Path) -> Iterator[bytes]:
    """Lines that hold something; BadInput for one that no problem fills."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as stream:
        while line := stream.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise BadInput(f"{path} has a line of more than {MAX_LINE_BYTES} bytes", _TAKE)
            if line.strip():
                yield line
