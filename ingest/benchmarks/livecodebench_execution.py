"""LiveCodeBench's code execution: 479 calls of contest solutions, whose value is to be predicted.

Facts of LiveCodeBench/LiveCodeBench@28fef95 (``lcb_runner/benchmarks/code_execution.py``: the fields;
``lcb_runner/evaluation/compute_code_execution_metrics.py`` and ``utils_execute.py``: ``assert OUTPUT == <text>`` after
the code and a header of imports, 3 seconds, an answer that holds the call itself is dropped). No digest of the problems
is published: ids and number are checked, and the digest of a task follows what was staged.
"""

from __future__ import annotations

import datetime
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import keys
from ..errors import BadInput, NotStaged
from ..lake import replace_file
from .declaration import Task

NAME, SCENARIO = "livecodebench", "execution"
FILE = "execution.jsonl"
FIELDS = ("id", "question_id", "contest_date", "difficulty", "function_name", "code", "input", "output")
IMPORTS = """from itertools import accumulate, chain, combinations, count, cycle, groupby, islice, permutations, product
from itertools import repeat, zip_longest
from copy import deepcopy
from string import ascii_lowercase
from math import ceil, comb, floor, gcd, inf, isqrt, log, log10, log2, prod, sqrt
from collections import Counter, OrderedDict, defaultdict, deque
from heapq import heapify, heappop, heappush, merge
from functools import cache, lru_cache, partial, reduce
from operator import iand, itemgetter, sub
from typing import Any, Callable, Dict, Generator, Iterable, Iterator, List, Optional, Set, Tuple, Union
import bisect, collections, copy, functools, heapq, itertools, math, operator, re, string, sys
"""
"""Names that upstream's header gives an answer, those of the standard library that a value may be written with."""


def load(directory: Path) -> Iterator[Task]:
    """Tasks in the order of their numbers. Raises NotStaged where the release has no such file, BadInput."""
    path = directory / FILE
    if not path.is_file():
        raise NotStaged(
            f"the problems of {NAME} {SCENARIO} are not staged",
            f"benchforge stage {NAME} --from DIR, DIR with test.jsonl of livecodebench/execution-v2",
        )
    for line in path.read_text("utf-8").splitlines():
        yield task_of(json.loads(line))


def task_of(record: Mapping[str, Any]) -> Task:
    """One problem in upstream's fields, as ``FIELDS`` lists them."""
    code, call, output = (str(record[name]) for name in ("code", "input", "output"))
    return Task(
        benchmark=NAME,
        scenario=SCENARIO,
        task_id=str(record["id"]),
        kind="expression",
        prompt=f"{code}\nassert {call} == ??",
        payload={"code": f"{IMPORTS}{code}", "input": call, "output": output, "direction": "output"},
        test_sets=("full",),
        source_problem=str(record["question_id"]),
        num_base_cases=1,
        stratum=str(record["difficulty"]).lower(),
        cluster=str(record["question_id"]),
        contest_date=datetime.date.fromisoformat(str(record["contest_date"])[:10]),
        reference=output,
    )


def stage(paths: Iterable[Path], directories: Sequence[Path]) -> int:
    """Keep the problems in every release's folder; how many, 0 where no file has them. Raises BadInput for too few."""
    from ..bundled.task_ids import known_task_ids

    wanted = known_task_ids(NAME, "release_v6", SCENARIO) or ()
    for path in paths:
        found = {str(row["id"]): row for row in _records(path)}
        if not found:
            continue
        missing = [task_id for task_id in wanted if task_id not in found]
        if missing or len(found) != len(wanted):
            raise BadInput(
                f"{path} has {len(found)} problems of {NAME} {SCENARIO}, not the {len(wanted)} that it has",
                "take test.jsonl of livecodebench/execution-v2 whole",
            )
        lines = "".join(f"{keys.canonical_json(found[task_id])}\n" for task_id in wanted)
        for directory in directories:
            replace_file(directory / FILE, lines.encode())
        return len(wanted)
    return 0


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """Problems of a file of this scenario; nothing of any other file."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as stream:
            for line in stream:
                row = json.loads(line)
                yield {name: str(row[name]) for name in FIELDS}
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return
