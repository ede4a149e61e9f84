"""A Hub on loopback: what huggingface_hub 2.4 asks of the real one in order to create, read, write and tag.

Endpoints as observed: repositories, trees, refs, commits, preupload, LFS objects, Xet, files with ranges. ``faults`` is
asked before every request and may answer in the Hub's place; ``requests`` lists what came.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from hub_storage import Refused, Storage

TOKEN = "hf_" + "stand" * 7
GIT_LFS = (".parquet", ".png", ".bin")


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True)
class File:
    content: bytes
    is_lfs: bool

    @property
    def oid(self) -> str:
        return hashlib.sha256(self.content).hexdigest() if self.is_lfs else git_hash(self.content)


@dataclass(frozen=True)
class Commit:
    oid: str
    parent: str | None
    title: str
    description: str
    files: Mapping[str, File]


@dataclass
class Repo:
    """Commits, oldest first, and tags."""

    commits: list[Commit]
    tags: dict[str, str] = field(default_factory=dict)
    is_private: bool = False

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def at(self, revision: str) -> Commit | None:
        oid = self.head.oid if revision == "main" else self.tags.get(revision, revision)
        return next((commit for commit in self.commits if commit.oid == oid), None)

    def add(self, title: str, description: str, files: Mapping[str, File]) -> Commit:
        oid = hashlib.sha1(f"{self.head.oid}{title}{len(self.commits)}".encode()).hexdigest()
        self.commits.append(Commit(oid, self.head.oid, title, description, dict(files)))
        return self.head


Fault = Callable[[str, str, int], int | None]
"""Of method, path and number of the request (from 0): a status to answer with, 0 to hang up, None to go on."""


class Hub:
    """Everything that the stand-in knows; one lock around all of it."""

    def __init__(self) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.storage = Storage()
        self.tokens = {TOKEN: "tester"}
        self.orgs = ["made-org"]
        self.requests: list[tuple[str, str]] = []
        self.faults: Fault = lambda method, path, number: None
        self.before_commit: Callable[[], None] = lambda: None
        self.lock = threading.RLock()
        self.url = ""

    def repo(self, name: str, kind: str = "dataset") -> Repo:
        return self.repos[f"{kind}s", name]

    def create(self, name: str, kind: str = "dataset") -> Repo:
        attributes = "".join(f"*{end} filter=lfs diff=lfs merge=lfs -text\n" for end in GIT_LFS).encode()
        first = Commit(git_hash(name.encode()), None, "initial commit", "", {".gitattributes": File(attributes, False)})
        return self.repos.setdefault((f"{kind}s", name), Repo([first]))

    def content(self, name: str, path: str, revision: str = "main", kind: str = "dataset") -> bytes:
        commit = self.repo(name, kind).at(revision)
        assert commit is not None, revision
        return commit.files[path].content


@contextlib.contextmanager
def hub_on_loopback() -> Iterator[Hub]:
    """A running stand-in; ``HF_ENDPOINT`` is its ``url``."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=30)


