"""DS-1000 on problems of our own in its format: what a task holds, which code a reply means, what its files say."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import ds1000, registry
from benchforge.ingest.benchmarks.declaration import Artifact, Version
from benchforge.ingest.benchmarks.suites import PROGRAM
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.errors import BadInput
from benchforge.ingest.formats import Context
from benchforge.ingest.formats import registry as formats
from benchforge.ingest.formats.recognise import recognise
from benchforge.ingest.keys import sha256_file
from benchforge.runners.score.extract import ds1000 as extract

from ..ds1000_problems import STRING, problem

BODY_PROMPT = "A:\n<code>\ndef f(value, by=2):\n    # return the solution in this function\n    ### BEGIN SOLUTION"


def staged(folder: Path, *problems: dict) -> Version:
    path = folder / "ds1000.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in problems))
    return Version("v", (Artifact(path.name, sha256_file(path), ""),))


def test_cases_are_counted_by_name_and_the_reference_passes_each(tmp_path: Path):
    (task,) = ds1000.load(tmp_path, staged(tmp_path, problem(string=STRING)), "default")
    assert task.payload["tests"] == ["case 1", "case 2", "string"]
    assert (task.task_id, task.num_base_cases, task.stratum, task.reference) == (
        "DS-1000/0", 3, "Pandas", "result = 2 * value",
    )  # fmt: skip
    for program, passing in ((task.reference, 3), ("result = 2", 2), ("result = 0\nfor _ in '': pass", 0)):
        namespace: dict[str, Any] = {"PROGRAM_TEXT": program}
        exec(task.payload["test"], namespace)
        assert sum(_passes(expression, namespace) for _, expression in task.payload["calls"]) == passing
        assert not any(_passes(expression, namespace) for _, expression in task.payload["canaries"])


def _passes(expression: str, namespace: dict[str, Any]) -> bool:
    try:
        eval(expression, namespace)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    ("context", "wrong"),
    [
        ("[insert]", "result = object()"),
        ("[insert]\nresult = total", "total = object()"),
        ("[insert]\nresult = (a, len(b))", "a = object()\nb = object()"),
        ("import math as m\n[insert]\nresult = m.floor(x)", "x = object()"),
        ("def f(value):\n[insert]\nresult = f(value)", "    return object()"),
        ("def f(value):\n    x = 1\n[insert]\nresult = f(value)", "    return object()"),
        ("[insert].real", "result = object()"),
    ],
)
def test_the_canary_answers_with_bare_objects(tmp_path: Path, context: str, wrong: str):
    (task,) = ds1000.load(tmp_path, staged(tmp_path, problem(context=context)), "default")
    ((_, expression),) = task.payload["canaries"]
    assert expression == f"test_execution({wrong!r}, [0])"


def test_a_figure_is_answered_with_an_empty_one_and_three_problems_with_none(tmp_path: Path):
    figure = problem()
    figure["code_context"] = "def skip_plt_cmds(line):\n    return True\n\n\n" + figure["code_context"]
    open_ended = problem(400)
    tasks = list(ds1000.load(tmp_path, staged(tmp_path, figure, open_ended), "default"))
    assert [[expression for _, expression in task.payload["canaries"]] for task in tasks] == [
        ["""test_execution("plt.close('all')", [0])"""], [],
    ]  # fmt: skip


def test_chance_is_the_same_in_every_run(tmp_path: Path):
    drawn = []
    for _ in range(2):
        (task,) = ds1000.load(tmp_path, staged(tmp_path, problem()), "default")
        namespace: dict[str, Any] = {}
        exec(task.payload["test"], namespace)
        drawn.append((namespace["random"].random(), namespace["numpy"].random.random()))
    assert drawn[0] == drawn[1]


def test_what_is_looked_at_for_tampering_is_the_whole_context(tmp_path: Path):
    context = "def f(value):\n[insert]\nresult = f(value)"
    (task,) = ds1000.load(tmp_path, staged(tmp_path, problem(context=context)), "default")
    assert task.payload["scanned"] == f"\nvalue = test_input\n{context.replace('[insert]', PROGRAM)}\n"


def test_rewordings_of_one_question_are_one_cluster(tmp_path: Path):
    """Also where a rewording was reworded; a number means another problem in another library."""
    version = staged(
        tmp_path,
        problem(0),
        problem(1, perturbation_type="Semantic", perturbation_origin_id=0),
        problem(2, perturbation_type="Surface", perturbation_origin_id=1),
        problem(3, library="Numpy", library_problem_id=0, perturbation_origin_id=0),
    )
    tasks = list(ds1000.load(tmp_path, version, "default"))
    assert [task.cluster for task in tasks] == ["DS-1000/0", "DS-1000/0", "DS-1000/0", "DS-1000/3"]
    assert [task.source_problem for task in tasks] == [task.cluster for task in tasks]


@pytest.mark.parametrize("change", [("for i in range(2):", "for i in range(n):"), ("solution: str):", "solution):")])
def test_a_context_of_another_shape_is_refused(tmp_path: Path, change: tuple[str, str]):
    other = problem()
    other["code_context"] = other["code_context"].replace(*change)
    with pytest.raises(BadInput, match="DS-1000/0 does not loop"):
        list(ds1000.load(tmp_path, staged(tmp_path, other), "default"))


def test_the_prompt_is_asked_as_it_is(tmp_path: Path):
    (task,) = ds1000.load(tmp_path, staged(tmp_path, problem()), "default")
    asked = {one.name: one.render(task, {}) for one in registry()["ds1000"].protocols}
    assert asked["official_base"].text == task.prompt
    assert asked["chat"].messages == (("user", task.prompt),) == asked["card"].messages


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("result = 1\n</code>\nEND SOLUTION", "result = 1\n"),
        ("```python\nresult = 1\n```\nSo it is.", "\nresult = 1\n"),
        ("<code>\nresult = 1\n### END SOLUTION\n</code>", "\nresult = 1\n### END SOLUTION\n"),
        ("Here:\n```python\nresult = 1\n```", "Here:\n\nresult = 1\n"),
        ("result = 1\nEND SOLUTION\nx", "result = 1"),
        ("```\nresult = 1\n```", ""),
        ("", ""),
    ],
)
def test_official_extraction_by_upstreams_rules(reply: str, code: str):
    assert extract.official(reply, {"text_form": "raw"}) == code


INDENTED, FLAT = "    return by * value", "return by * value"
WHOLE = "    def f(value, by=2):\n        return by * value\n    return f(value, by)"


@pytest.mark.parametrize(
    ("prompt", "reply", "code"),
    [
        ("BEGIN SOLUTION\n<code>\n", "Here:\n```python\nresult = 1\n```\nDone.", "result = 1"),
        ("BEGIN SOLUTION\n<code>\n", "```\nresult = 1\n```", "result = 1"),
        ("BEGIN SOLUTION\n<code>\n", "Sure.\n<code>\nresult = 1\n</code>", "result = 1"),
        ("BEGIN SOLUTION\n<code>\n", "    x = 1\n    result = x", "x = 1\nresult = x"),
        ("BEGIN SOLUTION\n<code>\n", "result = 1", "result = 1"),
        ("BEGIN SOLUTION\n<code>\n", "No idea.", "No idea."),
        (BODY_PROMPT, INDENTED, INDENTED),
        (BODY_PROMPT, f"```python\n{FLAT}\n```", INDENTED),
        (BODY_PROMPT, "x = value\n    return by * x", "    x = value\n    return by * x"),
        (BODY_PROMPT, "```python\ndef f(value, by=2):\n    return by * value\n\nvalue = 7\nprint(f(7))\n```", WHOLE),
    ],
)
def test_corrected_extraction_finds_code_that_parses_in_its_place(prompt: str, reply: str, code: str):
    assert extract.corrected(reply, {"text_form": "raw", "prompt": prompt}).strip("\n") == code


def test_a_whole_function_keeps_what_it_needs():
    reply = (
        "import math\nRATE = 2\nx = f(3)\ndef g(y):\n    return RATE * y\ndef f(value, by=2):\n    return g(value)\n"
    )
    code = extract.corrected(reply, {"text_form": "raw", "prompt": BODY_PROMPT})
    namespace: dict[str, Any] = {}
    exec(f"def f(value, by=2):\n{code}", namespace)
    assert namespace["f"](4) == 8
    assert "f(3)" not in code and "import math" in code


def test_a_recorded_program_is_taken_as_it_is():
    for extractor in (extract.official, extract.corrected):
        assert extractor("a </code> b", {"text_form": "program", "prompt": BODY_PROMPT}) == "a </code> b"


def _answers(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_answers_are_read_in_both_shapes(tmp_path: Path):
    facts = problem()["metadata"]
    path = _answers(
        tmp_path / "a.jsonl",
        {"id": 0, "code": ["x = 1", "x = 2"], "metadata": facts},
        {"id": 1, "code": "y", "metadata": {**facts, "problem_id": 1}},
    )
    found = recognise(path)
    log = found.log(path, Context("ds1000", "default"))
    records = [(one.task_id, one.sample_index, one.text, one.text_form) for one in log.records()]
    assert (found.name, log.facts.benchmark) == ("ds1000", "ds1000")
    assert records == [
        ("DS-1000/0", 0, "x = 1", "raw"), ("DS-1000/0", 1, "x = 2", "raw"), ("DS-1000/1", 0, "y", "raw"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code": []}, "neither a text nor a list"),
        ({"code": [1]}, "neither a text nor a list"),
        ({"id": "0"}, "field 'id'"),
        ({"id": 7}, "metadata of problem 0"),
        ({"metadata": 5}, "field 'metadata'"),
    ],
)
def test_broken_answers_are_one_sentence(tmp_path: Path, change: dict, message: str):
    row = {"id": 0, "code": "x", "metadata": problem()["metadata"], **change}
    path = _answers(tmp_path / "a.jsonl", row, row)
    with pytest.raises(BadInput, match=message):
        list(formats()["ds1000"].log(path, Context("ds1000", "default")).records())


def test_tables_of_scores_state_one_figure(tmp_path: Path):
    path = tmp_path / "result.txt"
    path.write_text(
        "          score\ncount  1000.000\nmean      0.394\n           score       \n           count   mean\n"
        "library                \nMatplotlib   155  0.658\n"
    )
    log = recognise(path).log(path, Context("ds1000", "default"))
    assert (log.stated_scores, list(log.records())) == ({"pass@1": 39.4}, [])


def test_a_stranger_is_told_by_its_name():
    known = known_task_ids("ds1000", registry()["ds1000"].version().name, "default")
    assert known == tuple(f"DS-1000/{number}" for number in range(1000))


def test_the_pinned_problems(shared_data: Path, tmp_path: Path):
    (tmp_path / "ds1000.jsonl").write_bytes(gzip.decompress((shared_data / "ds1000/ds1000.jsonl.gz").read_bytes()))
    benchmark = registry()["ds1000"]
    tasks = list(ds1000.load(tmp_path, benchmark.version(), "default"))
    assert (len(tasks), len({task.cluster for task in tasks})) == (1000, 452)
    assert sum("string" in task.payload["tests"] for task in tasks) == 159
    assert {task.stratum for task in tasks} == {
        "Matplotlib", "Numpy", "Pandas", "Pytorch", "Scipy", "Sklearn", "Tensorflow",
    }  # fmt: skip
