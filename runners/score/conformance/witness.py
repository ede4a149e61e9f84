"""What a sample must not reach, held out and watched: listeners, a secret, names of files and processes.

Runs on the judge's side with the user's privileges. Nothing here is given to a sample: the marked value stands in the
environment of the process that starts the sandbox, and in a file that every process of the machine may read.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from ...folders import Folder

_VARIABLE = "BENCHFORGE_CONFORMANCE_TOKEN"
_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/", "/root", "/home", "/usr", "/box")


class Witness:
    """A context manager; ``template`` fills rows, ``seen`` says which effects there were."""

    def __init__(self) -> None:
        self._nonce = secrets.token_hex(2)
        self._secret = f"bf-secret-{secrets.token_hex(8)}"
        self._stack = contextlib.ExitStack()
        self._listeners: list[socket.socket] = []
        self.template: Mapping[str, str] = {}

    def __enter__(self) -> Witness:
        with contextlib.ExitStack() as stack:
            tcp, udp = self._same_port(stack)
            local = stack.enter_context(socket.socket(socket.AF_UNIX))
            local.bind(f"\0bf_canary_{self._nonce}")
            local.listen()
            self._listeners = [tcp, udp, local]
            for listener in self._listeners:
                listener.setblocking(False)
            token = self._token(stack)
            self.template = {"{PORT}": str(tcp.getsockname()[1]), "{NONCE}": self._nonce, "{TOKEN}": str(token)}
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @staticmethod
    def _same_port(stack: contextlib.ExitStack) -> tuple[socket.socket, socket.socket]:
        """A listener for connections and one for datagrams, on one free port of the loopback."""
        while True:
            tcp = socket.create_server(("127.0.0.1", 0))
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                tcp.close()
                udp.close()
                continue
            return stack.enter_context(tcp), stack.enter_context(udp)

    def _token(self, stack: contextlib.ExitStack) -> Path:
        """The secret in our environment, which children inherit, and in a file that everybody may read."""
        folder = stack.enter_context(Folder("conformance-", mode=0o755))
        token = folder / "token"
        token.write_text(self._secret)
        token.chmod(0o644)
        os.environ[_VARIABLE] = self._secret
        stack.callback(os.environ.pop, _VARIABLE, None)
        return token

    def seen(self, recorded: str) -> list[str]:
        """Effects that there were; ``recorded`` is everything that was put out about the samples."""
        effects = [f"canary_net: {name}" for name in self._reached()]
        effects += [f"canary_file: {path}" for path in self._files()]
        effects += [f"canary_process: {pid}" for pid in self._processes()]
        return [*effects, "secret_leak: a verdict line"] if self._secret in recorded else effects

    def _reached(self) -> Iterable[str]:
        for listener, name in zip(self._listeners, ("tcp", "udp", "abstract socket"), strict=True):
            with contextlib.suppress(BlockingIOError):
                if name == "udp":
                    listener.recv(64)
                else:
                    listener.accept()[0].close()
                yield name

    def _files(self) -> Iterable[Path]:
        import json

        library = Path(json.__file__).parent
        here = Path(__file__).resolve().parents[3]
        for place in dict.fromkeys((*map(Path, _PLACES), Path.cwd(), Path.home(), library, here)):
            with contextlib.suppress(OSError):
                yield from place.glob(f"bf_canary_{self._nonce}*")

    def _processes(self) -> Iterable[int]:
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                called = (place / "comm").read_text(), (place / "cmdline").read_text(errors="replace")
                if any(text.startswith(f"bf_canary_{self._nonce}"[:15]) for text in called):
                    yield int(place.name)
