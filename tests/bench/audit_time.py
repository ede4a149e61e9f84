"""How long an audit takes: an EvalPlus log of 164 samples, lm-evaluation-harness logs of 800 problems with 10 replies.

``python tests/bench/audit_time.py DATASETS LOG``: DATASETS are staged problems (HumanEval+, CRUXEval), LOG an EvalPlus
result file. Prints wall and CPU seconds, those of the judge's children included, and how many samples ran out of time.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from benchforge.ingest.benchmarks import registry
from benchforge.ingest.recorded import AUTO, Wanted
from benchforge.ingest.staging import staged
from benchforge.runners.ask.audit.report import audited
from benchforge.runners.score.pending import Means

_NUM_REPLIES = 10


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _measure(name: str, path: Path, wanted: Wanted, means: Means) -> None:
    wall, cpu = time.monotonic(), _cpu_seconds()
    audit = audited(path, wanted, {}, means)
    wall, cpu = time.monotonic() - wall, _cpu_seconds() - cpu
    shown = {one.reading: round(one.percent, 2) for one in audit.numbers}
    load = os.getloadavg()[0]
    print(f"{name}: {wall:.1f} s wall, {cpu:.1f} s CPU, load {load:.1f}; {shown} {audit.notes}", flush=True)


def _lm_eval(folder: Path, means: Means) -> Path:
    """Output prediction: nine right answers of ten differently written, one wrong."""
    benchmark = registry()["cruxeval"]
    tasks = staged.load_tasks(benchmark, benchmark.version().name, "cruxeval_o", means.datasets_root)
    path = folder / "samples_cruxeval_output.jsonl"
    with path.open("w") as file:
        for place, task in enumerate(tasks):
            doc = {"id": task.task_id, "input": task.payload["input"], "output": task.reference}
            texts = [f"{task.reference}{' ' * index}" for index in range(_NUM_REPLIES - 1)] + [f"{place + 7!r}"]
            row = {"doc_id": place, "doc": doc, "resps": [texts], "filtered_resps": [texts], "filter": "none"}
            file.write(json.dumps(row | {"metrics": ["pass@1"], "pass@1": 0.9}) + "\n")
    return path


def main() -> None:
    means = Means(Path(sys.argv[1]), None, len(os.sched_getaffinity(0)), False)
    _measure("EvalPlus 164 x 1", Path(sys.argv[2]), Wanted(AUTO, None), means)
    with tempfile.TemporaryDirectory() as folder:
        path = _lm_eval(Path(folder), means)
        size = path.stat().st_size / 1e6
        wanted = Wanted(AUTO, "cruxeval_o", text_form="program")
        _measure(f"lm-evaluation-harness 800 x {_NUM_REPLIES}, {size:.1f} MB", path, wanted, means)


if __name__ == "__main__":
    main()
