"""Every log of the shared data: recognised, read, and its stated score reproduced from its own verdicts.

What the folder's README calls equal has to be equal here; what differs is explained below, one reason each.
"""

import json
from collections import defaultdict

import pytest
from benchforge.ingest.errors import BadInput
from benchforge.ingest.formats import Context, registry
from benchforge.ingest.formats.eval_arena import by_model, read_table
from benchforge.ingest.formats.recognise import recognise

_NO_LOG = {
    "evalplus/qwen2.5-coder-1.5b-dpo/baseline_humaneval.json": "a project's own score file, of no tool",
    "evalplus/qwen2.5-coder-1.5b-dpo/dpo_humaneval_lr2e5.json": "a project's own score file, of no tool",
    "evalplus/qwen2.5-coder-1.5b-dpo/dpo_humaneval_rerun-lr5e7.json": "a project's own score file, of no tool",
    "opencompass/qwen3-32b-humaneval/logs/eval/qwen3-32b-humaneval-vllm/openai_humaneval.out": "console output",
}
_OTHER_TOOLS = ("helm/",)
_DIFFERENT = {
    "inspect/docent-intercode-ctf.eval": (60.0, "15 of the 790 samples that its header counts are left in the file"),
    "inspect/cyse2-vuln-exploit.json": (65.0, "1 of the 2340 samples that its header counts is left in the file"),
}
"""File -> (score of what it holds, why that is not the stated one)."""
_SCENARIOS = {"cruxeval/": "cruxeval_i", "multipl-e/": "cpp"}
_STATED_BESIDE = {
    "bigcodebench/": ("sanitized_calibrated_eval_results.json.gz", "sanitized_calibrated_pass_at_k.json"),
    "human-eval/": ("samples.jsonl_results.jsonl.gz", "samples.jsonl_passatk.json"),
}


@pytest.fixture(scope="module")
def manifest(shared_data):
    lines = (shared_data / "logs" / "MANIFEST.jsonl").read_text().splitlines()
    return {row["file"]: row for row in map(json.loads, lines)}


@pytest.fixture(scope="module")
def logs(shared_data, manifest):
    """File -> (format, log opened) of every log that has a format."""
    found = {}
    for file in manifest:
        if file in _NO_LOG or file.startswith(_OTHER_TOOLS):
            continue
        path = shared_data / "logs" / file
        scenario = next((one for start, one in _SCENARIOS.items() if file.startswith(start)), "default")
        entry = recognise(path, "humanevalplus")
        found[file] = entry, entry.log(path, Context("", scenario)) if entry.name in registry() else None
    return found


def _shares(log):
    """Task -> share of its samples that passed; samples without a verdict do not count."""
    passes = defaultdict(list)
    for record in log.records():
        if (base := record.judgements.get("base")) is not None:
            passes[record.task_id].append(base.verdict == "pass")
        elif record.task_score is not None:
            passes[record.task_id].append(record.task_score)
    return {task: sum(several) / len(several) for task, several in passes.items()}


def _percent(log):
    shares = _shares(log)
    return 100 * sum(shares.values()) / len(shares)


def test_every_log_of_a_listed_tool_has_a_format_and_what_has_none_is_one_sentence(shared_data, manifest, logs):
    assert len(logs) == len(manifest) - len(_NO_LOG) - 5
    for file in _NO_LOG:
        with pytest.raises(BadInput, match="in no format that is known"):
            recognise(shared_data / "logs" / file)


def test_every_log_holds_as_many_samples_as_its_readme_says(manifest, logs):
    read = 0
    for file, (entry, log) in logs.items():
        recomputed = manifest[file].get("recomputed") or {}
        counts = [recomputed[name] for name in ("samples", "samples_in_file", "generations_rows") if name in recomputed]
        counts += [recomputed["rows"]] if isinstance(recomputed.get("rows"), int) else []
        if log is None or not counts or not entry.has_samples:
            continue
        assert len(list(log.records())) == counts[0], file
        read += 1
    assert read >= 25


