"""The replay engine: an answer to exactly the request that was recorded, a 404 to every other one."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.config import load_settings
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.runners.generate.engines import open_engine
from benchforge.runners.generate.engines.replay import serving
from benchforge.runners.generate.exchanges import Exchange, exchanges_bytes, read_exchanges
from benchforge.runners.generate.request import CHAT, exchange_key

BODIES = [{"model": "a__b", "messages": [{"role": "user", "content": f"q{i}"}], "seed": i} for i in range(3)]
EXCHANGES = [
    Exchange(CHAT, exchange_key(CHAT, body), 200, {"model": "a__b", "choices": [{"text": str(i)}]})
    for i, body in enumerate(BODIES)
]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(base_url: str, body: Any, path: str = "/chat/completions") -> tuple[int, dict[str, Any]]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with OPENER.open(urllib.request.Request(base_url + path, content), timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture
def base_url():
    with serving({exchange.request_digest: exchange for exchange in EXCHANGES}) as url:
        yield url


def test_answers_go_by_request_not_by_order(base_url: str):
    texts = [post(base_url, BODIES[i])[1]["choices"][0]["text"] for i in (2, 0, 2, 1)]
    assert texts == ["2", "0", "2", "1"]


def test_order_of_keys_and_spaces_in_the_body_do_not_matter(base_url: str):
    shuffled = json.dumps(dict(reversed(BODIES[0].items())), indent=3).encode()
    assert post(base_url, shuffled)[0] == 200


@pytest.mark.parametrize(
    "change", [{"seed": 9}, {"temperature": 0.0}, {"model": "c__d"}, {"messages": []}, {"extra": None}]
)
def test_any_other_request_is_a_404_with_a_json_error(base_url: str, change: dict[str, Any]):
    status, document = post(base_url, {**BODIES[0], **change})
    assert status == 404
    assert "no exchange is recorded" in document["error"]["message"]


def test_other_paths_and_bodies_are_errors_too(base_url: str):
    assert post(base_url, BODIES[0], "/completions")[0] == 404
    assert post(base_url, BODIES[0], "/embeddings")[0] == 404
    assert post(base_url, b"{not json")[0] == 400


def test_models_are_listed(base_url: str):
    with OPENER.open(base_url + "/models", timeout=5) as answer:
        assert [model["id"] for model in json.load(answer)["data"]] == ["a__b"]


def test_exchanges_round_trip_in_the_same_bytes(tmp_path: Path):
    path = tmp_path / "exchanges.jsonl.gz"
    path.write_bytes(exchanges_bytes(EXCHANGES))
    assert list(read_exchanges(path).values()) == EXCHANGES
    assert exchanges_bytes(EXCHANGES) == path.read_bytes()


@pytest.mark.parametrize("damage", [lambda b: b[:-20], lambda b: b"not gzip", lambda b: exchanges_bytes([])[:5]])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, damage: Any):
    path = tmp_path / "exchanges.jsonl.gz"
    path.write_bytes(damage(exchanges_bytes(EXCHANGES)))
    with pytest.raises(BadInput, match="is not a file of recorded exchanges"):
        read_exchanges(path)


def test_the_endpoint_engine_needs_an_address(tmp_path: Path):
    settings = load_settings({"engine.name": "endpoint"}, None, {"HOME": str(tmp_path)})
    with pytest.raises(UsageError, match=r"engine\.base_url"), open_engine(settings):
        pass
    given = load_settings({"engine.base_url": "http://host:1/v1/"}, None, {"HOME": str(tmp_path)})
    with open_engine(given) as engine:
        assert engine.endpoint.base_url == "http://host:1/v1"
