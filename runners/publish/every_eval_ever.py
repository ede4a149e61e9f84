"""The same numbers as records of Every Eval Ever, for its data store.

Schema 0.3.0, evaleval/every_eval_ever@9bce413 ``every_eval_ever/schemas/eval.schema.json``: one record per model with
all of its results, at ``data/<collection>/<developer>/<model>/<uuid>.json``. A record is an export beside the three
repositories and is sent to nobody: the store takes pull requests, which people open.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ... import __version__
from ..aggregate import opened

SCHEMA_VERSION = "0.3.0"
COLLECTION = "benchforge"
_ROWS = """
select
    leaderboard.*,
    dim_models.hub_id,
    dim_models.model_revision,
    dim_models.is_osi_approved,
    benchmarks.hub_id as benchmark_hub_id,
    benchmarks.title
from leaderboard
left join dim_models using (model)
left join (
    select benchmark, dataset_version, any_value(hub_id) as hub_id, any_value(title) as title
    from dim_benchmarks group by all
) as benchmarks using (benchmark, dataset_version)
where verdict = 'official' and scope = 'all' and metric like 'pass@%'
order by model, benchmark, scenario, test_set, metric, comparability_digest, origin
"""


def export(marts: Path, folder: Path, organization: str, results: str) -> list[Path]:
    """Write one record per model of the leaderboard below ``folder``; returns the paths.

    ``results`` is the repository that everything can be recomputed from. Equal numbers have the same file names.
    """
    by_model: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(marts):
        by_model.setdefault(row["model"], []).append(row)
    moment, paths = f"{time.time():.0f}", []
    for model, rows in by_model.items():
        record = _record(model, rows, organization, results, moment)
        developer, _, name = model.partition("__")
        path = folder / "data" / COLLECTION / developer / name / f"{uuid.uuid5(uuid.NAMESPACE_URL, model)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def _record(
    model: str, rows: Sequence[Mapping[str, Any]], organization: str, results: str, moment: str
) -> dict[str, Any]:
    is_ours = any(row["origin"] == "self" for row in rows)
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"{COLLECTION}/{model}/{moment}",
        "retrieved_timestamp": moment,
        "source_metadata": {
            "source_name": "benchForge leaderboard",
            "source_type": "evaluation_run" if is_ours else "documentation",
            "source_organization_name": organization,
            "source_organization_url": f"https://huggingface.co/{organization}",
            "evaluator_relationship": "third_party",
            "additional_details": {"results": f"https://huggingface.co/datasets/{results}"},
        },
        "eval_library": {"name": "benchforge", "version": __version__},
        "model_info": _model(model, rows[0]),
        "evaluation_results": [_result(row) for row in rows],
    }


def _model(model: str, row: Mapping[str, Any]) -> dict[str, Any]:
    is_known = row["hub_id"] is not None
    details = {
        "deployment_type": "self_deployed" if row["origin"] == "self" and is_known else "unknown",
        "model_availability": "open_weights" if is_known else "unknown",
        **({"revision": row["model_revision"]} if row["model_revision"] else {}),
        **({"osi_approved": str(row["is_osi_approved"]).lower()} if row["is_osi_approved"] is not None else {}),
    }
    named = row["hub_id"] or model.replace("__", "/")
    return {"name": model, "id": named, "developer": named.partition("/")[0], "additional_details": details}


def _result(row: Mapping[str, Any]) -> dict[str, Any]:
    name = ".".join(str(row[part]) for part in ("benchmark", "scenario", "test_set"))
    config = {
        "temperature": row["temperature"],
        **({"top_p": row["top_p"]} if row["top_p"] is not None else {}),
    }
    return {
        "evaluation_result_id": "/".join([name, row["metric"], row["comparability_digest"][:16], row["origin"]]),
        "evaluation_name": name,
        "source_data": _dataset(row),
        "metric_config": {
            "evaluation_description": f"Problems solved, {row['num_planned']} samples each, official verdict.",
            "metric_id": "pass_at_k",
            "metric_name": row["metric"],
            "metric_kind": "pass_rate",
            "metric_unit": "proportion",
            "metric_parameters": {"k": row["k"]},
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": 0.0,
            "max_score": 1.0,
        },
        "score_details": {"score": row["score"], "details": _details(row), "uncertainty": _uncertainty(row)},
        "generation_config": {"generation_args": config, "additional_details": {"protocol": str(row["protocol"])}},
    }


def _dataset(row: Mapping[str, Any]) -> dict[str, Any]:
    details = {"dataset_version": str(row["dataset_version"])}
    if row["benchmark_hub_id"] is None:
        return {"dataset_name": row["benchmark"], "source_type": "other", "additional_details": details}
    return {
        "dataset_name": row["title"] or row["benchmark"],
        "source_type": "hf_dataset",
        "hf_repo": row["benchmark_hub_id"],
        "samples_number": row["num_problems"],
        "additional_details": details,
    }


def _details(row: Mapping[str, Any]) -> dict[str, str]:
    """Texts only, as the schema asks: what an own number needs in order to be judged."""
    names = ("origin", "trust_tier", "source", "grader_id", "estimand", "num_problems", "num_planned", "num_samples",
             "num_passed", "comparability_digest")  # fmt: skip
    return {name: str(row[name]) for name in names if row[name] is not None}


def _uncertainty(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["interval_low"] is None or row["interval_high"] is None:
        return {"num_samples": row["num_samples"]}
    interval = {
        "lower": row["interval_low"],
        "upper": row["interval_high"],
        "confidence_level": 0.95,
        "method": row["interval_method"],
    }
    return {"confidence_interval": interval, "num_samples": row["num_samples"]}


def _rows(marts: Path) -> list[dict[str, Any]]:
    with opened(marts) as connection:
        found = connection.execute(_ROWS)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
