"""A storm of kills over one run: ``python storm.py FOLDER SEED KILLS MODELS``; prints what happened as JSON.

Starting an interpreter and importing the client costs a second, so one warm parent forks: an engine that outlives the
clients (or is killed itself), and client after client, each of them the whole of ``generate_pending``. Every kill comes
when a number of answers drawn from the seed was given, so what is drawn is the same everywhere, and the instant is not.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import decoder
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.errors import BenchforgeError
from benchforge.ingest.manifest import Run
from benchforge.ingest.planning.task_sets import load_task_set, protocol_of
from benchforge.runners.generate.pending import Means, generate_pending, to_generate
from benchforge.runners.generate.work import Demand
from benchforge.runners.selection import Selection
from planned_run import NUM_TASKS, engine_at, planned

KINDS = ("SIGKILL", "SIGTERM", "SIGUSR1", "server killed", "connection reset", "torn line", "full disk")
_EXIT_CODES = {
    "SIGKILL": {-signal.SIGKILL},
    "torn line": {-signal.SIGKILL},
    "SIGTERM": {75},
    "SIGUSR1": {75},
    "server killed": {75},
    "connection reset": {75},
    "full disk": {1},
}
"""What the client must end with; 0 or 3 where it had reached its limit before the kill."""
_DEADLINE_SECONDS = 120.0


@dataclass
class Storm:
    """One run under kills. ``asked_twice`` counts, per kill, answers of the engine that are in no journal."""

    run: Run
    draw: random.Random
    num_kills: int
    counters: decoder.Counters = field(default_factory=decoder.Counters)
    habits: decoder.Habits = field(
        default_factory=lambda: decoder.Habits(30.0, 0.6, 3000.0, text_bytes=400, short_of_choices=0.2)
    )
    concurrency: int = 8
    kills: Counter[str] = field(default_factory=Counter)
    asked_twice: list[tuple[int, int]] = field(default_factory=list)
    """Per life of a client: answers lost, and samples that could be in flight."""
    num_in_vain: int = 0
    """Kills that came when the client was over already."""
    _server: int = 0

    def rage(self) -> dict[str, Any]:
        """Kill until all kills are spent, then let the run end. Raises AssertionError for a wrong exit code."""
        self._listening = decoder.listen()
        self._base_url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1"
        self._server = decoder.start(self._listening, self.habits, self.counters)
        started = time.monotonic()
        try:
            while self.kills.total() < self.num_kills:
                self._live_and_die(self.draw.choice(KINDS))
            self._live(None, 1, 0)
        finally:
            end(self._server)
        return {
            "kills": dict(self.kills),
            "num_kills": self.kills.total(),
            "num_samples": self._num_rows(),
            "asked_twice": sum(lost for lost, _ in self.asked_twice),
            "could_be_in_flight": sum(most for _, most in self.asked_twice),
            "most_asked_twice_in_a_life": max(lost for lost, _ in self.asked_twice),
            "lives_above_in_flight": sum(lost > most for lost, most in self.asked_twice),
            "num_in_vain": self.num_in_vain,
            "seconds": time.monotonic() - started,
        }

    def _live_and_die(self, kind: str) -> None:
        share = max(0.0, self._num_left() / (self.num_kills - self.kills.total()) - self.concurrency)
        self._live(kind, self.draw.choice((1, 1, 5)), max(1, int(share * self.draw.uniform(0.0, 1.6))))
        self.kills[kind] += 1

    def _live(self, kind: str | None, samples_per_request: int, num_samples: int) -> None:
        """One client from fork to death."""
        rows, answered = self._num_rows(), self.counters.get("num_choices")
        file_limit = self._file_limit() if kind == "full disk" else None
        # however late the kill comes, a client gets no further than this: the next ones need something to do
        most = num_samples + 2 * self.concurrency * samples_per_request if kind is not None else None
        client = self._fork(Demand(self.concurrency, samples_per_request, limit=most), file_limit)
        try:
            if kind is not None:
                self._wait_for(client, answered + num_samples)
                self._kill(kind, client)
            code = _ended(client)
        except BaseException:
            end(client)
            raise
        allowed = {0, 3, *_EXIT_CODES[kind]} if kind is not None else {0}
        assert code in allowed, f"a client that met {kind} ended with {code}"
        self.num_in_vain += kind is not None and code not in _EXIT_CODES[kind]
        lost = int(self.counters.get("num_choices") - answered) - (self._num_rows() - rows)
        self.asked_twice.append((lost, self.concurrency * samples_per_request))
        if kind == "torn line":
            self._tear()

    def _fork(self, demand: Demand, file_limit: int | None) -> int:
        client = os.fork()
        if client:
            return client
        code = 1
        try:
            self._listening.close()
            if file_limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
            code = self._generate(demand)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _generate(self, demand: Demand) -> int:
        means = Means(self.run.root.parent, demand=demand)
        shards = to_generate(self.run, Selection())
        try:
            generate_pending(self.run, shards, engine_at(self._base_url), means)
        except BenchforgeError as error:
            return error.exit_code
        return 0

    def _wait_for(self, client: int, num_choices: float) -> None:
        """Until the engine gave so many answers, or the client is over."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while self.counters.get("num_choices") < num_choices and not is_over(client):
            assert time.monotonic() < deadline, "the client never got that far"
            time.sleep(0.001)

    def _kill(self, kind: str, client: int) -> None:
        if kind in ("server killed", "connection reset"):
            self._hurt_server(kind)
            self._wait_for(client, self.counters.get("num_choices") + self.concurrency)
            os.kill(client, signal.SIGTERM)
        elif kind == "torn line":
            os.kill(client, signal.SIGKILL)
        elif kind != "full disk":  # that one ends by itself
            os.kill(client, getattr(signal, kind))

    def _hurt_server(self, kind: str) -> None:
        if kind == "connection reset":
            self.counters.add("num_resets_asked")
            return
        end(self._server)
        self._server = decoder.start(self._listening, self.habits, self.counters)

    def _tear(self) -> None:
        """What a node that loses its power leaves: the end of the newest journal is missing, or garbage."""
        open_ones = [path for path in self._journals() if path.stat().st_size]
        if not open_ones:
            return
        path = max(open_ones, key=lambda one: one.stat().st_mtime_ns)
        size = path.stat().st_size
        if self.draw.random() < 0.7:
            os.truncate(path, size - self.draw.randrange(1, min(size, 300)))
        else:
            with path.open("ab") as stream:
                stream.write(b'{"task_id": "half' + bytes(self.draw.randrange(64)))

    def _file_limit(self) -> int:
        """Bytes after which no file grows: EFBIG in the middle of a line, as a full disk says ENOSPC."""
        return 4096 + self.draw.randrange(60_000)

    def _journals(self) -> list[Path]:
        """Of shards that are not sealed."""
        shards = [one for one in self.run.manifest.shards() if not self.run.is_done("generate", one)]
        paths = [self.run.journal("generate", one).path for one in shards]
        return [path for path in paths if path.exists()]

    def _num_rows(self) -> int:
        """Planned samples that are in a journal, each once."""
        shards = self.run.manifest.shards()
        done = [one for one in shards if self.run.is_done("generate", one)]
        num_open = 0
        for shard_id in set(shards) - set(done):
            rows = self.run.journal("generate", shard_id).rows()
            num_open += len({(row["task_id"], row["sample_index"]) for row in rows})
        return sum(shards[one].expected_rows for one in done) + num_open

    def _num_left(self) -> int:
        return sum(shard.expected_rows for shard in self.run.manifest.shards().values()) - self._num_rows()


