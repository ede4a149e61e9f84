"""Generating a shard: exactly the planned rows, whatever ended the attempts before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.config import load_settings
from benchforge.ingest.errors import ConfigurationChanged, Incomplete, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.planning.plan import Scope, make_plan
from benchforge.ingest.planning.wanted import wanted_of
from benchforge.ingest.texts import original
from benchforge.runners.generate import shard as shard_module
from benchforge.runners.generate.client import Endpoint, Refused
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.lease import leased
from benchforge.runners.generate.pending import Means, generate_pending, to_generate
from benchforge.runners.generate.timeouts import Timeouts
from benchforge.runners.selection import Selection, cells_of
from click.testing import CliRunner

TEXT = "run: {seed: 5}\nbenchmarks: [forge_mini]\nmodels:\n  - {model: lab__one, num_samples: 2, temperature: 0.5}\n"
ROWS = 84


class Server:
    """Answers every request; ``refuses`` is a word whose prompts get a 400; keeps count of what was asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.refuses = ""
        self.pause_seconds = 0.0
        self.odd: list[dict[str, Any]] = []
        """Documents given in place of the first answers."""
        self.lock = threading.Lock()
        self.base_url = ""

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        content = body["messages"][0]["content"]
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
        return 200, {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


@contextmanager
def _serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            status, document = server.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
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


@pytest.fixture
def server() -> Iterator[Server]:
    with _serving(Server()) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A planned run below ``tmp_path``, laid out as the command line does."""
    run_file = tmp_path / "run.yaml"
    run_file.write_text(TEXT)
    settings = load_settings({"run.scratch": str(tmp_path)}, run_file, {"HOME": str(tmp_path)})
    run = Run(settings.run_root, Lake(settings.lake_root))
    defaults = {"seed": 5, "num_samples": 1, "engine": "endpoint"}
    run.manifest.add(make_plan(run, wanted_of(settings), defaults, tmp_path, Scope()).shards)
    return run


@contextmanager
def _no_progress(shard: Any) -> Iterator[Any]:
    yield lambda number: None


def generate(run: Run, server: Server, concurrency: int = 4, limit: int | None = None, **selection: Any) -> list[Any]:
    chosen = Selection(**selection)
    engine = Engine("endpoint", Endpoint(server.base_url, "k", Timeouts(whole=5.0), 2))
    means = Means(run.root.parent, {}, concurrency, limit)
    return list(generate_pending(run, to_generate(run, chosen), engine, means, chosen.is_forced, _no_progress))


def journal_rows(run: Run) -> list[dict[str, Any]]:
    (shard_id,) = run.manifest.shards()
    return list(run.journal("generate", shard_id).rows())


def assert_whole(run: Run) -> None:
    """Exactly the planned rows, each once, in the lake."""
    (shard_id,) = run.manifest.shards()
    assert run.is_done("generate", shard_id)
    rows = run.lake.read("samples", ["task_id", "sample_index", "seed", "raw_text"]).to_pylist()
    assert len(rows) == len({(row["task_id"], row["sample_index"]) for row in rows}) == ROWS
    assert all(row["seed"] == 5 + row["sample_index"] for row in rows)
    assert all(row["raw_text"] == f"answer {row['seed']}" for row in rows)


def test_a_shard_is_asked_for_sealed_and_then_done(run: Run, server: Server):
    (done,) = generate(run, server)
    assert (done.num_rows, done.num_asked, done.num_resumed) == (ROWS, ROWS, 0)
    assert_whole(run)
    assert set(server.asked.values()) == {1}
    assert generate(run, server) == []
    (attempt,) = run.lake.read("runs").to_pylist()
    assert (attempt["cause"], attempt["num_rows"], attempt["engine"]) == ("done", ROWS, "endpoint")
    assert run.lake.read("tasks").num_rows == 42


def test_a_limit_leaves_the_rest_for_the_next_call(run: Run, server: Server):
    with pytest.raises(Incomplete, match=f"{ROWS - 10} of {ROWS} samples"):
        generate(run, server, limit=10)
    assert len(journal_rows(run)) == 10
    (done,) = generate(run, server)
    assert (done.num_asked, done.num_resumed) == (ROWS - 10, 10)
    assert set(server.asked.values()) == {1}
    assert_whole(run)


def test_a_torn_last_line_is_asked_for_again_and_only_that_one(run: Run, server: Server):
    with pytest.raises(Incomplete):
        generate(run, server, limit=10)
    (shard_id,) = run.manifest.shards()
    path = run.journal("generate", shard_id).path
    path.write_bytes(path.read_bytes()[:-30])
    (done,) = generate(run, server)
    assert done.num_resumed == 9
    assert sorted(server.asked.values())[-2:] == [1, 2]
    assert_whole(run)


def test_refused_samples_leave_the_shard_incomplete_and_stop_no_other(run: Run, server: Server):
    server.refuses = "def clamp("
    with pytest.raises(Incomplete, match=r"2 of 84 samples .* the server refused a request with 400: too long"):
        generate(run, server)
    assert len(journal_rows(run)) == ROWS - 2
    (shard_id,) = run.manifest.shards()
    assert not run.is_done("generate", shard_id)
    assert run.lake.read("samples").num_rows == 0
    server.refuses = ""
    generate(run, server)
    assert_whole(run)


def test_a_server_that_refuses_everything_is_given_up(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shard_module, "_HOPELESS_REFUSALS", 5)
    server.refuses = " "
    with pytest.raises(Refused):
        generate(run, server, concurrency=1)
    assert sum(server.asked.values()) == 5


def test_a_server_that_is_gone_is_incomplete(run: Run):
    absent = Server()
    absent.base_url = "http://127.0.0.1:9/v1"
    with pytest.raises(Incomplete, match="no answer from"):
        generate(run, absent)
    (attempt,) = run.lake.read("runs").to_pylist()
    assert attempt["cause"] == "cancelled"
    (shard,) = run.manifest.shards().values()
    for name in ("scenario", "request_digest", "num_planned"):
        assert attempt[name] == getattr(shard, name), "the plan of a shard without samples is known from its attempt"


def test_force_asks_again_and_keeps_the_old_journal(run: Run, server: Server):
    generate(run, server)
    (done,) = generate(run, server, is_forced=True)
    assert (done.num_asked, done.num_resumed) == (ROWS, 0)
    assert set(server.asked.values()) == {2}
    assert_whole(run)
    (shard_id,) = run.manifest.shards()
    path = run.journal("generate", shard_id).path
    assert path.with_name(path.name + ".1").exists()


@pytest.mark.parametrize(
    ("field", "value", "names"),
    [("temperature", 0.9, "temperature = 0.9"), ("seed", 77, "seed = 77"), ("max_tokens", 1, "max_tokens = 1")],
)
def test_a_journal_of_another_request_is_refused_with_the_field_named(
    run: Run, server: Server, field: str, value: Any, names: str
):
    with pytest.raises(Incomplete):
        generate(run, server, limit=3)
    (shard_id,) = run.manifest.shards()
    journal = run.journal("generate", shard_id)
    rows = [{**row, field: value, "request_digest": "0" * 64} for row in journal.rows()]
    journal.discard()
    for row in rows:
        journal.append(row)
    with pytest.raises(ConfigurationChanged, match=names):
        generate(run, server)


def test_changed_problems_are_refused_before_anything_is_asked(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shard_module, "prompts_digest", lambda task_set, protocol: "0" * 64)
    with pytest.raises(ConfigurationChanged, match="prompt_digest"):
        generate(run, server)
    assert not server.asked


def test_an_unknown_shard_and_an_empty_manifest_are_refused(run: Run, tmp_path: Path):
    with pytest.raises(UsageError, match="holds no shard nope"):
        to_generate(run, Selection(shard_ids=("nope",)))
    with pytest.raises(UsageError, match="nothing is planned"):
        to_generate(Run(tmp_path / "empty", run.lake), Selection())


# ---- signals and kills: a process of its own, so that real ones are sent --------------------------------------------


def start(run: Run, server: Server, tmp_path: Path) -> subprocess.Popen[str]:
    arguments = ["generate", "--scratch", str(tmp_path), "--engine", "endpoint", "--base-url", server.base_url]
    environment = {**os.environ, "HOME": str(tmp_path)}
    return subprocess.Popen(
        [sys.executable, "-m", "benchforge", *arguments, "--concurrency", "2"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_rows(run: Run, number: int) -> None:
    deadline = time.monotonic() + 60
    while len(journal_rows(run)) < number:
        assert time.monotonic() < deadline, "the process never got that far"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_a_signal_keeps_what_was_answered_and_ends_in_75(run: Run, server: Server, tmp_path: Path, number: int):
    server.pause_seconds = 0.05
    process = start(run, server, tmp_path)
    wait_for_rows(run, 3)
    process.send_signal(number)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 75, talk
    assert "what was answered is kept" in talk
    before = len(journal_rows(run))
    assert 3 <= before < ROWS
    server.pause_seconds = 0.0
    (done,) = generate(run, server)
    assert done.num_resumed == before
    assert sum(server.asked.values()) <= ROWS + 2, "at most the requests in flight are asked twice"
    assert_whole(run)
    causes = Counter(row["cause"] for row in run.lake.read("runs").to_pylist())
    assert causes == {"notice": 1, "done": 1}


def test_kills_at_any_instant_lose_at_most_what_is_in_flight(run: Run, server: Server, tmp_path: Path):
    server.pause_seconds = 0.02
    for kills in range(3):
        process = start(run, server, tmp_path)
        wait_for_rows(run, 10 * (kills + 1))
        process.kill()
        process.communicate()
    generate(run, server)
    assert_whole(run)
    assert sum(server.asked.values()) <= ROWS + 3 * 2


# ---- lease ----------------------------------------------------------------------------------------------------------


def test_a_second_process_on_the_shard_is_refused(run: Run, server: Server):
    (shard_id,) = run.manifest.shards()
    with (
        leased(run.journal("generate", shard_id).path.parent, shard_id),
        pytest.raises(Incomplete, match=f"is being generated by process {os.getpid()}"),
    ):
        generate(run, server)
    assert not server.asked
    generate(run, server)
    assert_whole(run)


def _lease_of(tmp_path: Path, age_seconds: float = 0.0, **content: Any) -> Path:
    lease = tmp_path / "lease"
    here = {"host": os.uname().nodename, "pid": os.getpid(), "job": None, "token": "old"}
    lease.write_text(json.dumps({**here, **content}))
    os.utime(lease, (time.time() - age_seconds,) * 2)
    return lease


def test_a_lease_of_a_process_that_is_gone_is_taken_over(tmp_path: Path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lease = _lease_of(tmp_path, pid=ended.pid)
    with leased(tmp_path, "s"):
        assert json.loads(lease.read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("age_seconds", "is_stale"), [(0.0, False), (50.0, False), (61.0, True)])
def test_a_lease_of_another_host_is_stale_after_three_beats(tmp_path: Path, age_seconds: float, is_stale: bool):
    _lease_of(tmp_path, age_seconds, host="elsewhere")
    if is_stale:
        with leased(tmp_path, "s", beat_seconds=20.0):
            pass
    else:
        with pytest.raises(Incomplete, match="on elsewhere"), leased(tmp_path, "s", beat_seconds=20.0):
            pass


def test_a_requeued_job_is_its_own_heir_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _lease_of(tmp_path, host="elsewhere", job="77")
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    with leased(tmp_path, "s"):
        pass


def test_of_many_heirs_exactly_one_wins(tmp_path: Path):
    _lease_of(tmp_path, age_seconds=1e6, host="elsewhere")
    won, lost, both = [], [], threading.Barrier(8)
    release = threading.Event()

    def try_once() -> None:
        both.wait()
        try:
            with leased(tmp_path, "s"):
                won.append(1)
                release.wait(30)
        except Incomplete:
            lost.append(1)
            if len(lost) == 7:
                release.set()

    threads = [threading.Thread(target=try_once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)


# ---- the commands ---------------------------------------------------------------------------------------------------


def test_plan_and_generate_run_the_demo_offline_and_one_model_stays_incomplete(tmp_path: Path):
    from benchforge.ingest.bundled import DEMO_RUN_FILE
    from benchforge.runners.cli.generate import command as generate_command
    from benchforge.runners.cli.plan import command as plan_command

    arguments = ["--config", str(DEMO_RUN_FILE), "--scratch", str(tmp_path), "--format", "json"]
    dry = CliRunner().invoke(plan_command, [*arguments, "--dry-run"])
    assert (dry.exit_code, list(tmp_path.glob("demo/**"))) == (0, [])
    planned = CliRunner().invoke(plan_command, arguments)
    assert json.loads(planned.stdout) == json.loads(dry.stdout)
    asked = CliRunner().invoke(generate_command, arguments)
    assert isinstance(asked.exception, Incomplete)
    assert "forge__unfinished" in asked.exception.message
    assert "404" in asked.exception.message
    assert sum(row["num_rows"] for row in json.loads(asked.stdout)) == 1260 - 42
    lake = Lake(tmp_path / "demo" / "lake")
    assert lake.read("samples").num_rows == 1260 - 42
    assert lake.read("tasks").num_rows == 42


def test_a_scenario_selects_its_shards_alone(tmp_path: Path):
    assert cells_of(["cruxeval_i"]) == {("cruxeval", "cruxeval_i")}
    assert cells_of(["cruxeval"]) == {("cruxeval", "cruxeval_i"), ("cruxeval", "cruxeval_o")}
    with pytest.raises(UsageError, match="crux"):
        cells_of(["cruxevil"])


@pytest.mark.parametrize(
    "document",
    [
        {"choices": ["x"]},
        {"choices": [{"message": {"content": ["a"]}}]},
        {"choices": [{"message": {"content": 5}}]},
        {"choices": [{"message": {"content": "a", "reasoning": {"b": 1}}}]},
    ],
)
def test_a_malformed_answer_is_no_sample_and_blocks_nothing(run: Run, server: Server, document: dict[str, Any]):
    server.odd = [document]
    with pytest.raises(Incomplete, match=f"1 of {ROWS} samples"):
        generate(run, server)
    assert len(journal_rows(run)) == ROWS - 1
    (done,) = generate(run, server)
    assert (done.num_asked, done.num_resumed) == (1, ROWS - 1)
    assert_whole(run)


def test_odd_texts_and_counts_are_sealed_as_received(run: Run, server: Server):
    usage = {"prompt_tokens": "7", "completion_tokens": None, "completion_tokens_details": "none"}
    choice = {"message": {"content": "half \ud800"}, "finish_reason": "stop"}
    server.odd = [{"choices": [choice], "usage": usage}]
    generate(run, server)
    rows = run.lake.read("samples", ["raw_text", "text_encoding", "prompt_tokens"]).to_pylist()
    [odd] = [row for row in rows if row["text_encoding"]]
    assert original(odd["raw_text"], odd["text_encoding"]) == "half \ud800"
    assert odd["prompt_tokens"] is None
