"""A lease on one shard: two processes that want the same shard exclude each other, on NFS too.

Theory of operation. The holder writes a private file (host, pid, job) and ``link()``s it to ``lease``: link is atomic
on every POSIX file system, so exactly one of two wins. A heartbeat touches the file; a lease is stale when its holder
ran on this host and is gone, when it belongs to the same job id (a requeued job is its own heir), or when three beats
are missing, by the clock of the file system, whichever machine looks. A stale lease is broken under a claim, itself a
link named after the stale holder's token: only the heir that has the claim may look once more and unlink, so the lease
of a faster heir is never taken for the stale one. A holder that slept through three beats (a suspended machine) finds
another's token in the file and stops writing.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ...ingest.errors import Incomplete

BEAT_SECONDS = 20.0
LEFT_SECONDS = 3600.0
"""Nobody who is alive leaves a file of theirs untouched for so long."""
_MISSED_BEATS = 3
_ROUNDS = 3
"""A stale lease and a claim that a kill left are both out of the way after two."""


class Lease:
    """Held from ``take`` to ``release``.

    ``heir_of`` is what a stale lease said that was broken on the way, with ``last_beat`` in seconds since 1970.
    """

    def __init__(self, path: Path, token: str, heir_of: Mapping[str, Any] | None, beat_seconds: float) -> None:
        self.path, self.heir_of = path, heir_of
        self._token, self._ended = token, threading.Event()
        self._beat_seconds, self._is_lost = beat_seconds, False
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    @classmethod
    def take(cls, directory: Path, shard_id: str, beat_seconds: float = BEAT_SECONDS) -> Lease:
        """Hold ``directory/lease``; Incomplete (exit 3) when another process holds it."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "lease"
        token, heir_of = _take(path, shard_id, beat_seconds)
        return cls(path, token, heir_of, beat_seconds)

    @property
    def is_lost(self) -> bool:
        """Another process took it, because three of our beats were missing."""
        return self._is_lost

    def refuse_lost(self) -> None:
        """Look once more; Incomplete when another process has the shard now."""
        if not self._is_ours():
            self._is_lost = True
            raise _held(self.path, self.path.parent.name)

    def release(self) -> None:
        self._ended.set()
        self._thread.join()
        if self._is_ours():
            self.path.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._ended.wait(self._beat_seconds):
            if self._is_ours():
                with suppress(OSError):  # a file server that is away for a moment
                    os.utime(self.path)
            else:
                self._is_lost = True

    def _is_ours(self) -> bool:
        """A file that cannot be read just now is no news; one that is gone, or says another's token, is."""
        return _holder(self.path).get("token", self._token) == self._token and self.path.exists()


@contextmanager
def leased(directory: Path, shard_id: str, beat_seconds: float = BEAT_SECONDS) -> Iterator[Lease]:
    """Hold ``directory/lease`` for the length of the block; Incomplete (exit 3) when another process holds it."""
    lease = Lease.take(directory, shard_id, beat_seconds)
    try:
        yield lease
    finally:
        lease.release()


def is_left(lease: Path) -> bool:
    """Whether its holder is gone for certain, by what can be seen without writing anything.

    Certain is a process of this host that has ended, or a file that nobody has touched for an hour.
    """
    try:
        age_seconds = time.time() - lease.stat().st_mtime
    except FileNotFoundError:
        return False
    holder = _holder(lease)
    is_here = holder.get("host") == socket.gethostname()
    return (is_here and not _is_same_process(holder)) or age_seconds > LEFT_SECONDS


def _take(lease: Path, shard_id: str, beat_seconds: float) -> tuple[str, Mapping[str, Any] | None]:
    """The token of the lease now held, and whose stale lease was broken for it."""
    token, heir_of = uuid.uuid4().hex, None
    private = lease.with_name(f".lease.{token}")
    private.write_text(json.dumps({**_ourselves(), "token": token}), encoding="utf-8")
    try:
        for _ in range(_ROUNDS):
            try:
                os.link(private, lease)
                return token, heir_of
            except FileExistsError:
                heir_of = _break_if_stale(lease, private, beat_seconds) or heir_of
        raise _held(lease, shard_id)
    finally:
        private.unlink(missing_ok=True)


def _ourselves() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "born": _born(os.getpid()),
        "node": os.environ.get("SLURMD_NODENAME"),
        "job": os.environ.get("SLURM_JOB_ID"),
        "array_task": os.environ.get("SLURM_ARRAY_TASK_ID"),
        "restart": os.environ.get("SLURM_RESTART_COUNT", "0"),
    }


def _break_if_stale(lease: Path, private: Path, beat_seconds: float) -> Mapping[str, Any] | None:
    """What the lease said, if it was stale and we broke it."""
    holder = _holder(lease)
    if _is_alive(lease, private, holder, beat_seconds):
        return None
    claim = lease.with_name(f".lease.claim.{holder.get('token', 'torn')}")
    try:
        os.link(private, claim)
    except FileExistsError:
        if not _is_alive(claim, private, _holder(claim), beat_seconds):
            claim.unlink(missing_ok=True)  # its heir was killed between two calls; the next round finds no claim
        return None  # another heir is breaking it; link() decides between us
    try:
        if _holder(lease).get("token") == holder.get("token"):
            with suppress(FileNotFoundError):  # released after all
                last_beat = lease.stat().st_mtime
                lease.unlink()
                return {**holder, "last_beat": last_beat}
        return None
    finally:
        claim.unlink(missing_ok=True)


def _is_alive(lease: Path, private: Path, holder: Mapping[str, Any], beat_seconds: float) -> bool:
    is_here = holder.get("host") == socket.gethostname()
    if is_here and not _is_same_process(holder):
        return False
    is_our_job = bool(holder.get("job")) and holder["job"] == os.environ.get("SLURM_JOB_ID")
    is_earlier = holder.get("restart") != os.environ.get("SLURM_RESTART_COUNT", "0")
    if is_our_job and (is_earlier or not is_here):
        return False
    age_seconds = _age_seconds(lease, private)
    return age_seconds is not None and age_seconds < _MISSED_BEATS * beat_seconds


def _age_seconds(path: Path, newest: Path) -> float | None:
    """Since the last beat, by the file system's own clock: ``newest`` was just written. None: the file is gone."""
    try:
        return newest.stat().st_mtime - path.stat().st_mtime
    except FileNotFoundError:
        return None


def _is_same_process(holder: Mapping[str, Any]) -> bool:
    """Runs under this pid, and is not a later process that was given the same number."""
    pid = holder.get("pid")
    if not isinstance(pid, int) or not _process_exists(pid):
        return False
    born = holder.get("born")
    return born is None or born == _born(pid)


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _born(pid: int) -> str | None:
    """When a process started, in ticks since boot; None where there is no /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _holder(lease: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(lease.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _held(lease: Path, shard_id: str) -> Incomplete:
    holder = _holder(lease)
    where = f"process {holder.get('pid')} on {holder.get('host')}"
    return Incomplete(
        f"shard {shard_id} is being generated by {where}", f"wait for it or end it; if neither runs, remove {lease}"
    )
