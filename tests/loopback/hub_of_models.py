"""A Hub of models on the loopback: what its library asks of it, and its ways to fail, one named list each.

Answers as seen from huggingface_hub 2.4.0: repository facts, tree listing, files with ETag and Range.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE_BYTES = 1000
"""From here on a file is kept apart, with a sha256, as Git LFS does."""


@dataclass
class ModelRepository:
    """Files of its one commit. ``faults``: path -> what happens to the next requests for it, in order.

    A fault is a status (``503``), ``torn`` (half of what was asked for, then the connection is cut), ``stalls`` (half,
    then nothing for as long as the Hub stands) or ``damaged`` (as many other bytes); an empty path stands for the
    repository's facts.
    """

    files: Mapping[str, bytes]
    commit: str = "c" * 40
    is_gated: bool = False
    faults: dict[str, list[str]] = field(default_factory=dict)

    def sibling(self, path: str) -> dict[str, Any]:
        content = self.files[path]
        found: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": git_sha1(content)}
        if len(content) >= LARGE_BYTES:
            found["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        return found

    def entry(self, path: str) -> dict[str, Any]:
        """The same for a tree listing."""
        found = self.sibling(path)
        entry = {"type": "file", "path": path, "size": found["size"], "oid": found["blobId"]}
        if "lfs" in found:
            entry["lfs"] = {"oid": found["lfs"]["sha256"], "size": found["size"], "pointerSize": 134}
        return entry


@dataclass
class HubOfModels:
    """``asked`` are (method, path, Range) of every request."""

    url: str
    repositories: Mapping[str, ModelRepository]
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def num_fetched(self, path: str) -> int:
        return sum(method == "GET" and name.endswith(f"/{path}") for method, name, _ in self.asked)


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def hub_of_models(repositories: Mapping[str, ModelRepository]) -> Iterator[HubOfModels]:
    hub = HubOfModels("", repositories)

    class Bound(_Handler):
        of = hub

    with ThreadingHTTPServer(("127.0.0.1", 0), Bound) as server:
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hub
        finally:
            hub.is_over.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    of: HubOfModels

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.of.asked.append((self.command, path, self.headers.get("Range", "")))
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?", path):
            self._facts(*match.groups())
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file(*match.groups())
        else:
            self._refuse(404, "RepoNotFound")

    def _facts(self, name: str, kind: str | None, revision: str | None) -> None:
        repository = self.of.repositories.get(name)
        if repository is None:
            return self._refuse(404, "RepoNotFound")
        if revision not in (None, "main", repository.commit):
            return self._refuse(404, "RevisionNotFound")
        if (fault := self._fault(repository, "")) is not None:
            return self._refuse(int(fault), "")
        if kind == "tree":
            return self._json([repository.entry(path) for path in repository.files])
        siblings = [repository.sibling(path) for path in repository.files]
        facts = {"id": name, "sha": repository.commit, "siblings": siblings, "cardData": {"license": "apache-2.0"}}
        return self._json({**facts, "gated": "auto" if repository.is_gated else False})

    def _file(self, name: str, revision: str, path: str) -> None:
        repository = self.of.repositories.get(name)
        if repository is None or path not in repository.files or revision not in ("main", repository.commit):
            return self._refuse(404, "EntryNotFound")
        if repository.is_gated:
            return self._refuse(403, "GatedRepo")
        fault = self._fault(repository, path) if self.command == "GET" else None
        if fault is not None and fault.isdigit():
            return self._refuse(int(fault), "")
        content = repository.files[path]
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(found[1]) if found else 0
        self._send(repository, path, content, first, fault)

    def _send(self, repository: ModelRepository, path: str, content: bytes, first: int, fault: str | None) -> None:
        sibling = repository.sibling(path)
        etag = sibling["lfs"]["sha256"] if "lfs" in sibling else sibling["blobId"]
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": repository.commit, "Accept-Ranges": "bytes"}
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        if "lfs" in sibling:
            headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(content))}
        body = content[first:]
        if fault == "damaged":
            body = bytes(byte ^ 1 for byte in body)
        self._head(206 if first else 200, len(body), headers)
        if self.command == "GET":
            self.wfile.write(body[: len(body) // 2] if fault in ("torn", "stalls") else body)
        if fault in ("torn", "stalls"):
            self.close_connection = True
        if fault == "stalls":
            self.of.is_over.wait()

    def _fault(self, repository: ModelRepository, path: str) -> str | None:
        waiting = repository.faults.get(path)
        return waiting.pop(0) if waiting else None

    def _json(self, document: Any) -> None:
        content = json.dumps(document).encode()
        self._head(200, len(content), {"Content-Type": "application/json"})
        if self.command == "GET":
            self.wfile.write(content)

    def _refuse(self, status: int, code: str) -> None:
        self._head(status, 0, {"X-Error-Code": code} if code else {})

    def _head(self, status: int, num_bytes: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(num_bytes)}.items():
            self.send_header(name, value)
        self.end_headers()
