"""A planned run and a server on the loopback, for tests of generation."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchforge.ingest.config import load_settings
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.planning.plan import Scope, make_plan
from benchforge.ingest.planning.wanted import wanted_of
from benchforge.runners.generate.client import Endpoint
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.pending import Means, generate_pending, to_generate
from benchforge.runners.generate.probe import QUESTION
from benchforge.runners.generate.shard import Generated
from benchforge.runners.generate.timeouts import Timeouts
from benchforge.runners.generate.work import Demand
from benchforge.runners.selection import Selection

NUM_TASKS = 42
"""Of forge_mini."""
TEXT = "run: {seed: 5}\nbenchmarks: [forge_mini]\nmodels:\n"
MODEL = "  - {model: lab__one, num_samples: 2, temperature: 0.5}\n"
ROWS = 84


class Server:
    """Answers every request; ``refuses`` is a word whose prompts get a 400; keeps count of what was asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.refuses = ""
        self.tokens = 1
        self.pause_seconds = 0.0
        self.odd: list[dict[str, Any]] = []
        """Documents given in place of the first answers."""
        self.lock = threading.Lock()
        self.base_url = ""

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        content = body["messages"][0]["content"]
        if content == QUESTION:
            return 200, _poem(body)
        with self.lock:
            self.asked[f"{body['seed']} {content}"] += 1
        if self.pause_seconds:
            time.sleep(self.pause_seconds)
        if self.refuses and self.refuses in content:
            return 400, {"error": {"message": "too long"}}
        with self.lock:
            if self.odd:
                return 200, self.odd.pop()
        choice = {"index": 0, "message": {"content": f"answer {body['seed']}"}, "finish_reason": "stop"}
        return 200, {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": self.tokens}}


def _poem(body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a probe: of the seed where it is sampled, ended by a stop string."""
    text = f"poem {body['seed'] if body['temperature'] and body['top_p'] > 0.5 else 0} of four words"
    for stop in body.get("stop", ()):
        text = text.split(stop)[0]
    choice = {"index": 0, "message": {"content": text}, "finish_reason": "stop"}
    return {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_known = self.path == "/v1/chat/completions"
            status, document = server.answer(body) if is_known else (404, {"error": {"message": "there is none"}})
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    server.base_url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


def planned(scratch: Path, models: str = MODEL) -> Run:
    """A planned run below ``scratch``, laid out as the command line does."""
    run_file = scratch / "run.yaml"
    run_file.write_text(TEXT + models)
    settings = load_settings({"run.scratch": str(scratch)}, run_file, {"HOME": str(scratch)})
    run = Run(settings.run_root, Lake(settings.lake_root))
    defaults = {"seed": 5, "num_samples": 1, "engine": "endpoint"}
    run.manifest.add(make_plan(run, wanted_of(settings), defaults, scratch, Scope()).shards)
    return run


def engine_at(base_url: str, **fields: Any) -> Engine:
    return Engine("endpoint", Endpoint(base_url, "k", Timeouts(whole=30.0), 2), **fields)


def generate(
    run: Run, server: Server, concurrency: int = 4, limit: int | None = None, means: Any = None, **selection: Any
) -> list[Generated]:
    """The shards sealed. ``means`` maps fields of ``Means`` to values."""
    chosen, done = Selection(**selection), []
    given = {"demand": Demand(concurrency, limit=limit), **(means or {})}
    generate_pending(
        run,
        to_generate(run, chosen),
        engine_at(server.base_url),
        Means(run.root.parent, **given),
        is_forced=chosen.is_forced,
        done=done.append,
    )
    return done


def only_shard(run: Run) -> str:
    (shard_id,) = run.manifest.shards()
    return shard_id


def journal_rows(run: Run) -> list[dict[str, Any]]:
    """Of all shards."""
    return [row for shard_id in run.manifest.shards() for row in run.journal("generate", shard_id).rows()]


def causes(run: Run) -> Counter[str]:
    return Counter(row["cause"] for row in run.lake.read("runs").to_pylist())


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def assert_whole(run: Run, rows: int = ROWS) -> None:
    """Exactly the planned rows, each once, in the lake."""
    shards = run.manifest.shards()
    assert all(run.is_done("generate", shard_id) for shard_id in shards)
    found = run.lake.read("samples", ["model", "task_id", "sample_index", "seed", "raw_text"]).to_pylist()
    keys = {(row["model"], row["task_id"], row["sample_index"]) for row in found}
    assert len(found) == len(keys) == rows == sum(shard.expected_rows for shard in shards.values())
    assert all(row["seed"] == 5 + row["sample_index"] for row in found)
    assert all(row["raw_text"] == f"answer {row['seed']}" for row in found)
