"""What the official code asks, and how: run once per pin, so that our prompts can be compared with it byte by byte.

    python tests/golden/official_prompts.py --harnesses DIR --problems DIR

DIR of the harnesses holds checkouts at their pins, called ``evalplus`` (26d6d00), ``cruxeval`` (190faf1),
``livecodebench`` (28fef95); DIR of the problems holds ``evalplus/``, ``cruxeval/`` and ``livecodebench/`` as
``ingest/bundled/PROVENANCE.md`` lists them. Each harness runs in a process of its own: engines, tokenizers and clients
are stand-ins that note what they are given and answer nothing. Writes ``ingest/bundled/prompt_digests.csv.gz`` and
``tests/golden/official_requests.json``. This executes the harness's code: do it where that is fine.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import gzip
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

HERE = Path(__file__).resolve().parent
OWN_PROBLEMS, REQUESTS = HERE / "own_problems.json", HERE / "official_requests.json"
SHOWN = ("temperature", "top_p", "max_tokens", "max_completion_tokens", "stop")

Asked = dict[str, Any]
"""``benchmark scenario protocol task_id`` with ``messages`` or ``text``, and the ``request`` where one is sent."""


class _StandIn(types.ModuleType):
    """A package that is not installed: imports work, classes and functions do nothing."""

    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {"__init__": lambda self, *args, **kwargs: None})


NOT_NEEDED = [
    "anthropic",
    "appdirs",
    "datasets",
    "fire",
    "httpx",
    "multipledispatch",
    "numpy",
    "openai",
    "pebble",
    "psutil",
    "tempdir",
    "termcolor",
    "torch",
    "tqdm",
    "transformers",
    "vllm",
    "wget",
]
"""What the harnesses import and no prompt depends on."""


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname.split(".")[0] not in NOT_NEEDED:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: Any) -> types.ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def _module(name: str, **attributes: Any) -> None:
    sys.modules[name] = module = _StandIn(name)
    vars(module).update(attributes)


class _Parameters:
    """vLLM's SamplingParams."""

    def __init__(self, **given: Any) -> None:
        vars(self).update(given)

    def shown(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name in SHOWN}


class _Tokenizer:
    """A chat template that can be read back: the messages as JSON."""

    chat_template: str | None = "stands in"
    seen: ClassVar[list[list[dict[str, str]]]] = []

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> _Tokenizer:
        return cls()

    def apply_chat_template(self, messages: list[dict[str, str]], **kwargs: Any) -> str:
        self.seen.append(messages)
        return json.dumps(messages)


class _Engine:
    """vLLM's LLM: notes prompts and parameters."""

    asked: ClassVar[list[tuple[str, dict[str, Any]]]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def generate(self, prompts: list[str], parameters: _Parameters, **kwargs: Any) -> list[Any]:
        self.asked += [(prompt, parameters.shown()) for prompt in prompts]
        answer = types.SimpleNamespace(outputs=[types.SimpleNamespace(text="pass")])
        return [answer] * len(prompts)


class _Client:
    """openai's client: notes bodies."""

    bodies: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.chat = types.SimpleNamespace(completions=self)

    def create(self, **body: Any) -> Any:
        self.bodies.append(body)
        message = types.SimpleNamespace(content="pass")
        return types.SimpleNamespace(choices=[types.SimpleNamespace(message=message)] * body.get("n", 1))


def _stand_ins() -> None:
    _module("vllm", LLM=_Engine, SamplingParams=_Parameters)
    _module("transformers", AutoTokenizer=_Tokenizer)
    _module("openai", OpenAI=_Client, Client=_Client)
    sys.meta_path.insert(0, _Finder())


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in SHOWN if name in body}


# --- evalplus ---------------------------------------------------------------------------------------------------------


