"""Format readers on small self-written files: what each shape means, and what is refused."""

import gzip
import json

import pytest
from benchforge.ingest.errors import BadInput, NotStaged
from benchforge.ingest.formats import Context, Judgement, means_registry, registry, table_registry

PASSED, FAILED, DROPPED = Judgement("pass", "ok"), Judgement("fail"), Judgement("fail", "empty")


@pytest.fixture
def read(tmp_path):
    """read(format, value): value is JSON-dumped, a list of dicts as JSON lines unless ``whole``."""

    def reader(name, value, *, whole=False, packed=False, **context):
        path = tmp_path / "file.json"
        if isinstance(value, bytes):
            content = value
        elif isinstance(value, list) and not whole:
            content = "".join(json.dumps(row) + "\n" for row in value).encode()
        else:
            content = json.dumps(value).encode()
        path.write_bytes(gzip.compress(content) if packed else content)
        given = {"benchmark": "any", "scenario": "default", **context}
        return registry()[name].read(path, Context(**given))

    return reader


def _essence(recording):
    return [(r.task_id, r.sample_index, r.text, r.text_form) for r in recording.records]


def test_every_format_has_a_name_and_a_description():
    names = {"benchforge", "cruxeval", "cruxeval-scored", "evalplus", "evalplus-graded", "humaneval"}
    names |= {"bigcodebench-graded", "livecodebench", "livecodebench-execution", "multipl-e-graded"}
    assert names < set(registry()) and set(means_registry()) == {"livecodebench-means"}
    entries = {**registry(), **means_registry(), **table_registry()}
    assert all(entry.description and entry.tool and entry.name == name for name, entry in entries.items())


def test_evalplus_samples_tell_programs_from_completions(read):
    rows = [
        {"task_id": "HumanEval/0", "solution": "def f(): 1"},
        {"task_id": "HumanEval/0", "completion": "    return 1"},
        {"task_id": "HumanEval/1", "solution": ""},
    ]
    assert _essence(read("evalplus", rows, packed=True)) == [
        ("HumanEval/0", 0, "def f(): 1", "program"),
        ("HumanEval/0", 1, "    return 1", "completion"),
        ("HumanEval/1", 0, "", "program"),
    ]


def test_a_raw_reply_keeps_its_text_and_takes_the_form_asked_for(read):
    recording = read("evalplus", [{"task_id": "a", "completion": "Sure!\n```python\n"}], text_form="raw")
    assert _essence(recording) == [("a", 0, "Sure!\n```python\n", "raw")]


def test_evalplus_graded_proves_its_problem_file(read):
    sample = {"solution": "x", "base_status": "pass", "plus_status": "timeout"}
    document = {"hash": "84f4b93a1270b492e4c54d5212da7a5b", "eval": {"HumanEval/3": [sample]}}
    recording = read("evalplus-graded", document)
    assert recording.dataset == ("humanevalplus", "v0.1.9")
    assert recording.records[0].judgements == {"base": PASSED, "plus": Judgement("timeout", "timeout")}


def test_evalplus_base_only_grading_judges_no_plus_part(read):
    document = {"eval": {"t": [{"solution": "x", "base_status": "fail", "plus_status": None}]}}
    assert read("evalplus-graded", document).records[0].judgements == {"base": FAILED}


def test_evalplus_0_1_has_statuses_without_texts(read):
    entry = {"nfiles": 2, "base": [["success", []], ["failed", []]], "plus": [["failed", []], ["timed out", []]]}
    first, second = read("evalplus-graded", {"eval": {"t": entry}}).records
    assert (first.text, first.text_form, first.judgements) == (None, None, {"base": PASSED, "plus": FAILED})
    assert second.judgements["plus"].verdict == "timeout"


def test_cruxeval_answers_the_scorer_left_out_are_marked(read):
    document = {
        "raw_generations": {"sample_1": ["f(1)", "no idea", "f(2)"], "sample_0": ["nothing", "nothing", "f(3)"]},
        "raw_scored_generations": {"sample_0": [False, False, False], "sample_1": [True, False]},
        "pass_at_1": 25.0,
        "pass_at_5": 100.0,
    }
    recording = read("cruxeval-scored", document, scenario="cruxeval_i")
    found = {(r.task_id, r.sample_index): r.judgements["base"] for r in recording.records}
    assert [found["sample_1", i] for i in range(3)] == [PASSED, DROPPED, FAILED]
    assert [found["sample_0", i] for i in range(3)] == [FAILED] * 3  # refilled: the list is as long as the answers
    assert recording.stated_scores == {"pass@1": 25.0, "pass@5": 100.0}


