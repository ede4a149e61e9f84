"""What a running vLLM and its machine say of themselves: GPU kind, attention backend, counters."""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess

from .wire import Address, call

_COUNTERS = (
    "prefix_cache_queries",
    "prefix_cache_hits",
    "prompt_tokens",
    "prompt_tokens_cached",
    "generation_tokens",
    "num_preemptions",
)


def gpu_kind() -> str | None:
    """Name of the first GPU and how many there are, as the driver says; None without one."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        names = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split("\n")
    except (OSError, subprocess.SubprocessError):
        return None
    return next((name.strip() for name in names if name.strip()), None)


_BACKEND = re.compile(
    r"[Uu]sing (?:AttentionBackendEnum\.)?((?:\w+ )?\w*(?:ATTN|Attention|FLASH|Flash|TRITON|MLA|SDPA|FLEX)\w*)"
    r"(?: attention)? backend\b"
)


def attention_backend(log: str) -> str | None:
    """As vLLM's log names it, ``FLASH_ATTN`` say: newer GPUs take another one than a model's card was measured with."""
    found = _BACKEND.findall(log)
    return found[-1] if found else None


def counters_of(address: Address) -> dict[str, float]:
    """Counters of the server's /metrics by name, summed over engines; {} when it does not answer."""
    try:
        status, content = call(address, "/metrics", timeout_seconds=10.0)
    except (OSError, http.client.HTTPException):
        return {}
    return parsed_counters(content.decode("utf-8", "replace")) if status == 200 else {}


def parsed_counters(text: str) -> dict[str, float]:
    totals: dict[str, float] = {}
    for line in text.splitlines():
        match = re.fullmatch(r"vllm:(\w+?)(?:_total)?(?:\{.*\})? ([0-9.eE+-]+)", line)
        if match and match[1] in _COUNTERS:
            totals[match[1]] = totals.get(match[1], 0.0) + float(match[2])
    return totals
