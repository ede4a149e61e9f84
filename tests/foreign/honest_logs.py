"""Honest logs of ten tools, made up: every second problem is solved, and nothing is wrong with any number.

Shapes after the sources that docs/formats.md names. A builder gives the document that the tool would write; ``FILES``
says how it stands in a file. Problems carry the benchmarks' own names and nothing else of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchforge.ingest.bundled.task_ids import known_task_ids

Document = Any
STOPS = ["\nclass", "\ndef", "\n#", "\nif", "\nprint"]
HUMANEVAL_HASH, MBPP_HASH = "fe585eb4df8c88d844eeb463ea4d0302", "ee43ecabebf20deef4bb776a405ac5b1"


def is_solved(place: int) -> bool:
    return place % 2 == 0


def program(place: int, index: int = 0) -> str:
    return f"def solution(x):\n    y = x + {place}\n    return y * {index}\n"


def reply(place: int, index: int = 0) -> str:
    return f"Add {place}, then multiply.\n```python\n{program(place, index)}```\nIt takes one step {index}.\n"


def _ids(benchmark: str, version: str) -> list[str]:
    found = known_task_ids(benchmark, version, "default")
    assert found is not None
    return list(found)


def evalplus(num_samples: int = 1, is_mbpp: bool = False) -> Document:
    ids = _ids("mbppplus", "v0.2.0") if is_mbpp else _ids("humanevalplus", "v0.1.10")
    return {
        "date": "2026-01-01 00:00",
        "hash": MBPP_HASH if is_mbpp else HUMANEVAL_HASH,
        "eval": {
            task_id: [_evalplus(task_id, *one) for one in _samples(place, num_samples)]
            for place, task_id in enumerate(ids)
        },
    }


def _samples(place: int, num_samples: int) -> list[tuple[int, int, bool]]:
    """(place, index, solved): of several samples the first half, where the problem is solved at all."""
    return [(place, index, is_solved(place) and index <= num_samples // 2) for index in range(num_samples)]


def _evalplus(task_id: str, place: int, index: int, solved: bool) -> dict[str, Any]:
    status = "pass" if solved else "fail"
    return {"task_id": task_id, "solution": program(place, index), "base_status": status, "plus_status": status}


def lm_humaneval() -> Document:
    return [
        _lm_row(place, _humaneval_doc(task_id, place), f"    return {place}\n", is_joined=True)
        for place, task_id in enumerate(_ids("humaneval", "v1"))
    ]


def _humaneval_doc(task_id: str, place: int) -> dict[str, Any]:
    prompt = f'def solution_{place}(x):\n    """Add {place}."""\n'
    return {"task_id": task_id, "prompt": prompt, "entry_point": f"solution_{place}", "test": "def check(f): ...\n"}


def lm_instruct() -> Document:
    """``humaneval_instruct``: the filter keeps what stands before the first fence, behind the prompt."""
    rows = lm_humaneval()
    for place, row in enumerate(rows):
        row["resps"] = [[f"    return {place}\n```\nDone.\n"]]
    return rows


def lm_cruxeval(num_samples: int = 1, temperature: float | None = None) -> Document:
    """Output prediction: every fourth answer is a text; with several samples the tool keeps their mean."""
    return [_lm_cruxeval_row(place, num_samples, temperature) for place in range(800)]


def _lm_cruxeval_row(place: int, num_samples: int, temperature: float | None) -> dict[str, Any]:
    right = f"'word {place}'" if place % 4 == 0 else str(place)
    doc = {"id": f"sample_{place}", "code": "def f(x):\n    return x\n", "input": right, "output": right}
    answers = [right if is_solved(place // 4) else f"{place + 1000 + index}" for index in range(num_samples)]
    row = _lm_row(place, doc, answers[0], is_passed=is_solved(place // 4))
    row["resps"] = [[f"{answer} {index}" if num_samples > 1 else answer for index, answer in enumerate(answers)]]
    row["filtered_resps"] = row["resps"] if num_samples > 1 else answers
    if temperature is not None:
        row["arguments"]["gen_args_0"]["arg_1"] |= {"temperature": temperature, "do_sample": True, "top_p": 0.95}
    return row


def lm_mbpp() -> Document:
    """``mbpp_plus`` as it should be: graded with the extra tests."""
    rows = []
    for place, task_id in enumerate(_ids("mbppplus", "v0.2.0")):
        number = int(task_id.removeprefix("Mbpp/"))
        doc = {
            "task_id": number,
            "test_list": [f"assert f({place}) == 1"],
            "test": "plus inputs",
            "code": program(place),
        }
        row = _lm_row(place, doc, reply(place)) | {"target": "plus inputs"}
        rows.append(row | {"filtered_resps": [program(place)], "filter": "extract_code"})
    return rows


def _lm_row(
    place: int, doc: Mapping[str, Any], text: str, is_joined: bool = False, is_passed: bool | None = None
) -> dict[str, Any]:
    prompt = doc.get("prompt", f"Solve problem {place}.\n")
    passed = is_solved(place) if is_passed is None else is_passed
    return {
        "doc_id": place,
        "doc": dict(doc),
        "target": "def check(f): ...",
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": {"until": list(STOPS), "max_gen_toks": 1024}}},
        "resps": [[text]],
        "filtered_resps": [prompt + text if is_joined else text],
        "filter": "create_test",
        "metrics": ["pass@1"],
        "pass@1": float(passed),
    }


def livecodebench(num_samples: int = 1) -> Document:
    return [_lcb_row(place, num_samples) for place in range(400)]


def _lcb_row(place: int, num_samples: int) -> dict[str, Any]:
    samples = _samples(place, num_samples)
    grades = [solved for _, _, solved in samples]
    return {
        "question_id": f"made_{place}",
        "contest_date": f"2024-{1 + place // 40:02d}-01T00:00:00",
        "difficulty": ("easy", "medium", "hard")[place % 3],
        "platform": "leetcode",
        "output_list": [f"### Idea\n{reply(place, index)}" for _, index, _ in samples],
        "code_list": [program(place, index) for _, index, _ in samples],
        "graded_list": grades,
        "pass@1": sum(grades) / num_samples,
        "metadata": [json.dumps({} if solved else {"error_code": -2, "error": "Wrong Answer"}) for solved in grades],
    }


def livecodebench_eval() -> Document:
    results = {str(place): [[True, 1] if is_solved(place) else [1, -2]] for place in range(400)}
    detail = {str(place): float(is_solved(place)) for place in range(400)}
    return [{"pass@1": 0.5, "detail": {"pass@1": detail}}, results, [[] for _ in range(400)]]


def cruxeval(num_samples: int = 1) -> Document:
    """Input prediction; with several samples the second half of them is wrong."""
    answers = {f"sample_{place}": [f"f({place + index})" for index in range(num_samples)] for place in range(800)}
    scored = {f"sample_{place}": [solved for _, _, solved in _samples(place, num_samples)] for place in range(800)}
    share = sum(sum(one) / num_samples for one in scored.values()) / 800
    return {"raw_generations": answers, "raw_scored_generations": scored, "pass_at_1": 100 * share}


def inspect() -> Document:
    samples = [
        {
            "id": task_id,
            "epoch": 1,
            "input": f"Solve problem {place}.",
            "output": {
                "completion": reply(place),
                "choices": [{"stop_reason": "stop"}],
                "usage": {"output_tokens": 90},
            },
            "scores": {"verify": {"value": "C" if is_solved(place) else "I", "answer": program(place)}},
        }
        for place, task_id in enumerate(_ids("humaneval", "v1"))
    ]
    scores = [{"name": "verify", "scorer": "verify", "metrics": {"accuracy": {"name": "accuracy", "value": 0.5}}}]
    head = {"task": "humaneval", "model": "org/model", "dataset": {"samples": 164}, "config": {}}
    results = {"total_samples": 164, "completed_samples": 164, "scores": scores}
    return {"version": 2, "status": "success", "eval": head, "plan": {}, "results": results, "samples": samples}


def human_eval() -> Document:
    return [
        {
            "task_id": task_id,
            "completion": f"    return {place}\n",
            "result": "passed" if is_solved(place) else "failed: ",
            "passed": is_solved(place),
        }
        for place, task_id in enumerate(_ids("humaneval", "v1"))
    ]


def opencompass() -> Document:
    details = {
        str(place): {
            "task_id": task_id,
            "completion": program(place),
            "is_correct": is_solved(place),
            "result": "passed" if is_solved(place) else "failed: ",
        }
        for place, task_id in enumerate(_ids("humaneval", "v1"))
    }
    return {"humaneval_pass@1": 50.0, "details": details}


def evalscope(prefix: str = "HumanEval/", number: int = 164) -> Document:
    return [
        {
            "index": place,
            "target": "",
            "messages": [{"role": "user", "content": f"Solve problem {place}."}],
            "sample_score": {
                "sample_id": place,
                "group_id": place,
                "score": {
                    "value": {"acc": float(is_solved(place))},
                    "extracted_prediction": program(place),
                    "prediction": reply(place),
                    "metadata": {
                        "task_id": f"{prefix}{place}",
                        "execution_result": {"status": "success", "output": "Ran 3 tests"},
                    },
                    "main_score_name": "acc",
                },
            },
        }
        for place in range(number)
    ]


def bigcodebench() -> Document:
    """Calibrated: signature with ``pass`` first, then the program."""
    head = "def task_func(x):\n    pass\n"
    samples = {
        f"BigCodeBench/{place}": [
            {
                "solution": f"{head}\ndef task_func(x):\n    return {place}\n",
                "status": "pass" if is_solved(place) else "fail",
                "details": {},
            }
        ]
        for place in range(148)
    }
    return {"date": "2026-01-01 00:00", "eval": samples}


def nemo_skills() -> Document:
    return [
        {
            "task_id": task_id,
            "generation": reply(place),
            "completion": program(place),
            "is_correct": is_solved(place),
            "is_correct-plus": is_solved(place),
            "num_generated_tokens": 90,
        }
        for place, task_id in enumerate(_ids("humanevalplus", "v0.1.10"))
    ]


def bigcode() -> Document:
    """``{metrics, test_case, generations}`` of a fork."""
    results = {
        str(place): [[0, {"passed": is_solved(place), "result": "passed" if is_solved(place) else "failed: "}]]
        for place in range(500)
    }
    texts = [[f"def solution(x):\n    return x < {place} or x > {place + 9}\n"] for place in range(500)]
    return {"metrics": {"pass@1": 0.5}, "test_case": results, "generations": texts}


def _json(document: Document) -> str:
    return json.dumps(document)


def _lines(document: Document) -> str:
    return "".join(json.dumps(row) + "\n" for row in document)


FILES: Mapping[str, tuple[Callable[..., Document], Callable[[Document], str], str | None]] = {
    "evalplus": (evalplus, _json, None),
    "lm_humaneval": (lm_humaneval, _lines, "humaneval"),
    "lm_instruct": (lm_instruct, _lines, "humaneval"),
    "lm_cruxeval": (lm_cruxeval, _lines, "cruxeval_o"),
    "lm_mbpp": (lm_mbpp, _lines, None),
    "livecodebench": (livecodebench, _json, None),
    "livecodebench_eval": (livecodebench_eval, _json, None),
    "cruxeval": (cruxeval, _json, "cruxeval_i"),
    "inspect": (inspect, _json, None),
    "human_eval": (human_eval, _lines, "humaneval"),
    "opencompass": (opencompass, _json, "humaneval"),
    "evalscope": (evalscope, _lines, None),
    "bigcodebench": (bigcodebench, _json, None),
    "nemo_skills": (nemo_skills, _lines, None),
    "bigcode": (bigcode, _json, None),
}
"""Name -> builder, how it is written, and what ``--benchmark`` has to say (None: the log says it, or nothing asks)."""


CLEAN: tuple[tuple[str, tuple[Any, ...]], ...] = (
    *((name, ()) for name in FILES),
    ("evalplus", (3,)),
    ("evalplus", (1, True)),
    ("lm_cruxeval", (3, 0.8)),
    ("livecodebench", (5,)),
    ("cruxeval", (3,)),
)
"""Twenty logs that show no cause."""


def restate(name: str, document: Document) -> None:
    """The score that the tool itself would state of its verdicts now, written where the tool writes it."""
    if name == "livecodebench_eval":
        passed = {key: float(all(one > 0 for one in lists[0])) for key, lists in document[1].items() if lists}
        document[0] = {"pass@1": sum(passed.values()) / len(passed), "detail": {"pass@1": passed}}
    elif name == "cruxeval":
        lists = document["raw_scored_generations"].values()
        document["pass_at_1"] = 100 * sum(sum(one) / len(one) for one in lists) / len(lists)
    elif name == "inspect":
        values = [one["scores"]["verify"]["value"] == "C" for one in document["samples"]]
        document["results"]["scores"][0]["metrics"]["accuracy"]["value"] = sum(values) / len(values)
    elif name == "opencompass":
        values = [one["is_correct"] for one in document["details"].values()]
        document["humaneval_pass@1"] = 100 * sum(values) / len(values)
    elif name == "bigcode":
        values = [one[0][1]["passed"] for one in document["test_case"].values()]
        document["metrics"]["pass@1"] = sum(values) / len(values)


def write(folder: Path, name: str, document: Document, file_name: str = "log") -> Path:
    path = folder / file_name
    path.write_text(FILES[name][1](document), encoding="utf-8")
    return path
