"""``endpoint``: a server that somebody else runs, at ``engine.base_url``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ....ingest.config import Settings, secret
from ....ingest.errors import UsageError
from . import Engine, endpoint_of

if TYPE_CHECKING:
    from ....ingest.planning.models import ServedModel


@contextmanager
def open_engine(settings: Settings, served: ServedModel | None = None) -> Iterator[Engine]:
    """Nothing is started. UsageError without an address; the key is read from the variable the settings name."""
    base_url = settings["engine.base_url"].rstrip("/")
    if not base_url.startswith(("http://", "https://")):
        raise UsageError(
            f"engine.base_url is {base_url!r}, not an http address",
            "set BENCHFORGE_ENGINE_BASE_URL=http://HOST:PORT/v1",
        )
    base_url = base_url if base_url.endswith("/v1") else base_url + "/v1"
    api_key = secret(settings["engine.api_key_variable"]) or ""
    yield Engine("endpoint", endpoint_of(settings, base_url, api_key))