@pytest.mark.parametrize("inputs", [None, {"s": "'a'"}])
def test_cruxeval_output_prediction_drops_the_very_call(read, inputs):
    document = {"raw_generations": {"s": ["3", "f('a')"]}, "raw_scored_generations": {"s": [True]}}
    records = read("cruxeval-scored", document, scenario="cruxeval_o", inputs=inputs).records
    assert [record.judgements["base"] for record in records] == [PASSED, DROPPED]


def test_cruxeval_files_of_the_other_format_are_refused_by_its_name(read):
    scored = {"raw_generations": {"s": ["f(1)"]}, "raw_scored_generations": {"s": [True]}, "pass_at_1": 100.0}
    with pytest.raises(BadInput, match="holds scored generations") as refused:
        read("cruxeval", scored)
    assert "cruxeval-scored" in refused.value.hint
    with pytest.raises(BadInput, match="is not a scored file") as refused:
        read("cruxeval-scored", {"s": ["f(1)"]})
    assert refused.value.hint.endswith("the format cruxeval")


def test_cruxeval_verdicts_that_cannot_belong_are_refused(read):
    document = {"raw_generations": {"s": ["f(1)", "f(2)", "f(3)"]}, "raw_scored_generations": {"s": [True]}}
    with pytest.raises(BadInput, match="3 answers but 1 verdicts"):
        read("cruxeval-scored", document, scenario="cruxeval_i")


def test_livecodebench_reads_lists_and_lines_and_reasons(read):
    row = {
        "question_id": 7,
        "contest_date": "2024-01-06T00:00:00",
        "difficulty": "easy",
        "platform": "x",
        "contest_id": "c",
        "output_list": ["a", ["b"], "c", "d"],
        "code_list": ["", "", "", ""],
        "graded_list": [True, False, False, False],
        "metadata": ["{}", '{"error_code": -3}', '{"error_code": -4}', "no json"],
    }
    for whole in (True, False):
        recording = read("livecodebench", [row], whole=whole)
        assert [record.text for record in recording.records] == ["a", "b", "c", "d"]
        reasons = [(r.judgements["base"].verdict, r.judgements["base"].reason) for r in recording.records]
        assert reasons == [("pass", "ok"), ("timeout", "timeout"), ("fail", "exception"), ("fail", None)]
    facts = recording.task_facts["7"]
    assert (facts.stratum, facts.cluster, str(facts.contest_date)) == ("easy", "x/c", "2024-01-06")


def test_livecodebench_execution_in_both_shapes(read):
    scored = {"raw_generations": {"sample_0": ["1"]}, "raw_scored_generations": {"sample_0": [False]}}
    listed = [{"id": "sample_0", "pred_list": ["1"], "graded_list": [False]}]
    for value, whole in ((scored, True), (listed, True), (listed, False)):
        (record,) = read("livecodebench-execution", value, whole=whole, scenario="execution").records
        assert (record.task_id, record.text, record.judgements) == ("sample_0", "1", {"base": FAILED})


def test_humaneval_results_and_runs(read):
    rows = [
        {"task_id": "HumanEval/0", "completion": "x", "passed": False, "result": "timed out"},
        {"task_id": "HumanEval/0", "completion": "y", "passed": True, "result": "passed"},
    ]
    first, second = read("humaneval", rows).records
    assert (first.judgements["base"].verdict, second.sample_index, second.text_form) == ("timeout", 1, "completion")
    (run,) = read("humaneval", [{"task_id": "HumanEval/0", "run": 10, "code": "z", "passed": True}]).records
    assert (run.sample_index, run.text_form) == (9, "program")


def test_humaneval_rows_without_an_id_find_their_problem_by_the_prompt(read):
    prompts = {
        "HumanEval/1": 'def sort(a):\n    """ up\n    >>> sort([2, 1])\n    """\n',
        "HumanEval/2": 'def sort(a):\n    """ down """\n',
    }
    rows = [{"prompt": 'def sort(a):\n    """ up\n    """\n', "samples": ["p", "q"]}]
    assert _essence(read("humaneval", rows, prompts=prompts)) == [
        ("HumanEval/1", 0, "p", "raw"),
        ("HumanEval/1", 1, "q", "raw"),
    ]
    with pytest.raises(NotStaged):
        read("humaneval", rows)
    with pytest.raises(BadInput, match="belongs to 0 problems"):
        read("humaneval", [{"prompt": "def other():", "samples": []}], prompts=prompts)


