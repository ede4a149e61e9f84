"""Logs of other tools: recognised by content, read record by record, broken ones named.

``EXAMPLES`` are written after the tools' sources (docs/formats.md); files that the tools wrote themselves lie in
``tests/foreign``. Every log of the shared data is read in ``test_formats_recorded.py``.
"""

import gzip
import json
from pathlib import Path

import pytest
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.ingest.formats import Context, Judgement, json_stream, registry, text_stream
from benchforge.ingest.formats.recognise import recognise

PASSED, FAILED = Judgement("pass", "ok"), Judgement("fail")
LOGS = Path(__file__).resolve().parent.parent / "foreign"


def _lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


_LM_EVAL = {
    "doc_id": 0,
    "doc": {"task_id": 11, "test_list": ["assert f(1) == 1"]},
    "target": "assert f(1) == 1",
    "arguments": [["Solve it.", {"until": ["[DONE]"], "temperature": 0.2, "do_sample": True, "max_gen_toks": 256}]],
    "resps": [["def f(x): return x"]],
    "filtered_resps": ["def f(x): return x"],
    "filter": "extract_code",
    "metrics": ["pass_at_1"],
    "pass_at_1": 1,
}
_CHOICE = {"message": {"role": "assistant", "content": "```python\nx\n```"}, "stop_reason": "max_tokens"}
_REVIEW = {
    "index": 3,
    "target": "",
    "messages": [{"role": "user", "content": "Solve it."}],
    "sample_score": {
        "sample_id": 3,
        "group_id": 1,
        "score": {
            "value": {"acc": 0.0},
            "extracted_prediction": "x",
            "prediction": "```python\nx\n```",
            "metadata": {"task_id": "HumanEval/7", "timeout": 4},
        },
    },
}
_EEE = {
    "schema_version": "0.3.0",
    "evaluation_id": "e",
    "model_id": "org/model",
    "evaluation_name": "humaneval",
    "sample_id": "HumanEval/7",
    "interaction_type": "single_turn",
    "input": {"raw": "Solve it.", "reference": [""]},
    "output": {"raw": ["x"]},
    "evaluation": {"score": 1.0, "is_correct": True},
}
_MULTIPL_E = {"name": "HumanEval_7_f", "language": "lua", "prompt": "-- f\n", "tests": "t", "stop_tokens": ["\nend"]}

EXAMPLES = {
    "lm-eval-samples": (_lines(_LM_EVAL, _LM_EVAL | {"filter": "other"}), [("Mbpp/11", 0, PASSED)]),
    "evalscope-predictions": (
        _lines({"index": 3, "model": "m", "model_output": {"choices": [_CHOICE], "usage": {"output_tokens": 5}}}),
        [("3", 0, None)],
    ),
    "evalscope-reviews": (_lines(_REVIEW, _REVIEW), [("HumanEval/7", 0, FAILED), ("HumanEval/7", 1, FAILED)]),
    "evalscope-0": (
        _lines(
            {
                "index": 2,
                "model_spec": {"model_id": "m"},
                "raw_input": {"task_id": "HumanEval/2"},
                "choices": [{**_CHOICE, "review": {"gold": "", "pred": "x", "result": 1.0}}],
            }
        ),
        [("HumanEval/2", 0, PASSED)],
    ),
    "opencompass-predictions": (
        json.dumps({str(key): {"origin_prompt": "p", "prediction": "x"} for key in (0, 1, 10)}),
        [("0", 0, None), ("1", 0, None), ("10", 0, None)],
    ),
    "opencompass-results": (
        json.dumps(
            {
                "humaneval_pass@1": 50.0,
                "details": {
                    "0": {"task_id": "HumanEval/0", "completion": "x", "is_correct": True, "result": "passed"},
                    "1": {"task_id": "HumanEval/1", "completion": "x", "is_correct": False, "result": "timed out"},
                },
            }
        ),
        [("HumanEval/0", 0, PASSED), ("HumanEval/1", 0, Judgement("timeout", "timeout"))],
    ),
    "nemo-skills": (
        _lines({"task_id": "HumanEval/0", "generation": "r", "completion": "x", "is_correct": False}),
        [("HumanEval/0", 0, FAILED)],
    ),
    "every-eval-ever": (_lines(_EEE, _EEE), [("HumanEval/7", 0, PASSED), ("HumanEval/7", 1, PASSED)]),
    "multipl-e": (
        json.dumps(_MULTIPL_E | {"results": [{"program": "x", "status": "OK", "exit_code": 1}]}),
        [("HumanEval_7_f", 0, FAILED)],
    ),
    "multipl-e-csv": ("Lua,HumanEval_7_f,OK\nTotal 1, Syntax Error 0, Passed 1\n", [("HumanEval_7_f", 0, PASSED)]),
    "bigcode-generations": (json.dumps([["x", "y"], ["z", ""]]), [("0", 0, None), ("0", 1, None), ("1", 0, None)]),
    "bigcodebench": (
        _lines({"task_id": "BigCodeBench/0", "solution": "x", "raw_solution": "```\nx\n```"}),
        [("BigCodeBench/0", 0, None)],
    ),
    "livecodebench-eval": (
        json.dumps([{"pass@1": 0.5, "detail": {"pass@1": {}}}, {"0": [[True, 1]], "1": [[True, -3]]}, [[], []]]),
        [("0", 0, PASSED), ("1", 0, Judgement("timeout", "timeout"))],
    ),
    "simple-evals": (
        _lines({"id": 266, "answer": "```\nx\n```", "pred": "x", "is_correct": True, "timed_out": False}),
        [("Mbpp/266", 0, PASSED)],
    ),
}

