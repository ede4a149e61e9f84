"""Logs as they really arrive: packed, renamed, cut off, glued together, mixed, or no logs at all.

What only looks different gives the same audit; what is broken ends in one sentence that names the file, or in a cause.
"""

import gzip
import json

import honest_logs
import pytest
from benchforge.ingest.errors import BenchforgeError
from benchforge.ingest.formats import text_stream
from benchforge.ingest.recorded import AUTO, Wanted
from benchforge.runners.ask.audit.report import audited

NAMES = sorted(honest_logs.FILES)


@pytest.fixture(scope="module")
def contents():
    """Name -> bytes of an honest log."""
    return {name: write(build()).encode() for name, (build, write, _) in honest_logs.FILES.items()}


def _audit(path, name):
    return audited(path, Wanted(AUTO, honest_logs.FILES[name][2]), {}, None)


def _outcome(path, name):
    """The audit, or the sentence; anything else that is raised fails the test."""
    try:
        return _audit(path, name)
    except BenchforgeError as error:
        assert path.name in error.message and "\n" not in error.message and len(error.message) < 700
        return error


def _write(folder, content, name="log"):
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_what_only_looks_different_is_the_same_audit(name, contents, tmp_path):
    content = contents[name]
    honest = _audit(_write(tmp_path, content), name)
    for other in (
        gzip.compress(content, 1),
        b"\xef\xbb\xbf" + content,
        content.replace(b"\n", b"\r\n"),
        b"\n" + content,
    ):
        found = _audit(_write(tmp_path, other, "renamed.txt"), name)
        assert (found.numbers, found.causes, found.format_name) == (honest.numbers, honest.causes, honest.format_name)


@pytest.mark.parametrize("name", NAMES)
def test_a_log_that_was_cut_off_is_one_sentence_or_a_cause(name, contents, tmp_path):
    """Cut in the middle of a row; at the end of one, rows are missing and only a known number of problems tells."""
    content = contents[name]
    for share in (0.02, 0.61, 0.97):
        end = int(len(content) * share)
        for cut in (content[:end], gzip.compress(content, 1)[: max(20, int(share * 1000))]):
            assert isinstance(_outcome(_write(tmp_path, cut), name), BenchforgeError)
    rows = content.split(b"\n")
    if len(rows) > 20:
        found = _outcome(_write(tmp_path, b"\n".join(rows[: len(rows) // 2])), name)
        assert isinstance(found, BenchforgeError) or found.causes or name in ("evalscope", "nemo_skills", "lm_mbpp")


@pytest.mark.parametrize("name", NAMES)
def test_logs_glued_together_are_one_sentence_or_a_cause(name, contents, tmp_path):
    own = contents[name]
    twice = _outcome(_write(tmp_path, own + own), name)
    assert isinstance(twice, BenchforgeError) or "duplicate_samples" in {one.finding.cause_id for one in twice.causes}
    for other in NAMES[::3]:
        if honest_logs.FILES[other][1] is not honest_logs.FILES[name][1]:
            assert isinstance(_outcome(_write(tmp_path, own + b"\n" + contents[other]), name), BenchforgeError)


def test_rows_of_two_tools_in_one_file_are_named_with_their_line(contents, tmp_path):
    rows = contents["evalscope"].split(b"\n")[:5] + contents["lm_humaneval"].split(b"\n")[:5]
    found = _outcome(_write(tmp_path, b"\n".join(rows)), "evalscope")
    assert isinstance(found, BenchforgeError) and "line 6" in found.message


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n \n", b"\x00" * 4096, bytes(range(256)) * 64, b"PK\x03\x04broken", b"PAR1broken", b"\x1f\x8bbroken"),
        *("{}", "[]", "null", "[[]]", "3", '"text"', "{", "[", '{"a": ' * 3000, "[" * 100_000, "\ufeff", "just words"),
        *('{"eval": {}}', '{"eval": []}', '{"samples": 1}', '[{"pass@1": 1, "detail": {}}]', "NaN", '{"a": NaN}'),
        json.dumps({"task_id": "HumanEval/0", "completion": None}),
        json.dumps({"version": 2, "eval": 1, "plan": [], "samples": [1]}),
        '{"task_id": "x"}\n'.encode("utf-16"),
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_log_is_one_sentence(content, tmp_path):
    path = _write(tmp_path, content.encode() if isinstance(content, str) else content)
    for benchmark in (None, "humaneval", "cruxeval_i"):
        with pytest.raises(BenchforgeError):
            audited(path, Wanted(AUTO, benchmark), {}, None)


def test_a_file_that_is_not_there_or_a_folder_is_one_sentence(tmp_path):
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(BenchforgeError):
            audited(path, Wanted(AUTO, None), {}, None)


def test_a_line_beyond_all_bounds_is_one_sentence(monkeypatch, contents, tmp_path):
    monkeypatch.setattr(text_stream, "MAX_ROW_BYTES", 1000)
    row = json.loads(contents["evalscope"].split(b"\n")[0])
    row["sample_score"]["score"]["prediction"] = "x" * 100_000
    path = _write(tmp_path, json.dumps(row).encode() + b"\n" + contents["evalscope"])
    found = _outcome(path, "evalscope")
    assert isinstance(found, BenchforgeError) or found.numbers


@pytest.mark.parametrize("name", NAMES)
def test_values_of_other_types_are_one_sentence_or_are_survived(name, contents, tmp_path):
    """Every field of the first row or member becomes something else, one after the other."""
    build, write, _ = honest_logs.FILES[name]
    whole = build()
    small = json.dumps(whole[:12] if isinstance(whole, list) else whole)  # rows behind the first few add nothing
    for place in list(_leaves(json.loads(small)))[:30]:
        for value in (None, 7, "word", []):
            document = json.loads(small)
            holder = document
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = value
            _outcome(_write(tmp_path, write(document).encode()), name)


def _leaves(value, path=()):
    """Paths to what stands in a document: of lists and large objects only the first member."""
    if isinstance(value, list):
        yield from ((*path, 0),) if value else ()
        yield from _leaves(value[0], (*path, 0)) if value else ()
    elif isinstance(value, dict):
        for key in list(value) if len(value) < 20 else list(value)[:1]:
            yield (*path, key)
            yield from _leaves(value[key], (*path, key))
