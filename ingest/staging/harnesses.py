"""The harnesses whose words are asked with, as a table: where each text stands, and its sha256 (for a template: of the
template). Read at evalplus/evalplus@26d6d00, bigcode-project/bigcodebench@47eff25, facebookresearch/cruxeval@190faf1,
LiveCodeBench/LiveCodeBench@28fef95.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .source_text import RETURNED, HarnessString


@dataclass(frozen=True)
class Harness:
    """A harness and the release in which its texts were read."""

    name: str
    source: str
    strings: tuple[HarnessString, ...]


_EVALPLUS: Mapping[str, str] = {
    "instruction_prefix": "08294c8ddb2f432a1759288843ccdc9d3c66487334055cf6d1256af6a4b67da7",
    "response_prefix": "3affe702dd54c3f803ec3f78bd98ed5a867b5441a367b47e2663c385d4f46af8",
}
"""Variable of ``run_codegen`` -> sha256."""

_BIGCODEBENCH: Mapping[str, str] = {
    "instruction_prefix": "08294c8ddb2f432a1759288843ccdc9d3c66487334055cf6d1256af6a4b67da7",
    "response_prefix": "3affe702dd54c3f803ec3f78bd98ed5a867b5441a367b47e2663c385d4f46af8",
}
"""Parameter of ``run_codegen`` -> sha256 of its default; EvalPlus' words."""

_CRUXEVAL: Mapping[str, str] = {
    "direct_input": "2c0eab4cbc13a94c0841af6002f08b037243aa45dcce39a01d6325b95c98c3e0",
    "direct_output": "a6d1853d8a720e81543bc910e95f3c8a24c1ade83439764968a1d89bc00ffb09",
    "cot_input": "3d9813aec4d02ff870d65e6117395acba94ab8fed433b9e2bc998e179c23aada",
    "cot_output": "c4bd69547b35ab664e699bfc7b5a90eef06cf3b7b8ac5cb4ca211dd0c52c9fe6",
    "system": "fe01db3bfe1094201ee3f29d7089accfa28d12b9567c15ef59a09e976b3cdb77",
}
"""``<style>_<direction>`` -> sha256 of what ``make_<style>_<direction>_prompt`` returns; the system sentence."""

_LCB_SYSTEM: Mapping[str, tuple[str, str]] = {
    "generic": ("SYSTEM_MESSAGE_GENERIC", "d39e6e9b11d2ac7e84a6a85ebf4cfb10489b414e74f0b52e3394eb5375bdd9ac"),
    "gemini": ("SYSTEM_MESSAGE_GEMINI", "3293bf333882a349d9462adb502c7636bbf2459351913b153e19b0fca0ee13c9"),
    "deepseek": ("SYSTEM_MESSAGE_DEEPSEEK", "638695f081575bc4474830bbe2f697d58c067999dcdee8ac92e9bf8626d8ca30"),
    "codeqwen": ("SYSTEM_MESSAGE_CODEQWEN", "be586e9ae03c4ab257eec6c77194257de7ed5e26dfff662b71e18487f45f50be"),
    "qwq": ("SYSTEM_MESSAGE_QWEN_QWQ", "5c1efdf1390e4cacf8e3923a80d918330cc41d1677759455d8148ceced792028"),
    "deepseek_r1": ("SYSTEM_MESSAGE_DEEPSEEK_R1", "4bf505cb8a7dbfc979d0f81a37c51bd95d9a69d8d3363c23b7bae4df86ba8a0f"),
}
"""Family -> constant of ``PromptConstants``, sha256."""

_LCB_QUESTION: Mapping[str, tuple[str, str, str]] = {
    "generic": (
        "get_generic_question_template_answer",
        "6a7e3aa02d933f952a7f2d2e49fed30c3a0165c5ac6cbada5fd88185b30ec054",
        "d785521ca4905d9b19d4be910c8e0edb0e9d551ffa2f8729674bdacfa7c70503",
    ),
    "reason": (
        "get_oaireason_question_template_answer",
        "6a7e3aa02d933f952a7f2d2e49fed30c3a0165c5ac6cbada5fd88185b30ec054",
        "63aa18c507a2a7dddf99096d6ceea5766223788f208fa7bcff16d97c98214d70",
    ),
    "deepseek": (
        "get_deepseekcode_question_template_answer",
        "b44dd1534b0ae915a7c998790a540f963faf71ac639459034f51aae5318edc0b",
        "1026134c61f427c8e36ed39c79ed94d71ac477ac21f5876f744bc68491eb3866",
    ),
    "codeqwen": (
        "get_codeqwen_question_template_answer",
        "c4cb6a18d3698bae515ba697da14ececce71312287b86884d0a80613b4b26fa1",
        "b818a76f821c3af7627271be57bb9372f36bbd194b4101fb39ed8ed3753cfab1",
    ),
    "qwq": (
        "get_qwen_qwq_question_template_answer",
        "7d25e915d74ea6ed37d87652cca8ff4c0397cb70b92a89e0b6b10c57060f18e5",
        "8e7687684cddfcfb91029729ec95f40d137eb8d0a7d0697842ce1d0db54b3a2f",
    ),
    "deepseek_r1": (
        "get_deepseek_r1_question_template_answer",
        "2af3f9cd3927d55096ea16b80d32361f52d40daba23c404bbd7bc04eaa8a25fd",
        "5d08a99e8db93811b9fca4ef88856043b1866c05ea32217424194b9649c1ae5c",
    ),
}
"""Family -> function, sha256 of its text for a problem with starter code and for one without."""

