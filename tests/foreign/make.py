"""Makes the logs in this folder again, by the tools themselves, on problems and replies of ours.

::

    python tests/foreign/make.py {evalscope,lighteval,opencompass} --environment VENV [--to DIR]

VENV is a virtual environment that has the tool. Nothing is fetched: problems are files that are written here, replies
come from a server on loopback (lighteval: from a class), which knows two right answers and a wrong one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from canned_server import serving

HERE = Path(__file__).parent
PROBLEMS = tuple(
    {
        "task_id": f"Toy/{number}",
        "prompt": f'def {name}(a, b):\n    """{words}"""\n',
        "canonical_solution": f"    return {right}\n",
        "entry_point": name,
        "test": f"def check(candidate):\n    assert candidate(5, 3) == {value}\n",
    }
    for number, (name, words, right, value) in enumerate(
        (
            ("add", "The sum.", "a + b", 8),
            ("larger", "The larger of the two.", "max(a, b)", 5),
            ("minus", "The first less the second.", "a - b", 2),
        )
    )
)
REPLIES = {
    "The sum": "Sure:\n```python\ndef add(a, b):\n    return a + b\n```\n",
    "The larger": "```python\ndef larger(a, b):\n    return a if a > b else b\n```",
    "The first less": "```python\ndef minus(a, b):\n    return b - a\n```",
}
"""Prompt's words -> reply; the last is wrong."""
QUESTIONS = (("What is five and three?", "8"), ("Which is larger, five or three?", "5"), ("Five less three?", "2"))
ANSWERS = {"five and three": "8", "Which is larger": "5", "Five less": "-2"}


