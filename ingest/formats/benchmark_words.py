"""What other tools call our benchmarks: their name, folded, to the word that ``--benchmark`` takes.

Task names of EleutherAI/lm-evaluation-harness@4e7e0d4 (``lm_eval/tasks``), huggingface/lighteval@3fd1526,
open-compass/opencompass@a5acc4b (``configs/datasets``), modelscope/evalscope@fde259d (``benchmarks``),
NVIDIA/NeMo-Skills@0b012df (``dataset``), bigcode-project/bigcode-evaluation-harness@8fc5bae (``bigcode_eval/tasks``),
crux-eval/eval-arena@5ecbcd6 (``data``). Plain MBPP is not among ours: its problems are not those of MBPP+.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORDS: Mapping[str, tuple[str, ...]] = {
    "humaneval": (
        "humaneval",
        "humaneval_instruct",
        "humaneval_64",
        "humaneval_64_instruct",
        "openai_humaneval",
        "humaneval_unstripped",
    ),
    "humanevalplus": ("humaneval_plus", "humanevalplus", "humaneval+", "human_eval"),
    "mbppplus": ("mbpp_plus", "mbppplus", "mbpp+", "mbpp_plus_instruct"),
    "cruxeval_i": ("cruxeval_input", "cruxeval_i", "cruxeval_input_cot", "cruxeval_input_08"),
    "cruxeval_o": ("cruxeval_output", "cruxeval_o", "cruxeval_output_cot", "cruxeval_output_08", "cruxeval"),
    "livecodebench_generation": (
        "lcb_code_generation",
        "lcb_codegen",
        "lcb_codegeneration",
        "live_code_bench",
        "livecodebench",
        "livecodebench_x",
    ),
    "bigcodebench_complete": ("bigcodebench_complete",),
    "bigcodebench_instruct": ("bigcodebench_instruct",),
    "ds1000": ("ds1000", "ds_1000", "ds1000_all_completion"),
}
_BY_NAME: Mapping[str, str] = {name: word for word, names in _WORDS.items() for name in names}
_AFTERWARDS = re.compile(r"(_gen)?(_[0-9a-f]{6})?$")
"""OpenCompass ends a dataset's name so: the kind of inference, and the digest of its prompt."""


def our_word(name: str | None) -> str | None:
    """``HumanEval_plus`` → ``humanevalplus``; None where the name is not one of these."""
    if name is None:
        return None
    folded = name.strip().lower().replace("-", "_").replace("|", "_").rsplit("/", 1)[-1]
    folded = folded.removeprefix("lcb:") if folded in _BY_NAME else folded.replace(":", "_")
    return _BY_NAME.get(folded) or _BY_NAME.get(_AFTERWARDS.sub("", folded))


def word_of_task_id(task_id: str) -> str | None:
    """Benchmarks whose task ids tell them apart. HumanEval and HumanEval+ share theirs: None."""
    if task_id.startswith("Mbpp/"):
        return "mbppplus"
    if task_id.startswith("DS-1000/"):
        return "ds1000"
    return None
