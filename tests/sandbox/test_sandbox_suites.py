"""Suites: processes behind walls, verdicts by the judge's own list, forged samples, gates."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchforge.ingest.benchmarks import suites
from benchforge.ingest.benchmarks.declaration import Benchmark, Design, Extraction, Oracles, Task, Version
from benchforge.ingest.errors import BadInput, NotStaged, SandboxUnavailable
from benchforge.runners.score import gold
from benchforge.runners.score.conformance import forged_suites
from benchforge.runners.score.gold import GoldSet, grade_gold, staged_sets
from benchforge.runners.score.judge import OFFICIAL
from benchforge.runners.score.judge.execution import Bench
from benchforge.runners.score.judge.suite import grade
from benchforge.runners.score.pending import Means
from benchforge.runners.score.readiness.environments import findings
from benchforge.runners.score.sandbox import Sandbox
from benchforge.runners.score.sandbox.suite_box import Place
from benchforge.runners.score.suites import open_places, variable_of

SEED = Path(__file__).parents[2] / "seeds" / "suite_detection.csv"
TALK = dataclasses.replace(
    forged_suites.WARM,
    name="talk",
    has_loopback=True,
    limits=suites.Limits(resident_bytes=640 << 20, num_tasks=64),
)


def bench_of(mode: str | None) -> Bench:
    places = {**forged_suites.places(), TALK.name: Place(TALK, sys.prefix)}
    return Bench(lambda place: Sandbox.open(mode, place=place), OFFICIAL, lambda seconds: None, places=places)


@pytest.fixture(scope="module", params=["bubblewrap", "unshare"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = bench_of(request.param)
    try:
        bench.suite_sandbox(bench.places["forged_warm"])
    except SandboxUnavailable as error:
        pytest.skip(f"no suites in mode {request.param} here: {error.message}")
    yield bench
    bench.renew()


def verdict(bench: Bench, program: str, name: str = "squares") -> tuple[str, str]:
    part = grade(bench, forged_suites.tasks()[name], program, ["official"])["official"].base
    return part.verdict, part.reason


def talking(program: str, seconds: float = 30.0) -> Task:
    """A task whose test asks ``found()`` of the program for True."""
    test = (
        "import unittest\nclass TestCases(unittest.TestCase):\n    def test(self):\n        self.assertTrue(found())\n"
    )
    payload = suites.warm_unittest(TALK, test, seconds)
    return Task("forged", "default", "talk", "suite", "", payload, ("full",), "talk", 1, reference=program)


def told(bench: Bench, program: str) -> tuple[str, str]:
    part = grade(bench, talking(program), program, ["official"])["official"].base
    return part.verdict, part.reason


def test_references_pass_and_stubs_do_not(bench: Bench):
    for name, task in forged_suites.tasks().items():
        outcomes = grade(bench, task, task.reference or "", ["official", "strict"])
        assert [one.base.verdict for one in outcomes.values()] == ["pass", "pass"]
        assert outcomes["official"].base.num_run == task.num_base_cases
        assert verdict(bench, suites.STUB if name == "squares" else "true", name)[0] == "fail"


def test_reasons(bench: Bench):
    assert verdict(bench, "def task_func(values:\n") == ("fail", "syntax")
    assert verdict(bench, "raise ValueError\n") == ("fail", "exception")
    assert verdict(bench, "import os, signal\ndef task_func(values):\n    os.kill(os.getpid(), 9)\n")[1] == "killed"
    part = grade(bench, forged_suites.tasks()["squares"], "def task_func(values):\n    return []\n", ["official"])
    assert dataclasses.astuple(part["official"].base) == ("fail", "wrong_answer", 0, 3, 1)


def test_a_sample_may_start_processes_and_leaves_none(bench: Bench):
    program = (
        "import subprocess\n"
        "def found():\n"
        "    subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        "    return subprocess.run(['expr', '2', '+', '2'], capture_output=True, text=True).stdout == '4\\n'\n"
    )
    assert told(bench, program)[0] == "pass"
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if _reads(path) == b"sleep\0001000\0"]
    assert not left


def _reads(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_sample_talks_to_itself_and_to_nobody_else(bench: Bench):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        program = (
            "import socket, threading\n"
            "def found():\n"
            "    own = socket.create_server(('127.0.0.1', 0))\n"
            "    threading.Thread(target=own.accept, daemon=True).start()\n"
            "    socket.create_connection(own.getsockname()).close()\n"
            f"    for port in ({listener.getsockname()[1]},):\n"
            "        try:\n"
            "            socket.create_connection(('127.0.0.1', port), 2).close()\n"
            "            return False\n"
            "        except OSError:\n"
            "            pass\n"
            "    return True\n"
        )
        assert told(bench, program)[0] == "pass"
        with pytest.raises(BlockingIOError):
            listener.accept()
    # without a network of its own not even that
    assert verdict(bench, "import socket\nsocket.socket()\n") == ("fail", "exception")


def test_walls(bench: Bench, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    program = (
        "import os\n"
        "def found():\n"
        f"    hidden = [{str(secret)!r}, {str(Path(__file__).resolve())!r}, '/etc/shadow', '/root', '/home',\n"
        "              '/proc/1/environ', '/proc/1/mem']\n"
        "    for path in hidden:\n"
        "        try:\n"
        "            os.close(os.open(path, os.O_RDONLY))\n"
        "            return False\n"
        "        except OSError:\n"
        "            pass\n"
        "    for path in ('/usr/x', '/etc/x', '/box/x', '/x'):\n"
        "        try:\n"
        "            os.close(os.open(path, os.O_WRONLY | os.O_CREAT))\n"
        "            return False\n"
        "        except OSError:\n"
        "            pass\n"
        "    left = os.path.exists('/tmp/left')\n"
        "    open('/tmp/left', 'w').close()\n"
        "    return not left and len([p for p in os.listdir('/proc') if p.isdigit()]) == 2\n"
    )
    assert told(bench, program)[0] == "pass"
    assert told(bench, program)[0] == "pass"  # nothing of the first is there


def test_limits(bench: Bench):
    hoard = "def found():\n    kept = [b'x' * (1 << 20) for _ in range(1 << 14)]\n    return True\n"
    assert told(bench, hoard) == ("fail", "memory")
    bomb = (
        "import os, time\n"
        "def found():\n"
        "    for _ in range(10000):\n"
        "        try:\n"
        "            if os.fork() == 0:\n"
        "                time.sleep(1000)\n"
        "        except OSError:\n"
        "            return True\n"
        "    return False\n"
    )
    assert told(bench, bomb)[0] == "pass"  # it met its limit, and nothing is left
    task = talking("", seconds=1.0)
    part = grade(bench, task, "def found():\n    while True:\n        pass\n", ["official"])["official"].base
    assert (part.verdict, part.reason) == ("timeout", "timeout")


def test_a_mode_without_namespaces_refuses_suites():
    with pytest.raises(SandboxUnavailable, match="has no PID namespace, without which programs of suites"):
        Sandbox.open("inner-only", place=forged_suites.places()["forged_warm"])


@pytest.fixture(scope="module")
def forged() -> list[forged_suites.Forged]:
    try:
        return list(forged_suites.measured())
    except SandboxUnavailable as error:
        pytest.skip(f"no suites here: {error.message}")


def test_the_published_rate_is_the_measured_one(forged: list[forged_suites.Forged]):
    with SEED.open(encoding="utf-8") as stream:
        rates = {row["benchmark"]: row for row in csv.DictReader(stream)}
    tasks = {row["id"]: row["task"] for row in forged_suites.rows()}
    found = [one for one in forged if tasks[one.id] == "squares"]
    row = rates["bigcodebench"]
    assert len(found) == int(row["num_forged"])
    assert sum(one.seen for one in found) == int(row["num_seen"])
    assert sum(one.passed for one in found) == int(row["num_passed_official"])
    assert sum(one.passed_strictly for one in found) == int(row["num_passed_strict"])


def test_forged_samples_of_every_class_are_held_back(forged: list[forged_suites.Forged]):
    assert len(forged) >= 60
    passed = {one.id for one in forged if one.passed}
    # what passes officially is said by name: each is flagged but one, which unpickles a text that it builds
    assert passed == {"un-globals", "eq-late", "ad-attrgetter", "ad-alias", "ad-pickle", "ad-dis"}
    assert {one.id for one in forged if one.passed_strictly} == {"ad-pickle"}
    assert sum(one.forges for one in forged) >= 40


def test_tests_are_counted_from_their_source():
    source = (
        "import unittest\nclass Base(unittest.TestCase):\n    def test_b(self): pass\n    @unittest.skip('x')\n"
        "    def test_a(self): pass\n    def other(self): pass\nclass More(Base):\n    def test_c(self): pass\n"
        "class No:\n    def test_d(self): pass\n"
    )
    assert suites.unittest_names(source) == ["Base.test_a", "Base.test_b", "More.test_a", "More.test_b", "More.test_c"]
    payload = suites.warm_unittest(forged_suites.WARM, source, 1.0)
    assert payload["may_skip"] == ["Base.test_a", "More.test_a"]
    with pytest.raises(BadInput):
        suites.warm_unittest(forged_suites.WARM, "import unittest\n", 1.0)


def test_a_gate_names_what_is_missing_and_opens(tmp_path: Path, bench: Bench):
    shell = dataclasses.replace(
        forged_suites.SHELL,
        name="gated",
        requirements=(
            suites.Requirement("bash", "apt install bash", ("bash", "--version")),
            suites.Requirement("nosuchtool", "apt install nosuchtool", ("nosuchtool", "--version")),
        ),
    )
    task = dataclasses.replace(
        forged_suites.tasks()["double"], payload={**forged_suites.tasks()["double"].payload, "environment": "gated"}
    )
    with pytest.raises(NotStaged, match="was never tried"):
        open_places(benchmark_of(shell), [task], tmp_path)
    found = {one.check: one for one in findings(shell, tmp_path, bench.suite_sandbox(bench.places["forged_warm"]).mode)}
    assert (found["bash"].status, found["nosuchtool"].status) == ("PASS", "FAIL")
    assert found["nosuchtool"].fix == "apt install nosuchtool"
    with pytest.raises(NotStaged, match="closed: nosuchtool is missing"):
        open_places(benchmark_of(shell), [task], tmp_path)
    whole = dataclasses.replace(shell, requirements=shell.requirements[:1])
    assert [one.status for one in findings(whole, tmp_path)] == ["PASS", "PASS"]
    assert list(open_places(benchmark_of(whole), [task], tmp_path)) == ["gated"]
    with pytest.raises(NotStaged, match="has changed since"):
        open_places(benchmark_of(dataclasses.replace(whole, path="/bin")), [task], tmp_path)
    facts = json.loads((tmp_path / "suites" / "gated.gate.json").read_text())
    assert facts["versions"]["bash"].startswith("GNU bash")
    assert variable_of(whole) not in os.environ


def test_gold_grades_references_and_stubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench):
    monkeypatch.setenv("BENCHFORGE_SUITE_FORGED_WARM", sys.prefix)
    squares = forged_suites.tasks()["squares"]
    empty = "import unittest\nclass TestCases(unittest.TestCase):\n    def test_nothing(self):\n        pass\n"
    payload = suites.warm_unittest(forged_suites.WARM, empty, 20.0)
    hollow = dataclasses.replace(squares, task_id="hollow", payload=payload, num_base_cases=1)
    wrong = dataclasses.replace(squares, task_id="wrong", reference="def task_func(values):\n    return []\n")
    three = GoldSet(benchmark_of(forged_suites.WARM), "v1", "default", [squares, hollow, wrong])
    mode = bench.suite_sandbox(bench.places["forged_warm"]).mode
    result = grade_gold(three, Means(tmp_path / "datasets", mode, 1, False, scratch=tmp_path))
    assert (result.passed, result.failed) == (1, 2)
    found = {(miss.task_id, miss.oracle, miss.verdict) for miss in result.misses}
    assert found == {("hollow", "stub", "pass"), ("wrong", "official", "fail"), ("wrong", "strict", "fail")}


def test_a_suite_without_references_has_its_stubs_graded_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench
):
    double = forged_suites.tasks()["double"]
    stubs = {"sound": "double() { :; }\n", "hollow": double.reference}
    tasks = [
        dataclasses.replace(double, task_id=name, reference=None, payload={**double.payload, "stub": stub})
        for name, stub in stubs.items()
    ]
    benchmark = dataclasses.replace(benchmark_of(forged_suites.SHELL), load=lambda *_: tasks, needs_staging=False)
    benchmark = dataclasses.replace(benchmark, versions=(Version("v1", ()),))
    monkeypatch.setattr(gold, "registry", lambda: {"forged": benchmark})
    assert list(staged_sets(frozenset(), tmp_path)) == []
    [found] = staged_sets(frozenset({("forged", "default")}), tmp_path)
    mode = bench.suite_sandbox(bench.places["forged_warm"]).mode
    result = grade_gold(found, Means(tmp_path / "datasets", mode, 1, False, scratch=tmp_path))
    assert (result.tasks, result.passed, result.failed) == (2, 1, 1)
    assert [(miss.task_id, miss.oracle) for miss in result.misses] == [("hollow", "stub")]


def benchmark_of(environment: suites.Environment) -> Benchmark:
    return Benchmark(
        "forged", "Forged", "suite", ("default",), {"default": ("full",)}, (), Extraction("plain", "plain"),
        Oracles("official", "strict"), Design("iid", "made"), "none", None, environments={"": environment},
    )  # fmt: skip
