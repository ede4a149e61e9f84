# ruff: noqa: E501 - tables of calls
"""The system call filter of both machines, run call by call in a small simulator of classic BPF."""

from __future__ import annotations

import platform
import re
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

seccomp = pytest.importorskip("benchforge.runners.score.sandbox.inside.seccomp")
from benchforge.runners.score.sandbox.inside import syscalls  # noqa: E402

ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x50001, 0x50026, 0x80000000
OWN_PID = 42
MACHINES = ("x86_64", "aarch64")
ORDINARY: Mapping[str, tuple[int | None, int]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "mmap": (9, 222), "mprotect": (10, 226), "brk": (12, 214),
    "munmap": (11, 215), "futex": (202, 98), "exit_group": (231, 94), "rt_sigaction": (13, 134), "setitimer": (38, 103),
    "clock_nanosleep": (230, 115), "getrandom": (318, 278), "pipe2": (293, 59), "dup3": (292, 24), "lseek": (8, 62),
    "newfstatat": (262, 79), "getdents64": (217, 61), "epoll_pwait": (281, 22), "eventfd2": (290, 19), "poll": (7, 73),
    "rseq": (334, 293), "statx": (332, 291), "ftruncate": (77, 46), "getpid": (39, 172), "sched_yield": (24, 124),
    "ppoll": (271, 73), "set_robust_list": (273, 99), "close_range": (436, 436), "pwrite64": (18, 68),
}  # fmt: skip
"""What the interpreter and numpy live on, with both numbers."""


def number_of(name: str, machine: str) -> int:
    table = {**syscalls.DENIED, **syscalls.DENIED_WRITES, **syscalls.SPECIAL, **ORDINARY}
    number = table[name][MACHINES.index(machine)]
    if number is None:
        pytest.skip(f"{machine} has no {name}")
    return number


def verdict(
    machine: str, name: str | int, *arguments: int, may_write: bool = True, audit_arch: int | None = None
) -> int:
    """Run the filter on one call, as the kernel would."""
    arch = seccomp.ARCHITECTURES[machine]
    number = name if isinstance(name, int) else number_of(name, machine)
    return simulated(
        seccomp.program(arch, OWN_PID, may_write=may_write), arch.audit_arch if audit_arch is None else audit_arch,
        number, arguments,
    )  # fmt: skip


def simulated(
    program: list[tuple[int, int, int, int]], audit_arch: int, number: int, arguments: tuple[int, ...]
) -> int:
    """Classic BPF over a ``seccomp_data``; a program that leaves its own end is an IndexError."""
    padded = [argument & (2**64 - 1) for argument in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, audit_arch, 0, *padded)
    accumulator = counter = 0
    while True:
        code, if_true, if_false, operand = program[counter]
        counter += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif code == 0x54:
            accumulator &= operand
        elif code == 0x05:
            counter += operand
        elif code in (0x15, 0x35, 0x45):
            holds = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: bool(accumulator & operand)}
            counter += if_true if holds[code] else if_false
        else:
            raise AssertionError(f"no such instruction: {code:#x}")


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", ORDINARY)
def test_what_an_interpreter_lives_on_is_allowed(machine: str, name: str) -> None:
    assert verdict(machine, name) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("may_write", [True, False])
def test_every_number_has_the_fate_that_the_table_says(machine: str, may_write: bool) -> None:
    refused = syscalls.numbers({**syscalls.DENIED, **({} if may_write else syscalls.DENIED_WRITES)}, machine)
    special = syscalls.numbers(syscalls.SPECIAL, machine).values()
    arch = seccomp.ARCHITECTURES[machine]
    program = seccomp.program(arch, OWN_PID, may_write=may_write)
    for number in range(syscalls.NEWEST + 100):
        expected = EPERM if number in refused.values() else ENOSYS if number > syscalls.NEWEST else ALLOW
        if number not in special:
            assert simulated(program, arch.audit_arch, number, ()) == expected, number


