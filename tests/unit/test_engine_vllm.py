"""Our own vLLM, with a stand-in for its program: where it listens, what it is told, how it ends. Real: tests/engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import NotStaged, UsageError
from benchforge.ingest.planning.models import ServedModel
from benchforge.runners.generate.engines import open_engine, process, vllm
from benchforge.runners.generate.engines.image import Image
from benchforge.runners.generate.engines.isolation import NetworkShared, interfaces, why_not_empty
from benchforge.runners.generate.engines.orphans import members_of
from benchforge.runners.generate.engines.vllm import EngineFailed
from benchforge.runners.generate.engines.wire import Address, call_json

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="own engines run on Linux")
FAKE = Path(__file__).with_name("fake_vllm.py")
COMMIT = "abc123" + "0" * 34
MODEL = ServedModel("lab__tiny", "tiny", hub_id="lab/tiny", revision=COMMIT)
SOON_SECONDS = 60.0
OPEN = any(
    shutil.which("unshare") and subprocess.run(["unshare", *kind, "--net", "true"], capture_output=True).returncode == 0
    for kind in ([], ["--user", "--map-current-user"])
)
needs_namespaces = pytest.mark.skipif(not OPEN, reason="this machine lets nobody make a network namespace")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("HF_TOKEN", "secret")
    if not OPEN:
        monkeypatch.setenv("BENCHFORGE_ENGINE_UNSAFE_NETWORK", "1")

    def made(words: str = "", run_file: str = "") -> Settings:
        monkeypatch.setenv("FAKE_VLLM", words)
        path = tmp_path / "run.yaml"
        path.write_text(textwrap.dedent(run_file) or "run: {seed: 0}\n")
        (tmp_path / "hf" / "hub" / "models--lab--tiny" / "snapshots" / COMMIT).mkdir(parents=True, exist_ok=True)
        options = {"run.scratch": str(tmp_path / "scratch"), "engine.name": "vllm", "engine.python": str(python)}
        options["compute.hf_home"] = str(tmp_path / "hf")
        return load_settings(options, path)

    return made


def address_of(engine: Any) -> Address:
    if engine.endpoint.uds:
        return Address(uds=engine.endpoint.uds)
    return Address(port=int(engine.endpoint.base_url.split(":")[2].split("/")[0]), api_key=engine.endpoint.api_key)


def told(engine: Any) -> dict[str, Any]:
    return call_json(address_of(engine), "/flags")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_listens_on_a_short_socket_that_only_we_may_reach(settings: Callable[..., Settings]):
    with open_engine(settings(), MODEL) as engine:
        path = engine.endpoint.uds
        assert path is not None and path.is_socket()
        assert len(os.fsencode(path)) < 108
        assert path.parent.stat().st_mode & 0o077 == 0
        assert engine.version.startswith("vllm-0.0.1-abc; unix socket, ") and engine.version.endswith("; FLASH_ATTN")
        assert engine.facts["attention_backend"] == "FLASH_ATTN"
        assert engine.counters() == {"prefix_cache_hits": 7.0, "num_preemptions": 0.0}
    assert not path.exists()
    (kept,) = Path(engine.facts["log"]).parent.glob("*.facts.json")
    facts = json.loads(kept.read_text())
    assert facts["counters"]["prefix_cache_hits"] == 7.0 and facts["flags"]["generation-config"] == "vllm"
    assert "uds" not in facts["flags"], "two starts with the same flags say the same"


@needs_namespaces
@pytest.mark.parametrize("words", ["", "no_uds"])
def test_its_network_is_empty(settings: Callable[..., Settings], words: str):
    """Every process of it, the child that it starts too; what it asks for outside does not come about."""
    with open_engine(settings(words), MODEL) as engine:
        pids = members_of(os.getpgid(told(engine)["pid"]))
        own = Path("/proc/self/ns/net").readlink()
        seen = {pid: Path(f"/proc/{pid}/ns/net").readlink() for pid in pids if may_look_at(pid)}
        assert len(seen) >= 2 and own not in seen.values()
        assert {name for pid in seen for name in interfaces(pid)} == {"lo"}
        assert "empty network" in engine.version and engine.facts["not_isolated_because"] == ""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            asked = call_json(address_of(engine), f"/connect/{listener.getsockname()[1]}")
        assert asked["said"] == "ConnectionRefusedError", "our loopback is not its loopback"


def may_look_at(pid: int) -> bool:
    return os.access(f"/proc/{pid}/ns/net", os.R_OK) or os.geteuid() == 0


@pytest.fixture
def no_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that refuses: the supervisor with that one call replaced."""
    text = Path(process.__file__).with_name("supervise.py").read_text()
    refusing = text.replace(
        "    uid, gid = os.getuid(), os.getgid()\n", '    return "no network namespace: not permitted"\n'
    )
    assert refusing != text
    (tmp_path / "supervise.py").write_text(refusing)
    monkeypatch.setattr(process, "_SUPERVISOR", tmp_path / "supervise.py")


