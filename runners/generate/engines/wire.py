"""One HTTP request to a server of ours, over its Unix socket or a loopback port: for readiness, version and counters.

Samples go through the client; this is for what must work before there is one, without a pool, a retry or a proxy.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Address:
    """A Unix socket, or a port of this machine with the key that it asks for."""

    uds: Path | None = None
    port: int = 0
    api_key: str = ""

    @property
    def base_url(self) -> str:
        return "http://engine/v1" if self.uds else f"http://127.0.0.1:{self.port}/v1"


def call(
    address: Address, path: str, body: Mapping[str, Any] | None = None, timeout_seconds: float = 60.0
) -> tuple[int, bytes]:
    """Status and content of a GET, or of a POST where there is a body. OSError or HTTPException when nobody answers."""
    connection = _connection(address, timeout_seconds)
    headers = {"Content-Type": "application/json"}
    if address.api_key:
        headers["Authorization"] = f"Bearer {address.api_key}"
    try:
        content = None if body is None else json.dumps(body).encode("utf-8")
        connection.request("GET" if body is None else "POST", path, content, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def call_json(
    address: Address, path: str, body: Mapping[str, Any] | None = None, timeout_seconds: float = 60.0
) -> dict[str, Any]:
    """The JSON object of a 200 answer; {} for anything else, and for a server that does not answer."""
    try:
        status, content = call(address, path, body, timeout_seconds)
        document = json.loads(content)
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    return document if status == 200 and isinstance(document, dict) else {}


def _connection(address: Address, timeout_seconds: float) -> http.client.HTTPConnection:
    if address.uds is None:
        return http.client.HTTPConnection("127.0.0.1", address.port, timeout=timeout_seconds)
    return _UnixConnection(str(address.uds), timeout_seconds)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_seconds: float) -> None:
        super().__init__("engine", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