def test_plain_rows(read):
    rows = [
        {"task_id": "t", "text": "x", "text_form": "raw", "passed": True},
        {"task_id": "t", "base_verdict": "pass", "plus_verdict": "fail", "plus_reason": "wrong_answer"},
    ]
    first, second = read("benchforge", rows).records
    assert (first.text_form, first.judgements, second.sample_index) == ("raw", {"base": PASSED}, 1)
    assert second.judgements["plus"] == Judgement("fail", "wrong_answer")


def test_plain_parquet(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"task_id": ["t", "t"], "sample_index": [1, 0], "passed": [True, None]}), path)
    with pytest.raises(BadInput, match="sample 0 of t has neither a text nor a verdict"):
        registry()["benchforge"].read(path, Context("any", "default"))
    pq.write_table(pa.table({"task_id": ["t", "t"], "sample_index": [1, 0], "passed": [True, False]}), path)
    records = registry()["benchforge"].read(path, Context("any", "default")).records
    assert [record.sample_index for record in records] == [1, 0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"task_id": "t", "txet": "x"}, "unknown column 'txet'"),
        ({"task_id": 3, "passed": True}, "field 'task_id' is int"),
        ({"passed": True}, "field 'task_id' is missing"),
        ({"task_id": "t", "base_verdict": "ok"}, "base_verdict of t cannot be 'ok'"),
        ({"task_id": "t", "text": "x"}, "needs a text_form"),
        ({"task_id": "t", "sample_index": True, "passed": True}, "'sample_index' of 't' is bool"),
    ],
)
def test_plain_rows_that_are_refused(read, row, said):
    with pytest.raises(BadInput, match=said):
        read("benchforge", [row])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"plus_verdict": "pass"}, "plus_verdict without a base_verdict"),
        ({"plus_verdict": "fail", "passed": True}, "plus_verdict without a base_verdict"),
        ({"passed": True, "base_verdict": "fail"}, "says passed true and base_verdict fail"),
        ({"passed": False, "base_verdict": "pass"}, "says passed false and base_verdict pass"),
        ({"base_verdict": "pass", "base_reason": "wrong_answer"}, "base_verdict pass with base_reason wrong_answer"),
        ({"base_verdict": "timeout", "base_reason": "ok"}, "base_verdict timeout with base_reason ok"),
        ({"passed": True, "base_reason": "exception"}, "base_verdict pass with base_reason exception"),
        ({"text": "x", "text_form": "raw", "base_reason": "syntax"}, "base_reason without a base_verdict"),
    ],
)
def test_plain_rows_that_contradict_themselves_name_their_line(read, row, said):
    whole = {"task_id": "t", "passed": False, "base_verdict": "pass", "plus_verdict": "fail"}
    assert read("benchforge", [whole]).records[0].judgements == {"base": PASSED, "plus": FAILED}
    with pytest.raises(BadInput, match=f"line 2: t .*{said}"):
        read("benchforge", [whole, {"task_id": "t", **row}])


GOOD = b'{"task_id": "HumanEval/0", "solution": "x"}\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD + b'{"task_id": "HumanEval/1", "solu', "line 2 is not whole JSON"),
        (gzip.compress(GOOD * 50, mtime=0)[:-12], "damaged gzip"),
        (gzip.compress(GOOD * 50, mtime=0)[:-12] + b"0" * 12, "damaged gzip"),
        (b"", "holds no rows"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[1, 2]\n", "line 1 is not an object"),
        (b"[" * 100_000, "line 1 is not whole JSON"),
    ],
)
def test_damaged_lines_are_one_sentence(read, content, said):
    with pytest.raises(BadInput, match=said) as caught:
        read("evalplus", content)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["cruxeval", "cruxeval-scored", "evalplus-graded", "livecodebench-execution"])
def test_a_file_of_another_format_is_refused(read, name):
    with pytest.raises(BadInput):
        read(name, {"something": "else"})
    with pytest.raises(BadInput):
        read(name, b'{"eval": {"HumanEval/0": [')


def test_a_missing_file_is_one_sentence(tmp_path):
    for entry in registry().values():
        with pytest.raises(BadInput, match=r"absent\.json.* cannot be read"):
            entry.read(tmp_path / "absent.json", Context("any", "default"))
