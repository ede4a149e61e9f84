"""A stand-in for ``python -m vllm.entrypoints.openai.api_server``: its flags, its addresses, its ways to die.

``FAKE_VLLM`` holds words: ``no_uds`` (an old version), ``dies`` (before it answers), ``dies_at_first`` (healthy until
the first completion), ``deaf`` (TERM is ignored). It starts a child that outlives it, as vLLM's engine core may.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = os.environ.get("FAKE_VLLM", "").split()
METRICS = """# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0",model_name="tiny"} 3.0
vllm:prefix_cache_hits_total{engine="1",model_name="tiny"} 4.0
vllm:prefix_cache_hits_created{engine="0"} 1.7e9
vllm:num_preemptions_total{engine="0"} 0.0
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "client"

    def do_GET(self) -> None:
        if self.path == "/metrics":
            return self.answer(200, METRICS.encode())
        if self.path == "/flags":
            return self.answer_json(200, {"flags": FLAGS, "pid": os.getpid(), "variables": dict(os.environ)})
        if self.path.startswith("/connect/"):
            return self.answer_json(200, {"said": connected(int(self.path.rpartition("/")[2]))})
        return self.answer_json(200, {"version": "0.0.1"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = os.environ.get("VLLM_API_KEY")
        if key and self.headers.get("Authorization") != f"Bearer {key}":
            return self.answer_json(401, {"error": "Unauthorized"})
        if "dies_at_first" in WORDS:
            print("RuntimeError: this kernel is not for this machine", flush=True)
            os._exit(1)
        choice = {"index": 0, "text": "x", "finish_reason": "length"}
        return self.answer_json(
            200, {"model": body["model"], "choices": [choice], "system_fingerprint": "vllm-0.0.1-abc"}
        )

    def answer_json(self, status: int, document: Any) -> None:
        self.answer(status, json.dumps(document).encode())

    def answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def connected(port: int) -> str:
    """Of an attempt to reach a port of this machine's loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except OSError as error:
        return type(error).__name__
    return "connected"


class UnixServer(ThreadingHTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "fake", 0


def flags() -> dict[str, str]:
    pairs = (argument.removeprefix("--").partition("=") for argument in sys.argv[1:] if argument.startswith("--"))
    return {name: value for name, _, value in pairs}


def main() -> None:
    if "dies" in WORDS:
        print("ValueError: no kernel image is available for execution on the device", flush=True)
        sys.exit(1)
    if "uds" in FLAGS and "no_uds" in WORDS:
        print("usage: api_server.py [-h]\n  [--model MODEL]\napi_server.py: error: unrecognized arguments: --uds=/x")
        sys.exit(2)
    if "deaf" in WORDS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    print("INFO: Using FLASH_ATTN attention backend out of potential backends: ['FLASH_ATTN'].", flush=True)
    if "uds" in FLAGS:
        UnixServer(FLAGS["uds"], Handler).serve_forever()  # type: ignore[arg-type]
    ThreadingHTTPServer((FLAGS["host"], int(FLAGS["port"])), Handler).serve_forever()


if __name__ == "__main__":
    FLAGS = flags()
    main()
