"""Builds the recorded exchanges of forge_mini: ``python -m benchforge.runners.generate.bundled``.

The answers are self-written: ``attempts.jsonl`` holds programs right and wrong on purpose;
``completions/<model>.jsonl`` says which of them a made-up model gives to which sample, and in which form
(``<attempt>/<form>``). The requests are those that the demo's plan makes, so a change of prompts, seeds or limits
shows as a stale file (a test compares).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...ingest.benchmarks.declaration import Task
from ...ingest.bundled import DEMO_RUN_FILE, ROOT
from ...ingest.config import load_settings
from ...ingest.lake import Lake, replace_file
from ...ingest.manifest import Run, Shard
from ...ingest.planning.models import ServedModel
from ...ingest.planning.plan import Scope, make_plan
from ...ingest.planning.task_sets import TaskSet, load_task_set, protocol_of
from ...ingest.planning.wanted import wanted_of
from .exchanges import Exchange, exchanges_bytes
from .request import request_of

DIRECTORY = ROOT / "forge_mini"
TARGET = DIRECTORY / "exchanges.jsonl.gz"
_CREATED = 1_767_225_600
"""A fixed time: recorded answers have no clock."""


def build() -> bytes:
    """Bytes of ``exchanges.jsonl.gz`` for the demo's run file; the same on every machine."""
    return exchanges_bytes(_exchanges())


def _exchanges() -> Iterator[Exchange]:
    attempts = _attempts()
    for shard, task_set in _demo_shards():
        answers = _answers(shard.model)
        protocol = protocol_of(task_set.benchmark, shard.protocol)
        for task in task_set.tasks:
            prompt = protocol.render(task, task_set.strings)
            for index in range(shard.first_sample, shard.first_sample + shard.num_samples):
                if task.task_id in answers:
                    name, form = answers[task.task_id][index].split("/")
                    program = task.reference if name == "reference" else attempts[task.task_id, name]
                    request = request_of(shard, prompt, index, ServedModel(shard.model, shard.model))
                    text = FORMS[form](task, str(program).rstrip("\n"))
                    yield Exchange(request.path, request.digest, 200, _response(shard.model, prompt, text))


def _demo_shards() -> list[tuple[Shard, TaskSet]]:
    """The shards of the demo's plan, made in an empty folder of its own."""
    settings = load_settings({}, DEMO_RUN_FILE, {"HOME": "/nonexistent"})
    with tempfile.TemporaryDirectory() as scratch:
        run = Run(Path(scratch), Lake(Path(scratch) / "lake"))
        wanted = wanted_of(settings)
        defaults = {"seed": settings["run.seed"], "num_samples": settings["run.num_samples"], "engine": "replay"}
        plan = make_plan(run, wanted, defaults, Path(scratch), Scope())
        cells = {cell.benchmark.name: cell for cell in wanted.cells}
        task_sets = {
            name: load_task_set(cell.benchmark, cell.scenario, cell.version, Path(scratch))
            for name, cell in cells.items()
        }
        return [(shard, task_sets[shard.benchmark]) for shard in plan.shards]


def _attempts() -> dict[tuple[str, str], str]:
    rows = _lines(DIRECTORY / "attempts.jsonl")
    return {(row["task_id"], row["attempt"]): row["text"] for row in rows}


def _answers(model: str) -> dict[str, list[str]]:
    """Task -> ``<attempt>/<form>`` per sample index."""
    return {row["task_id"]: row["samples"] for row in _lines(DIRECTORY / "completions" / f"{model}.jsonl")}


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _response(model: str, prompt: Any, text: str) -> dict[str, Any]:
    """An answer as OpenAI's protocol has it. Token counts are made up from lengths: four characters to a token."""
    asked = sum(len(content) for _, content in prompt.messages) // 4
    return {
        "id": "chatcmpl-forge",
        "object": "chat.completion",
        "created": _CREATED,
        "model": model,
        "system_fingerprint": "forge",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": len(text) // 4 + 1,
            "total_tokens": asked + len(text) // 4 + 1,
        },
    }


def _fenced(task: Task, program: str) -> str:
    return f"```python\n{program}\n```"


def _chatty(task: Task, program: str) -> str:
    return (
        f"Sure, that is a nice one. Here is how I would do it:\n\n{_fenced(task, program)}\n\nIt does what was asked."
    )


def _doubled(task: Task, program: str) -> str:
    """The block is closed twice: the official extraction finds nothing between the last two fences."""
    return f"Here it is.\n\n{_fenced(task, program)}\n```"


def _usage_last(task: Task, program: str) -> str:
    """Ends in a block of usage: the official extraction takes that one."""
    call = f"print({task.payload.get('entry_point') or 'answer'})"
    return f"{_fenced(task, program)}\n\nTo try it:\n\n```python\n{call}\n```"


def _two_versions(task: Task, program: str) -> str:
    first = f"def {task.payload.get('entry_point') or 'answer'}(*arguments):\n    raise NotImplementedError"
    return f"A first sketch:\n\n```python\n{first}\n```\n\nAnd now complete:\n\n{_fenced(task, program)}"


def _bare(task: Task, program: str) -> str:
    """No fence at all, a sentence before the code."""
    return f"The answer, without decoration:\n\n{program}"


FORMS: Mapping[str, Any] = {
    "fenced": _fenced,
    "chatty": _chatty,
    "doubled": _doubled,
    "usage_last": _usage_last,
    "two_versions": _two_versions,
    "bare": _bare,
}


if __name__ == "__main__":
    replace_file(TARGET, build())