def evalplus(problems: Path, scratch: Path) -> Iterator[Asked]:
    """``run_codegen`` itself, greedy and sampled, on three roads."""
    for dataset, benchmark, name in (
        ("humaneval", "humanevalplus", "HumanEvalPlus-v0.1.10"),
        ("mbpp", "mbppplus", "MbppPlus-v0.2.0"),
    ):
        lines = gzip.decompress((problems / "evalplus" / f"{name}.jsonl.gz").read_bytes()).decode()
        own = json.loads(OWN_PROBLEMS.read_text())["evalplus"]
        path = scratch / f"{dataset}.jsonl"
        path.write_text(lines.rstrip("\n") + "\n" + "".join(json.dumps(problem) + "\n" for problem in own))
        # the variable is read when the package is imported
        os.environ["HUMANEVAL_OVERRIDE_PATH" if dataset == "humaneval" else "MBPP_OVERRIDE_PATH"] = str(path)
        ids = [json.loads(line)["task_id"] for line in path.read_text().splitlines()]
        for protocol, backend, is_base in (
            ("official", "vllm", False),
            ("official_base", "vllm", True),
            ("official_api", "openai", False),
        ):
            sampled = list(_evalplus_run(dataset, backend, is_base, scratch, 0.8))
            greedy = list(_evalplus_run(dataset, backend, is_base, scratch, 0.0))
            assert [prompt for prompt, _ in greedy] == [prompt for prompt, _ in sampled]
            for task_id, (prompt, request), (_, other) in zip(ids, greedy, sampled, strict=True):
                asked = {"benchmark": benchmark, "scenario": "default", "protocol": protocol, "task_id": task_id}
                yield {**asked, **prompt, "request": request, "request_sampled": other}


def _evalplus_run(
    dataset: str, backend: str, is_base: bool, scratch: Path, temperature: float
) -> Iterator[tuple[Asked, dict[str, Any]]]:
    """One run: (prompt, request) per task, in the order of the file."""
    for name in [name for name in sys.modules if name.split(".")[0] == "evalplus"]:
        del sys.modules[name]  # the list of stops is a global that every decoder appends to
    codegen, utility = (importlib.import_module(f"evalplus.{name}") for name in ("codegen", "provider.utility"))
    codegen.sanitize = lambda text, entrypoint: text
    _Engine.asked.clear(), _Client.bodies.clear(), _Tokenizer.seen.clear()
    _Tokenizer.chat_template = None if is_base else "stands in"
    root = scratch / f"{dataset}-{backend}-{is_base}-{temperature}"
    with contextlib.redirect_stdout(sys.stderr):
        codegen.run_codegen(
            model="m", dataset=dataset, root=str(root), backend=backend, temperature=temperature, greedy=not temperature
        )
    if backend == "openai":
        for body in _Client.bodies:
            yield {"messages": body["messages"]}, _shown(body)
    for index, (prompt, request) in enumerate(_Engine.asked):
        if is_base:
            yield {"text": prompt}, request
            continue
        asked, begun = _Tokenizer.seen[index]
        # what the model is given ends where the splitter stands
        begun = {**begun, "content": begun["content"].split(utility._MAGIC_SPLITTER_)[0]}
        assert begun["role"] == "assistant"
        yield {"messages": [asked, begun]}, request


# --- cruxeval ---------------------------------------------------------------------------------------------------------