@needs_namespaces
def test_where_the_network_cannot_be_emptied_nothing_is_started(settings: Callable[..., Settings], no_namespaces: None):
    made = settings()
    refused = pytest.raises(NetworkShared, match="share the network of this node: no network namespace")
    with refused as raised, open_engine(made, MODEL):
        pass
    assert "--unsafe-network" in raised.value.hint
    assert not list((made.run_root / "engine").glob("*.json")), "nothing of it is left"


def test_sharing_it_has_to_be_said_and_is_in_every_row(settings: Callable[..., Settings], no_namespaces: None):
    with open_engine(settings("", "engine: {unsafe_network: true}"), MODEL) as engine:
        assert "unix socket, shared network" in engine.version
        assert "not permitted" in engine.facts["not_isolated_because"]


def test_a_process_in_our_network_is_seen_from_outside():
    """Also where the supervisor says that all is well."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert "is in the network of this node" in why_not_empty([child.pid])
        assert why_not_empty([2**22 + 1]) == ""
    finally:
        child.kill()
        child.communicate()


def test_pinned_flags_and_their_precedence(settings: Callable[..., Settings]):
    run_file = """
        engine:
          max_model_len: 9000
          flags: {enforce-eager: "", max_num_seqs: "7", dtype: float16}
    """
    model = replace(MODEL, engine_flags={"dtype": "float32"})
    with open_engine(settings("", run_file), model) as engine:
        flags = told(engine)["flags"]
    expected = {
        "model": "lab/tiny",
        "served-model-name": "tiny",
        "revision": COMMIT,
        "max-model-len": "9000",
        "gpu-memory-utilization": "0.9",
        "max-num-seqs": "7",
        "dtype": "float32",
        "seed": "0",
        "tensor-parallel-size": "1",
        "generation-config": "vllm",
        "enforce-eager": "",
    }
    assert {name: flags.get(name) for name in expected} == expected
    assert "reasoning-parser" not in flags and "reasoning-config" not in flags


def test_a_budget_brings_the_tags_of_the_strip_rule(settings: Callable[..., Settings]):
    model = ServedModel("a__b", "tiny", strip_rule="seed", thinking_budget=512, thinking_budget_end="Enough.\n")
    with open_engine(settings(), model) as engine:
        given = json.loads(told(engine)["flags"]["reasoning-config"])
    assert given == {"reasoning_start_str": "<seed:think>", "reasoning_end_str": "Enough.\n</seed:think>"}


def test_its_environment_is_offline_and_holds_no_key(settings: Callable[..., Settings]):
    with open_engine(settings("", "engine: {batch_invariant: true}\n"), MODEL) as engine:
        variables = told(engine)["variables"]
    assert variables["HF_HUB_OFFLINE"] == variables["VLLM_NO_USAGE_STATS"] == variables["VLLM_BATCH_INVARIANT"] == "1"
    assert int(variables["VLLM_MAX_STOP_STRINGS"]) >= 11 and int(variables["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"]) > 60
    assert "HF_TOKEN" not in variables


def test_an_old_vllm_is_reached_through_a_relay(settings: Callable[..., Settings]):
    with open_engine(settings("no_uds"), MODEL) as engine:
        assert engine.endpoint.uds is not None and engine.endpoint.uds.is_socket()
        assert engine.version.startswith("vllm-0.0.1-abc; relay, ")
        assert engine.facts["flags_left_out"] == ["uds"] and told(engine)["flags"]["host"] == "127.0.0.1"
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda number: told(engine)["pid"], range(200)))
        assert len(set(answers)) == 1
        group = os.getpgid(answers[0])
        os.kill(answers[0], signal.SIGKILL)
        assert engine.revive is not None and engine.revive() == engine.endpoint
        assert told(engine)["pid"] != answers[0] and members_of(group) == []
        group = os.getpgid(told(engine)["pid"])
    assert members_of(group) == []


def test_the_relay_goes_into_the_image_with_an_old_vllm(tmp_path: Path, settings: Callable[..., Settings]):
    server = vllm._Server(settings(), MODEL, None, tmp_path, Image(tmp_path / "old.sif"))  # type: ignore[arg-type]
    server.dropped = ["uds"]
    server.address = server._new_address()
    argv = server._launch().argv
    words = argv[argv.index(str(tmp_path / "old.sif")) + 1 :]
    port = str(server._port)
    assert words[:7] == ["python3", "-I", "-S", "/run/benchforge/relay.py", "/run/benchforge/s", port, "--"]
    assert f"--port={port}" in words and "--network" in argv and (tmp_path / "relay.py").is_file()
    assert f"{tmp_path / 'hf' / 'hub'}:/hf/hub:ro" in argv and "HF_HOME=/hf" in argv and "HF_HUB_OFFLINE=1" in argv


@pytest.mark.parametrize(("words", "said"), [("dies", "no kernel image"), ("dies_at_first", "not for this machine")])
def test_a_server_that_cannot_start_is_one_sentence_with_its_last_lines(
    settings: Callable[..., Settings], words: str, said: str
):
    with pytest.raises(EngineFailed, match=said) as raised, open_engine(settings(words), MODEL):
        pass
    assert "exit code 1" in raised.value.message and ".log" in raised.value.hint


def test_a_flag_that_vllm_does_not_know_is_named(settings: Callable[..., Settings], tmp_path: Path):
    made = settings()
    Path(made["engine.python"]).write_text("#!/bin/sh\necho 'error: unrecognized arguments: --nonsense' >&2; exit 2\n")
    with pytest.raises(EngineFailed, match="unrecognized arguments: --nonsense"), open_engine(made, MODEL):
        pass


def test_a_crashed_server_is_revived_where_it_was(settings: Callable[..., Settings]):
    with open_engine(settings(), MODEL) as engine:
        assert engine.revive is not None
        assert engine.revive() == engine.endpoint, "nothing is restarted that answers"
        before = told(engine)["pid"]
        os.kill(before, signal.SIGKILL)
        assert engine.revive() == engine.endpoint
        assert told(engine)["pid"] != before


def test_nothing_of_it_is_left_when_the_block_ends(settings: Callable[..., Settings]):
    with open_engine(settings("deaf"), MODEL) as engine:
        pid = told(engine)["pid"]
        group = os.getpgid(pid)
        assert len(members_of(group)) >= 3, "supervisor, server and the server's child"
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not members_of(group))
    assert members_of(group) == []


OWNER = """
import sys
from benchforge.ingest.config import load_settings
from benchforge.ingest.planning.models import ServedModel
from benchforge.runners.generate.engines import open_engine, process, vllm
from benchforge.runners.signals import interruptible
settings = load_settings({"run.scratch": sys.argv[1], "engine.name": "vllm", "engine.python": sys.argv[2]})
with interruptible(), open_engine(settings, ServedModel("lab__tiny", "tiny")) as engine:
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def owner(settings: Callable[..., Settings]) -> Iterator[subprocess.Popen[str]]:
    """Another task of the same run, with a server of its own."""
    made = settings()
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(made.scratch), made["engine.python"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def groups_of(settings: Settings, owner: int) -> list[int]:
    files = (settings.run_root / "engine").glob(f"*.{owner}.*.json")
    found = (json.loads(file.read_text()) for file in files)
    return [facts["group"][0] for facts in found if "group" in facts]


def test_the_kernel_ends_the_server_of_a_killed_task(settings: Callable[..., Settings], owner: subprocess.Popen[str]):
    (group,) = groups_of(settings(), owner.pid)
    assert members_of(group)
    owner.kill()
    owner.wait()
    wait_for(lambda: not members_of(group))


def test_a_task_that_is_told_to_end_stops_its_server_first(
    settings: Callable[..., Settings], owner: subprocess.Popen[str]
):
    (group,) = groups_of(settings(), owner.pid)
    owner.terminate()
    owner.wait(SOON_SECONDS)
    assert members_of(group) == []
    assert groups_of(settings(), owner.pid) == []
    assert list((settings().run_root / "engine").glob(f"*.{owner.pid}.facts.json"))


def test_a_notice_to_every_process_of_the_job_ends_no_server(settings: Callable[..., Settings]):
    with open_engine(settings(), MODEL) as engine:
        pid = told(engine)["pid"]
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            os.kill(os.getsid(pid), number)
            os.kill(pid, number)
        assert told(engine)["pid"] == pid
        assert engine.revive is not None and engine.revive() == engine.endpoint
        assert told(engine)["pid"] == pid


def test_an_orphan_is_ended_before_the_next_start_and_a_neighbour_is_not(
    settings: Callable[..., Settings], owner: subprocess.Popen[str]
):
    made = settings()
    orphan = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    try:
        began = int(Path(f"/proc/{orphan.pid}/stat").read_text().rpartition(")")[2].split()[19])
        (written,) = (made.run_root / "engine").glob("*.json")
        facts = json.loads(written.read_text())
        facts |= {"owner": [orphan.pid, began + 1], "group": [orphan.pid, began]}  # its owner's pid is another's now
        left = written.with_name(f"{facts['host']}.1.{orphan.pid}.json")
        left.write_text(json.dumps(facts))
        (neighbour,) = groups_of(made, owner.pid)
        with open_engine(made, MODEL):
            assert orphan.poll() in (-signal.SIGTERM, -signal.SIGKILL)
            assert not left.exists()
            assert members_of(neighbour)
    finally:
        orphan.kill()
        orphan.wait()


def test_weights_that_are_not_there_are_said_before_anything_starts(settings: Callable[..., Settings]):
    made = settings()
    with (
        pytest.raises(NotStaged, match="the weights of lab/other at 0123") as raised,
        open_engine(made, ServedModel("lab__other", "tiny", hub_id="lab/other", revision="0123" * 10)),
    ):
        pass
    assert "benchforge stage --weights --model lab/other" in raised.value.hint and not made.run_root.exists()


def test_it_needs_a_model_and_a_vllm(settings: Callable[..., Settings]):
    with pytest.raises(UsageError, match="serves one model"), open_engine(settings()):
        pass
    nowhere = load_settings({"engine.name": "vllm"})
    with pytest.raises(NotStaged, match="neither installed"), open_engine(nowhere, replace(MODEL, weights="w")):
        pass
