# every line here is one system call that can be named
# ruff: noqa: PTH208
"""First process of a sample's namespace: trusted, out of the sample's reach, it starts and ends everything in there.

Theory of operation. Three processes per sample: the keeper's outer half (a fork of the server) enters the namespaces
and waits; the process that it forks is process 1 in them, mounts the private file systems, and holds the only end of
the result pipe; what it forks is confined and runs what may be hostile. No signal from inside reaches process 1, its
memory and descriptors are closed to the others (it is not dumpable, ``ptrace`` is refused), and with it everything
dies. So what it says (how long a step took, how it ended, what was printed) is a fact; what a sample says about itself
comes as text in such a line and is a claim.

``["ready", layers]``   before the first byte of a sample is looked at: without it the failure is ours
``["flags", [[level, name], …]]``  what a look at the program showed
``["step", number, facts]``  one command that ended, see ``Ended.facts``
``["claims", text, facts]``  what the process of a warm test wrote, and how it ended
``["broken", why]``     the environment failed, not the sample
``["end"]``             all of it was done
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from .. import confine, wire
from . import namespaces

MAX_STRETCH = 2.0
"""A sample that waited for a processor runs at most so many times as long by the clock, as in ``inside.clock``."""
_FIRST_TICK_SECONDS, _LAST_TICK_SECONDS = 0.02, 0.2
_FLOOD = 64
_CHUNK_BYTES = 1 << 16
_SET_PDEATHSIG, _SET_DUMPABLE, _SIGKILL = 1, 4, 9


class Plan(NamedTuple):
    """What the server prepared once: its id, O_PATH descriptors of what may be read, devices, kind of network."""

    server_pid: int
    readable: Sequence[int]
    devices: Sequence[int]
    has_loopback: bool


class Broken(Exception):
    """The environment lacks something: no sample's fault."""


class Output:
    """Bytes that a process wrote: their number, and the last of them."""

    def __init__(self, num_kept: int) -> None:
        self._num_kept = num_kept
        self._tail = bytearray()
        self.num_bytes = 0

    def add(self, chunk: bytes) -> None:
        self.num_bytes += len(chunk)
        self._tail += chunk
        if len(self._tail) > 2 * self._num_kept:
            del self._tail[: -self._num_kept]

    @property
    def is_flood(self) -> bool:
        return self.num_bytes > _FLOOD * self._num_kept

    @property
    def text(self) -> bytes:
        return bytes(self._tail[-self._num_kept :])


class Ended(NamedTuple):
    """How a process and all that it started ended. ``cause``: why the keeper ended it, or nothing."""

    exit_code: int
    signal: int
    cause: str
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    outputs: Sequence[Output]

    def facts(self, num_bytes: int = 65536) -> Mapping[str, Any]:
        texts = [base64.b64encode(output.text[-num_bytes:]).decode() for output in self.outputs]
        return {
            "exit_code": self.exit_code, "signal": self.signal, "cause": self.cause,
            "wall_seconds": round(self.wall_seconds, 6), "cpu_seconds": round(self.cpu_seconds, 6),
            "peak_bytes": self.peak_bytes, "outputs": texts, "sizes": [output.num_bytes for output in self.outputs],
        }  # fmt: skip


