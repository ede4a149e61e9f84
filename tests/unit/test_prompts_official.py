"""Our prompts and requests are those of the official code: byte by byte, on every task of the default benchmarks.

The other side was made by running that code (``tests/golden/official_prompts.py``); its words are staged here from
EvalPlus' release on PyPI, and from checkouts of CRUXEval and LiveCodeBench below ``BENCHFORGE_HARNESSES``.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from benchforge.ingest.benchmarks import cruxeval, evalplus_tasks, livecodebench_problems, registry
from benchforge.ingest.benchmarks.declaration import Benchmark, Protocol, Task
from benchforge.ingest.bundled.prompt_digests import official_prompts, row_of_prompt
from benchforge.ingest.staging.files import every_pinned_file, plan_what_is_there, write_staged
from benchforge.ingest.staging.staged import load_tasks
from benchforge.ingest.staging.strings import HARNESSES, find_strings

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
OWN_PROBLEMS = json.loads((GOLDEN / "own_problems.json").read_text(encoding="utf-8"))
REQUESTS = json.loads((GOLDEN / "official_requests.json").read_text(encoding="utf-8"))
ENVIRONMENT = dict(os.environ)
"""As the run was started: within a test the settings and the home are taken away."""

OWN_TASK = ("Own/", "own_")

CELLS = (
    ("humanevalplus", "default", "evalplus", 164),
    ("mbppplus", "default", "evalplus", 378),
    ("cruxeval", "cruxeval_i", "cruxeval", 800),
    ("cruxeval", "cruxeval_o", "cruxeval", 800),
    ("livecodebench", "generation", "livecodebench", 1055),
)
"""Benchmark, scenario, harness, tasks."""

OURS = ("card", "corrected")
"""Protocols that no harness has; their words are the harness's (see ``test_our_own_protocols…``)."""


@pytest.fixture(scope="session")
def evalplus_release() -> Path:
    """EvalPlus 0.3.1 as PyPI has it, unpacked; one download for all processes, kept below ``build/``."""
    folder = ROOT / "build" / "harnesses" / "evalplus-0.3.1"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "evalplus.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                wheel = downloaded(Path(scratch))
                if wheel is None:
                    pytest.skip("evalplus 0.3.1 cannot be had from a package registry")
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(Path(scratch) / "unpacked")
                (Path(scratch) / "unpacked").rename(folder)
    return folder


def downloaded(target: Path) -> Path | None:
    """The wheel, None where no registry answers in five minutes."""
    argv = [sys.executable, "-m", "pip", "download", "evalplus==0.3.1", "--no-deps", "--only-binary=:all:"]
    try:
        subprocess.run([*argv, "--retries", "1", "-d", str(target)], capture_output=True, env=ENVIRONMENT, timeout=300)
    except subprocess.TimeoutExpired:
        return None
    return next(target.glob("*.whl"), None)


@pytest.fixture(scope="session")
def strings_of(request: pytest.FixtureRequest) -> Callable[[str], Mapping[str, str]]:
    """Staged texts of a harness; the test is skipped where the harness is not on this machine."""
    folder = ENVIRONMENT.get("BENCHFORGE_HARNESSES")

    def staged(harness: str) -> Mapping[str, str]:
        if harness == "evalplus":
            return find_strings(request.getfixturevalue("evalplus_release"))[harness]
        found = find_strings(Path(folder) / harness).get(harness) if folder else None
        if not found:
            pytest.skip(f"BENCHFORGE_HARNESSES holds no checkout of {HARNESSES[harness].source} called {harness}")
        return found

    return staged


