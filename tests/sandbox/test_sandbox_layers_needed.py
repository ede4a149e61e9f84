"""What each layer stops: with it off a named attack succeeds (harmlessly), with it on the same attack fails.

Where two layers stop the same thing both are off in the first run, and all but the one in question in the second.
"""

from __future__ import annotations

import ctypes
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.ingest.schemas import SANDBOX_LAYERS
from benchforge.runners.score.judge import OFFICIAL, Job, Judge, special
from benchforge.runners.score.sandbox import Sandbox, layers
from benchforge.runners.score.sandbox.inside.confine import Limits
from benchforge.runners.score.sandbox.running import SandboxBroken

from . import effects
from .attacks.attack import RIGHT, Attack, in_call
from .attacks.corpus import BY_CATEGORY
from .attacks.tasks import TASKS, calls_task
from .conftest import BOTH

NAMED = {attack.name: attack for attacks in BY_CATEGORY.values() for attack in attacks}
RULES = replace(OFFICIAL, part_grace_seconds=0.2)
_PRIVILEGE = "import ctypes\nif ctypes.CDLL(None).prctl(39, 0, 0, 0, 0): raise OSError"
_SLEEP = "import signal, time\nsignal.setitimer(signal.ITIMER_REAL, 0)\ntime.sleep(3)"
_PEERS = (
    "import ctypes, posix\nlibc = ctypes.CDLL(None)\nme, up = posix.getpid(), posix.getppid()\n"
    "if libc.syscall(312, me, up, 1, 0, 0) < 0: raise OSError"
)


@dataclass(frozen=True)
class Proof:
    """``layer`` and what overlaps with it, the mode in which that can be off, the attack that passes then."""

    layer: str
    attack: Attack
    overlapping: tuple[str, ...] = ()
    mode: str = "bubblewrap"


PROOFS = [
    Proof("seccomp", NAMED["shared memory"]),
    Proof("seccomp", NAMED["anonymous file"]),
    Proof("seccomp", NAMED["be dumpable again"]),
    Proof("landlock", NAMED["list the root"]),
    Proof("landlock", NAMED["nameless file outside"]),
    Proof("rlimits", in_call("a file of 40 MB", "import io\nio.open('f', 'wb').write(bytes(40 << 20))")),
    Proof("no_new_privs", in_call("privilege by a program", _PRIVILEGE), mode="inner-only"),
    Proof("mount_namespace", NAMED["the source tree"], ("landlock",), "unshare"),
    Proof("pid_namespace", in_call("a process of the machine", "import posix\nposix.getpgid(OUTER_PID)")),
    Proof("network_namespace", NAMED["TCP to a listener"], ("seccomp", "landlock")),
    Proof("unprivileged_uid", NAMED["a token file"], ("landlock",), "inner-only"),
    Proof("closed_descriptors", NAMED["proc through a descriptor"], ("landlock",)),
    Proof("hidden_server", in_call("kernel objects of the server", _PEERS), ("seccomp", "landlock")),
    Proof("wall_clock_kill", in_call("outsleeps its limit", _SLEEP)),
]  # fmt: skip
SHOWN_APART = {"ipc_namespace", "private_scratch", "parent_death", "readonly_binds"}
NEVER_OFF = {"user_namespace"}


@contextmanager
def judge_without(mode: str, *without: str) -> Iterator[Judge]:
    with Judge(TASKS, mode, is_unsafe=bool(without), without=frozenset(without), rules=RULES) as judge:
        try:
            assert judge.mode == mode
        except SandboxUnavailable as error:
            pytest.skip(f"{mode}: {error.message}")
        yield judge


def is_passed(judge: Judge, task_id: str, program: str) -> bool:
    ((_, graded),) = judge.grade([Job(None, task_id, program, BOTH)])
    return graded.outcomes["official"].base.verdict == "pass"


def open_way(folder: Path) -> None:
    """The sandbox's own id may enter: what closes a file then is its own mode."""
    for parent in (folder, *folder.parents):
        if not parent.name.startswith(("test_", "popen-", "pytest-")):
            return  # no folder that the tests did not make
        parent.chmod(0o755)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """Closed by its own mode; the way to it is open."""
    open_way(tmp_path)
    path = tmp_path / "token"
    path.write_text("secret")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("proof", PROOFS, ids=[f"{proof.layer}: {proof.attack.name}" for proof in PROOFS])
def test_an_attack_succeeds_without_the_layer_and_fails_with_it(proof: Proof, token_file: Path) -> None:
    if proof.layer == "unprivileged_uid" and os.getuid() != 0:
        pytest.skip("only root drops to another id")
    with effects.listeners() as listeners:
        program = proof.attack.program
        for word, value in (
            ("TCP_PORT", str(listeners.port)), ("TOKEN_FILE", repr(str(token_file))), ("OUTER_PID", str(os.getpid())),
            ("CHECKOUT", repr(str(world_readable_copy(token_file.parent)))),
        ):  # fmt: skip
            program = program.replace(word, value)
        with judge_without(proof.mode, proof.layer, *proof.overlapping) as judge:
            assert proof.layer not in judge.layers
            assert is_passed(judge, "once", program)
        assert listeners.was_reached() is (proof.layer == "network_namespace")
        with judge_without(proof.mode, *proof.overlapping) as judge:
            assert not is_passed(judge, "once", program)
            assert is_passed(judge, "once", RIGHT)
        assert not listeners.was_reached()


