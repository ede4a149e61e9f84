"""Which recorded files are which runs: declared, so that a new set is one entry.

Files lie below a folder with ``MANIFEST.jsonl`` (``file``, ``source``, ``licence`` of each) and, for the logs of other
tools, ``logs/MANIFEST.jsonl`` of the same shape. What a file says of itself (model, sampling) is taken from it; the
rest stands here, or in its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ....ingest.errors import BadInput
from ....ingest.recorded import AUTO, Wanted

MANIFESTS = ("", "logs/")
"""Folders with a manifest, whose files are named from that folder."""
_SAMPLED = re.compile(r"(?P<model>.+)_temp(?P<temperature>[0-9.]+)_(?P<part>input|output)\.json")
_STEM = re.compile(r"(?P<model>[^/]+?)(\.jsonl|\.json)?")
_CRUXEVAL = {"input": "cruxeval_i", "output": "cruxeval_o"}


@dataclass(frozen=True)
class RecordedSet:
    """Files below DIR by a glob. ``by_name`` reads model, temperature and part of the scenario from the file's name."""

    pattern: str
    benchmark: str
    format_name: str = AUTO
    scenario: str | None = None
    model: str | None = None
    protocol: str | None = None
    temperature: float | None = None
    version: str | None = None
    by_name: re.Pattern[str] | None = None
    scenarios: Mapping[str, str] = field(default_factory=dict)
    text_form: str | None = None
    is_partial: bool = False
    is_by_position: bool = False


QWEN = "qwen2.5-coder-1.5b-base"
_MULTIPL_E = ("java", "cpp", "js", "cs", "php", "sh", "ts")
SETS: tuple[RecordedSet, ...] = (
    RecordedSet("cruxeval/generations/*", "cruxeval", by_name=_SAMPLED, scenarios=_CRUXEVAL),
    RecordedSet(
        "livecodebench/execution/*_temp*",
        "livecodebench",
        "livecodebench-execution",
        by_name=_SAMPLED,
        scenarios={"output": "execution"},
    ),
    RecordedSet(
        "livecodebench/codegen/*", "livecodebench", "livecodebench", "generation", temperature=0.2, by_name=_STEM
    ),
    *(
        RecordedSet(f"livecodebench/performances/{scenario}.*", "livecodebench", "livecodebench-means", scenario)
        for scenario in ("generation", "repair", "testgen", "execution")
    ),
    RecordedSet(
        "humaneval/samples/gpt-3.5-turbo_t0.2_n10.*", "humaneval", "humaneval", model="gpt-3.5-turbo", temperature=0.2
    ),
    RecordedSet(
        "humaneval/samples/codegen-16b-mono_t0.8_n100.*",
        "humaneval",
        "humaneval",
        model="codegen-16b-mono",
        temperature=0.8,
    ),
    RecordedSet(f"{QWEN}/evalplus/humaneval/generated_eval*", "humanevalplus", model=QWEN, temperature=0),
    RecordedSet(f"{QWEN}/evalplus/mbpp/generated_eval*", "mbppplus", model=QWEN, temperature=0),
    *(
        RecordedSet(
            f"{QWEN}/cruxeval/{part}-cot/completion_scored*",
            "cruxeval",
            scenario=scenario,
            model=QWEN,
            protocol="cot",
            temperature=0,
        )
        for part, scenario in _CRUXEVAL.items()
    ),
    *(
        RecordedSet(
            f"{QWEN}/bigcodebench/{part}/*_eval_results*",
            "bigcodebench",
            "bigcodebench-graded",
            "complete",
            model=QWEN,
            temperature=0,
            version=f"{part}-a3b8985",
        )
        for part in ("full", "hard")
    ),
    *(
        RecordedSet(
            f"{QWEN}/multipl-e/humaneval-{language}-details*",
            "multipl_e",
            "multipl-e-graded",
            language,
            model=QWEN,
            temperature=0,
        )
        for language in _MULTIPL_E
    ),
    # graded files of these two hold no programs: the samples beside them come first, the verdicts are attached
    *(
        RecordedSet(f"logs/evalplus/{file}", "humanevalplus", "evalplus", model=model, temperature=0, version="v0.1.9")
        for file, model in (("phi-1/phi_1_samples.jsonl*", "phi-1"), ("all-fail/samples.jsonl*", "not-recorded"))
    ),
    *(
        RecordedSet(f"logs/evalplus/{folder}/*_eval_results*", "humanevalplus", model=model, temperature=0)
        for folder, model in (
            ("phi-1", "phi-1"),
            ("all-fail", "not-recorded"),
            ("llama3-8b-instruct-base", "llama-3-8b-instruct"),
            ("llama3-70B-instruct-base", "llama-3-70b-instruct"),
            ("llama3-70-bad", "llama-3-70b-instruct-layers-edited"),
            ("qwen2.5-coder-1.5b-dpo", "qwen2.5-coder-1.5b-instruct-or-dpo"),
        )
    ),
    *(
        RecordedSet(
            f"logs/bigcodebench/{folder}/*_eval_results*",
            "bigcodebench",
            "bigcodebench-graded",
            scenario,
            model=model,
            version=f"{part}-a3b8985",
        )
        for folder, scenario, part, model in (
            ("qwen2.5-coder-7b-instruct-hard-complete", "complete", "hard", "qwen2.5-coder-7b-instruct"),
            ("checkpoint-400-hard-instruct", "instruct", "hard", "checkpoint-400"),
            ("qwen2.5-coder-7b-instruct-full-instruct", "instruct", "full", "qwen2.5-coder-7b-instruct"),
        )
    ),
    RecordedSet(
        "logs/bigcode/codellama_7b_humaneval_baseline/test_case*",
        "humaneval",
        model="codellama-7b-hf",
        is_by_position=True,
    ),
    *(
        RecordedSet(f"logs/bigcode/{folder}/test_case*", "outside_mbpp", model=model, is_by_position=True)
        for folder, model in (
            ("Qwen2.5-Coder-7B_mbpp_baseline", "qwen2.5-coder-7b"),
            ("codellama_7b_mbpp_500rl", "codellama-7b-hf-rl"),
        )
    ),
    RecordedSet(
        "logs/human-eval/*/samples.jsonl_results*", "outside_mbxp", "humaneval", model="codellama-7b-mbxp-1000rlcpp"
    ),
    RecordedSet(
        "logs/cruxeval/mercury-coder-small-beta-input/generations_scored*",
        "cruxeval",
        scenario="cruxeval_i",
        model="mercury-coder-small-beta",
    ),
    *(
        RecordedSet(f"logs/eval-arena/{name}.jsonl*", benchmark, "eval-arena", scenario)
        for name, benchmark, scenario in (
            ("humaneval", "humaneval", None),
            ("mbpp+", "outside_mbpp_plus", None),
            ("lcb_codegen", "livecodebench", "generation"),
            ("cruxeval_input", "cruxeval", "cruxeval_i"),
        )
    ),
    *(
        RecordedSet(f"logs/simple-evals-ru/{path}.*", benchmark, "simple-evals", model=model, is_partial=True)
        for path, benchmark, model in (
            ("humaneval/08_gigachat_lite", "humaneval", "gigachat_lite"),
            ("humaneval/16_deepseek_v3", "humaneval", "deepseek_v3"),
            ("mbpp/07_yandexgpt_4_lite", "outside_mbpp_sanitized", "yandexgpt_4_lite"),
        )
    ),
    *(
        RecordedSet(f"logs/multipl-e/{name}.csv", "multipl_e", "multipl-e-csv", language, "davinci", is_partial=True)
        for name, language in (("cpp_results", "cpp"),)
    ),
)