def assert_as_planned(run: Run) -> int:
    """Every planned sample once, with the answer to its own prompt and seed; the number of samples."""
    shards = run.manifest.shards()
    assert all(run.is_done("generate", shard_id) for shard_id in shards)
    protocol = next(iter(shards.values())).protocol
    names = ["model", "task_id", "sample_index", "seed", "raw_text", "shard_id"]
    rows = run.lake.read("samples", names).to_pylist()
    planned_keys = {
        (shard.model, task_id, index)
        for shard in shards.values()
        for task_id in _prompts(protocol)
        for index in range(shard.first_sample, shard.first_sample + shard.num_samples)
    }
    keys = [(row["model"], row["task_id"], row["sample_index"]) for row in rows]
    assert len(keys) == len(planned_keys)
    assert set(keys) == planned_keys
    heads = {task_id: decoder.text_of(prompt, 0, 0).split()[0] for task_id, prompt in _prompts(protocol).items()}
    for row in rows:
        assert row["raw_text"].split()[:2] == [heads[row["task_id"]], str(row["seed"])]
        assert row["seed"] == 5 + row["sample_index"]
    return len(rows)


@cache
def _prompts(name: str) -> dict[str, str]:
    """Of forge_mini, as the engine sees them."""
    task_set = load_task_set(registry()["forge_mini"], "default", None, Path())
    protocol = protocol_of(task_set.benchmark, name)
    rendered = {task.task_id: protocol.render(task, task_set.strings) for task in task_set.tasks}
    return {task_id: "\n".join(content for _, content in prompt.messages) for task_id, prompt in rendered.items()}


def is_over(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _ended(pid: int) -> int:
    """Exit code, or minus the signal."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not is_over(pid):
        assert time.monotonic() < deadline, "the client does not end"
        time.sleep(0.002)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def warm() -> None:
    """What every client would import by itself: 0.6 s of CPU."""
    import openai
    import pyarrow.parquet  # noqa: F401

    openai.AsyncOpenAI(api_key="none", base_url="http://127.0.0.1:9/v1")
    registry()


def main(folder: str, seed: str, num_kills: str, num_models: str) -> None:
    scratch = Path(folder)
    names = (f"lab__model{number:02}" for number in range(int(num_models)))
    run = planned(scratch, "".join(f"  - {{model: {name}, num_samples: 10, temperature: 0.8}}\n" for name in names))
    warm()
    storm = Storm(run, random.Random(int(seed)), int(num_kills))
    found = storm.rage()
    found["num_sealed"] = assert_as_planned(run)
    found["num_planned"] = int(num_models) * NUM_TASKS * 10
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