@pytest.mark.parametrize("machine", MACHINES)
def test_a_number_that_nobody_has_looked_at_is_no_call(machine: str) -> None:
    # x32 calls on x86-64 carry bit 30; 512 and above are that ABI's leftovers
    for number in (syscalls.NEWEST + 1, 512, 547, 1000, 0x40000000, 0x40000000 + 57, 2**31, 2**32 - 1):
        assert verdict(machine, number) == ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_the_program_is_one_that_a_kernel_takes(machine: str) -> None:
    for may_write in (True, False):
        program = seccomp.program(seccomp.ARCHITECTURES[machine], OWN_PID, may_write=may_write)
        assert len(program) < 4096
        for index, (code, if_true, if_false, operand) in enumerate(program):
            jumps = (operand,) if code == 0x05 else (if_true, if_false) if code in (0x15, 0x35, 0x45) else ()
            assert all(index + 1 + jump < len(program) for jump in jumps)
            assert 0 <= if_true < 256 and 0 <= if_false < 256
        assert program[-1][0] == 0x06
        assert all(instruction[3] != seccomp._OWN_PID for instruction in program)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", [name for name in syscalls.SPECIAL if name not in ("open", "openat")])
def test_every_call_judged_by_its_arguments_has_a_rule(machine: str, name: str) -> None:
    assert name in seccomp._rules(may_write=True)
    fates = {verdict(machine, name, *([value] * 6)) for value in (0, 1, 2, 7, OWN_PID, 12, 0x10000, 2**32, 2**64 - 1)}
    assert fates & {EPERM, ENOSYS}