_LCB_EXAMPLE: Mapping[str, tuple[bool, bool, str]] = {
    "function_solved": (True, True, "a8097acf6db889559b310c35eade5b7db1dd7c4bf3ef9d19f4ecfd2e367c3afe"),
    "function_open": (True, False, "f1e64d697b258ec9cb48884b8b441d70987ea2f2aa1d783c076b52c28a3a4552"),
    "stdin_solved": (False, True, "8676488da0e7b36b660d04d80131303518620aeaab021640e4d925561aefba2f"),
    "stdin_open": (False, False, "d3caa943469e1c77713e916bf78006b503085423ce5477794cb7cc3e7d3b70d1"),
}
"""Block of the base prompt -> whether there is starter code, whether there is an answer, sha256."""

_LCB_SHOT: Mapping[tuple[str, str], str] = {
    ("function", "question"): "5c8d620f182914fef2e5ca7d0a29b35b2df39a3da91ec6a10be5b811a1d0e4e2",
    ("function", "sample_code"): "6f81f72b75f37357f4805869262c2cba35756f73ddafff78ad4b90d353f5cf1b",
    ("function", "answer"): "a3d34e205fa72f866036582a084f3e4463a2d2914f6aa71efe28023ae232ab46",
    ("stdin", "question"): "5a17cebc16d1cdfdeaf52a541c958f8d487954a59d25bca1e607f1d8c6cce29b",
    ("stdin", "answer"): "800c629fa2294a89359f89189c1d298ad5b62aff30a23fab0a5e1b20ea14485a",
}
"""(Kind of problem, field) of the solved example in the base prompt -> sha256."""


def _evalplus() -> Iterator[HarnessString]:
    for variable, sha256 in _EVALPLUS.items():
        yield HarnessString(f"evalplus.{variable}", "evalplus/codegen.py", "run_codegen", variable, sha256)


def _bigcodebench() -> Iterator[HarnessString]:
    for parameter, sha256 in _BIGCODEBENCH.items():
        yield HarnessString(f"bigcodebench.{parameter}", "bigcodebench/generate.py", "run_codegen", parameter, sha256)


def _cruxeval() -> Iterator[HarnessString]:
    for name, sha256 in _CRUXEVAL.items():
        if name == "system":
            where = ("openai/openai_prompt.py", "prompt_openai_general", "system_prompt")
        else:
            where = ("prompts.py", f"make_{name}_prompt", RETURNED)
        yield HarnessString(f"cruxeval.{name}", *where, sha256)


_LCB_GENERATION, _LCB_SHOTS = "lcb_runner/prompts/code_generation.py", "lcb_runner/prompts/few_shot_examples/generation"


def _livecodebench() -> Iterator[HarnessString]:
    for family, (constant, sha256) in _LCB_SYSTEM.items():
        name = f"livecodebench.system_{family}"
        yield HarnessString(name, _LCB_GENERATION, "PromptConstants", constant, sha256)
    for family, (function, *digests) in _LCB_QUESTION.items():
        for kind, has_starter, sha256 in zip(("function", "stdin"), (True, False), digests, strict=True):
            name, given = f"livecodebench.{family}_{kind}", {"question.starter_code": has_starter}
            yield HarnessString(name, _LCB_GENERATION, function, "prompt", sha256, given)
    for block, (has_starter, is_solved, sha256) in _LCB_EXAMPLE.items():
        given = {"question.starter_code": has_starter, "example['answer']": is_solved}
        name = f"livecodebench.example_{block}"
        yield HarnessString(name, _LCB_GENERATION, "get_example_prompt", "prompt", sha256, given)
    for (kind, field), sha256 in _LCB_SHOT.items():
        file = f"{_LCB_SHOTS}/{'func' if kind == 'function' else 'stdin'}.json"
        yield HarnessString(f"livecodebench.shot_{kind}_{field}", file, "", f"0.{field}", sha256)


HARNESSES: Mapping[str, Harness] = {
    harness.name: harness
    for harness in (
        Harness("evalplus", "evalplus 0.3.1 (sdist, wheel) or evalplus/evalplus@26d6d00", tuple(_evalplus())),
        Harness(
            "bigcodebench",
            "bigcodebench 0.2.5 (sdist, wheel) or bigcode-project/bigcodebench@47eff25",
            tuple(_bigcodebench()),
        ),
        Harness("cruxeval", "facebookresearch/cruxeval@190faf1", tuple(_cruxeval())),
        Harness("livecodebench", "LiveCodeBench/LiveCodeBench@28fef95", tuple(_livecodebench())),
    )
}
