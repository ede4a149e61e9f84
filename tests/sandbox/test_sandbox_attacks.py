"""Our own hostile programs, each judged and looked at from outside: none passes, none leaves a trace.

After every attack an honest program is graded by the same worker in the same sandbox: it must pass, find an empty
directory of its own with room in it, and the modules as they were.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from benchforge.runners.score.judge import OFFICIAL, Graded, Job, Judge
from benchforge.runners.score.sandbox.connection import MAX_STRETCH

from . import effects
from .attacks.attack import Attack
from .attacks.corpus import BY_CATEGORY
from .attacks.tasks import HONEST, MARKER, TASKS
from .conftest import BOTH

ALL = [(category, attack) for category, attacks in BY_CATEGORY.items() for attack in attacks]
RULES = replace(OFFICIAL, part_grace_seconds=0.2, livecodebench_extra_seconds=0.1, livecodebench_grace_seconds=0.3)
MAX_RESIDENT_BYTES, MAX_GRADING_BYTES = 4_500 << 20, 1_000 << 20
PROBE = """
import io, json, math, posix, threading
def total(xs):
    if posix.listdir('.'):
        raise FileExistsError
    with io.open('note', 'wb') as stream:
        stream.write(bytes(NUM_BYTES))
    thread = threading.Thread(target=json.dumps, args=([],))
    thread.start()
    thread.join()
    return int(math.fsum(json.loads(json.dumps(xs))))
"""


@dataclass(frozen=True)
class Range:
    """One worker, and what stands around it for an attacker to reach."""

    judge: Judge
    listeners: effects.Listeners
    token_file: Path
    folders: tuple[Path, ...]

    def program(self, attack: Attack) -> str:
        words = {
            "TCP_PORT": str(self.listeners.port), "UNIX_NAME": repr(self.listeners.unix_name),
            "TOKEN_FILE": repr(str(self.token_file)), "CHECKOUT": repr(str(Path(__file__).parents[2])),
        }  # fmt: skip
        text = attack.program
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    def grade(self, task_id: str, program: str) -> Graded:
        ((_, graded),) = self.judge.grade([Job(None, task_id, program, BOTH)])
        return graded


@pytest.fixture(scope="module")
def shooting_range(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Range]:
    home = tmp_path_factory.mktemp("judge-home")
    token_file = home / ".cache" / "huggingface" / "token"
    token_file.parent.mkdir(parents=True)
    token_file.write_text(MARKER)
    folders = (Path("/tmp"), Path("/dev/shm"), Path.cwd(), home, Path(__file__).parents[2])
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("HOME", str(home))
        patch.setenv("CANARY_TOKEN", MARKER)
        judge = stack.enter_context(Judge(TASKS, rules=RULES))
        listeners = stack.enter_context(effects.listeners())
        # what a worker starts once has started
        list(judge.grade([Job(None, "once", HONEST["once"], BOTH)]))
        yield Range(judge, listeners, token_file, folders)


def has_passed(graded: Graded) -> bool:
    return any(outcome.base.verdict == "pass" for outcome in graded.outcomes.values())


@pytest.mark.parametrize("task_id", TASKS)
def test_every_problem_can_be_solved(shooting_range: Range, task_id: str) -> None:
    """An attack on a problem that nothing passes would prove nothing."""
    outcomes = shooting_range.grade(task_id, HONEST[task_id]).outcomes
    assert {name: outcome.base.verdict for name, outcome in outcomes.items()} == dict.fromkeys(BOTH, "pass")


@pytest.mark.parametrize(("category", "attack"), ALL, ids=[f"{category}: {attack.name}" for category, attack in ALL])
def test_an_attack_fails_and_leaves_nothing(shooting_range: Range, category: str, attack: Attack) -> None:
    if "numpy" in attack.program:  # its server starts with the first program that asks for it
        shooting_range.grade(attack.task, f"import numpy\n{HONEST[attack.task]}")
    usual = set(effects.descendants(os.getpid()))
    with effects.Peak() as peak:
        graded = shooting_range.grade(attack.task, shooting_range.program(attack))
    assert not has_passed(graded), graded.outcomes
    if attack.reasons:
        assert graded.outcomes["official"].base.reason in attack.reasons
    _check_record(graded, attack)
    assert not effects.strays(usual)
    assert not effects.canary_files(shooting_range.folders)
    assert not effects.is_canary_alive()
    assert not shooting_range.listeners.was_reached()
    assert peak.bytes < MAX_RESIDENT_BYTES
    assert peak.grading_bytes < MAX_GRADING_BYTES
    num_bytes = 1 << 24 if category == "resource_exhaustion" else 1 << 16
    probe = shooting_range.grade("once", PROBE.replace("NUM_BYTES", str(num_bytes)))
    assert {outcome.base.reason for outcome in probe.outcomes.values()} == {"ok"}
    assert probe.attempt == 1


def _check_record(graded: Graded, attack: Attack) -> None:
    """What is kept of a sample: no secret, no number that a forger chose, no attempt lost, no time beyond the limit."""
    assert MARKER not in repr(graded)
    assert graded.attempt == 1, "the attack took the worker or the sandbox down"
    limit_seconds = TASKS[attack.task].payload["limit_seconds"]
    numbers = [graded.cpu_seconds, graded.wall_seconds, *graded.case_seconds, *filter(None, graded.limit_shares)]
    assert all(math.isfinite(number) and number >= 0 for number in numbers)
    num_runs = 2 * max(1, len(graded.case_seconds))
    assert graded.wall_seconds < num_runs * MAX_STRETCH * (limit_seconds + 1)
    assert graded.peak_memory_bytes < MAX_RESIDENT_BYTES


def test_neighbours_at_the_same_time_are_left_alone(shooting_range: Range) -> None:
    names = (
        "40 GB at once", "tens of thousands of threads", "fills the disk", "frames without an end", "kill all",
        "stop the server", "a signal of its choice by input ready", "threads that compete with their own clock",
    )  # fmt: skip
    attacks = [attack for _, attack in ALL if attack.name in names]
    hostile = [Job(attack.name, attack.task, shooting_range.program(attack), BOTH) for attack in attacks]
    honest = [Job(number, "total", f"{HONEST['total']}# {number}\n", BOTH) for number in range(3 * len(hostile))]
    jobs = [job for number, attack in enumerate(hostile) for job in (attack, *honest[3 * number : 3 * number + 3])]
    with Judge(TASKS, num_workers=2, rules=RULES) as judge:
        seen = {job.key: graded for job, graded in judge.grade(jobs)}
    assert len(attacks) == len(names)
    assert not [name for name in names if has_passed(seen[name])]
    for job in honest:
        assert {outcome.base.reason for outcome in seen[job.key].outcomes.values()} == {"ok"}
        assert seen[job.key].attempt == 1


def test_the_corpus_covers_every_category_and_kind() -> None:
    names = [attack.name for _, attack in ALL]
    assert len(names) == len(set(names)) >= 100
    assert {category for category, attacks in BY_CATEGORY.items() if len(attacks) < 8} == set()
    assert {TASKS[attack.task].kind for _, attack in ALL} == {"calls", "check", "stdin", "expression"}
    assert {attack.task for _, attack in ALL} == set(TASKS)