STATED = {
    "lm-eval-results": (
        {"results": {"t": {"pass@1,x": 0.25, "pass@1_stderr,x": 0.1}}, "configs": {}, "n-shot": {}},
        25.0,
    ),
    "lighteval-results": ({"config_general": {}, "config_tasks": {}, "results": {"t": {"pass@1": 0.25}}}, 25.0),
    "evalscope-report": ({"metrics": [{"name": "acc", "score": 0.25}], "dataset_name": "d", "model_name": "m"}, 25.0),
    "bigcode-metrics": ({"humaneval": {"pass@1": 0.25}, "config": {"model": "m", "do_sample": False}}, 25.0),
    "bigcodebench-scores": ({"pass@1": 0.25, "split": "complete", "subset": "hard"}, 25.0),
    "nemo-skills-metrics": ({"human-eval": {"pass@1": {"passing_base_tests": 25.0}}}, 25.0),
    "every-eval-ever-scores": (
        {"schema_version": "0.3.0", "evaluation_results": [{"evaluation_name": "e", "score_details": {"score": 0.25}}]},
        25.0,
    ),
}


@pytest.fixture
def file(tmp_path):
    """file(content) -> path, under a name that says nothing."""

    def write(content):
        path = tmp_path / "log.bin"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def _read(path, name, **context):
    given = {"benchmark": "any", "scenario": "default", **context}
    return list(registry()[name].log(path, Context(**given)).records())


def _essence(records):
    return [(one.task_id, one.sample_index, one.judgements.get("base")) for one in records]


@pytest.mark.parametrize("pack", [lambda content: content, lambda content: gzip.compress(content, mtime=0), None])
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_log_is_recognised_by_its_content_and_read(file, name, pack):
    content, expected = EXAMPLES[name]
    packed = _zstd(content.encode()) if pack is None else pack(content.encode())
    path = file(packed)
    assert recognise(path).name == name
    records = _read(path, name)
    assert _essence(records)[: len(expected)] == expected
    assert all(one.text is None or one.text_form in ("raw", "completion", "program") for one in records)


def _zstd(content):
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("name", STATED)
def test_a_score_file_states_percent_and_holds_no_sample(file, name):
    document, percent = STATED[name]
    path = file(json.dumps(document, indent=1))
    found = recognise(path)
    log = found.log(path, Context("any", "default"))
    assert (found.name, found.has_samples, list(log.records())) == (name, False, [])
    assert list(log.stated_scores.values()) == [percent]


def test_lm_eval_keeps_the_mean_where_the_verdicts_of_the_repeats_are_lost():
    single = LOGS / "lm_eval_0.4.13_n1.jsonl"
    assert recognise(single).name == "lm-eval-samples"
    first, second = _read(single, "lm-eval-samples")
    assert (first.task_id, first.text, first.text_form) == ("Forge/0", "    return a + b\n", "completion")
    assert (first.program, first.judgements) == ("def add(a, b):\n    return a + b\n", {"base": PASSED})
    assert (second.judgements, second.prompt) == ({"base": FAILED}, "def negative(a):\n")
    several = _read(LOGS / "lm_eval_0.4.13_n3.jsonl", "lm-eval-samples")
    assert [(one.task_id, one.sample_index) for one in several] == [(f"Forge/{t}", i) for t in (0, 1) for i in range(3)]
    assert [one.judgements for one in several] == [{}] * 6
    assert [one.task_score for one in several] == [1.0] * 3 + [pytest.approx(1 / 3)] * 3
    facts = registry()["lm-eval-samples"].log(LOGS / "lm_eval_0.4.13_n3.jsonl", Context("any", "default")).facts
    assert (facts.temperature, facts.max_tokens, facts.is_by_position) == (0.8, 64, False)


