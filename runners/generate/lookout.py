"""What a server tells without making a text: its version, its window, how it cuts a prompt into tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .room import prompt_token_ids
from .wire import Wire

prompt_ids = prompt_token_ids
_OPPOSITE_EFFORT = {"none": "high", "minimal": "high", "low": "high", "medium": "low", "high": "low", "max": "low"}


async def around(wire: Wire, served_as: str) -> dict[str, Any]:
    """``version`` and ``window_tokens`` as far as a server says: vLLM, SGLang, llama.cpp and Ollama differ."""
    models = await wire.look("/v1/models")
    listed = models.get("data") if isinstance(models, Mapping) else None
    mine = next((entry for entry in listed or () if isinstance(entry, Mapping) and entry.get("id") == served_as), {})
    window = _count(mine.get("max_model_len")) or _count(mine.get("context_length"))
    version = _of(await wire.look("/version"), "version") or _of(await wire.look("/api/version"), "version")
    if window is None or version is None:
        properties = await wire.look("/props")
        version = version or _of(properties, "build_info")
        settings = properties.get("default_generation_settings") if isinstance(properties, Mapping) else None
        window = window or (_count(settings.get("n_ctx")) if isinstance(settings, Mapping) else None)
    return {"version": version, "window_tokens": window}


async def tag_ids(wire: Wire, served_as: str, tags: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Tag -> ids that it is cut into when it stands alone; tags that cannot be told are absent."""
    found: dict[str, tuple[int, ...]] = {}
    for tag in tags:
        answer = await wire.look("/tokenize", {"model": served_as, "prompt": tag, "add_special_tokens": False})
        ids = answer.get("tokens") if isinstance(answer, Mapping) else None
        if isinstance(ids, list) and ids:
            found[tag] = tuple(ids)
    return found


def turned(switch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The switch the other way: truth values and efforts in it, at any depth, as they are not; nothing without any."""
    other = _inverted(switch)
    if other != dict(switch):
        yield other


def _inverted(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, Mapping):
        return {name: _inverted(inner) for name, inner in value.items()}
    return _OPPOSITE_EFFORT.get(value, value) if isinstance(value, str) else value


def _of(document: Any, name: str) -> str | None:
    value = document.get(name) if isinstance(document, Mapping) else None
    return str(value) if value else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
