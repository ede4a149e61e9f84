"""``vllm``: our own server for one model, for the length of a block.

Its log, and in the end its flags, facts and counters, lie in the run's folder ``engine``.

It is reached through a Unix socket in a folder of mode 0700, out of an empty network namespace: no port to collide on,
nobody else on the node can use it, and it reaches nobody. An old vLLM without ``--uds`` gets a relay beside it. Where
the network cannot be made empty nothing is started, unless ``engine.unsafe_network`` says that it may be shared: then
``Engine.facts`` and ``Engine.version`` name it.

Readiness is one real completion: /health was seen to be 200 before a first request that killed the engine.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import platform
import re
import secrets
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....containers.images import checked_digest, records_of
from ....ingest.config import Settings
from ....ingest.errors import BenchforgeError, Incomplete, NotStaged, UsageError
from ....ingest.lake import replace_file
from ....ingest.staging.staged_weights import hub_cache
from ..client import Endpoint
from . import Engine, endpoint_of
from .image import SOCKETS, WEIGHTS_CACHE, Image, find_image
from .isolation import refuse_shared_network, why_not_empty
from .orphans import end_orphans
from .process import Keeper, Launch, ServerProcess
from .vllm_facts import attention_backend, counters_of, gpu_kind
from .vllm_flags import DISPENSABLE, argv_of, flags_of, process_environment, server_variables
from .wire import Address, call, call_json

if TYPE_CHECKING:
    from ....ingest.planning.models import ServedModel

READY_SECONDS = 1800.0
"""Weights of 64 GB from a busy file system, then compilation."""
_POLL_SECONDS = 0.2
_LONGEST_SOCKET_PATH = 107
_REVIVALS, _REVIVALS_SECONDS = 3, 600.0
"""Restarts within that time after which a server is not started again."""
_PORTS_TRIED = 3
_MODULE = "vllm.entrypoints.openai.api_server"
_RELAY = Path(__file__).with_name("relay.py")


class EngineFailed(BenchforgeError):
    """The server did not start; its last lines are in the message."""


@contextmanager
def open_engine(settings: Settings, served: ServedModel | None = None) -> Iterator[Engine]:
    """Start, wait for one real completion, yield, drain and stop.

    Raises UsageError without a model or off Linux, NotStaged where vLLM is neither installed nor in an image, BadInput
    for an image that is not the recorded one, and EngineFailed when the server does not get ready.
    """
    if served is None:
        raise UsageError("the engine vllm serves one model and none was given", "name a model in the run file")
    if platform.system() != "Linux":
        raise UsageError("the engine vllm runs on Linux", "use engine.name: endpoint with a server elsewhere")
    folder = settings.run_root / "engine"
    end_orphans(folder)
    log = folder / f"{served.name}.{socket.gethostname()}.{os.getpid()}.log"
    keeper = Keeper(folder, log)
    with _private_folder() as private:
        source = _source(settings)
        digest = checked_digest(source.path) if isinstance(source, Image) else None
        server = _Server(settings, served, keeper, private, source, digest)
        try:
            server.start()
            engine = server.engine()
            try:
                yield engine
            finally:
                server.write_facts(engine)
        finally:
            server.stop()
            keeper.close()


@dataclass
class _Server:
    """One model's server over all of its lives."""

    settings: Settings
    served: ServedModel
    keeper: Keeper
    private: Path
    source: Image | str
    """A container image, or the interpreter that has vLLM."""
    image_digest: str | None = None
    dropped: list[str] = field(default_factory=list)
    address: Address = field(default_factory=Address)
    _process: ServerProcess | None = None
    _port: int = field(default_factory=lambda: _free_port())
    """Where a server without ``--uds`` listens in its own network; free in ours too, should that be shared."""
    _fingerprint: str = ""
    _log_start: int = 0
    _revived: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Until it answered once. A flag that this vLLM does not know and that we can do without is left out."""
        ports_left = _PORTS_TRIED
        while True:
            trouble = self._try_start()
            if trouble is None:
                return
            refused = [name for name in DISPENSABLE if f"--{name}" in _refused_flags(self._log())]
            self.stop()
            if set(refused) - set(self.dropped):
                self.dropped += refused
            elif "address already in use" in self._log().lower() and ports_left > 1:
                ports_left -= 1
                self._port = _free_port()
            else:
                raise EngineFailed(
                    f"vLLM did not start for {self.served.name}: {trouble}; its last lines:\n  {self.keeper.tail()}",
                    f"see {self.keeper.log}; flags are set with engine.flags",
                )

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def revive(self) -> Endpoint:
        """Where the server is now, restarted if it had crashed; Incomplete when it crashes again and again."""
        with self._lock:
            if self._answers():
                return self.endpoint()
            now = time.monotonic()
            self._revived.append(now)
            while self._revived[0] < now - _REVIVALS_SECONDS:
                self._revived.popleft()
            if len(self._revived) > _REVIVALS:
                raise Incomplete(
                    f"vLLM crashed {_REVIVALS} times in {_REVIVALS_SECONDS:.0f} s; its last lines:\n  "
                    f"{self.keeper.tail()}",
                    f"see {self.keeper.log}, then run the same command again",
                )
            self.stop()
            self.start()
            return self.endpoint()

    def write_facts(self, engine: Engine) -> None:
        """Beside the log, when the work is done: what ran, and what it counted until then."""
        counters = dict(engine.counters())
        document = {"flags": dict(engine.flags or {}), **engine.facts, "gpu": engine.gpu, "counters": counters}
        content = json.dumps({**document, "image_digest": engine.image_digest}, indent=1, sort_keys=True)
        with contextlib.suppress(OSError):  # a full disk is already told of, by what could not be sealed
            replace_file(self.keeper.log.with_suffix(".facts.json"), content.encode("utf-8"))

    def engine(self) -> Engine:
        version = str(call_json(self.address, "/version").get("version", ""))
        image = self.source if isinstance(self.source, Image) else None
        backend = attention_backend(self._log())
        said = [self._fingerprint or version, self._transport(), *([backend] if backend else [])]
        return Engine(
            name="vllm",
            endpoint=self.endpoint(),
            version="; ".join(said),
            image_digest=self.image_digest,
            gpu=gpu_kind(),
            flags=self._own_flags(),
            facts={
                "version": version,
                "fingerprint": self._fingerprint,
                "transport": self._transport(),
                "not_isolated_because": self._missing(),
                "attention_backend": backend,
                "flags_left_out": list(self.dropped),
                "source": str(image.path if image else self.source),
                "fell_back_because": _reason_of_fall_back(image),
                "log": str(self.keeper.log),
            },
            counters=lambda: counters_of(self.address),
            revive=self.revive,
        )

    def endpoint(self) -> Endpoint:
        return endpoint_of(self.settings, self.address.base_url, self.address.api_key, self.address.uds)

    def _try_start(self) -> str | None:
        """None when it is ready; else what went wrong. NetworkShared before anything is loaded, and once more after."""
        self.address = self._new_address()
        self._log_start = self.keeper.log.stat().st_size if self.keeper.log.exists() else 0
        self._process = self.keeper.start(self._launch())
        self._refuse_shared()
        trouble = self._wait(time.monotonic() + READY_SECONDS)
        if trouble is None:
            self._refuse_shared()
        return trouble

    def _refuse_shared(self) -> None:
        refuse_shared_network(self._missing(), self.settings["engine.unsafe_network"])

    def _new_address(self) -> Address:
        path = self.private / "s"
        if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
            return Address(port=_free_port(), api_key=secrets.token_urlsafe(24))
        path.unlink(missing_ok=True)
        return Address(uds=path)

    def _launch(self) -> Launch:
        is_isolated = self.address.uds is not None
        variables = server_variables(self.settings, is_isolated)
        environment = process_environment(self.settings, variables)
        if isinstance(self.source, str):
            if self.address.api_key:
                environment["VLLM_API_KEY"] = self.address.api_key
            argv = [self.source, "-m", _MODULE, *argv_of(self._flags())]
            relay = [sys.executable, "-I", "-S", str(_RELAY), str(self.address.uds)]
            return Launch([*(self._relay(relay)), *argv], environment, is_isolated)
        if self.address.api_key:  # by name: a command line is for everybody to read
            environment["APPTAINERENV_VLLM_API_KEY"] = self.address.api_key
        return Launch(self._image_argv(self.source, variables, is_isolated), environment)

    def _image_argv(self, image: Image, variables: Mapping[str, str], is_isolated: bool) -> list[str]:
        binds = {self.private: SOCKETS}
        flags = self._flags()
        variables = dict(variables)
        cache = hub_cache(self.settings["compute.hf_home"])
        if cache.is_dir():
            binds[cache] = f"{WEIGHTS_CACHE}/hub:ro"
            # code of a model is copied before it is run, and the cache is not to be written
            variables |= {"HF_HOME": WEIGHTS_CACHE, "HF_MODULES_CACHE": "/tmp/modules"}
        if self.served.weights:
            binds[Path(self.served.weights)] = "/weights:ro"
            flags["model"] = "/weights"
        relay: list[str] = []
        if self.address.uds:
            socket_inside = f"{SOCKETS}/{self.address.uds.name}"
            if "uds" in flags:
                flags["uds"] = socket_inside
            shutil.copyfile(_RELAY, self.private / _RELAY.name)
            relay = self._relay(["python3", "-I", "-S", f"{SOCKETS}/{_RELAY.name}", socket_inside])
        command = [*relay, "python3", "-m", _MODULE, *argv_of(flags)]
        scratch = self.private / "scratch"
        scratch.mkdir(exist_ok=True)
        has_gpu = gpu_kind() is not None
        return image.argv(command, variables, binds, scratch, is_isolated=is_isolated, has_gpu=has_gpu)

    def _own_flags(self) -> dict[str, str]:
        """What a second start has too: without where it listens."""
        flags = flags_of(self.settings, self.served)
        return {name: value for name, value in flags.items() if name not in self.dropped}

    def _flags(self) -> dict[str, str]:
        flags = self._own_flags()
        if self.address.uds and "uds" not in self.dropped:
            return {**flags, "uds": str(self.address.uds)}
        return {**flags, "host": "127.0.0.1", "port": str(self.address.port or self._port)}

    def _relay(self, words: list[str]) -> list[str]:
        """Before the command of a server that has no socket of its own; nothing for one that has."""
        return [*words, str(self._port), "--"] if self.address.uds and "uds" in self.dropped else []

    def _wait(self, deadline: float) -> str | None:
        while self._process is not None and self._process.exit_code is None:
            if time.monotonic() > deadline:
                return f"it answered nothing within {READY_SECONDS:.0f} s"
            if _is_listening(self.address) and (refusal := self._complete(deadline)) is not None:
                return refusal or None
            time.sleep(_POLL_SECONDS)
        code = self._process.exit_code if self._process else None
        return f"it ended with exit code {code} before it answered"

    def _complete(self, deadline: float) -> str | None:
        """One token: "" when it came, None when nobody answers (yet), else what was answered instead."""
        body = {"model": self.served.served_as, "prompt": "1", "max_tokens": 1, "temperature": 0.0}
        try:
            status, content = call(self.address, "/v1/completions", body, max(deadline - time.monotonic(), 1.0))
        except (OSError, http.client.HTTPException):
            return None
        if status != 200:
            return f"its first answer was {status}: {content[:300].decode('utf-8', 'replace')}"
        self._fingerprint = str(json.loads(content).get("system_fingerprint") or "")
        return ""

    def _answers(self) -> bool:
        return (
            self._process is not None
            and self._process.exit_code is None
            and self._complete(time.monotonic() + 60.0) == ""
        )

    def _transport(self) -> str:
        if self.address.uds is None:
            return "loopback port, shared network"
        through = "relay" if "uds" in self.dropped else "unix socket"
        return f"{through}, shared network" if self._missing() else f"{through}, empty network"

    def _missing(self) -> str:
        """Why the server's network is not empty; "" where it is."""
        if self.address.uds is None:
            return "no short path for a socket: a loopback port with a random key"
        if isinstance(self.source, Image) or self._process is None:
            return ""  # the runtime refuses to start without it; its own processes stay outside
        return self._process.missing or why_not_empty(self._process.members)

    def _log(self) -> str:
        """What this life of the server has written."""
        try:
            with self.keeper.log.open("rb") as stream:
                stream.seek(self._log_start)
                return stream.read().decode("utf-8", "replace")
        except OSError:
            return ""


