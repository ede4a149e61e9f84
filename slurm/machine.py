"""What one machine allows: outbound network, containers, isolation. Run on the login node and in a probe job."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from . import filesystem
from .facts import Fact

NETWORK_TARGET = "huggingface.co:443"
_CONNECT_SECONDS = 5.0
_COMMAND_SECONDS = 30.0
_CGROUP_2 = Path("/sys/fs/cgroup/cgroup.controllers")
_LANDLOCK_CREATE_RULESET, _LANDLOCK_VERSION = 444, 1


def facts_of_machine(prefix: str, how: str, scratch: Path, target: str = NETWORK_TARGET) -> list[Fact]:
    """``prefix`` is SEEN_LOGIN or SEEN_NODE; ``how`` names the machine or the job that saw it."""
    found = [Fact(f"{prefix}_NETWORK", network(target), how), _files(prefix, how, scratch)]
    if prefix == "SEEN_NODE":
        found += [Fact("SEEN_NODE_CONTAINERS", containers(), how), Fact("SEEN_NODE_ISOLATION", isolation(), how)]
    return found


def network(target: str = NETWORK_TARGET) -> str:
    """Whether a TCP connection to ``HOST:PORT``, or to the proxy that leads there, comes about; nothing is sent.

    ``open``, ``open through a proxy``, or ``closed (why)``.
    """
    host, _, port = target.rpartition(":")
    proxy = _proxy(host, port)
    address = proxy or (host, port)
    try:
        with socket.create_connection((address[0], int(address[1])), timeout=_CONNECT_SECONDS):
            return "open through a proxy" if proxy else "open"
    except (OSError, ValueError) as error:
        why = f"{type(error).__name__}{', of the proxy' if proxy else ''}"
        return f"closed ({why})"


def _proxy(host: str, port: str) -> tuple[str, str] | None:
    """Host and port of the proxy that the environment names for an address; None where there is none."""
    scheme = "http" if port == "80" else "https"
    if urllib.request.proxy_bypass(host):
        return None
    text = urllib.request.getproxies().get(scheme, "")
    parts = urlsplit(text if "://" in text else f"//{text}")
    if not parts.hostname:
        return None
    return parts.hostname, str(parts.port or (443 if parts.scheme == "https" else 80))


def containers() -> str:
    """Apptainer's version, how it gets its privileges, and whether it can limit memory for an ordinary user."""
    path = shutil.which("apptainer") or shutil.which("singularity")
    if path is None:
        return "no apptainer"
    return f"{_first_line([path, '--version'])}, {_privileges(path)}, {_limits(path)}"


def isolation() -> str:
    """What a sandbox can be built from here."""
    namespaces = "open" if _succeeds(["unshare", "--user", "true"]) else "closed"
    network_namespaces = "open" if _succeeds(["unshare", "--user", "--net", "true"]) else "closed"
    seccomp = "yes" if "Seccomp:" in _read("/proc/self/status") else "no"
    version = 2 if _CGROUP_2.exists() else 1
    parts = [f"user namespaces {namespaces}", f"network namespaces {network_namespaces}", f"seccomp {seccomp}"]
    return ", ".join([*parts, f"landlock {landlock_version()}", f"cgroup v{version}"])


def landlock_version() -> int:
    """Landlock's ABI version, 0 where it is off (Documentation/userspace-api/landlock.rst)."""
    return max(0, ctypes.CDLL(None, use_errno=True).syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION))


def num_oom_kills(processes: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> int:
    """Processes that the kernel killed in this job's control groups because its memory was used up; 0 where unknown.

    An engine that is killed so leaves the task alive, which sees a crash. Counted in ``memory.oom_control`` (version 1)
    or ``memory.events`` (version 2), of the group itself or one above it.
    """
    counts = [0]
    for line in _read(str(processes)).splitlines():
        _, controllers, group = [*line.split(":", 2), "", ""][:3]
        if controllers not in ("", "memory"):
            continue
        top, name = (root / "memory", "memory.oom_control") if controllers else (root, "memory.events")
        folder = top / group.lstrip("/")
        for place in [folder, *folder.parents]:
            if place == top or "job_" not in str(place):
                break
            words = _read(str(place / name)).split()
            counts += [int(count) for key, count in pairwise(words) if key == "oom_kill"]
    return max(counts)


def _files(prefix: str, how: str, scratch: Path) -> Fact:
    try:
        return Fact(f"{prefix}_FILES", filesystem.missing(filesystem.probed(scratch)), how)
    except OSError as error:
        return Fact(f"{prefix}_FILES", "", f"{scratch}: {error.strerror}", is_verified=False)


def _privileges(path: str) -> str:
    """The starter of the setuid variant is a package of its own (apptainer-suid)."""
    folder = _setting(path, "LIBEXECDIR")
    starter = Path(folder) / "apptainer" / "bin" / "starter-suid"
    return "setuid" if folder and starter.exists() else "user namespaces"


def _limits(path: str) -> str:
    """``--memory`` and ``--pids-limit`` of an ordinary user fail hard without cgroup v2, systemd and a user bus.

    Then ``--mem`` of SLURM and the limits inside the sandbox are what bounds a job (apptainer/apptainer@6a76317:
    ``systemd cgroups`` of apptainer.conf, yes unless it says no).
    """
    lacks = [] if _CGROUP_2.exists() else ["cgroup v2"]
    if re.search(r"^\s*systemd cgroups\s*=\s*no", _read(_setting(path, "APPTAINER_CONF_FILE")), re.MULTILINE):
        lacks.append("systemd cgroups in apptainer.conf")
    lacks += [name for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS") if name not in os.environ]
    bus = os.environ.get("DBUS_SESSION_BUS_ADDRESS", "").partition("unix:path=")[2].partition(",")[0]
    if bus and not Path(bus).exists():
        lacks.append(f"user bus at {bus}")
    return f"no limits of its own (no {', '.join(lacks)}): --mem of SLURM" if lacks else "limits of its own"


def _setting(path: str, name: str) -> str:
    """What ``apptainer buildcfg`` says; empty where it does not."""
    lines = _output([path, "buildcfg"]).splitlines()
    return next((line.partition("=")[2] for line in lines if line.startswith(f"{name}=")), "")


def _succeeds(words: Sequence[str]) -> bool:
    try:
        return subprocess.run(words, capture_output=True, timeout=_COMMAND_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _output(words: Sequence[str]) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=_COMMAND_SECONDS).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _first_line(words: Sequence[str]) -> str:
    return (_output(words).splitlines() or ["unknown"])[0]


def _read(path: str) -> str:
    """Empty for a file that cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
