"""A chat server on loopback with canned replies: what foreign tools are pointed at, so that no model is needed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def serving(replies: Mapping[str, str]) -> Iterator[str]:
    """Base URL of a server that answers a prompt with the reply of the first key that stands in it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(_completion(asked, replies))

        def do_GET(self) -> None:
            self._answer({"object": "list", "data": [{"id": "canned", "object": "model"}]})

        def _answer(self, document: Mapping[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _completion(asked: Mapping[str, Any], replies: Mapping[str, str]) -> dict[str, Any]:
    said = json.dumps(asked.get("messages", asked.get("prompt")))
    text = next((reply for key, reply in replies.items() if key in said), "I do not know.")
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    return {
        "id": "canned",
        "object": "chat.completion",
        "created": 0,
        "model": asked.get("model"),
        "choices": [choice],
        "usage": usage,
    }
