"""``replay``: a real local HTTP server that answers from recorded exchanges, offline.

It speaks OpenAI's protocol on the loopback at a port of the system's choice. A request that was not recorded is a 404
with a JSON error, never the next answer in order: a changed prompt, seed or limit cannot get an old answer. What was
recorded as a stream is streamed, event by event; where a stream is asked for and only its whole answer is known (it was
continued after a kill, say), that answer is sent as the events it would have taken.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ....ingest import keys
from ....ingest.bundled import ROOT
from ....ingest.config import Settings
from ..exchanges import Exchange, read_recording
from ..request import exchange_key
from . import Engine, endpoint_of

if TYPE_CHECKING:
    from ....ingest.planning.models import ServedModel

BUNDLED_EXCHANGES = ROOT / "forge_mini" / "exchanges.jsonl.gz"
_LARGEST_BODY_BYTES = 16 * 2**20


@contextmanager
def open_engine(settings: Settings, served: ServedModel | None = None) -> Iterator[Engine]:
    """Serve ``engine.exchanges`` (default: those of forge_mini) for the length of the block."""
    path = Path(settings["engine.exchanges"]).expanduser() if settings["engine.exchanges"] else BUNDLED_EXCHANGES
    recording = read_recording(path)
    with serving(recording.exchanges) as base_url:
        endpoint = endpoint_of(settings, base_url, "replay")
        yield Engine("replay", endpoint, f"replay@{keys.sha256_file(path)[:12]}", facts=recording.notes)


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
        is_streamed = isinstance(body, dict) and bool(body.get("stream")) and exchange.status == 200
        if is_streamed:
            chunks = exchange.chunks if exchange.chunks is not None else events_of(exchange.response or {})
            return self._stream(chunks)
        return self._answer(exchange.status, exchange.response or {})

    def do_GET(self) -> None:
        if self.path != "/v1/models":
            return self._refuse(404, f"there is no {self.path} here")
        answers = [exchange.response or {} for exchange in self._exchanges().values()]
        names = sorted({str(answer["model"]) for answer in answers if "model" in answer})
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

    def _stream(self, chunks: Sequence[str]) -> None:
        """The events and ``[DONE]``; the connection's end is the stream's."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for chunk in (*chunks, "[DONE]"):
            self.wfile.write(f"data: {chunk}\n\n".encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the client tells what went wrong."""


def events_of(response: Mapping[str, Any]) -> list[str]:
    """The events of a whole answer: one per choice with all of its text, one with the usage, as OpenAI orders them."""
    head = {name: value for name, value in response.items() if name not in ("choices", "usage")}
    if "object" in head:
        head["object"] = str(head["object"]).replace("chat.completion", "chat.completion.chunk")
    events = [{**head, "choices": [_delta(choice)]} for choice in response.get("choices", ())]
    if response.get("usage") is not None:
        events.append({**head, "choices": [], "usage": response["usage"]})
    return [json.dumps(event) for event in events]


def _delta(choice: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in choice.items() if name != "message"}
    return rest if "message" not in choice else {**rest, "delta": choice["message"]}
