"""Recorded public sets, where the shared data is beside the checkout: counts of passes as their sources state them."""

import gzip
import json

import pytest
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.recorded import Wanted, import_file

QWEN = "qwen2.5-coder-1.5b-base"
SETS = [
    # file, format, benchmark, rows, passes on base, passes on base and plus (None: no extra tests)
    (f"{QWEN}/evalplus/humaneval/generated_eval_results.json.gz", "evalplus-graded", "humanevalplus", 164, 72, 60),
    (f"{QWEN}/evalplus/mbpp/generated_eval_results.json.gz", "evalplus-graded", "mbppplus", 399, 276, 234),
    (f"{QWEN}/cruxeval/input-cot/completion_scored.json.gz", "cruxeval-scored", "cruxeval_i", 800, 350, None),
    (f"{QWEN}/cruxeval/output-cot/completion_scored.json.gz", "cruxeval-scored", "cruxeval_o", 800, 277, None),
    ("humaneval/samples/gpt-3.5-turbo_t0.2_n10.jsonl.gz", "humaneval", "humaneval", 1640, 1262, None),
    ("livecodebench/codegen/O1-Mini-2024-09-12.jsonl.gz", "livecodebench", "lcb_codegen", 880, 602, None),
    ("livecodebench/codegen/Qwen2.5-Ins-7B.jsonl.gz", "livecodebench", "lcb_codegen", 1055, 252, None),
]


@pytest.mark.parametrize("recorded", SETS, ids=lambda recorded: recorded[0].split("/", 1)[1])
def test_passes_are_those_of_the_source(shared_data, tmp_path, recorded):
    file, format_name, benchmark, num_rows, num_base, num_plus = recorded
    run = Run(tmp_path / "run", Lake(tmp_path / "lake"))
    wanted = Wanted(format_name=format_name, benchmark=benchmark, model="m")
    import_file(run, shared_data / file, wanted, tmp_path / "datasets")
    rows = run.lake.read("results").to_pylist()
    base = [row for row in rows if row["official_base_verdict"] == "pass"]
    assert (len(rows), len(base)) == (num_rows, num_base)
    both = [row for row in base if row["official_plus_verdict"] == "pass"]
    assert len(both) == num_plus if num_plus is not None else all(r["official_plus_verdict"] is None for r in rows)
    assert run.lake.read("samples", ["raw_text"]).column("raw_text").null_count == 0


def test_samples_that_name_their_problem_by_its_prompt(shared_data):
    from benchforge.ingest.formats import Context, registry

    def rows(path):
        return [json.loads(line) for line in gzip.open(shared_data / "humaneval" / path, "rt")]

    prompts = {row["task_id"]: row["prompt"] for row in rows("HumanEval.jsonl.gz")}
    path = shared_data / "humaneval/samples/codegen-16b-mono_t0.8_n100.jsonl.gz"
    found = registry()["humaneval"].read(path, Context("humaneval", "default", prompts=prompts)).records
    expected = {row["prompt"]: row["task_id"] for row in rows("samples/codegen-16b-mono_prompts.jsonl.gz")}
    in_order = [expected[row["prompt"]] for row in rows("samples/codegen-16b-mono_t0.8_n100.jsonl.gz")]
    assert list(dict.fromkeys(record.task_id for record in found)) == in_order
    assert len(found) == 16_400