@pytest.mark.parametrize("name", ["inspect_ai_0.3.285.eval", "inspect_ai_0.3.285.json.gz"])
def test_inspect_logs_of_both_kinds_say_the_same_zstd_members_too(name):
    path = LOGS / name
    assert recognise(path).name == "inspect"
    log = registry()["inspect"].log(path, Context("any", "default"))
    assert log.stated_scores == {"match accuracy": pytest.approx(50), "includes accuracy": pytest.approx(200 / 3)}
    assert (log.facts.tool_version, log.facts.model, log.facts.temperature) == ("0.3.285", "mockllm/model", 0.5)
    records = sorted(log.records(), key=lambda one: (one.task_id, one.sample_index))
    expected = [PASSED, PASSED, PASSED, FAILED, FAILED, FAILED]
    assert [one.judgements["base"] for one in records] == expected
    assert [(one.task_id, one.sample_index) for one in records] == [
        (f"forge_{n}", i) for n in (1, 2, 3) for i in (0, 1)
    ]
    assert [one.finish_reason for one in records] == ["stop"] * 4 + ["max_tokens"] * 2
    includes = [one.notes["scores"]["includes"] for one in records]
    assert includes == [1.0, 1.0, 1.0, 1.0, 0.0, 0.0] and records[3].text == "oh print(4)"


def test_inspect_logs_agree_with_the_tool_s_own_data_frames():
    analysis = pytest.importorskip("inspect_ai.analysis", reason="inspect_ai is not installed (extra inspect)")
    frame = analysis.samples_df(str(LOGS / "inspect_ai_0.3.285.eval"))
    ours = {(one.task_id, one.sample_index + 1): one for one in _read(LOGS / "inspect_ai_0.3.285.eval", "inspect")}
    theirs = {(row["id"], row["epoch"]): row for _, row in frame.iterrows()}
    assert set(ours) == set(theirs)
    letters = {"pass": "C", "fail": "I"}
    assert all(theirs[key]["score_match"] == letters[one.judgements["base"].verdict] for key, one in ours.items())


def test_lighteval_details_of_both_layouts(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    doc = {"id": "abc", "task_name": "lcb:codegeneration", "query": "Solve it.", "generation_size": 32768}
    response = {"text": ["r1", "r2"], "text_post_processed": None, "output_tokens": [[1] * 9, [1] * 9]}
    new = {"doc": doc, "metric": {"codegen_pass@1:16": 0.5}, "model_response": response}
    old = {"full_prompt": "Solve it.", "predictions": "['r1']", "metrics": '{"pass@1": 1.0}', "gold": "[]"}
    for name, row, expected in (("new", new, [("abc", 0, None), ("abc", 1, None)]), ("old", old, [("0", 0, PASSED)])):
        path = tmp_path / name
        pq.write_table(pa.Table.from_pylist([row]), path)
        assert recognise(path).name == "lighteval-details"
        records = _read(path, "lighteval-details")
        assert _essence(records) == expected and records[0].prompt == "Solve it."
    assert _read(tmp_path / "new", "lighteval-details")[1].task_score == 0.5


def test_folders_of_one_run_are_one_log(tmp_path):
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for seed, verdict in ((10, True), (2, False)):
        row = {"generation": "r", "is_correct": verdict, "num_generated_tokens": 3}
        (seeds / f"output-rs{seed}.jsonl").write_text(_lines(row))
    assert recognise(seeds).name == "nemo-skills"
    assert _essence(_read(seeds, "nemo-skills")) == [("0", 0, FAILED), ("0", 1, PASSED)]
    problems = tmp_path / "problems"
    problems.mkdir()
    asked = _MULTIPL_E | {"completions": ["a", "b"]}
    (problems / "HumanEval_7_f.json").write_text(json.dumps(asked))
    (problems / "HumanEval_8_g.json").write_text(json.dumps(asked | {"name": "HumanEval_8_g"}))
    graded = _MULTIPL_E | {"results": [{"program": "a", "status": "OK", "exit_code": 0}]}
    (problems / "HumanEval_7_f.results.json").write_text(json.dumps(graded))
    assert recognise(problems).name == "multipl-e"
    expected = [("HumanEval_7_f", 0, PASSED), ("HumanEval_8_g", 0, None), ("HumanEval_8_g", 1, None)]
    assert _essence(_read(problems, "multipl-e")) == expected


_COMPLETION = _lines({"task_id": "HumanEval/0", "completion": "x"}, {"task_id": "HumanEval/1", "completion": "y"})


def test_rows_that_two_tools_write_alike_are_refused_with_both_names_unless_the_benchmark_decides(file):
    path = file(_COMPLETION)
    with pytest.raises(UsageError, match="can be evalplus or humaneval") as caught:
        recognise(path)
    assert "--benchmark" in caught.value.hint
    assert recognise(path, "humanevalplus").name == "evalplus" and recognise(path, "humaneval").name == "humaneval"


_GRADED = json.dumps({"eval": {"HumanEval/0": [{"base_status": "pass", "plus_status": "pass", "solution": "x"}]}})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"  \n\n", "it is empty"),
        (b"\xff\xfe\x00x", "not UTF-8"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"# a text", "neither JSON nor Parquet nor a zip"),
        (b'{"some": "thing"}', "one JSON object with some"),
        (b'{"some": 1}\n{"some": 2}\n', "JSON lines with some"),
        (b"[1, 2]", "a JSON list of something else"),
        (b"PK\x03\x04 and no more", "damaged zip"),
        (b"PAR1 and no more", "not a whole Parquet file"),
        (gzip.compress(_COMPLETION.encode() * 99, mtime=0)[:-9], "damaged gzip"),
        (_GRADED[:-20], "not whole JSON"),
        (_GRADED + "\n" + _GRADED.replace(":", ":\n"), "several JSON documents|JSON lines with eval"),
        (json.dumps(json.loads(_GRADED), indent=1) * 2, "several JSON documents one after the other: .* line 11"),
        ("[" * 100_000, "not whole JSON"),
    ],
)
def test_what_is_no_log_is_one_sentence(file, content, said):
    with pytest.raises(BadInput, match=said) as caught:
        recognise(file(content))
    assert "\n" not in caught.value.message and caught.value.hint


