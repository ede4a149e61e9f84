"""``replay``: a real local HTTP server that answers from recorded exchanges, offline.

It speaks OpenAI's protocol on the loopback at a port of the system's choice. A request that was not recorded is a 404
with a JSON error, never the next answer in order: a changed prompt, seed or limit cannot get an old answer.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from ....ingest import keys
from ....ingest.bundled import ROOT
from ....ingest.config import Settings
from ..client import Endpoint
from ..exchanges import Exchange, read_exchanges
from ..request import CHAT, COMPLETIONS, exchange_key
from . import Engine

BUNDLED_EXCHANGES = ROOT / "forge_mini" / "exchanges.jsonl.gz"
_LARGEST_BODY_BYTES = 16 * 2**20


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """Serve ``engine.exchanges`` (default: those of forge_mini) for the length of the block."""
    path = Path(settings["engine.exchanges"]).expanduser() if settings["engine.exchanges"] else BUNDLED_EXCHANGES
    with serving(read_exchanges(path)) as base_url:
        endpoint = Endpoint(base_url, "replay", settings["engine.timeout_seconds"], settings["engine.max_attempts"])
        yield Engine("replay", endpoint, f"replay@{keys.sha256_file(path)[:12]}")


@contextmanager
def serving(exchanges: Mapping[str, Exchange]) -> Iterator[str]:
    """Base address (``http://127.0.0.1:<port>/v1``) of a server that answers from ``exchanges``."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.exchanges = exchanges
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    exchanges: Mapping[str, Exchange]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away (a kill, Ctrl-C) is its own affair; anything else is a defect and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        if self.path not in (CHAT, COMPLETIONS):
            return self._refuse(404, f"there is no {self.path} here")
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST_BODY_BYTES:
            self.close_connection = True
            return self._refuse(413, "the request is too large")
        try:
            body = json.loads(self.rfile.read(length))
        except ValueError:
            return self._refuse(400, "the body is not JSON")
        digest = exchange_key(self.path, body)
        exchange = self._exchanges().get(digest)
        if exchange is None:
            return self._refuse(404, f"no exchange is recorded for the request {digest[:16]}")
        return self._answer(exchange.status, exchange.response)

    def do_GET(self) -> None:
        if self.path != "/v1/models":
            return self._refuse(404, f"there is no {self.path} here")
        names = sorted({str(exchange.response.get("model")) for exchange in self._exchanges().values()})
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "replay"} for name in names]
        return self._answer(200, {"object": "list", "data": models})

    def _exchanges(self) -> Mapping[str, Exchange]:
        return cast(_Server, self.server).exchanges

    def _refuse(self, status: int, message: str) -> None:
        self._answer(status, {"error": {"message": message, "type": "invalid_request_error", "code": status}})

    def _answer(self, status: int, document: Mapping[str, Any]) -> None:
        content = json.dumps(document).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the client tells what went wrong."""