def world_readable_copy(folder: Path) -> Path:
    """Stands for a checkout that everybody may read."""
    (folder / "pyproject.toml").write_text("[project]\n")
    return folder


def test_shared_memory_stays_behind_only_without_its_namespace() -> None:
    key = 0x0BF0CA7A
    libc = ctypes.CDLL(None)
    program = in_call("", f"import ctypes\nif ctypes.CDLL(None).shmget({key}, 4096, 0o1666) < 0: raise OSError").program
    for without, is_left in (("ipc_namespace", True), ("", False)):
        with judge_without("bubblewrap", *filter(None, ("seccomp", without))) as judge:
            assert is_passed(judge, "once", program)
        segment = libc.shmget(key, 0, 0)
        if segment >= 0:
            libc.shmctl(segment, 0, None)
        assert (segment >= 0) is is_left


def test_a_note_is_found_by_the_next_program_only_in_a_shared_scratch() -> None:
    leave = in_call("", "import io\nio.open('note', 'w').write('6')").program
    find = in_call("", "import io\nio.open('note').read()").program
    for without, is_found in ((("private_scratch",), True), ((), False)):
        with judge_without("bubblewrap", *without) as judge:
            assert is_passed(judge, "once", leave)
            assert is_passed(judge, "once", find) is is_found


@pytest.mark.parametrize(("without", "outlives"), [(frozenset({"parent_death"}), True), (frozenset(), False)])
def test_a_program_outlives_its_server_only_without_the_parent_death_signal(
    without: frozenset[str], outlives: bool
) -> None:
    name = f"bf_child{os.getpid() % 1000}"
    program = f"import ctypes, time\nctypes.CDLL(None).prctl(15, b'{name}', 0, 0, 0)\ntime.sleep(60)\n"
    spec = {"kind": "stdin", "program": program, "guard": "none", "harness": "", "limits": Limits()}
    with Sandbox.open("inner-only", without=without) as sandbox, tempfile.TemporaryFile() as stream:
        running = sandbox.server("lean").start(spec, 60.0, fds={0: stream.fileno(), 1: stream.fileno()})
        pid = _await(lambda: next((pid for pid, own in effects.descendants(os.getpid()).items() if own == name), 0))
        os.kill(_parent(pid), signal.SIGKILL)
        if outlives:
            time.sleep(0.3)
            assert _is_running(pid)
        else:
            _await(lambda: int(not _is_running(pid)))
        with suppress(SandboxBroken):  # its server is gone, as is known by now or only a moment later
            running.kill()


def _await(condition: Callable[[], int], within_seconds: float = 10.0) -> int:
    deadline = time.monotonic() + within_seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert found
    return found


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_what_is_shown_of_the_machine_can_be_changed_only_without_read_only_binds(tmp_path: Path) -> None:
    open_way(tmp_path)
    shown = tmp_path / "extractors"
    shown.mkdir()
    shown.chmod(0o777)
    (shown / "__init__.py").touch()
    (shown / "stub.py").write_text(
        "import io, os\ndef write(text, context):\n"
        "    io.open(os.path.dirname(__file__) + '/bf_note', 'w').write(text)\n    return 'written'\n"
    )
    for without, is_written in ((("readonly_binds",), True), ((), False)):
        try:
            sandbox = Sandbox.open(
                "bubblewrap", is_unsafe=True, extractor_directory=shown, without=frozenset(("landlock", *without))
            )
        except SandboxUnavailable as error:
            pytest.skip(f"bubblewrap: {error.message}")
        with sandbox:
            assert (sandbox.extract("stub:write", "x", {}) == "written") is is_written
        assert shown.joinpath("bf_note").exists() is is_written
        shown.joinpath("bf_note").unlink(missing_ok=True)


def test_comparing_inside_the_program_s_own_process_would_be_deceived() -> None:
    hostile = "class Y:\n    def __eq__(s, o): return True\ndef total(xs):\n    return Y()\n"
    inside = calls_task("inside", "judged", [[[1, 2, 3]]], [True])
    with Judge({**TASKS, "inside": inside}, rules=RULES) as judge:
        assert is_passed(judge, "inside", f"{hostile}def judged(xs):\n    return total(xs) == 6\n")
        assert not is_passed(judge, "once", hostile)


def test_inputs_as_the_program_left_them_would_be_deceived() -> None:
    assert special.zero_of_polynomial(0.0, 1.0, [[]], 1e-6)
    assert not special.zero_of_polynomial(0.0, 1.0, [[-6, 11, -6, 1]], 1e-6)


def test_every_layer_is_shown_to_be_needed() -> None:
    shown = {proof.layer for proof in PROOFS} | SHOWN_APART
    assert shown | NEVER_OFF == {*SANDBOX_LAYERS, *layers.UNNAMED}
    # where one of these can be switched off some day, it needs an attack above
    local = ("bubblewrap", "unshare", "inner-only")
    assert all(name in layers._FIXED[mode] for name in NEVER_OFF for mode in local)
