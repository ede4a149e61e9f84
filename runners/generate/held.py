"""GPU time that batch jobs of a run hold, each in a file that outlives its process.

``<run>/held/<job>.json`` says how many GPUs and since when; its modification time is the last beat. So the time of a
killed job is known up to one beat, that of a booting engine counts, and every task can sum up what all of them use by
listing one folder. All times are the file system's own, whichever machine looks.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ...ingest.errors import Unwritable
from ...ingest.lake import replace_file
from .job import Job

BEAT_SECONDS = 20.0
_MISSED_BEATS = 3
_FOLDER = "held"


@dataclass(frozen=True)
class Held:
    """GPUs of one run of a job, from ``began`` to ``beat`` (seconds of the file system's clock)."""

    job: str
    num_gpus: int
    began: float
    beat: float
    has_ended: bool

    @property
    def gpu_seconds(self) -> float:
        return max(0.0, self.beat - self.began) * self.num_gpus

    def is_alive(self, now: float) -> bool:
        """``now`` by the same clock."""
        return not self.has_ended and now - self.beat < _MISSED_BEATS * BEAT_SECONDS


@contextmanager
def holding(run_root: Path, job: Job) -> Iterator[Path | None]:
    """Beats for the length of the block; yields the file, None outside SLURM or without a GPU. Raises Unwritable."""
    if job.name is None or not job.num_gpus:
        yield None
        return
    content = {"job": job.name, "num_gpus": job.num_gpus, "began": 0.0}
    try:
        path = _new_file(run_root / _FOLDER, job.name)
        content["began"] = path.stat().st_mtime - job.age_seconds
        _write(path, content)
    except OSError as error:
        raise Unwritable(f"{run_root / _FOLDER}: {error.strerror}", "free space there and run it again") from error
    ended = threading.Event()
    thread = threading.Thread(target=_beat_until, args=(path, ended), daemon=True)
    thread.start()
    try:
        yield path
    finally:
        ended.set()
        thread.join()
        with suppress(OSError):  # on a full disk the last beat has to do
            _write(path, {**content, "has_ended": True})


def beat(path: Path) -> float:
    """Now, by the file system's clock, as the time until which the file's job held its GPUs."""
    os.utime(path)
    return path.stat().st_mtime


class AllHeld:
    """What all jobs of a run held until now; files of ended jobs are read once."""

    def __init__(self, run_root: Path) -> None:
        self._folder = run_root / _FOLDER
        self._ended: dict[str, Held] = {}

    def look(self) -> list[Held]:
        """A file that is being written, or was when the power went, is left out until the next look."""
        names = sorted(path.name for path in self._folder.glob("*.json"))
        for name in names:
            if name not in self._ended and (held := _read(self._folder / name)) and held.has_ended:
                self._ended[name] = held
        live = (_read(self._folder / name) for name in names if name not in self._ended)
        return [*self._ended.values(), *(held for held in live if held)]


def held_by(run_root: Path, job: str) -> Held | None:
    """Of one run of a job, ``<job>[_<array task>].<restart>``."""
    return _read(run_root / _FOLDER / f"{job}.json")


def _new_file(folder: Path, job: str) -> Path:
    """A person may run several commands in one interactive job, one after the other or side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        path = folder / (f"{job}.json" if number == 1 else f"{job}-{number}.json")
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            return path
    raise AssertionError("there is always a next number")


def _beat_until(path: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT_SECONDS):
        with suppress(OSError):  # a file server that is away for a moment
            beat(path)


def _write(path: Path, content: dict[str, object]) -> None:
    replace_file(path, json.dumps(content).encode() + b"\n")


def _read(path: Path) -> Held | None:
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        latest = path.stat().st_mtime
        return Held(row["job"], int(row["num_gpus"]), float(row["began"]) or latest, latest, bool(row.get("has_ended")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
