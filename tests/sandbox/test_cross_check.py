# ruff: noqa: E501 - programs are data
"""The official harness beside the judge: a stub of our own takes its place, with the same command line and result."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.errors import BadInput, Incomplete, NotStaged, UsageError
from benchforge.runners.score import beside
from benchforge.runners.score.cross_check import Beside, CrossCheck, compare
from benchforge.runners.score.environments import environment_of
from benchforge.runners.score.harnesses import HARNESSES, Sample, harness_of, installed
from benchforge.runners.score.judge import EVALPLUS_0_3_1, OFFICIAL

PYTHON = Path(sys.executable)
EVALUATE = """
import argparse, json, os
parser = argparse.ArgumentParser()
for name in ("dataset", "samples", "parallel"):
    parser.add_argument(f"--{name}")
given = parser.parse_args()
problems = {json.loads(line)["task_id"] for line in open(os.environ["HUMANEVAL_OVERRIDE_PATH"])}
found = {}
for line in open(given.samples):
    sample = json.loads(line)
    verdict = "fail" if "0 * x" in sample["solution"] else "pass"
    found.setdefault(sample["task_id"], []).append({"base_status": verdict, "plus_status": verdict})
assert problems == set(found), "Missing problems in samples"
with open(given.samples.replace(".jsonl", "_eval_results.json"), "w") as stream:
    json.dump({"eval": found}, stream)
"""
SEES = """
import json, os, socket
def refused(action):
    try: action()
    except OSError: return True
    return False
facts = {
    "variables": sorted(os.environ), "root": os.getuid() == 0, "processes": [one for one in os.listdir("/proc") if one.isdigit()],
    "no network": refused(lambda: socket.create_connection(("192.0.2.1", 80), 1)),
    "no writing": refused(lambda: open("/usr/x", "w")) and refused(lambda: open("/x", "w")), "home": os.listdir("/").count("home"),
    "secret": os.path.exists(os.environ["SECRET"]),
}
json.dump(facts, open("/result/facts.json", "w"))
"""


@pytest.fixture(scope="module", autouse=True)
def _needs_bubblewrap(tmp_path_factory: pytest.TempPathFactory) -> None:
    import shutil

    if shutil.which("bwrap") is None:
        pytest.skip("a harness is only run inside bubblewrap, and it is not installed")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the pinned source and is a stub."""
    folder = tmp_path_factory.mktemp("harness")
    folder.chmod(0o755)
    (folder / "evalplus").mkdir()
    (folder / "evalplus" / "__init__.py").write_text("")
    (folder / "evalplus" / "config.py").write_text("DEFAULT_MIN_TIME_LIMIT = 4.0\n")
    (folder / "evalplus" / "evaluate.py").write_text(EVALUATE)
    return folder


def double(task_id: str) -> Task:
    payload = {
        "entry_point": "double", "base_inputs": [[1], [2]], "plus_inputs": [[3]], "atol": 0,
        "expected": {"base": [2, 4], "plus": [6]}, "limit_seconds": 1.0,
    }  # fmt: skip
    return Task("humanevalplus", "default", task_id, "calls", "", payload, ("base", "plus"), task_id)


@pytest.fixture(scope="module")
def compared(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., CrossCheck]:
    harness = harness_of("humanevalplus")
    assert harness is not None
    directory = tmp_path_factory.mktemp("problems")
    problems = directory / "problems.jsonl"
    problems.write_text("".join(f'{{"task_id": "T/{number}"}}\n' for number in range(5)))
    tasks = {f"T/{number}": double(f"T/{number}") for number in range(5)}

    def run(*programs: tuple[str, str]) -> CrossCheck:
        found = installed(harness, checkout, PYTHON)
        samples = [Sample(*one) for one in programs]
        return compare(harness, tasks, samples, Beside({"evalplus": found}, directory, None, 1), problems)

    return run


def test_equal_words_are_counted_and_a_harness_gets_only_the_problems_that_have_samples(
    compared: Callable[..., CrossCheck],
):
    right, wrong = "def double(x):\n    return 2 * x\n", "def double(x):\n    return 0 * x\n"
    result = compared(("T/0", right), ("T/3", right), ("T/0", wrong), ("T/1", ""))
    assert (result.num_compared, result.num_agreed, result.num_not_compared) == (3, 3, 1)
    assert result.differences == ()