@pytest.fixture(scope="session")
def datasets(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("datasets")
    write_staged(plan_what_is_there(every_pinned_file(root), shared_data))
    return root


def own_tasks(benchmark: str, scenario: str) -> list[Task]:
    if benchmark == "cruxeval":
        return [cruxeval.task_of(scenario, problem) for problem in OWN_PROBLEMS["cruxeval"]]
    if benchmark == "livecodebench":
        return [livecodebench_problems.task_of(problem, ("v6",)) for problem in OWN_PROBLEMS["livecodebench"]]
    return [evalplus_tasks.task_of(benchmark, scenario, problem) for problem in OWN_PROBLEMS["evalplus"]]


def official_protocols(benchmark: Benchmark) -> list[Protocol]:
    return [protocol for protocol in benchmark.protocols if protocol.name not in OURS]


def refuse_differences(
    benchmark: str, scenario: str, tasks: list[Task], strings: Mapping[str, str], is_own: bool
) -> None:
    for protocol in official_protocols(registry()[benchmark]):
        wanted = official_prompts(benchmark, scenario, protocol.name)
        wanted = {task_id: row for task_id, row in wanted.items() if task_id.startswith(OWN_TASK) is is_own}
        rendered = ((task.task_id, protocol.render(task, strings)) for task in tasks)
        found = {
            task_id: row_of_prompt(benchmark, scenario, protocol.name, task_id, prompt) for task_id, prompt in rendered
        }
        assert found == wanted, f"{benchmark} {scenario} {protocol.name}"


@pytest.mark.parametrize(("benchmark", "scenario", "harness", "num_tasks"), CELLS)
def test_prompts_are_those_of_the_official_code(strings_of, datasets, benchmark, scenario, harness, num_tasks):
    tasks = load_tasks(registry()[benchmark], None, scenario, datasets)
    assert len(tasks) == num_tasks
    refuse_differences(benchmark, scenario, tasks, strings_of(harness), is_own=False)


@pytest.mark.parametrize(("benchmark", "scenario", "harness", "num_tasks"), CELLS)
def test_so_are_prompts_of_problems_with_braces_and_odd_letters(strings_of, benchmark, scenario, harness, num_tasks):
    tasks = own_tasks(benchmark, scenario)
    assert len(tasks) == 2
    refuse_differences(benchmark, scenario, tasks, strings_of(harness), is_own=True)


@pytest.mark.parametrize(("benchmark", "scenario", "harness", "num_tasks"), CELLS)
def test_every_official_protocol_was_compared_on_every_task(benchmark, scenario, harness, num_tasks):
    for protocol in official_protocols(registry()[benchmark]):
        rows = official_prompts(benchmark, scenario, protocol.name)
        assert len(rows) == num_tasks + 2, f"{benchmark} {scenario} {protocol.name}"


QUESTION = "{question_content}|{starter_code}"
CHAT = (("system", "[generic]"), ("user", "generic Q|\n"))
LIVECODEBENCH = {
    "official": CHAT,
    "official_api": CHAT,
    "corrected": CHAT,
    "official_claude3": (CHAT[0], ("user", "generic Q|")),
    "official_gemini": (("user", "[gemini]\ngeneric Q|\n"),),
    "official_gemini_thinking": (("user", "[generic]\ngeneric Q|\n"),),
    "official_reason": (("user", "[generic]\n\nreason Q|\n"),),
    "official_reason_preview": (("user", "[generic]\n\ngeneric Q|\n"),),
    "card": (("user", "[generic]\n\ngeneric Q|\n"),),
    "official_codeqwen": "[codeqwen]\n\ncodeqwen Q|\n",
    "official_deepseek_coder": "[deepseek]\n\ndeepseek Q|\n",
    "official_deepseek_r1": "[deepseek_r1]deepseek_r1 Q|\n",
    "official_qwq": "[qwq]\n\nqwq Q|\n",
    "official_base": "solved shot_question shot_answer open Q ",
}
"""What is put together of which words, for a problem "Q" without starter code."""


def test_livecodebench_is_composed_as_upstream_composes_it():
    words = {string.name: string.name.removeprefix("livecodebench.") for string in HARNESSES["livecodebench"].strings}
    strings = {name: f"{word.removesuffix('_stdin')} {QUESTION}\n" for name, word in words.items()}
    strings |= {name: f"[{word[7:]}]" for name, word in words.items() if word.startswith("system_")}
    strings |= {name: word.replace("stdin_", "") for name, word in words.items() if word.startswith("shot_")}
    strings["livecodebench.example_stdin_solved"] = "solved {question} {answer} "
    strings["livecodebench.example_stdin_open"] = "open {question} {answer}"
    task = livecodebench_problems.task_of({**OWN_PROBLEMS["livecodebench"][0], "question_content": "Q"}, ("v6",))
    prompts = {one.name: one.render(task, strings) for one in registry()["livecodebench"].protocols}
    assert {name: prompt.text or prompt.messages for name, prompt in prompts.items()} == LIVECODEBENCH


@pytest.mark.parametrize("key", REQUESTS)
def test_requests_carry_what_the_official_code_sends(key: str):
    benchmark, scenario, name, _ = key.split()
    sent = REQUESTS[key]
    (protocol,) = [protocol for protocol in registry()[benchmark].protocols if protocol.name == name]
    is_sampled = key.endswith("_sampled")
    assert list(protocol.stop) == sent.get("stop", [])
    assert protocol.max_tokens == sent.get("max_tokens", sent.get("max_completion_tokens"))
    # 1 is what a server takes where nothing is sent
    assert protocol.top_p_at(0.8 if is_sampled else 0.0) == sent.get("top_p", 1.0)
    assert not protocol.scenarios or scenario in protocol.scenarios


@pytest.mark.parametrize(("benchmark", "scenario", "harness", "num_tasks"), CELLS)
def test_our_own_protocols_have_no_stop_that_a_thought_could_meet(benchmark, scenario, harness, num_tasks):
    (card,) = [protocol for protocol in registry()[benchmark].protocols if protocol.name == "card"]
    assert not card.stop or card.stop_acts == "answer"
    assert card.templating_modes == ("chat",)
    strings = {string.name: string.name for string in HARNESSES[harness].strings}
    (task, _) = own_tasks(benchmark, scenario)
    assert [role for role, _ in card.render(task, strings).messages] == ["user"]


def test_the_corrected_protocol_asks_the_same_and_neither_stops_nor_cuts():
    protocols = {protocol.name: protocol for protocol in registry()["livecodebench"].protocols}
    strings = {string.name: string.name + "{question_content}" for string in HARNESSES["livecodebench"].strings}
    official, corrected = protocols["official"], protocols["corrected"]
    for task in own_tasks("livecodebench", "generation"):
        assert official.render(task, strings) == corrected.render(task, strings)
    assert (official.stop, corrected.stop) == (("###",), ())
    assert corrected.max_tokens > 4 * official.max_tokens


@pytest.mark.parametrize(
    ("benchmark", "scenario", "chat", "completions"),
    [
        ("humanevalplus", "default", "official", "official_base"),
        ("mbppplus", "default", "official", "official_base"),
        ("cruxeval", "cruxeval_o", "direct", "direct_base"),
        ("livecodebench", "generation", "official", "official_base"),
        ("humaneval", "default", "official", "official"),
        ("forge_mini", "default", "official", "official"),
    ],
)
def test_a_model_is_asked_in_its_own_mode(benchmark: str, scenario: str, chat: str, completions: str):
    found = registry()[benchmark]
    assert found.protocols_of(scenario, "chat")[0].name == chat
    assert found.protocols_of(scenario, "completions")[0].name == completions
    # a chat has no form without a template
    assert "official_api" not in [protocol.name for protocol in found.protocols_of(scenario, "completions")]


def test_a_text_with_a_familys_own_template_is_not_put_into_another():
    protocols = registry()["livecodebench"].protocols_of("generation", "chat")
    modes = {protocol.name: protocol.mode_for("chat") for protocol in protocols}
    assert modes["official"] == "chat"
    assert modes["official_codeqwen"] == modes["official_base"] == "completions"
