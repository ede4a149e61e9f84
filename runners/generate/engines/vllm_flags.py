"""The flags and environment that our vLLM is started with: pinned, so that a number does not depend on a default.

Precedence: the model's row, then ``engine.flags`` of the run, then these. A flag whose value is None is left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....ingest.config import Settings, variable
from ....ingest.thinking import strip_rule

if TYPE_CHECKING:
    from ....ingest.planning.models import ServedModel

DISPENSABLE = ("uds", "disable-uvicorn-access-log")
"""Flags that an older vLLM does not know and that can be done without: tried, and left out when it refuses them."""

_MAX_STOP_STRINGS = 64
"""vLLM refuses more than 4 since August 2026 (vllm-project/vllm#51447); EvalPlus' base lists have 11."""
_KEEP_ALIVE_SECONDS = 600
"""uvicorn closes idle connections after 5 s; closed under a client's pool that looks like a crash."""
_NEVER_INHERITED = ("http_proxy", "https_proxy", "all_proxy", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "VLLM_API_KEY")
_NEVER_INHERITED += ("PYTHONPATH", "PYTHONHOME")  # of this interpreter, not of the engine's


def flags_of(settings: Settings, served: ServedModel) -> dict[str, str]:
    """Flag name without dashes -> value ("" for a bare one), in the order they are given."""
    pinned: dict[str, Any] = {
        "model": served.weights or served.hub_id or served.served_as,
        "served-model-name": served.served_as,
        "revision": None if served.weights else served.revision,
        "max-model-len": served.max_model_len or settings["engine.max_model_len"],
        "gpu-memory-utilization": settings["engine.gpu_memory_utilization"],
        "max-num-seqs": settings["engine.max_num_seqs"],
        "seed": 0,  # of the engine; every request brings its own
        "dtype": served.dtype or "bfloat16",
        "quantization": served.quantization if served.quantization not in ("", "none") else None,
        "tensor-parallel-size": served.tensor_parallel_size,
        # without it a model's own file changes greedy numbers: repetition_penalty 1.1 was seen to enter
        "generation-config": "vllm",
        "reasoning-config": _reasoning_config(served),
        "disable-uvicorn-access-log": "",
    }
    chosen = {**pinned, **dict(settings["engine.flags"]), **dict(served.engine_flags)}
    return {name.lstrip("-").replace("_", "-"): _text(value) for name, value in chosen.items() if value is not None}


def _reasoning_config(served: ServedModel) -> str | None:
    """The strings by which vLLM counts and ends thinking, where a budget is to be kept; no parser comes with it.

    The parsers that vLLM would take with ``--reasoning-parser`` were seen to misroute and to alter answers.
    """
    rule = strip_rule(served.strip_rule)
    if served.thinking_budget is None or rule is None:
        return None
    begin, end = rule.tags[0]
    said = served.thinking_budget_end or end
    return json.dumps({"reasoning_start_str": begin, "reasoning_end_str": said if end in said else said + end})


def argv_of(flags: Mapping[str, str]) -> list[str]:
    """``--name=value``: a value that begins with a dash is still a value."""
    return [f"--{name}={value}" if value else f"--{name}" for name, value in flags.items()]


def server_variables(settings: Settings, is_isolated: bool) -> dict[str, str]:
    """What is set for the server, in a process or in a container."""
    variables = {
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "PYTHONSAFEPATH": "1",  # or ``-m`` would import from the folder that the command was typed in
        "VLLM_MAX_STOP_STRINGS": str(_MAX_STOP_STRINGS),
        "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": str(_KEEP_ALIVE_SECONDS),
    }
    if settings["run.offline"]:
        variables |= {name: variable(name) or "1" for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")}
    if settings["compute.hf_home"]:
        variables["HF_HOME"] = str(Path(settings["compute.hf_home"]).expanduser())
    if settings["engine.batch_invariant"]:
        variables["VLLM_BATCH_INVARIANT"] = "1"
    if is_isolated:  # its parts look for each other on interfaces that are not there
        variables |= {"VLLM_HOST_IP": "127.0.0.1", "NCCL_SOCKET_IFNAME": "lo", "GLOO_SOCKET_IFNAME": "lo"}
    return variables


def process_environment(settings: Settings, variables: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, without keys and proxies, and with ``variables``."""
    dropped = {*(name.lower() for name in _NEVER_INHERITED), settings["engine.api_key_variable"].lower()}
    if settings["compute.hf_home"]:
        dropped.add("hf_hub_cache")  # it would win over HF_HOME, where the weights were staged
    kept = {name: value for name, value in os.environ.items() if name.lower() not in dropped}
    return {**kept, **variables}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return ""
    return str(value)