_API = r"/api/(?P<kind>datasets|spaces|models)/(?P<name>[^/]+/[^/]+)"
_LFS = r"/(?:(?P<kind>datasets|spaces)/)?(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects"
ROUTES: tuple[tuple[str, str, str], ...] = (
    ("GET", r"/api/whoami-v2", "whoami"),
    ("POST", r"/api/repos/create", "create"),
    ("POST", r"/api/validate-yaml", "validate"),
    ("GET", _API + r"/tree/(?P<revision>[^/]+)(?:/.*)?", "tree"),
    ("GET", _API + r"/refs", "refs"),
    ("GET", _API + r"/commits/(?P<revision>[^/]+)", "commits"),
    ("POST", _API + r"/tag/(?P<revision>[^/]+)", "tag"),
    ("POST", _API + r"/preupload/(?P<revision>[^/]+)", "preupload"),
    ("POST", _API + r"/commit/(?P<revision>[^/]+)", "commit"),
    ("POST", _API + r"/paths-info/(?P<revision>[^/]+)", "paths_info"),
    ("GET", _API + r"/xet-(?:write|read)-token/(?P<revision>.+)", "xet_token"),
    ("GET", _API + r"(?:/revision/(?P<revision>[^/]+))?", "info"),
    ("POST", _LFS + r"/batch", "lfs_batch"),
    ("POST", _LFS + r"/verify", "validate"),
    ("PUT", r"/lfs/(?P<oid>\w+)", "lfs_put"),
    ("POST", r"/cas/v1/xorbs/default/(?P<oid>\w+)", "xorb"),
    ("POST", r"/cas/v[12]/shards?", "shard"),
    ("GET", r"/(?P<kind>datasets|spaces)/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "resolve"),
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer("GET")

    def do_HEAD(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def _answer(self, method: str) -> None:
        path = unquote(urlsplit(self.path).path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or self._chunked()
        with self.hub.lock:
            self.hub.requests.append((self.command, path))
            number = len(self.hub.requests) - 1
        fault = self.hub.faults(self.command, path, number)
        if fault == 0:
            self.close_connection = True
            return
        if fault is not None:
            self._json({"error": "made fault"}, fault)
            return
        for wanted, pattern, name in ROUTES:
            found = re.fullmatch(pattern, path)
            if wanted == method and found:
                return self._routed(name, found.groupdict())
        self._json({"error": f"no such endpoint: {path}"}, 404)

    def _chunked(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return b""
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _routed(self, name: str, named: dict[str, str]) -> None:
        is_open = name in ("lfs_put", "xorb", "shard", "validate", "paths_info", "resolve") or self.command == "HEAD"
        owner = self.hub.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if owner is None and not is_open and self.headers.get("Authorization"):
            self._json({"error": "Invalid credentials in Authorization header"}, 401)
            return
        if owner is None and self.command == "POST" and not is_open:
            self._json({"error": "unauthorized"}, 401)
            return
        with self.hub.lock:
            repo = self.hub.repos.get((named.get("kind") or "models", named.get("name") or ""))
            if "name" in named and repo is None:
                return self._json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
            commit = repo.at(named.get("revision") or "main") if repo else None
            if named.get("revision") and commit is None:
                return self._json({"error": "Invalid rev id"}, 404, {"X-Error-Code": "RevisionNotFound"})
            getattr(self, f"_{name}")(named, repo, commit)

    # ---- account and repositories ----

    def _whoami(self, named: Any, repo: Any, commit: Any) -> None:
        owner = self.hub.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if owner is None:
            self._json({"error": "Invalid credentials in Authorization header"}, 401)
            return
        self._json({"name": owner, "type": "user", "orgs": [{"name": name} for name in self.hub.orgs]})

    def _create(self, named: Any, repo: Any, commit: Any) -> None:
        asked = json.loads(self.body)
        name = f"{asked.get('organization') or 'tester'}/{asked['name']}"
        kind = asked.get("type", "model")
        url = f"{self.hub.url}/{kind}s/{name}"
        if (f"{kind}s", name) in self.hub.repos:
            self._json({"error": "You already created this repo", "url": url}, 409)
            return
        self.hub.create(name, kind).is_private = bool(asked.get("private") or asked.get("visibility") == "private")
        self._json({"url": url, "name": name, "id": name})

    def _validate(self, named: Any, repo: Any, commit: Any) -> None:
        self._json({"errors": [], "warnings": []})

    def _info(self, named: Any, repo: Repo, commit: Commit) -> None:
        siblings = [{"rfilename": path} for path in sorted(commit.files)]
        self._json({"id": named["name"], "sha": commit.oid, "private": repo.is_private, "siblings": siblings,
                    "tags": [], "downloads": 0, "likes": 0, "gated": False, "disabled": False})  # fmt: skip

    def _tree(self, named: Any, repo: Repo, commit: Commit) -> None:
        self._json([_entry(path, file) for path, file in sorted(commit.files.items())])

    def _paths_info(self, named: Any, repo: Repo, commit: Commit) -> None:
        asked = parse_qs(self.body.decode())["paths"] if b"paths=" in self.body else json.loads(self.body)["paths"]
        folders = {parent.as_posix() for path in commit.files for parent in PurePosixPath(path).parents}
        found = [_entry(path, commit.files[path]) for path in asked if path in commit.files]
        self._json(found + [{"type": "directory", "path": path, "oid": "0"} for path in asked if path in folders])

    def _refs(self, named: Any, repo: Repo, commit: Commit) -> None:
        tags = [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid} for name, oid in repo.tags.items()]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.head.oid}
        self._json({"branches": [main], "tags": tags, "converts": []})

    def _commits(self, named: Any, repo: Repo, commit: Commit) -> None:
        moment = "2026-01-01T00:00:00.000Z"
        self._json(
            [
                {"id": each.oid, "title": each.title, "message": each.description, "date": moment, "authors": []}
                for each in reversed(repo.commits)
            ]
        )

    def _tag(self, named: Any, repo: Repo, commit: Commit) -> None:
        tag = json.loads(self.body)["tag"]
        if tag in repo.tags:
            self._json({"error": f"Tag {tag} already exists"}, 409)
            return
        repo.tags[tag] = commit.oid
        self._json({})

    # ---- writing ----

    def _preupload(self, named: Any, repo: Repo, commit: Commit) -> None:
        files = []
        for asked in json.loads(self.body)["files"]:
            is_lfs = asked["path"].endswith(GIT_LFS) or asked["size"] > 10 << 20
            old = commit.files.get(asked["path"])
            mode = {"path": asked["path"], "uploadMode": "lfs" if is_lfs else "regular", "shouldIgnore": False}
            files.append({**mode, "oid": old.oid if old else None})
        self._json({"files": files})

    def _commit(self, named: Any, repo: Repo, commit: Commit) -> None:
        self.hub.before_commit()
        lines = [json.loads(line) for line in self.body.decode().splitlines() if line.strip()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        if header.get("parentCommit") not in (None, repo.head.oid):
            self._json({"error": "A commit has happened since. Please refresh and try again."}, 412)
            return
        files = dict(repo.head.files)
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = File(base64.b64decode(value["content"]), False)
            elif line["key"] == "lfsFile":
                content = self.hub.storage.objects.get(value["oid"])
                if content is None or len(content) != value["size"]:
                    self._json({"error": f"there is no object {value['oid']} of {value['size']} bytes"}, 400)
                    return
                files[value["path"]] = File(content, True)
            elif line["key"] == "deletedFile":
                files.pop(value["path"], None)
        made = repo.add(header["summary"], header.get("description", ""), files)
        url = f"{self.hub.url}/{named['kind']}/{named['name']}/commit/{made.oid}"
        self._json({"success": True, "commitOid": made.oid, "commitUrl": url})

    def _lfs_batch(self, named: Any, repo: Repo, commit: Commit) -> None:
        objects = []
        for asked in json.loads(self.body)["objects"]:
            known = {"oid": asked["oid"], "size": asked["size"]}
            if asked["oid"] not in self.hub.storage.objects:
                known["actions"] = {"upload": {"href": f"{self.hub.url}/lfs/{asked['oid']}", "header": {}}}
            objects.append(known)
        self._json({"transfer": "basic", "objects": objects})

    def _lfs_put(self, named: Any, repo: Any, commit: Any) -> None:
        self._taken(lambda: self.hub.storage.put(named["oid"], self.body), {})

    def _xet_token(self, named: Any, repo: Repo, commit: Any) -> None:
        token = {
            "X-Xet-Cas-Url": f"{self.hub.url}/cas",
            "X-Xet-Access-Token": "t",
            "X-Xet-Token-Expiration": "4102444800",
        }
        said = {"casUrl": f"{self.hub.url}/cas", "accessToken": "t", "exp": 4102444800}
        self._json(said, 200, token)

    def _xorb(self, named: Any, repo: Any, commit: Any) -> None:
        self._taken(lambda: self.hub.storage.put_xorb(named["oid"], self.body), {"was_inserted": True})

    def _shard(self, named: Any, repo: Any, commit: Any) -> None:
        self._taken(lambda: self.hub.storage.put_shard(self.body), {"type": "result", "result": 1})

    def _taken(self, take: Callable[[], None], answer: Any) -> None:
        try:
            take()
        except Refused as error:
            self._json({"error": str(error)}, 400)
        else:
            self._json(answer)

    # ---- reading ----

    def _resolve(self, named: Any, repo: Repo, commit: Commit) -> None:
        file = commit.files.get(named["path"])
        if file is None:
            self._json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        headers = {"ETag": f'"{file.oid}"', "X-Repo-Commit": commit.oid, "Accept-Ranges": "bytes",
                   "X-Linked-Size": str(len(file.content)), "X-Linked-Etag": f'"{file.oid}"'}  # fmt: skip
        ranged = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if ranged is None:
            self._bytes(file.content, 200, headers)
            return
        first, last = int(ranged[1]), min(int(ranged[2] or len(file.content)), len(file.content) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(file.content)}"
        self._bytes(file.content[first : last + 1], 206, headers)

    def _json(self, said: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        message = {"X-Error-Message": said["error"]} if isinstance(said, dict) and "error" in said else {}
        kind = {"Content-Type": "application/json"}
        self._bytes(json.dumps(said).encode() + b"\n", status, {**kind, **message, **(headers or {})})

    def _bytes(self, content: bytes, status: int, headers: Mapping[str, str]) -> None:
        with contextlib.suppress(ConnectionError):  # the client was killed
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)


def _entry(path: str, file: File) -> dict[str, Any]:
    entry = {"type": "file", "path": path, "size": len(file.content), "oid": file.oid}
    return {**entry, "lfs": {"oid": file.oid, "size": len(file.content), "pointerSize": 130}} if file.is_lfs else entry
