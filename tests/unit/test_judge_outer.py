# ruff: noqa: E501 - tables of calls
"""The outer sandbox as data: command lines, binds, and the filter program (run in a small simulator)."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path

import pytest
from benchforge.ingest import errors
from benchforge.runners.score import sandbox
from benchforge.runners.score.judge import Judge
from benchforge.runners.score.sandbox import layers, outer

BOX = outer.Box(
    python="/opt/py/bin/python3", inside="/src/inside", extract="/src/extract", packages=("/opt/site",),
    binds=(outer.Bind("/usr", "/usr"), outer.Bind("/lib", "/lib", "usr/lib"), outer.Bind("/opt/py", "/opt/py")),
)  # fmt: skip


def pairs(argv: list[str], option: str) -> list[tuple[str, str]]:
    return [(argv[index + 1], argv[index + 2]) for index, word in enumerate(argv) if word == option]


def test_bubblewrap_binds_only_what_the_box_names_and_only_read_only() -> None:
    argv = outer.bubblewrap_argv(BOX)
    bound = pairs(argv, "--ro-bind")
    assert bound == [
        ("/usr", "/usr"),
        ("/opt/py", "/opt/py"),
        ("/src/inside", "/box/inside"),
        ("/src/extract", "/box/extract"),
    ]
    assert "--bind" not in argv
    assert ("usr/lib", "/lib") in pairs(argv, "--symlink")
    for option in ("--unshare-all", "--die-with-parent", "--new-session", "--clearenv"):
        assert option in argv
    assert argv.index("--size") + 2 == argv.index("--tmpfs")


def test_apptainer_has_no_network_no_home_and_a_clear_environment() -> None:
    box = dataclasses.replace(BOX, image="/images/score.sif", python="python3")
    argv = outer.apptainer_argv(box, userns=True)
    text = " ".join(argv)
    assert argv[:3] == ["apptainer", "--silent", "exec"]
    for part in ("--containall", "--no-home", "--net --network none", "--cleanenv", "--userns"):
        assert part in text
    assert "/src/inside:/box/inside:ro" in argv
    assert argv[argv.index("/images/score.sif") + 1] == "python3"
    assert "--userns" not in outer.apptainer_argv(box, userns=False)


def test_the_environment_carries_nothing_of_the_callers() -> None:
    assert set(outer.ENVIRONMENT) == {
        "PATH", "LANG", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS", "HOME", "TMPDIR",
    }  # fmt: skip
    assert outer.ENVIRONMENT["PYTHONHASHSEED"] == "0"


def test_the_local_box_holds_no_answers() -> None:
    package = Path(outer.__file__).resolve().parents[3]
    for bind in outer.local_box().binds:
        assert not package.is_relative_to(bind.source) or bind.source.startswith("/usr")
        assert not (Path(bind.source) / "ingest").exists()
        assert not (Path(bind.source) / "benchforge").exists()


def test_another_system_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(errors.SandboxUnavailable) as caught:
        sandbox.Sandbox.open()
    assert "Linux" in caught.value.message
    assert caught.value.hint


def test_an_unknown_mode_is_a_usage_error() -> None:
    with pytest.raises(errors.UsageError) as caught:
        sandbox.known_mode("docker")
    assert "bubblewrap" in caught.value.hint
    assert sandbox.known_mode("rlimit-only") == "inner-only"
    assert sandbox.known_mode(None) is None


def test_an_unknown_mode_is_refused_before_a_judge_makes_anything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(errors.UsageError, match="docker"):
        Judge({}, "docker")
    assert not list(tmp_path.iterdir())


def test_a_sandbox_without_seccomp_or_run_by_root_is_refused() -> None:
    with pytest.raises(errors.SandboxUnavailable, match="seccomp"):
        layers.refuse_weak("inner-only", ("rlimits", "no_new_privs", "unprivileged_uid"))
    with pytest.raises(errors.SandboxUnavailable, match="unprivileged_uid"):
        layers.refuse_weak("inner-only", ("rlimits", "no_new_privs", "seccomp"))
    layers.refuse_weak("inner-only", layers.NEEDED)


seccomp = pytest.importorskip("benchforge.runners.score.sandbox.inside.seccomp")
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x50001, 0x50026, 0x80000000


def verdict(name: str | int, *arguments: int, may_write: bool = True, arch: int = 0xC000003E) -> int:
    """Run the x86-64 filter on one call, as the kernel would."""
    table = seccomp.ARCHITECTURES["x86_64"]
    numbers = {**table.denied, **table.denied_writes, **table.special, "read": 0, "write": 1, "mmap": 9, "futex": 202}
    number = name if isinstance(name, int) else numbers[name]
    words = {0: number, 4: arch}
    for index, argument in enumerate((*arguments, 0, 0, 0, 0, 0, 0)[:6]):
        words[16 + 8 * index], words[20 + 8 * index] = argument & 0xFFFFFFFF, argument >> 32 & 0xFFFFFFFF
    accumulator = counter = 0
    program = seccomp.program(table, 42, may_write=may_write)
    while True:
        code, if_true, if_false, operand = program[counter]
        counter += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            accumulator = words[operand]
        elif code == 0x54:
            accumulator &= operand
        else:
            holds = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: bool(accumulator & operand)}[
                code
            ]
            counter += if_true if holds else if_false


def test_ordinary_calls_are_allowed() -> None:
    for name in ("read", "write", "mmap", "futex"):
        assert verdict(name) == ALLOW


@pytest.mark.parametrize("name", [*seccomp.X86_64])
def test_every_call_on_the_list_is_refused(name: str) -> None:
    assert verdict(name) == EPERM


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("clone", (0x3D0F00,), ALLOW), ("clone", (0x01200011,), EPERM), ("clone3", (), ENOSYS), ("openat2", (), ENOSYS),
        ("kill", (42, 9), ALLOW), ("kill", (1, 9), EPERM), ("kill", (0xFFFFFFFF, 9), EPERM), ("kill", (0, 9), EPERM),
        ("tgkill", (42, 43, 6), ALLOW), ("tgkill", (7, 7, 9), EPERM), ("socketpair", (1, 1), ALLOW), ("socketpair", (1, 0x80801), ALLOW),
        ("socketpair", (1, 2), EPERM), ("socketpair", (2, 1), EPERM), ("prlimit64", (0, 7, 0), ALLOW), ("prlimit64", (0, 7, 1), EPERM),
        ("prlimit64", (0, 7, 1 << 32), EPERM), ("prctl", (15,), ALLOW), ("prctl", (1,), EPERM), ("prctl", (4,), EPERM),
        ("prctl", (0x59616D61,), EPERM), ("ioctl", (0, 0x5412), EPERM), ("ioctl", (0, 0x5401), ALLOW),
    ],
)  # fmt: skip
def test_calls_judged_by_their_arguments(name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert verdict(name, *arguments) == expected


def test_without_a_scratch_directory_nothing_can_be_opened_for_writing() -> None:
    for flags in (1, 2, 0o100, 0o1000, 0o20200000):
        assert verdict("openat", 0, 0, flags, may_write=False) == EPERM
        assert verdict("open", 0, flags, may_write=False) == EPERM
    assert verdict("openat", 0, 0, 0o2000000, may_write=False) == ALLOW
    assert verdict("mkdir", may_write=False) == EPERM
    assert verdict("mkdir") == ALLOW


def test_a_foreign_architecture_and_the_second_abi_are_refused() -> None:
    assert verdict("read", arch=0x40000003) == KILL
    assert verdict(0x40000000 + 57) == EPERM
