"""A stand-in for vLLM inside a batch task: waits to be looked at, answers every prompt with a program without end.

``BATCH_EVIDENCE`` is a folder: ``engine.json`` says who it is and what it reached, ``go`` lets it answer.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "loopback"))
from planned_run import QUESTION, _poem

EVIDENCE = Path(os.environ["BATCH_EVIDENCE"])
ENDLESS = "```python\nwhile True:\n    pass\n```"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "client"

    def do_GET(self) -> None:
        self.answer(200, {"version": "0.0.1"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/completions":  # the one that shows it is ready
            return self.answer(200, {"model": body["model"], "choices": [{"index": 0, "text": "x"}]})
        if self.path != "/v1/chat/completions":
            return self.answer(404, {"error": {"message": "there is none"}})
        if body["messages"][0]["content"] == QUESTION:
            return self.answer(200, _poem(body))
        while not (EVIDENCE / "go").exists():
            time.sleep(0.05)
        choice = {"index": 0, "message": {"content": ENDLESS}, "finish_reason": "stop"}
        return self.answer(200, {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})

    def answer(self, status: int, document: Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class UnixServer(ThreadingHTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "engine", 0


def reached(port: int) -> str:
    """What came of an attempt to reach a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except OSError as error:
        return type(error).__name__
    return "reached"


def main() -> None:
    path = next(word.partition("=")[2] for word in sys.argv if word.startswith("--uds="))
    ports = json.loads((EVIDENCE / "ports.json").read_text())
    found = {"pid": os.getpid(), "reached": {name: reached(port) for name, port in ports.items()}}
    found["offline"] = [os.environ.get(name) for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")]
    (EVIDENCE / "engine.part").write_text(json.dumps(found))
    (EVIDENCE / "engine.part").rename(EVIDENCE / "engine.json")
    UnixServer(path, Handler).serve_forever()  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