def test_a_difference_is_listed_part_by_part_with_our_reason(compared: Callable[..., CrossCheck]):
    result = compared(("T/2", "def double(x):\n    return 2 * x if x < 3 else 7\n"))
    (one,) = result.differences
    assert (one.task_id, one.part, one.ours, one.theirs, one.reason) == ("T/2", "plus", "fail", "pass", "wrong_answer")
    assert result.num_agreed == 0 and result.num_unexplained == 1


def test_an_announced_deviation_is_named(compared: Callable[..., CrossCheck]):
    always_equal = "class Yes:\n    def __eq__(self, other):\n        return True\ndef double(x):\n    return Yes()\n"
    result = compared(("T/2", always_equal))
    assert {one.known for one in result.differences} == {"always_equal_object"}
    assert result.num_unexplained == 0


def test_a_harness_sees_no_network_no_home_no_variable_and_is_not_root(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    with beside.own_folder() as folder:
        argv = (str(PYTHON.resolve()), "-I", "-S", "-c", SEES)
        beside.run(beside.Command(argv, (PYTHON.resolve().parent.parent,), folder, 30, {"SECRET": str(secret)}))
        facts = beside.read_json(folder / "facts.json")
    assert not facts["root"] and not facts["secret"]
    assert facts["no network"] and facts["no writing"] and facts["home"] == 0
    assert not {"USER", "LOGNAME", "SSH_AUTH_SOCK", "BENCHFORGE_SHARED"} & set(facts["variables"])
    assert len(facts["processes"]) <= 4


def test_a_harness_that_does_not_end_is_killed(tmp_path: Path):
    with beside.own_folder() as folder, pytest.raises(Incomplete, match="did not end within 1 seconds"):
        beside.run(beside.Command(("/bin/sh", "-c", "sleep 100"), (), folder, 1.0))


def test_a_harness_that_fails_says_why(tmp_path: Path):
    with beside.own_folder() as folder, pytest.raises(Incomplete, match="status 3: no such dataset"):
        beside.run(beside.Command(("/bin/sh", "-c", "echo no such dataset; exit 3"), (), folder, 10))


@pytest.mark.parametrize("leaves", ["ln -s /etc/passwd r.json", "mkfifo r.json", "echo '[1' > r.json", "true"])
def test_only_a_plain_file_of_json_is_believed(leaves: str):
    with beside.own_folder() as folder:
        beside.run(beside.Command(("/bin/sh", "-c", leaves), (), folder, 10))
        with pytest.raises(Incomplete, match="no readable result"):
            beside.read_json(folder / "r.json")


def test_what_a_folder_holds_decides_the_rules(checkout: Path, tmp_path: Path):
    harness = HARNESSES[0]
    assert installed(harness, checkout, PYTHON).rules == OFFICIAL
    packages = tmp_path / "environment" / "lib" / "python3.11" / "site-packages" / "evalplus"
    packages.mkdir(parents=True)
    (packages / "config.py").write_text("DEFAULT_MIN_TIME_LIMIT = 1.0\n")
    (tmp_path / "environment" / "bin").mkdir()
    (tmp_path / "environment" / "bin" / "python").symlink_to(PYTHON)
    assert installed(harness, tmp_path / "environment", None).rules == EVALPLUS_0_3_1
    (packages / "config.py").write_text("DEFAULT_MIN_TIME_LIMIT = 2.0\n")
    with pytest.raises(BadInput, match=r"neither evalplus 0\.3\.1 nor 26d6d00"):
        installed(harness, tmp_path / "environment", None)


def test_what_is_missing_is_named_with_the_command(checkout: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="is a checkout"):
        installed(HARNESSES[0], checkout, None)
    with pytest.raises(BadInput, match="holds no cruxeval"):
        installed(HARNESSES[1], checkout, None)
    with pytest.raises(NotStaged) as missing:
        environment_of(HARNESSES[0], tmp_path, is_offline=True, is_given=False)
    assert "benchforge stage --harness evalplus" in missing.value.hint