@dataclass(frozen=True)
class RecordedFile:
    """One file, found: ``name`` is its path below DIR, ``wanted`` what it is imported as."""

    path: Path
    name: str
    wanted: Wanted


def recorded_files(directory: Path) -> Iterator[RecordedFile]:
    """Every file of every set, sets as declared, files by name. BadInput for a set without a file or a source."""
    sources = _sources(directory)
    for one in SETS:
        paths = sorted(directory.glob(one.pattern))
        if not paths:
            raise BadInput(f"{directory} holds no {one.pattern}", "name the folder of the recorded sets with --from")
        for path in paths:
            name = path.relative_to(directory).as_posix()
            if name not in sources:
                raise BadInput(f"no manifest of {directory} says where {name} is from", "complete MANIFEST.jsonl")
            yield RecordedFile(path, name, _wanted(one, path, *sources[name]))


def _wanted(one: RecordedSet, path: Path, source: str, licence: str) -> Wanted:
    named = one.by_name.fullmatch(path.name.removesuffix(".gz")) if one.by_name else None
    said = named.groupdict() if named else {}
    temperature = said.get("temperature")
    return Wanted(
        format_name=one.format_name,
        benchmark=one.benchmark,
        model=said.get("model") or one.model,
        scenario=one.scenarios.get(said.get("part", ""), one.scenario),
        protocol=one.protocol,
        temperature=one.temperature if temperature is None else float(temperature),
        version_name=one.version,
        text_form=one.text_form,
        source=source,
        licence=licence,
        is_partial=one.is_partial,
        is_by_position=one.is_by_position,
    )


def _sources(directory: Path) -> dict[str, tuple[str, str]]:
    """Path below DIR -> (owner/repository@commit, licence)."""
    found = {}
    for folder in MANIFESTS:
        manifest = directory / folder / "MANIFEST.jsonl"
        if not manifest.is_file():
            raise BadInput(f"{manifest} is missing", "name the folder of the recorded sets with --from")
        for line in manifest.read_text("utf-8").splitlines():
            row = json.loads(line)
            found[folder + row["file"]] = (row["source"].partition(":")[0], row["licence"])
    return found