def lines(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def run(command: Sequence[str | Path], folder: Path, **variables: str) -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HOME": str(folder), **variables}
    subprocess.run(list(map(str, command)), cwd=folder, env=environment, check=True, timeout=540)


def evalscope(environment: Path, folder: Path) -> list[tuple[Path, str]]:
    """HumanEval's adapter on our problems, two repeats; programs are ours and run in the tool's own process.

    The report's description of the benchmark is the tool's text and is left out.
    """
    lines(folder / "toy" / "test.jsonl", PROBLEMS)
    chosen = {"local_path": str(folder / "toy"), "subset_list": ["default"], "prompt_template": "{question}"}
    with serving(REPLIES) as address:
        words = ["eval", "--model", "canned", "--api-url", address, "--api-key", "none", "--eval-type", "openai_api"]
        data = ["--datasets", "humaneval", "--dataset-args", json.dumps({"humaneval": chosen}), "--repeats", "2"]
        rest = ["--work-dir", folder / "out", "--no-timestamp", "--generation-config", '{"temperature": 0.0}']
        run([environment / "bin" / "evalscope", *words, *data, *rest], folder)
    found = {kind: next((folder / "out" / kind).rglob("*.json*")) for kind in ("predictions", "reviews", "reports")}
    report = json.loads(found["reports"].read_text("utf-8"))
    found["reports"].write_text(json.dumps({**report, "dataset_description": ""}, indent=1) + "\n", "utf-8")
    return [(path, f"_{kind}{path.suffix}") for kind, path in found.items()]


LIGHTEVAL_TASK = """
import numpy as np
from lighteval.metrics.metrics_sample import ExactMatches
from lighteval.metrics.utils.metric_utils import SampleLevelMetric
from lighteval.tasks.lighteval_task import LightevalTaskConfig
from lighteval.tasks.requests import Doc, SamplingMethod

def prompt(line, task_name=None):
    return Doc(task_name=task_name, query=line["question"], choices=[line["answer"]], gold_index=0)

right = SampleLevelMetric(
    metric_name="exact", sample_level_fn=ExactMatches(), category=SamplingMethod.GENERATIVE,
    corpus_level_fn=np.mean, higher_is_better=True,
)
TASKS_TABLE = [LightevalTaskConfig(
    name="toy", prompt_function=prompt, hf_repo="FOLDER/toy", hf_subset="default", metrics=[right],
    evaluation_splits=["test"], hf_avail_splits=["test"], generation_size=16, stop_sequence=[],
)]
"""
LIGHTEVAL_MODEL = """
from lighteval.models.abstract_model import LightevalModel
from lighteval.models.model_output import ModelResponse
from lighteval.utils.cache_management import SampleCache

ANSWERS = REPLIES

class Canned(LightevalModel):
    def __init__(self, config):
        self.config, self._cache = config, SampleCache(config)

    tokenizer = property(lambda self: None)
    add_special_tokens = property(lambda self: False)
    max_length = property(lambda self: 64)

    def greedy_until(self, docs):
        texts = [next(reply for key, reply in ANSWERS.items() if key in doc.query) for doc in docs]
        tokens = dict(input_tokens=[1], output_tokens=[[1]])
        return [ModelResponse(input=doc.query, text=[text], **tokens) for doc, text in zip(docs, texts)]

    def loglikelihood(self, docs):
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood
"""


def lighteval(environment: Path, folder: Path) -> list[tuple[Path, str]]:
    """A custom task of three questions and a model class with canned replies."""
    lines(folder / "toy" / "test.jsonl", [{"question": words, "answer": answer} for words, answer in QUESTIONS])
    # every task module is imported at the start, and this one fetches a file that no task here reads
    next(environment.rglob("tiny_benchmarks.py")).with_name("tinyBenchmarks.pkl").touch()
    task, model = folder / "toy_task.py", folder / "canned.py"
    task.write_text(LIGHTEVAL_TASK.replace("FOLDER", str(folder)), "utf-8")
    model.write_text(LIGHTEVAL_MODEL.replace("REPLIES", repr(ANSWERS)), "utf-8")
    words = ["custom", "canned", model, "toy|0", "--custom-tasks", task, "--output-dir", folder / "out"]
    run([environment / "bin" / "lighteval", *words, "--save-details"], folder)
    details = next((folder / "out").rglob("details_*.parquet"))
    results = next((folder / "out").rglob("results_*.json"))
    return [(details, "_details.parquet"), (results, "_results.json")]


OPENCOMPASS = """
from opencompass.datasets import CustomDataset
from canned import Canned
from opencompass.openicl.icl_evaluator import AccEvaluator
from opencompass.openicl.icl_inferencer import GenInferencer
from opencompass.openicl.icl_prompt_template import PromptTemplate
from opencompass.openicl.icl_retriever import ZeroRetriever

asked = dict(round=[dict(role="HUMAN", prompt="{question}")])
datasets = [dict(
    type=CustomDataset, abbr="toy", path="FOLDER/toy", file_name="test.jsonl", local_mode=True,
    reader_cfg=dict(input_columns=["question"], output_column="answer"),
    infer_cfg=dict(
        prompt_template=dict(type=PromptTemplate, template=asked),
        retriever=dict(type=ZeroRetriever), inferencer=dict(type=GenInferencer, max_out_len=16),
    ),
    eval_cfg=dict(evaluator=dict(type=AccEvaluator), pred_role="BOT"),
)]
models = [dict(type=Canned, abbr="canned", path="canned", max_out_len=16, max_seq_len=64, batch_size=4)]
"""
OPENCOMPASS_MODEL = """
from opencompass.models.base import BaseModel

ANSWERS = REPLIES

class Canned(BaseModel):
    is_api = True

    def __init__(self, path, max_seq_len=64, **rest):
        super().__init__(path=path, max_seq_len=max_seq_len, tokenizer_only=True)

    def generate(self, inputs, max_out_len=16, **rest):
        return [next(reply for key, reply in ANSWERS.items() if key in str(asked)) for asked in inputs]

    def get_token_len(self, prompt):
        return len(str(prompt).split())
"""


def opencompass(environment: Path, folder: Path) -> list[tuple[Path, str]]:
    """A configuration with a task of three questions, a model class and its accuracy evaluator."""
    lines(folder / "toy" / "test.jsonl", [{"question": words, "answer": answer} for words, answer in QUESTIONS])
    config, model = folder / "toy.py", folder / "canned.py"
    config.write_text(OPENCOMPASS.replace("FOLDER", str(folder)), "utf-8")
    model.write_text(OPENCOMPASS_MODEL.replace("REPLIES", repr(ANSWERS)), "utf-8")
    words = [config, "--work-dir", folder / "out", "--debug"]
    run([environment / "bin" / "opencompass", *words], folder, PYTHONPATH=str(folder))
    found = {kind: next((folder / "out").rglob(f"{kind}/canned/*.json")) for kind in ("predictions", "results")}
    summary = next((folder / "out").rglob("summary_*.md"))
    return [*((path, f"_{kind}.json") for kind, path in found.items()), (summary, "_summary.md")]


TOOLS: dict[str, Callable[[Path, Path], list[tuple[Path, str]]]] = {
    "evalscope": evalscope,
    "lighteval": lighteval,
    "opencompass": opencompass,
}


def version_of(tool: str, environment: Path) -> str:
    shown = subprocess.run([environment / "bin" / "pip", "show", tool], capture_output=True, text=True, check=True)
    found = re.search(r"^Version: (\S+)$", shown.stdout, re.MULTILINE)
    assert found is not None
    return found[1]


def made(tool: str, environment: Path, target: Path) -> list[Path]:
    """Run the tool in a scratch folder, take what it wrote."""
    version = version_of(tool, environment)
    with tempfile.TemporaryDirectory(prefix="benchforge-foreign-") as name:
        folder = Path(name)
        paths = []
        for source, suffix in TOOLS[tool](environment, folder):
            paths.append(target / f"{tool}_{version}{suffix}")
            content = source.read_bytes().replace(str(folder).encode(), b"FOLDER")
            paths[-1].write_bytes(content)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("--environment", type=Path, required=True)
    parser.add_argument("--to", type=Path, default=HERE)
    given = parser.parse_args()
    for path in made(given.tool, given.environment.absolute(), given.to):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