def cruxeval(problems: Path, scratch: Path) -> Iterator[Asked]:
    """``run_openai`` itself, and the prompts of the tasks that its vLLM road runs."""
    rows = [json.loads(line) for line in (problems / "cruxeval" / "cruxeval.jsonl").read_text().splitlines()]
    rows += json.loads(OWN_PROBLEMS.read_text())["cruxeval"]
    root = Path.cwd()
    (root / "data" / "cruxeval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for mode in ("input", "output"):
        for style, is_cot in (("direct", False), ("cot", True)):
            asked = {"benchmark": "cruxeval", "scenario": f"cruxeval_{mode[0]}"}
            for row, body in zip(rows, _cruxeval_api(root, mode, is_cot), strict=True):
                request = {name: value for name, value in _shown(body).items() if name != "temperature"}
                prompt = {"messages": body["messages"], "request": request}
                yield {**asked, "protocol": style, "task_id": row["id"], **prompt}
            for row, text, stop in _cruxeval_texts(root, rows, mode, is_cot):
                request = {"stop": stop, "max_tokens": 2048 if is_cot else 1024}  # inference/scripts/*.sh
                sampled = {"top_p": _default_top_p()}
                prompt = {"text": text, "request": request, "request_sampled": {**request, **sampled}}
                yield {**asked, "protocol": f"{style}_base", "task_id": row["id"], **prompt}


def _cruxeval_api(root: Path, mode: str, is_cot: bool) -> list[dict[str, Any]]:
    os.chdir(root / "openai")
    sys.path.insert(0, str(root / "openai"))
    Path("cache.json").unlink(missing_ok=True)
    _Client.bodies.clear()
    with contextlib.redirect_stdout(sys.stderr):
        importlib.import_module("openai_run").run_openai("m", mode, is_cot, 0.2)
    os.chdir(root)
    prompts = importlib.import_module("prompts")
    make = getattr(prompts, f"make_{'cot' if is_cot else 'direct'}_{mode}_prompt")
    rows = [json.loads(line) for line in (root / "data" / "cruxeval.jsonl").read_text().splitlines()]
    by_text = {body["messages"][1]["content"]: body for body in _Client.bodies}  # asked in parallel: order is lost
    return [by_text[make((row["code"], row["output" if mode == "input" else "input"]))] for row in rows]


def _cruxeval_texts(root: Path, rows: list[Asked], mode: str, is_cot: bool) -> Iterator[tuple[Asked, str, list[str]]]:
    sys.path[:0] = [str(root), str(root / "inference")]
    importlib.import_module("datasets").load_dataset = lambda **given: {"test": rows}  # type: ignore[attr-defined]
    task = importlib.import_module("tasks").get_task(f"{mode}_prediction", cot=is_cot)
    for row in task.get_dataset():
        yield row, task.get_prompt(row), task.stop_words


def _default_top_p() -> float:
    arguments = importlib.import_module("generation_arguments").EvalArguments
    return next(field.default for field in dataclasses.fields(arguments) if field.name == "top_p")


# --- livecodebench ----------------------------------------------------------------------------------------------------

_STYLES = {
    "official": "LLaMa3",
    "official_api": "OpenAIChat",
    "official_base": "GenericBase",
    "official_codeqwen": "CodeQwenInstruct",
    "official_deepseek_coder": "DeepSeekCodeInstruct",
    "official_deepseek_r1": "DeepSeekR1",
    "official_qwq": "QwQ",
    "official_reason_preview": "OpenAIReasonPreview",
    "official_reason": "OpenAIReason",
    "official_claude3": "Claude3",
    "official_gemini": "Gemini",
    "official_gemini_thinking": "GeminiThinking",
}
_FAMILY_TEXTS = ("official_codeqwen", "official_deepseek_coder", "official_deepseek_r1", "official_qwq")
_BY_VLLM = ("official", "official_base", *_FAMILY_TEXTS)


def livecodebench(problems: Path, scratch: Path) -> Iterator[Asked]:
    """``format_prompt_generation`` itself for every style, and what two runners send with it."""
    content = gzip.decompress((problems / "livecodebench" / "problems_v6_statements.jsonl.gz").read_bytes()).decode()
    rows = [json.loads(line) for line in content.splitlines()] + json.loads(OWN_PROBLEMS.read_text())["livecodebench"]
    styles = importlib.import_module("lcb_runner.lm_styles")
    generation = importlib.import_module("lcb_runner.prompts.code_generation")
    problem_of = importlib.import_module("lcb_runner.benchmarks.code_generation").CodeGenerationProblem
    tests = {"public_test_cases": "[]", "private_test_cases": "[]", "metadata": "{}"}
    for protocol, style in _STYLES.items():
        request = _livecodebench_request(protocol, styles.LMStyle[style])
        for row in rows:
            given = generation.format_prompt_generation(problem_of(**row, **tests), styles.LMStyle[style])
            asked = {"benchmark": "livecodebench", "scenario": "generation", "protocol": protocol}
            yield {**asked, "task_id": row["question_id"], **_as_prompt(given, protocol), "request": request}


def _as_prompt(given: Any, protocol: str) -> Asked:
    if isinstance(given, tuple):  # system and messages apart, as that API has it
        return {"messages": [{"role": "system", "content": given[0]}, *given[1]]}
    if isinstance(given, list):
        return {"messages": given}
    if protocol == "official":
        return {"messages": json.loads(given)}
    if protocol in _BY_VLLM:
        return {"text": given}
    return {"messages": [{"role": "user", "content": given}]}  # a string that an API takes for a user's message


def _livecodebench_request(protocol: str, style: Any) -> dict[str, Any] | None:
    sys.argv = ["lcb", "--model", "m", "--tensor_parallel_size", "1"]
    args = importlib.import_module("lcb_runner.runner.parser").get_args()
    model = types.SimpleNamespace(model_name="m", model_style=style)
    if protocol in _BY_VLLM:
        runner = importlib.import_module("lcb_runner.runner.vllm_runner").VLLMRunner(args, model)
        return {name: value for name, value in runner.sampling_params.shown().items() if name != "temperature"}
    if protocol in ("official_api", "official_reason_preview"):
        runner = importlib.import_module("lcb_runner.runner.oai_runner").OpenAIRunner(args, model)
        return {name: value for name, value in _shown(runner.client_kwargs).items() if name != "temperature"}
    return None


# --- all of them ------------------------------------------------------------------------------------------------------

HARNESSES: dict[str, Callable[[Path, Path], Iterator[Asked]]] = {
    "evalplus": evalplus,
    "cruxeval": cruxeval,
    "livecodebench": livecodebench,
}


def _run_one(name: str, problems: Path, scratch: Path) -> None:
    """In the harness's own process, its folder the current one: one JSON line per prompt on stdout."""
    sys.path.insert(0, str(Path.cwd()))
    _stand_ins()
    for asked in HARNESSES[name](problems, scratch):
        print(json.dumps(asked))


def _asked_by(name: str, harnesses: Path, problems: Path) -> list[Asked]:
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / name
        shutil.copytree(harnesses / name, copy)
        argv = [sys.executable, __file__, "--run", name, "--problems", str(problems.absolute()), "--scratch", scratch]
        done = subprocess.run(argv, cwd=copy, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _write(asked: Iterable[Asked]) -> None:
    from benchforge.ingest.bundled import prompt_digests

    rows, requests = [], {}
    for one in asked:
        prompt = one["messages"] if "messages" in one else one["text"]
        rows.append(prompt_digests.row_of(one["benchmark"], one["scenario"], one["protocol"], one["task_id"], prompt))
        for kind in ("request", "request_sampled"):
            if one.get(kind) is not None:
                key = f"{one['benchmark']} {one['scenario']} {one['protocol']} {kind}"
                assert requests.setdefault(key, one[kind]) == one[kind], key
    prompt_digests.write(rows)
    REQUESTS.write_text(json.dumps(requests, indent=1, sort_keys=True) + "\n")
    print(f"{len(rows)} prompts, {len(requests)} requests, {prompt_digests.FILE.stat().st_size} bytes of digests")


def main() -> None:
    parser = argparse.ArgumentParser(description="Digests of the prompts that the official code renders.")
    parser.add_argument("--harnesses", type=Path)
    parser.add_argument("--problems", type=Path, required=True)
    parser.add_argument("--run", choices=HARNESSES, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        _run_one(given.run, given.problems, given.scratch)
    else:
        _write([one for name in HARNESSES for one in _asked_by(name, given.harnesses, given.problems)])


if __name__ == "__main__":
    main()