def test_logs_of_two_tools_in_one_file_are_named_with_the_line(file):
    path = file(EXAMPLES["lm-eval-samples"][0] + EXAMPLES["evalscope-reviews"][0])
    with pytest.raises(BadInput, match=r"line 3 is a row of evalscope-reviews, the rows before it are of lm-eval"):
        _read(path, "lm-eval-samples")


@pytest.mark.parametrize("name", [name for name, (content, _) in EXAMPLES.items() if name != "multipl-e-csv"])
def test_a_log_cut_anywhere_is_refused_or_read_to_a_whole_row(file, name):
    """Never a traceback, never a row that was not in the file."""
    content, _ = EXAMPLES[name]
    whole = [repr(one) for one in _read(file(content), name)]
    for end in range(1, len(content) - 1, 7):
        path = file(content[:end])
        try:
            recognise(path)
            cut = [repr(one) for one in _read(path, name)]
        except BadInput as error:
            assert "\n" not in error.message
        else:
            assert cut == whole[: len(cut)]


def test_every_format_refuses_every_other_s_example_in_one_sentence(file):
    for other, (content, _) in EXAMPLES.items():
        path = file(content)
        for name in (name for name in registry() if name != other):
            try:
                _read(path, name)
            except BadInput as error:
                assert "\n" not in error.message


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_values_are_found_wherever_the_pieces_end(file, monkeypatch, size):
    monkeypatch.setattr(text_stream, "PIECE_BYTES", size)
    document = {
        "a": [1, 2.5, 'q"[}\\', None, {"x": [[]]}],
        "b": {"k": [1]},
        "c": "\ud800é",
        "d": -1e5,
        "e": {},
        "f": [],
    }
    text = "\ufeff" + json.dumps(document, indent=2)
    stream = json_stream.JsonStream(file(text))
    found = {}
    for key in stream.members():
        found[key] = [stream.value() for _ in stream.elements()] if key == "a" else stream.value()
    assert found == document and stream.peek() == "" and stream.line == text.count("\n") + 1


def test_what_json_forbids_and_tools_write_is_kept(file):
    stream = json_stream.JsonStream(file('[NaN, Infinity, "\\u0000", "\\ud800"]'))
    values = [stream.value() for _ in stream.elements()]
    assert values[0] != values[0] and values[1:] == [float("inf"), "\0", "\ud800"]


def test_a_row_beyond_the_bound_is_refused_before_it_fills_the_memory(file, monkeypatch):
    monkeypatch.setattr(text_stream, "MAX_ROW_BYTES", 5000)
    monkeypatch.setattr(json_stream, "MAX_ROW_BYTES", 5000)
    monkeypatch.setattr(text_stream, "PIECE_BYTES", 1000)
    packed = gzip.compress(b'{"task_id": "HumanEval/0", "completion": "' + b"x" * 10**7 + b'"}', mtime=0)
    with pytest.raises(BadInput, match="is longer than"):
        recognise(file(packed))


def test_a_zip_member_that_is_larger_than_it_says_is_refused(tmp_path):
    import zipfile

    path = tmp_path / "x.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", b'{"version": 2, "eval": {}, "plan": {}, "x": "' + b" " * 10**6 + b'"}')
    content = path.read_bytes()
    size = len(b'{"version": 2, "eval": {}, "plan": {}, "x": "' + b" " * 10**6 + b'"}')
    path.write_bytes(content.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with pytest.raises(BadInput, match=r"header\.json is damaged"):
        registry()["inspect"].log(path, Context("any", "default"))
