"""What a cell asks of a model, in the fields of ``keys.REQUEST_FIELDS``.

A field that does not apply is absent, so that a model which never thinks has the digests it always had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import keys
from ..benchmarks.declaration import Protocol
from ..config import Settings
from .cells import WantedCell, max_tokens_of, num_samples_of, protocol_for, sampling_of
from .model_items import WantedModel
from .models import WINDOW_TOKENS
from .task_sets import TaskSet, dataset_digest, prompts_digest

_VLLM_DTYPE = "bfloat16"
"""What our own vLLM computes in where the row says nothing else."""
_TEXTLESS_FLAGS = frozenset(
    (
        "gpu-memory-utilization",
        "max-num-seqs",
        "max-model-len",
        "swap-space",
        "disable-log-requests",
        "disable-log-stats",
    )
)
"""Flags of vLLM that change no text; every other one may, and enters the request."""


@dataclass(frozen=True)
class Terms:
    """What the settings say for every cell alike."""

    seed: int
    num_samples: int
    engine: str
    max_model_len: int = WINDOW_TOKENS
    engine_flags: Mapping[str, str] = field(default_factory=dict)
    is_batch_invariant: bool = False


def terms_of(settings: Settings) -> Terms:
    return Terms(
        seed=settings["run.seed"],
        num_samples=settings["run.num_samples"],
        engine=settings["engine.name"],
        max_model_len=settings["engine.max_model_len"],
        engine_flags=settings["engine.flags"],
        is_batch_invariant=settings["engine.batch_invariant"],
    )


def asked(model: WantedModel, cell: WantedCell, task_set: TaskSet, terms: Terms) -> dict[str, Any]:
    """Everything of a shard except its window of samples.

    NotStaged without the protocol's texts; UsageError for what ``wanted_of`` refuses as well.
    """
    protocol = protocol_for(model, cell)
    sampling = sampling_of(model, cell, protocol)
    window = model.model.window_tokens(terms.max_model_len, model.thinking)
    said = {**sampling, "max_tokens": max_tokens_of(sampling, protocol, window)}
    request = _request(model, task_set, protocol, said)
    request |= _thinking(model, request["temperature"]) | _engine(model, terms)
    request = {name: value for name, value in request.items() if value is not None}
    return {
        "stage": "generate",
        "benchmark": task_set.benchmark.name,
        "scenario": task_set.scenario,
        "dataset_version": task_set.version.name,
        "dataset_digest": request["dataset_digest"],
        "model": model.model.name,
        "protocol": protocol.name,
        "request": request,
        "request_digest": keys.request_digest(request),
        "comparability_digest": _comparability(request, task_set.scenario, window),
        "num_planned": num_samples_of(sampling, protocol, terms.num_samples),
        "seed": terms.seed,
        "engine": terms.engine,
        "parent_model": model.model.parent_model,
        "training_step": model.model.training_step,
    }


def _request(model: WantedModel, task_set: TaskSet, protocol: Protocol, sampling: Mapping[str, Any]) -> dict[str, Any]:
    temperature = float(sampling.get("temperature", protocol.temperature))
    return {
        "dataset_digest": dataset_digest(task_set.benchmark, task_set.version),
        "prompt_digest": prompts_digest(task_set, protocol),
        "templating_mode": protocol.mode_for(model.model.templating_mode),
        "protocol": protocol.name,
        "temperature": temperature,
        "top_p": float(sampling.get("top_p", protocol.top_p_at(temperature))),
        "top_k": sampling.get("top_k"),
        "min_p": _float(sampling.get("min_p")),
        "presence_penalty": float(sampling.get("presence_penalty", 0.0)),
        "frequency_penalty": float(sampling.get("frequency_penalty", 0.0)),
        "repetition_penalty": _float(sampling.get("repetition_penalty")),
        "max_tokens": sampling["max_tokens"],
        "stop": list(protocol.stop),
        "stop_acts": "answer" if "stop" in model.model.omits else protocol.stop_acts,
        "thinking": False,
        "model": model.model.name,
        "model_revision": model.model.revision,
        "weights_digest": model.model.weights_digest,
        "quantization": model.model.quantization,
        "dtype": model.model.dtype,
    }


def _float(value: float | None) -> float | None:
    """0 and 0.0 are one request."""
    return None if value is None else float(value)


def _thinking(model: WantedModel, temperature: float) -> dict[str, Any]:
    """The fields of a model that can think. Stop strings act on its answer: a server's would end the thinking."""
    row = model.model
    if not row.can_think:
        return {}
    if not model.thinking:
        return {"thinking_switch": dict(row.switch_off) or None, "strip_rule": row.strip_rule}
    return {
        "thinking": True,
        "thinking_switch": dict(row.switch_on) or None,
        "effort": row.effort,
        "thinking_budget": row.thinking_budget,
        "thinking_budget_end": row.thinking_budget_end,
        "strip_rule": row.strip_rule,
        "stop_acts": "answer",
        "resume_rule": "prefix" if temperature == 0 else "again",
    }


def _engine(model: WantedModel, terms: Terms) -> dict[str, Any]:
    """What of our own engine changes text. Of a server that others started nothing is known."""
    if terms.engine != "vllm":
        return {}
    flags = {**terms.engine_flags, **model.model.engine_flags}
    options: dict[str, Any] = {name: value for name, value in flags.items() if name not in _TEXTLESS_FLAGS}
    if terms.is_batch_invariant:
        options["batch_invariant"] = True
    return {"dtype": options.pop("dtype", None) or model.model.dtype or _VLLM_DTYPE, "engine_options": options or None}


def _comparability(request: Mapping[str, Any], scenario: str, window: int) -> str:
    """``effort`` and ``thinking_budget`` do not apply to most models: then they are empty, not unknown."""
    known = {"scenario": scenario, "window": window, "effort": "", "thinking_budget": 0}
    said = {name: request[name] for name in keys.COMPARABILITY_FIELDS if name in request}
    return keys.comparability_digest({**known, **said})