def test_stated_scores_are_reproduced_from_the_verdicts_or_the_difference_is_explained(shared_data, manifest, logs):
    equal = 0
    for file, (entry, log) in logs.items():
        stated = _stated(shared_data, file, manifest[file], log)
        if log is None or stated is None or not entry.has_samples:
            continue
        if file in _DIFFERENT:
            assert _percent(log) == pytest.approx(_DIFFERENT[file][0]) and abs(_percent(log) - stated) > 1
            continue
        assert _percent(log) == pytest.approx(stated, abs=0.05), file
        equal += 1
    assert equal >= 20


def _stated(shared_data, file, row, log):
    """Percent: from the log itself, from the score file beside it, else as the manifest quotes it."""
    for start, (name, beside) in _STATED_BESIDE.items():
        if file.startswith(start) and file.endswith(name):
            path = shared_data / "logs" / file.replace(name, beside)
            return recognise(path).log(path, Context("", "default")).stated_scores["pass@1"]
    if log is not None and log.stated_scores:
        return log.stated_scores.get("pass@1", next(iter(log.stated_scores.values())))
    quoted = row.get("stated") or {}
    for name in ("pass@1", "base", "exact_match,none", "score"):
        if name in quoted:
            return 100 * quoted[name]
    if "correct" in quoted:
        return 100 * quoted["correct"] / (quoted["correct"] + quoted["errors"])
    return None


def test_recomputed_shares_are_those_of_the_readme(manifest, logs):
    """Where no score is stated the README still says what the verdicts give."""
    compared = 0
    for file, (_, log) in logs.items():
        recomputed = manifest[file].get("recomputed") or {}
        expected = recomputed.get("base", recomputed.get("pass@1"))
        if log is None or expected is None or not any(True for _ in log.records()):
            continue
        assert _percent(log) / 100 == pytest.approx(expected, abs=1e-6), file
        if "plus" in recomputed:
            both = [all(one.verdict == "pass" for one in record.judgements.values()) for record in log.records()]
            assert sum(both) / len(both) == pytest.approx(recomputed["plus"], abs=1e-6), file
        compared += 1
    assert compared >= 15


def test_all_scorers_of_an_inspect_log_are_read(shared_data):
    log = registry()["inspect"].log(shared_data / "logs" / "inspect" / "bash_1.eval", Context("", "default"))
    values = defaultdict(list)
    for record in log.records():
        for name, value in record.notes["scores"].items():
            values[name].append(value)
    means = {f"{name} accuracy": 100 * sum(found) / len(found) for name, found in values.items() if None not in found}
    stated = {name: value for name, value in log.stated_scores.items() if name.endswith("accuracy")}
    assert {name: means[name] for name in stated} == pytest.approx(stated) and len(stated) == 4


def test_seeds_of_nemo_skills_are_one_log_with_two_samples(shared_data):
    folder = shared_data / "logs" / "nemo-skills" / "human-eval"
    log = recognise(folder).log(folder, Context("", "default"))
    records = list(log.records())
    assert (len(records), _percent(log)) == (8, 75.0)
    both = [all(one.verdict == "pass" for one in record.judgements.values()) for record in records]
    assert 100 * sum(both) / len(both) == 62.5


def test_eval_arena_tables_are_read_whole(shared_data, manifest):
    for file, row in manifest.items():
        if not file.startswith("eval-arena/"):
            continue
        table = read_table(shared_data / "logs" / file)
        assert len(list(by_model(table.cells))) == row["recomputed"]["models"]
        assert len(table.cells) == row["rows"]
    cells = read_table(shared_data / "logs" / "eval-arena" / "cruxeval_input.jsonl.gz").cells
    inherited = [cell.share for cell in cells if cell.model == "gpt-4o+cot"]
    assert sum(inherited) / len(inherited) == pytest.approx(0.7556, abs=1e-4)  # of shrunk lists, as published
