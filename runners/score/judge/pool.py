"""The judge as the scoring stage sees it: jobs in, outcomes out, workers supervised.

Theory of operation. The supervisor executes nothing and decodes nothing. It keeps one job per worker, watches how
long a worker may stay silent, and replaces workers. A worker that was killed, or is silent for longer than it said, is
a failure of ours: the job is tried again, three times in all, and never gets a verdict from it. It is the sample's
failure when the worker had said that it works on the sample's claims and then used up the processor time for that, or
crashed on them twice (a signal that a process raises against itself; an outside kill is none).
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ....containers.images import image_digest
from ....ingest import errors, keys, reference_times
from ....ingest.benchmarks.declaration import Oracles, Task
from ... import folders
from ..sandbox import IMAGE_VARIABLE, Sandbox, known_mode
from ..sandbox.layers import NO_LAYER_OFF
from ..sandbox.outer import PACKAGES
from ..sandbox.suite_box import Place
from .outcome import Graded, Job
from .rules import OFFICIAL, Rules
from .supervised import WorkerProcess, held_up, readable

_NUM_ATTEMPTS = 3
_NUM_CRASHES = 2


class SandboxFailed(errors.Incomplete):
    """Some jobs have no verdict because the sandbox failed; ``keys`` names them. The others were yielded."""

    def __init__(self, keys_: tuple[Any, ...], reason: str) -> None:
        super().__init__(
            f"The sandbox failed for {len(keys_)} program(s), three times each in fresh servers ({reason}).",
            "run the same command again; what is graded is kept",
        )
        self.keys = keys_
        self.reason = reason


class Judge:
    """Grades programs of the given tasks; a context manager. See ``Rules`` for limits."""

    def __init__(
        self,
        tasks: Mapping[str, Task],
        sandbox_mode: str | None = None,
        *,
        num_workers: int = 1,
        is_unsafe: bool = False,
        cache_directory: Path | None = None,
        rules: Rules = OFFICIAL,
        without: frozenset[str] = NO_LAYER_OFF,
        places: Mapping[str, Place] | None = None,
    ) -> None:
        """``cache_directory`` keeps expected values computed from references; None: for this judge's life only.

        ``places``: environments that tasks of suites name.
        ``without`` is for tests that show what a layer is good for: see ``sandbox.layers``.
        """
        asked_mode = known_mode(sandbox_mode)  # a wrong word is refused before anything is made
        self.tasks = tasks
        self.is_unsafe = is_unsafe
        self.rules = rules
        self._without = without
        self._places = dict(places or {})
        self._asked_mode = asked_mode
        self._num_workers = max(1, num_workers)
        folders.remove_left()
        # sandboxes are built below it by an id that is not ours; expected values stay closed to it
        self._place = folders.Folder("judge-", mode=0o755)
        self._directory = cache_directory or self._place.path / "expected"
        self._workers: list[WorkerProcess] = []
        self._refused: list[tuple[Job, errors.BadInput]] = []
        self._extractor: Sandbox | None = None
        self._active: tuple[str, tuple[str, ...]] | None = None

    @property
    def mode(self) -> str:
        """The outer layer in use; opens the first sandbox if none is open yet."""
        return self._opened()[0]

    @property
    def layers(self) -> tuple[str, ...]:
        """Every active layer."""
        return self._opened()[1]

    def grader_id(self, oracles: Oracles) -> str:
        """64 hex characters of everything a verdict depends on besides task and program."""
        return keys.digest_of(
            {
                "code": _code_digest(),
                "oracles": [oracles.official, oracles.strict],
                "rules": asdict(self.rules),
                "reference_times": reference_times.file_digest(),
                "python": platform.python_version(),
                "packages": {name: _version(name) for name in PACKAGES},
                "image": _image_digest(self._asked_mode),
                "is_unsafe": self.is_unsafe,
                "without": sorted(self._without),
                "places": {name: place.identity() for name, place in sorted(self._places.items())},
            }
        )

    def grade(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Graded]]:
        """Grade in any order, reading ``jobs`` as workers get free. Raises SandboxFailed after the last outcome,
        BadInput at the first task that cannot be judged."""
        lost: list[SandboxFailed] = []
        with contextlib.closing(self.attempts(jobs)) as attempts:
            for job, result in attempts:
                if isinstance(result, Graded):
                    yield job, result
                elif isinstance(result, SandboxFailed):
                    lost.append(result)
                else:
                    raise result
        if lost:
            raise SandboxFailed(tuple(key for error in lost for key in error.keys), lost[-1].reason)

    def attempts(
        self, jobs: Iterable[Job | None]
    ) -> Generator[tuple[Job, Graded | SandboxFailed | errors.BadInput], None, None]:
        """Every job with what came of it, in any order: a job that fails does not end the others.

        BadInput: its task cannot be judged. SandboxFailed: no verdict after three tries. ``jobs`` may give None for
        "nothing right now": it is asked again when a worker has spoken, and no more when all are idle.
        """
        waiting = iter(jobs)
        try:
            while self._feed(waiting):
                if self._refused:
                    yield self._refused.pop()
                    continue
                for process in readable([process for process in self._workers if process.job is not None]):
                    yield from self._collect(process)
        finally:
            for process in [process for process in self._workers if process.job is not None]:
                self._replace(process)

    def extract(self, extractor: str, text: str, context: Mapping[str, str]) -> str:
        """The program in a text, by an extractor's registered name; "" when there is none. Sandboxed."""
        return self.extract_all([(extractor, text, context)])[0]

    def extract_all(self, wanted: Sequence[tuple[str, str, Mapping[str, str]]]) -> list[str]:
        """Several (extractor, text, context) in order: much cheaper than one by one."""
        from ..sandbox.connection import SandboxBroken

        for attempt in range(_NUM_ATTEMPTS):
            if self._extractor is None:
                self._extractor = Sandbox.open(self._asked_mode, is_unsafe=self.is_unsafe, without=self._without)
            try:
                return self._extractor.extract_all(wanted)
            except SandboxBroken as error:
                self._extractor.close()
                self._extractor = None
                if attempt == _NUM_ATTEMPTS - 1:
                    raise SandboxFailed(tuple(item[0] for item in wanted), str(error)) from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        for process in self._workers:
            process.close()
        self._workers = []
        if self._extractor is not None:
            self._extractor.close()
            self._extractor = None
        self._place.close()

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> tuple[str, tuple[str, ...]]:
        if self._active is None:
            self._start_worker()
        assert self._active is not None
        return self._active

    def _start_worker(self) -> WorkerProcess:
        # later workers take the mode that the first one found, so that all rows of a run say the same
        mode = self._active[0] if self._active else self._asked_mode
        settings = {
            "mode": mode, "is_unsafe": self.is_unsafe, "rules": self.rules, "directory": self._directory,
            "place": str(self._place.path), "without": self._without, "places": self._places,
        }  # fmt: skip
        process = WorkerProcess(settings)
        try:
            active = process.greeted()
        except BaseException:
            process.close()
            raise
        if self._active is None:
            self._active = active
        self._workers.append(process)
        return process

    def _feed(self, waiting: Iterator[Job | None]) -> bool:
        """Give every idle worker a job; True while any worker is at work, or a job was refused."""
        while True:
            idle = next((process for process in self._workers if process.job is None), None)
            if idle is None and len(self._workers) >= self._num_workers:
                return True
            job = next(waiting, None)
            if job is None:
                return any(process.job is not None for process in self._workers)
            if job.task_id not in self.tasks:
                raise errors.BadInput(f"There is no task {job.task_id} to judge a program of.")
            try:
                (idle or self._start_worker()).give(job, self.tasks[job.task_id])
            except errors.BadInput as error:
                self._refused.append((job, error))
                return True

    def _collect(self, process: WorkerProcess) -> Iterator[tuple[Job, Graded | SandboxFailed | errors.BadInput]]:
        job = process.job
        assert job is not None
        name, content = process.hear()
        if name == "graded":
            process.job = None
            yield job, content
        elif name == "broken":
            process.job = None
            yield job, SandboxFailed((job.key,), content)
        elif name == "refused":
            if not isinstance(content, errors.BadInput):
                raise content
            process.job = None
            yield job, content
        elif name == "held up":
            self._replace(process)
            yield job, held_up(self.tasks[job.task_id], job.oracles, process.attempt)
        elif name in ("died", "silent"):
            self._replace(process)
            num_crashes = process.num_crashes + process.is_crashed_on_claims
            if num_crashes >= _NUM_CRASHES:
                yield job, held_up(self.tasks[job.task_id], job.oracles, process.attempt)
            elif process.attempt >= _NUM_ATTEMPTS:
                yield job, SandboxFailed((job.key,), "a grading process died")
            else:
                self._start_worker().give(job, self.tasks[job.task_id], process.attempt + 1, num_crashes)

    def _replace(self, process: WorkerProcess) -> None:
        process.close()
        self._workers.remove(process)


def _code_digest() -> str:
    """Of every source file that takes part in a verdict."""
    here = Path(__file__).resolve().parent
    files = sorted([*here.glob("*.py"), *here.parent.joinpath("sandbox").rglob("*.py")])
    hasher = hashlib.sha256()
    for path in files:
        hasher.update(f"{path.relative_to(here.parent)}\0".encode() + path.read_bytes() + b"\0")
    return hasher.hexdigest()


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _image_digest(asked_mode: str | None) -> str:
    """Of the container image that may be what programs run in; it brings an interpreter and packages of its own."""
    path = os.environ.get(IMAGE_VARIABLE, "")
    if not Path(path).is_file() or not (asked_mode or "apptainer").startswith("apptainer"):
        return ""
    return image_digest(Path(path)).removeprefix("sha256:")
