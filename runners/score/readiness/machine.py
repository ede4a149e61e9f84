"""Facts of the machine that isolation or timing rests on: read from the kernel's files, nothing is tried out.

Sources: Documentation/admin-guide/sysctl (kernel.rst, user.rst, fs.rst), Documentation/userspace-api/landlock.rst,
core(5), cgroups(7).
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..sandbox import IMAGE_VARIABLE
from ..sandbox.inside import seccomp
from .finding import CAUTION, FAIL, PASS, Finding, judged

_NEEDED_KERNEL, _GOOD_KERNEL = (5, 3), (5, 13)
_STEADY_CLOCKS = ("tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page")
_TCP_ABI, _SIGNAL_ABI = 4, 6
_UNLIMITED_BYTES = 1 << 60


def findings() -> Iterator[Finding]:
    yield _kernel()
    yield _seccomp_machine()
    yield _landlock_abi(_landlock_version())
    yield _user_namespaces()
    yield from _runtimes()
    yield _memory_limit()
    yield _swap()
    yield _tracing()
    yield _core_pattern(_read("/proc/sys/kernel/core_pattern"))
    yield _clock()
    yield _governor()


def _kernel() -> Finding:
    release = platform.release()
    version = tuple(int(number) for number in re.findall(r"\d+", release)[:2])
    status = PASS if version >= _GOOD_KERNEL else CAUTION if version >= _NEEDED_KERNEL else FAIL
    fix = "" if status == PASS else "boot Linux 5.13 or newer (6.12 knows every Landlock rule that is used)"
    return Finding("kernel", status, release, "kill by descriptor needs 5.3, Landlock 5.13", fix)


def _seccomp_machine() -> Finding:
    machine, protects = platform.machine(), "the filter is written per machine type"
    arch = seccomp.machine()
    if arch is None:
        return Finding("seccomp filter", FAIL, f"none for {machine}", protects, "score on an x86-64 machine")
    found = machine if arch.is_tried else f"{machine}: checked by simulation, never run"
    return judged(
        "seccomp filter", arch.is_tried, found, protects, "score on an x86-64 machine, or run the suite below"
    )


def _landlock_version() -> int:
    import ctypes

    return max(0, ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1))


def _landlock_abi(version: int) -> Finding:
    lacks = [name for name, abi in (("files", 1), ("TCP", _TCP_ABI), ("signals", _SIGNAL_ABI)) if version < abi]
    found = f"version {version}" + (f", no rule for {', '.join(lacks)}" if lacks else "")
    fix = "boot with lsm=landlock,… (0: not enabled), or Linux 6.12 for every rule; seccomp covers TCP and signals"
    return judged("Landlock version", not lacks, found, "files, TCP and signals beyond the scratch", fix)


def _user_namespaces() -> Finding:
    protects = "bubblewrap and unshare build their walls with them"
    switches = {
        "user.max_user_namespaces": lambda value: value != "0",
        "kernel.unprivileged_userns_clone": lambda value: value != "0",
        "kernel.apparmor_restrict_unprivileged_userns": lambda value: value != "1",
    }
    for name, is_open in switches.items():
        value = _read(f"/proc/sys/{name.replace('.', '/')}")
        if value and not is_open(value):
            wanted = "0" if "restrict" in name else "10000" if "max" in name else "1"
            return Finding("user namespaces", CAUTION, f"{name} = {value}", protects, f"sysctl -w {name}={wanted}")
    found = _read("/proc/sys/user/max_user_namespaces")
    fix = "boot a kernel with CONFIG_USER_NS"
    return judged("user namespaces", bool(found), f"at most {found}" if found else "none", protects, fix)


def _runtimes() -> Iterator[Finding]:
    path = shutil.which("bwrap")
    yield judged("bubblewrap", bool(path), path or "not installed", "the outer wall", "apt install bubblewrap")
    path, image = shutil.which("apptainer"), os.environ.get(IMAGE_VARIABLE, "")
    found = f"{path or 'not installed'}, image {image or 'not named'}"
    fix = f"install apptainer, and set {IMAGE_VARIABLE} to the scoring image (clusters only)"
    yield judged("apptainer", bool(path and image), found, "the outer wall on a cluster", fix)


def _memory_limit() -> Finding:
    limit = _cgroup_memory_bytes()
    found = f"{limit >> 20} MiB" if limit is not None else "none around this process"
    fix = "systemd-run --user --scope -p MemoryMax=16G …, or a job with --mem"
    return judged("memory limit", limit is not None, found, "neighbours, from all samples together", fix)


def _cgroup_memory_bytes() -> int | None:
    """The smallest memory limit on the way from this process's control group to the root (cgroup 2, then 1)."""
    found = []
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            root, name = ("memory", "memory.limit_in_bytes") if controllers else ("", "memory.max")
            place = Path("/sys/fs/cgroup") / root / path.strip("/")
            found += [_read(str(folder / name)) for folder in (place, *place.parents)]
    limits = [int(value) for value in found if value.isdigit() and int(value) < _UNLIMITED_BYTES]
    return min(limits, default=None)


def _swap() -> Finding:
    places = _read("/proc/swaps").splitlines()[1:]
    found = f"{len(places)} in use" if places else "none"
    return judged("swap", not places, found, "times, from samples that are paged out", "swapoff -a")


def _tracing() -> Finding:
    value = _read("/proc/sys/kernel/yama/ptrace_scope")
    found = f"kernel.yama.ptrace_scope = {value}" if value else "Yama is not there"
    fix = "sysctl -w kernel.yama.ptrace_scope=1 (seccomp refuses ptrace to samples in any case)"
    return judged("ptrace scope", value in ("1", "2", "3"), found, "our processes, from others of this user", fix)


def _core_pattern(pattern: str) -> Finding:
    # a pipe is started outside of every sandbox, and RLIMIT_CORE 0 does not stop it
    protects = "the machine, from what crashed samples hand to a handler"
    return judged("core pattern", not pattern.startswith("|"), pattern, protects, "sysctl -w kernel.core_pattern=core")


def _clock() -> Finding:
    source = _read("/sys/devices/system/clocksource/clocksource0/current_clocksource") or "unknown"
    fix = "boot with clocksource=tsc (times per case cost and waver more)"
    return judged("clock source", source in _STEADY_CLOCKS, source, "times per case", fix)


def _governor() -> Finding:
    governor = _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    is_steady = governor in ("", "performance")
    fix = "cpupower frequency-set -g performance"
    return judged("processor frequency", is_steady, governor or "not adjustable here", "times per case", fix)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
