"""A model server on the loopback that errs on purpose, around a made-up model that is exact.

The model: a token is a character; the next one is a checksum of all before it, at a temperature mixed with seed and
position. So greedy answers can be continued from their ids, equal seeds give equal texts, and a test knows what an
honest server would have said. ``Manners`` says what this one does instead; ``faults`` happen to one request each.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

SPECIAL = {1: "<s>", 2: "</s>", 3: "<think>", 4: "</think>"}
BEGIN, END, THINK, ANSWER = SPECIAL
_LETTERS = "abcdefghijklmnopqrstuvwxyz \n"


@dataclass(frozen=True)
class Fault:
    """``kind``: status, drop, drop_in_body, say (``document`` with 200), stall (no answer); of a stream after ``after``
    events: stall, cut, error (``document`` as an event)."""

    kind: str
    status: int = 503
    after: int = 0
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


DROP, DROP_IN_BODY = Fault("drop"), Fault("drop_in_body")


@dataclass
class Manners:
    """How the server differs from an honest one."""

    ignores: frozenset[str] = frozenset()
    """Fields of the body that are taken and not looked at."""
    temperature: float | None = None
    """Used whatever is asked for."""
    seed: int | None = None
    """Used whatever is asked for."""
    is_random: bool = False
    """Every answer has a seed of its own."""
    refuses: frozenset[str] = frozenset()
    """Fields that are a 400."""
    max_stops: int | None = None
    window: int = 4096
    has_ids: bool = True
    has_tokenize: bool = True
    streams: bool = True
    switches: bool = True
    """``enable_thinking`` opens a tag in the prompt, ``reasoning_effort`` is the first word of it."""
    begins_twice: bool = False
    is_out_of_order: bool = False
    reasoning: str | None = None
    """Field that the first half of a text is sent in."""
    closes_silently: bool = False
    """Every connection ends after an answer that did not say so."""
    has_no_end: bool = False
    """Answers end by a limit or a stop string only."""
    faults: list[Fault] = field(default_factory=list)


@dataclass
class Served:
    """A running server: where it is, and the bodies it got, by path."""

    base_url: str
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def bodies(self, *paths: str) -> list[dict[str, Any]]:
        """Of answers that were asked for, in order; of ``paths`` if there are any."""
        wanted = paths or ("/v1/chat/completions", "/v1/completions")
        return [body for path, body in self.received if path in wanted]


@contextmanager
def misbehaving(manners: Manners | None = None, uds: str | None = None) -> Iterator[Served]:
    """Serve for the length of the block, at a port of the system's choice or at a Unix socket."""
    server = _UnixServer(uds, _UnixHandler) if uds else _Server(("127.0.0.1", 0), _Handler)
    server.manners = manners or Manners()
    server.served = Served("http://made-up/v1" if uds else f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.served
    finally:
        server.served.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def tokenized(text: str) -> list[int]:
    return [ord(character) for character in text]


def detokenized(ids: Sequence[int]) -> str:
    return "".join(SPECIAL.get(number) or chr(number) for number in ids)


def rendered(body: Mapping[str, Any], manners: Manners) -> list[int]:
    """Ids of the prompt: the template is one line per turn, and an open tag where thinking is switched on."""
    prompt = body.get("prompt")
    if isinstance(prompt, list):
        return list(prompt)
    if prompt is not None:
        return [BEGIN, *tokenized(prompt)]
    turns = "\n".join(f"[{message['role']}]{message['content']}" for message in body["messages"])
    thinks = manners.switches and (body.get("chat_template_kwargs") or {}).get("enable_thinking")
    effort = body.get("reasoning_effort") if manners.switches else None
    return [BEGIN, *tokenized(f"{effort or ''}{turns}\n[assistant]"), *([THINK] if thinks else [])]


@dataclass(frozen=True)
class _Said:
    ids: list[int]
    text: str
    finish_reason: str
    stop_reason: str | None


def said(prompt: Sequence[int], body: Mapping[str, Any], manners: Manners, index: int = 0) -> _Said:
    """What the model says to ``prompt`` as choice ``index``."""
    asked = {name: value for name, value in body.items() if name not in manners.ignores}
    temperature = asked.get("temperature", 1.0) if manners.temperature is None else manners.temperature
    seed = (asked.get("seed", 0) if manners.seed is None else manners.seed) + index
    limit = min(asked.get("max_tokens", 64), manners.window - len(prompt))
    is_greedy = temperature == 0 or asked.get("top_p", 1.0) < 0.001
    ids: list[int] = []
    while len(ids) < limit:
        state = zlib.crc32(repr([*prompt, *ids]).encode())
        drawn = state if is_greedy else zlib.crc32(f"{seed}:{len(ids)}:{state}".encode())
        if not manners.has_no_end and (drawn >> 9) % 97 == 0:
            return _Said([*ids, END], detokenized(ids), "stop", None)
        ids.append(ord(_LETTERS[(drawn >> 3) % len(_LETTERS)]))
        text = detokenized(ids)
        stop = next((stop for stop in asked.get("stop") or () if text.endswith(stop)), None)
        if stop is not None:
            return _Said(ids, text.removesuffix(stop), "stop", stop)
    return _Said(ids, detokenized(ids), "length", None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    manners: Manners
    served: Served

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections break here on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def manners(self) -> Manners:
        return cast(_Server, self.server).manners

    @property
    def served(self) -> Served:
        return cast(_Server, self.server).served

    def do_GET(self) -> None:
        documents = {
            "/v1/models": {"data": [{"id": "m", "max_model_len": self.manners.window}]},
            "/version": {"version": "0.0-made-up"},
        }
        if self.path in documents:
            return self._send(200, documents[self.path])
        return self._send(404, {"error": {"message": "Not Found"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.served.received.append((self.path, body))
        if self.path in ("/tokenize", "/detokenize"):
            return self._tokens(body)
        fault = self.manners.faults.pop(0) if self.manners.faults else None
        if fault is not None and fault.kind in ("status", "drop", "say"):
            return self._break(fault)
        refused = next((name for name in body if name in self.manners.refuses), None)
        if refused:
            return self._refuse(f"Unsupported parameter: '{refused}'", refused, "unsupported_parameter")
        if self.manners.max_stops is not None and len(body.get("stop") or ()) > self.manners.max_stops:
            return self._refuse("[{'type': 'too_long', 'loc': ('body', 'stop')}]", None, "too_long")
        if fault is not None and fault.kind == "stall" and not body.get("stream"):
            self.served.released.wait()
            self.close_connection = True
            return None
        return self._answer(body, fault)

    def _tokens(self, body: dict[str, Any]) -> None:
        if not self.manners.has_tokenize:
            return self._send(404, {"detail": "Not Found"})
        if self.path == "/detokenize":
            return self._send(200, {"prompt": detokenized(body["tokens"])})
        special = {text: number for number, text in SPECIAL.items()}
        if body.get("add_special_tokens") is False and body.get("prompt") in special:
            ids = [special[body["prompt"]]]
        else:
            ids = rendered(body, self.manners)
        return self._send(200, {"tokens": ids, "count": len(ids), "max_model_len": self.manners.window})

    def _break(self, fault: Fault) -> None:
        if fault.kind == "drop":
            self.close_connection = True
            return self.connection.close()
        document = fault.document if fault.document is not None else {"error": {"message": "made to fail"}}
        return self._send(200 if fault.kind == "say" else fault.status, document, fault.headers)

    def _refuse(self, message: str, parameter: str | None, code: str) -> None:
        error = {"message": message, "type": "invalid_request_error", "param": parameter, "code": code}
        self._send(400, {"error": error})

    def _answer(self, body: dict[str, Any], fault: Fault | None) -> None:
        manners = self.manners
        prompt = rendered(body, manners)
        if len(prompt) >= manners.window:
            return self._refuse(f"the window has {manners.window} tokens", None, "context_length_exceeded")
        made_from = [BEGIN, *prompt] if manners.begins_twice else prompt
        asked = {**body, "seed": len(self.served.received) * 1000} if manners.is_random else body
        count = 1 if "n" in manners.ignores else body.get("n", 1)
        answers = [said(made_from, asked, manners, index) for index in range(count)]
        choices = [self._choice(body, index, answer, made_from) for index, answer in enumerate(answers)]
        num_tokens = sum(len(answer.ids) for answer in answers)
        usage = {"prompt_tokens": len(made_from), "completion_tokens": num_tokens}
        usage["total_tokens"] = sum(usage.values())
        kind = "chat.completion" if "messages" in body else "text_completion"
        head: dict[str, Any] = {"id": "made-up", "object": kind, "created": 1, "model": "m"}
        head |= {"system_fingerprint": "made-up-1"}
        if manners.has_ids and "messages" in body and body.get("return_token_ids"):
            head["prompt_token_ids"] = made_from
        if body.get("stream") and manners.streams:
            return self._stream(body, head, answers, choices, usage, fault)
        if manners.is_out_of_order:
            choices.reverse()
        return self._send(200, {**head, "choices": choices, "usage": usage}, is_torn=fault == DROP_IN_BODY)

    def _choice(self, body: dict[str, Any], index: int, answer: _Said, made_from: list[int]) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": index, "finish_reason": answer.finish_reason}
        choice["stop_reason"] = answer.stop_reason
        choice["logprobs"] = {"content": []} if body.get("logprobs") is True else None
        if body.get("logprobs"):
            choice["logprobs"] = {"content": [{"token": character} for character in answer.text]}
        if self.manners.has_ids and body.get("return_token_ids"):
            choice["token_ids"] = answer.ids
            if "prompt" in body:
                choice["prompt_token_ids"] = made_from
        if "prompt" in body:
            return {**choice, "text": answer.text}
        return {**choice, "message": {"role": "assistant", **self._pieces(answer.text)}}

    def _pieces(self, text: str) -> dict[str, Any]:
        field_name = self.manners.reasoning
        if field_name is None:
            return {"content": text}
        half = len(text) // 2
        return {field_name: text[:half], "content": text[half:] or None}

    def _stream(
        self,
        body: dict[str, Any],
        head: dict[str, Any],
        answers: list[_Said],
        choices: list[dict[str, Any]],
        usage: dict[str, int],
        fault: Fault | None,
    ) -> None:
        """One event per token, the choices in turns; a fault ends or holds the stream after some events."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        events = list(self._events(body, head, answers, choices, usage))
        for number, event in enumerate(events):
            if fault is not None and number == fault.after:
                if fault.kind == "stall":
                    self.served.released.wait()
                if fault.kind == "error":
                    self._chunk("data: " + json.dumps({"error": fault.document}) + "\n\n")
                self.close_connection = True
                return self.connection.close()
            self._chunk((": ping\n\n" if number % 5 == 0 else "") + "data: " + json.dumps(event) + "\n\n")
        self._chunk("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _events(
        self,
        body: dict[str, Any],
        head: dict[str, Any],
        answers: list[_Said],
        choices: list[dict[str, Any]],
        usage: dict[str, int],
    ) -> Iterator[dict[str, Any]]:
        is_chat = "messages" in body
        head = {**head, "object": "chat.completion.chunk" if is_chat else "text_completion"}
        for index in range(len(answers) if is_chat else 0):
            yield {**head, "choices": [{"index": index, "delta": {"role": "assistant", "content": ""}}]}
            head.pop("prompt_token_ids", None)
        for position in range(max(len(answer.ids) for answer in answers)):
            for index, answer in enumerate(answers):
                if position < len(answer.ids):
                    yield {**head, "choices": [self._event(choices[index], answer, position, is_chat)]}
        for choice in choices:
            end = {name: choice[name] for name in ("index", "finish_reason", "stop_reason")}
            yield {**head, "choices": [{**end, **({"delta": {}} if is_chat else {"text": ""})}]}
        if (body.get("stream_options") or {}).get("include_usage"):
            yield {**head, "choices": [], "usage": usage}

    def _event(self, choice: dict[str, Any], answer: _Said, position: int, is_chat: bool) -> dict[str, Any]:
        """Text lags one token behind the ids, as on a server that watches for stop strings; the last has the rest."""
        is_last = position == len(answer.ids) - 1
        piece = answer.text[max(position - 1, 0) : None if is_last else position]
        event: dict[str, Any] = {"index": choice["index"]}
        if "token_ids" in choice:
            event["token_ids"] = [answer.ids[position]]
        if position == 0 and "prompt_token_ids" in choice:
            event["prompt_token_ids"] = choice["prompt_token_ids"]
        if not is_chat:
            return {**event, "text": piece}
        is_thinking = self.manners.reasoning is not None and position - 1 < len(answer.text) // 2 and not is_last
        return {**event, "delta": {self.manners.reasoning if is_thinking else "content": piece}}

    def _chunk(self, text: str) -> None:
        content = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()

    def _send(
        self, status: int, document: Any, headers: Mapping[str, str] | None = None, is_torn: bool = False
    ) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if is_torn:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            self.wfile.flush()
            return self.connection.close()
        self.close_connection = self.close_connection or self.manners.closes_silently
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class _UnixHandler(_Handler):
    disable_nagle_algorithm = False


class _UnixServer(_Server):
    address_family = socket.AF_UNIX

    def __init__(self, path: str, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(path, handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """Without asking for the name of a host."""
        socketserver.TCPServer.server_bind(self)

    def get_request(self) -> Any:
        request, _ = super().get_request()
        return request, ("unix", 0)