CASES = [
    ("clone", (0x3D0F00,), ALLOW), ("clone", (0x01200011,), EPERM), ("clone", (0x4111,), EPERM), ("clone3", (), ENOSYS), ("openat2", (), ENOSYS),
    *(("clone", (0x3D0F00 | flag,), EPERM) for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)),
    ("kill", (OWN_PID, 9), ALLOW), ("kill", (1, 9), EPERM), ("kill", (2**64 - 1, 9), EPERM), ("kill", (0, 9), EPERM), ("kill", (-OWN_PID, 9), EPERM),
    ("tgkill", (OWN_PID, 43, 6), ALLOW), ("tgkill", (7, 7, 9), EPERM), ("rt_sigqueueinfo", (OWN_PID,), ALLOW), ("rt_sigqueueinfo", (1,), EPERM),
    ("rt_tgsigqueueinfo", (1,), EPERM), ("socketpair", (1, 1), ALLOW), ("socketpair", (1, 0x80801), ALLOW),
    ("socketpair", (1, 2), EPERM), ("socketpair", (1, 5), EPERM), ("socketpair", (2, 1), EPERM), ("socketpair", (16, 3), EPERM), ("socketpair", (40, 1), EPERM),
    ("prlimit64", (0, 7, 0), ALLOW), ("prlimit64", (0, 7, 1), EPERM), ("prlimit64", (0, 7, 1 << 32), EPERM),
    ("prctl", (15,), ALLOW), ("prctl", (16,), ALLOW), ("prctl", (0x53564D41,), ALLOW),
    *(("prctl", (value,), EPERM) for value in (1, 4, 8, 22, 24, 28, 35, 36, 47, 53, 57, 62, 67, 78, 79, 0x59616D61)),
    ("arch_prctl", (0x1002,), ALLOW), ("arch_prctl", (0x2003,), EPERM), ("arch_prctl", (0x1012,), EPERM),
    ("ioctl", (0, 0x5401), ALLOW), ("ioctl", (0, 0x5421), ALLOW), ("ioctl", (0, 0x5412), EPERM), ("ioctl", (0, 0x541C), EPERM),
    # flags, verity, copies of files, network devices
    *(("ioctl", (0, value), EPERM) for value in (0x40086602, 0x401C5820, 0x40806685, 0x40049409, 0x8914, 0xC020660B, 0)),
    ("fcntl", (0, 1), ALLOW), ("fcntl", (0, 1030), ALLOW), ("fcntl", (0, 4, 0x800), ALLOW), ("fcntl", (0, 1 | 7 << 32), ALLOW),
    # locks, leases, notices, signals to others, larger pipes, seals
    *(("fcntl", (0, value), EPERM) for value in (6, 7, 8, 10, 13, 15, 37, 38, 1024, 1026, 1031, 1033, 1036, 1038)),
    ("madvise", (0, 0, 4), ALLOW), ("madvise", (0, 0, 14), ALLOW), ("madvise", (0, 0, 12), EPERM), ("madvise", (0, 0, 21), EPERM), ("madvise", (0, 0, 100), EPERM),
    ("sendto", (5, 1, 1, 0, 0), ALLOW), ("sendto", (5, 1, 1, 0x4000, 0), ALLOW), ("sendto", (5, 1, 1, 1, 0), EPERM), ("sendto", (5, 1, 1, 0, 0x7000), EPERM),
    ("sendto", (5, 1, 1, 0, 1 << 40), EPERM), ("recvfrom", (5, 1, 1, 0), ALLOW), ("recvfrom", (5, 1, 1, 1), EPERM), ("sendmsg", (5, 1, 0), ALLOW),
    ("sendmsg", (5, 1, 0x4001), EPERM), ("recvmsg", (5, 1, 0), ALLOW), ("recvmsg", (5, 1, 1), EPERM),
    ("openat", (0, 0, 0o102), ALLOW), ("mkdirat", (), ALLOW), ("unlinkat", (), ALLOW),
]  # fmt: skip


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("name", "arguments", "expected"), CASES)
def test_calls_judged_by_their_arguments(machine: str, name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert verdict(machine, name, *arguments) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_without_a_scratch_directory_nothing_can_be_opened_for_writing(machine: str) -> None:
    for flags in (1, 2, 0o100, 0o1000, 0o20000000):
        assert verdict(machine, "openat", 0, 0, flags, may_write=False) == EPERM
    assert verdict(machine, "openat", 0, 0, 0o2000000, may_write=False) == ALLOW
    assert verdict(machine, "mkdirat", may_write=False) == EPERM
    assert verdict("x86_64", "open", 0, 0o101, may_write=False) == EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_a_foreign_entry_is_the_end_of_the_process(machine: str) -> None:
    assert verdict(machine, "read", audit_arch=0x40000003) == KILL
    other = seccomp.ARCHITECTURES[MACHINES[1 - MACHINES.index(machine)]]
    assert verdict(machine, "read", audit_arch=other.audit_arch) == KILL


def test_the_machine_that_was_never_run_is_marked() -> None:
    assert seccomp.ARCHITECTURES["x86_64"].is_tried
    assert not seccomp.ARCHITECTURES["aarch64"].is_tried


@pytest.mark.parametrize("machine", MACHINES)
def test_no_number_stands_for_two_names(machine: str) -> None:
    table = {**syscalls.DENIED, **syscalls.DENIED_WRITES, **syscalls.SPECIAL}
    assert len(table) == len(syscalls.DENIED) + len(syscalls.DENIED_WRITES) + len(syscalls.SPECIAL)
    found = syscalls.numbers(table, machine)
    assert len(set(found.values())) == len(found)
    assert max(found.values()) <= syscalls.NEWEST


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_those_of_the_kernels_header(machine: str) -> None:
    """Where this machine has kernel headers; a name that a machine is said to lack must be absent there."""
    if not HEADERS[machine].exists() or (machine == "x86_64" and platform.machine() != "x86_64"):
        pytest.skip("no kernel headers here")
    text = HEADERS[machine].read_text()
    known = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    table = {**syscalls.DENIED, **syscalls.DENIED_WRITES, **syscalls.SPECIAL}
    newest = max(known[name] for name in table if name in known and known[name] < 1000)
    column = MACHINES.index(machine)
    wrong = []
    for name, row in table.items():
        number = row[column]
        if number is None:
            wrong += [name] if name in known else []
        elif number <= newest and known.get(name, number) != number:
            wrong.append(name)
    assert not wrong
    missing = [name for name, row in table.items() if (row[column] or 999) <= newest and name not in known]
    assert set(missing) <= {"uretprobe", "uprobe"}, "a header of the kernel has every call up to its own newest"