def _source(settings: Settings) -> Image | str:
    """``engine.python`` where it is set; else an image; else this interpreter where it has vLLM."""
    if settings["engine.python"]:
        return str(Path(settings["engine.python"]).expanduser())
    image = find_image(settings)
    if image is not None:
        return image
    if importlib.util.find_spec("vllm") is not None:
        return sys.executable
    raise NotStaged(
        "vLLM is neither installed here nor in an image that lies here",
        "pip install 'benchforge[gpu]' in an environment of its own and set engine.python to its interpreter, "
        "or put the image of engine.image into compute.sif_dir",
    )


def _reason_of_fall_back(image: Image | None) -> str:
    """As ``pull-image`` wrote it down."""
    records = records_of(image.path) if image else []
    return records[0].fell_back_because if records else ""


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A node-local folder that nobody else may enter, short enough for a socket's path where there is one."""
    for place in (tempfile.gettempdir(), "/tmp", "/dev/shm", "/var/tmp"):
        if len(os.fsencode(place)) < _LONGEST_SOCKET_PATH - 20 and os.access(place, os.W_OK):
            break
    else:
        place = tempfile.gettempdir()
    with tempfile.TemporaryDirectory(prefix="bf-", dir=place, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _is_listening(address: Address) -> bool:
    family, target = (
        (socket.AF_UNIX, str(address.uds)) if address.uds else (socket.AF_INET, ("127.0.0.1", address.port))
    )
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        attempt.settimeout(5.0)
        with contextlib.suppress(OSError):
            attempt.connect(target)
            return True
    return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _refused_flags(log: str) -> list[Any]:
    return [word for line in re.findall(r"unrecognized arguments: (.*)", log) for word in re.split(r"[\s=]+", line)]