class Keeper:
    """Process 1 of a namespace. ``limits``: see ``ingest.benchmarks.suites.Limits``."""

    def __init__(self, plan: Plan, limits: Mapping[str, Any], result_fd: int) -> None:
        self.plan, self.limits = plan, limits
        self._result_fd = result_fd

    def say(self, *content: Any) -> None:
        data = (json.dumps(content) + "\n").encode("ascii")
        while data:
            data = data[os.write(self._result_fd, data) :]

    def run(self, work: Callable[[Sequence[int]], None], seconds: float, num_outputs: int) -> Ended:
        """Fork, let the child do ``work`` with the write ends of so many pipes, and watch it until all of it ended."""
        before = _children_cpu_seconds()
        pipes = [os.pipe() for _ in range(num_outputs)]
        pid = os.fork()
        if pid == 0:
            _die_with_first()
            # its files in /proc are its own, as of any program; process 1 stays closed
            namespaces.libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0)
            with contextlib.suppress(BaseException):
                work([writer for _, writer in pipes])
            os._exit(71)
        for _, writer in pipes:
            os.close(writer)
        watch = _Watch(pid, [reader for reader, _ in pipes], seconds, self.limits)
        status = watch.until_over()
        peak = max(watch.peak_bytes, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
        return Ended(
            os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0,
            os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
            watch.cause, watch.wall_seconds, _children_cpu_seconds() - before, peak, watch.outputs,
        )  # fmt: skip

    def confine(self) -> list[str]:
        """In a child: give up everything; descriptors that were not asked for are closed by the caller."""
        return namespaces.confined(self.limits, self.plan.readable, self.plan.devices, self.plan.has_loopback)


class _Watch:
    """One process and its descendants, until they are all gone."""

    def __init__(self, pid: int, readers: Sequence[int], seconds: float, limits: Mapping[str, Any]) -> None:
        self._pid, self._limits = pid, limits
        self.outputs = [Output(limits["output_bytes"]) for _ in readers]
        self._open = dict(zip(readers, self.outputs, strict=True))
        self._status: int | None = None
        self._seconds, self._started = seconds, time.monotonic()
        self._waited: dict[int, float] = {}
        self._base_bytes = _resident_bytes(1)
        self.peak_bytes = 0
        self.cause = ""
        self.wall_seconds = 0.0

    def until_over(self) -> int:
        pidfd = os.pidfd_open(self._pid)
        try:
            self._look_after(pidfd)
        finally:
            os.close(pidfd)
        self.wall_seconds = time.monotonic() - self._started
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        self._reap(is_patient=True)
        for reader in list(self._open):  # nobody is left to write
            os.set_blocking(reader, True)
            while reader in self._open:
                self._read(reader)
        assert self._status is not None
        return self._status

    def _look_after(self, pidfd: int) -> None:
        poll = select.poll()
        for fd in (pidfd, *self._open):
            poll.register(fd, select.POLLIN)
        tick, checked = _FIRST_TICK_SECONDS, self._started
        while not self.cause:
            ready = [fd for fd, _ in poll.poll(1000 * tick)]
            for fd in ready:
                if fd != pidfd and not self._read(fd):
                    poll.unregister(fd)
            if any(output.is_flood for output in self.outputs):
                self.cause = "output_limit"
            if pidfd in ready:
                return
            if time.monotonic() - checked >= tick:
                self._check()
                tick, checked = min(2 * tick, _LAST_TICK_SECONDS), time.monotonic()

    def _read(self, reader: int) -> bool:
        """Some of what was written; False at its end."""
        chunk = os.read(reader, _CHUNK_BYTES)
        if chunk:
            self._open[reader].add(chunk)
            return True
        del self._open[reader]
        os.close(reader)
        return False

    def _check(self) -> None:
        self._reap(is_patient=False)
        held, others = 0, _others()
        for pid in others:
            base = self._base_bytes if pid == self._pid else 0
            held += max(0, _resident_bytes(pid) - base)
            self._waited[pid] = max(self._waited.get(pid, 0.0), _seconds_waited(pid))
        if held > self._limits["resident_bytes"]:  # forks share what they did not write to: then each page counts once
            held = sum(map(_proportional_bytes, others))
        self.peak_bytes = max(self.peak_bytes, held)
        if held > self._limits["resident_bytes"]:
            self.cause = "memory"
        elif time.monotonic() - self._started > self._seconds + self._credit():
            self.cause = "timeout"

    def _credit(self) -> float:
        """Seconds that the process that waited longest for a processor waited: they are not the sample's."""
        return min(max(self._waited.values(), default=0.0), (MAX_STRETCH - 1) * self._seconds)

    def _reap(self, *, is_patient: bool) -> None:
        """Those that ended, ours and those that lost their parent; a dead one counts against the number of tasks."""
        while True:
            try:
                pid, status = os.waitpid(-1, 0 if is_patient else os.WNOHANG)
            except ChildProcessError:
                return
            if pid == self._pid:
                self._status = status
            if pid == 0:
                return


def keep(plan: Plan, spec_fd: int, result_fd: int) -> NoReturn:
    """The outer half: enter namespaces, start process 1, wait for it. Never returns."""
    with contextlib.suppress(BaseException):
        _close_others((spec_fd, result_fd, *plan.readable, *plan.devices))
        namespaces.enter(plan.has_loopback)
        confine.die_with_parent(plan.server_pid)
        pid = os.fork()
        if pid == 0:
            _first(plan, spec_fd, result_fd)
        wire.close_all([spec_fd, result_fd])
        os.wait4(pid, 0)
        os._exit(0)
    os._exit(70)


def _first(plan: Plan, spec_fd: int, result_fd: int) -> NoReturn:
    """Process 1, from its first moment to its last."""
    from .runs import RUNNERS

    with contextlib.suppress(BaseException):
        _die_with_first()
        spec = wire.read_back(spec_fd)
        os.close(spec_fd)
        namespaces.furnish(spec["limits"]["scratch_bytes"], plan.has_loopback)
        confine.hide_from_peers()
        keeper = Keeper(plan, spec["limits"], result_fd)
        keeper.say("ready", [])
        try:
            RUNNERS[spec["runner"]](keeper, spec)
            keeper.say("end")
        except Exception as error:
            keeper.say("broken", f"{type(error).__name__}: {error}"[:500])
        os._exit(0)
    os._exit(70)


def rehearsed(plan: Plan, limits: Mapping[str, Any]) -> tuple[list[str], str]:
    """The layers that hold for a process like a sample's, and what kept it from running at all."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _rehearse(plan, limits, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        said = stream.read()
    os.waitpid(pid, 0)
    found = json.loads(said or b'[[], "its first process ended without a word"]')
    return found[0], found[1]


def _rehearse(plan: Plan, limits: Mapping[str, Any], writer: int) -> NoReturn:
    def tell(layers: Sequence[str], complaint: str) -> None:
        os.write(writer, json.dumps([layers, complaint]).encode())

    try:
        namespaces.enter(plan.has_loopback)
        pid = os.fork()
        if pid == 0:
            _die_with_first()
            _rehearse_inside(plan, limits, tell)
        os.waitpid(pid, 0)
    except OSError as error:
        tell([], str(error))
    os._exit(0)


def _rehearse_inside(plan: Plan, limits: Mapping[str, Any], tell: Callable[[Sequence[str], str], None]) -> NoReturn:
    try:
        namespaces.furnish(limits["scratch_bytes"], plan.has_loopback)
        pid = os.fork()
        if pid == 0:
            layers = namespaces.confined(limits, plan.readable, plan.devices, plan.has_loopback)
            tell([name for name in layers if _holds(name)], "")
            os._exit(0)
        os.waitpid(pid, 0)
    except OSError as error:
        tell([], str(error))
    os._exit(0)


def _holds(layer: str) -> bool:
    """Whether a layer that reported success refuses what it should."""
    try:
        if layer == "seccomp":
            return namespaces.libc.unshare(0x20000) != 0
        if layer == "landlock":
            os.listdir("/")
            return False
    except OSError:
        return True
    return True


def _die_with_first() -> None:
    namespaces.libc.prctl(_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def _close_others(kept: Sequence[int]) -> None:
    """Every descriptor from 3 on but these."""
    floor = 3
    for number in sorted(kept):
        os.closerange(floor, number)
        floor = max(floor, number + 1)
    os.closerange(floor, 4096)


def _children_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _others() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]


def _resident_bytes(pid: int) -> int:
    """Anonymous and shared memory of its own making, not the files that it maps."""
    facts = _read(f"/proc/{pid}/status")
    held = (line.split() for line in facts.splitlines() if line.startswith(("RssAnon:", "RssShmem:")))
    return sum(1024 * int(words[1]) for words in held)


def _proportional_bytes(pid: int) -> int:
    """As ``_resident_bytes``, each page divided by the number of those that share it; costs a walk over all pages."""
    facts = _read(f"/proc/{pid}/smaps_rollup")
    held = [line.split() for line in facts.splitlines() if line.startswith(("Pss_Anon:", "Pss_Shmem:"))]
    return sum(1024 * int(words[1]) for words in held) if held else _resident_bytes(pid)


def _seconds_waited(pid: int) -> float:
    words = _read(f"/proc/{pid}/schedstat").split()
    return int(words[1]) / 1e9 if len(words) > 1 else 0.0


def _read(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(fd, 8192).decode("ascii", "replace")
    except OSError:
        return ""
    finally:
        os.close(fd)
