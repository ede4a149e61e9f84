"""The README of each data set: front matter for the Hub, and prose whose numbers come from the marts beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from ... import __version__
from ..aggregate import opened
from . import picture
from .declared import LEADERBOARD, REPOSITORIES, RESULTS, config_of, destination
from .results_lake import Assembled

TEMPLATES = Path(__file__).parent / "cards"
PICTURE = "pictures/headline.png"
MAX_MODELS = 40
"""Rows of the card's table; the Space shows them all."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
          (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"))  # fmt: skip


@dataclass(frozen=True)
class Names:
    """Full names of the repositories."""

    results: str
    leaderboard: str
    space: str

    @classmethod
    def of(cls, namespace: str) -> Names:
        return cls(*(f"{namespace}/{name}" for name in REPOSITORIES))


def leaderboard_card(marts: Path, names: Names, results_tag: str) -> str:
    """Card of the leaderboard from the file of marts; ``results_tag`` is the revision it follows from."""
    rows = _rows(marts, "select * from headline")
    osi = {
        row["model"]: row["is_osi_approved"] for row in _rows(marts, "select model, is_osi_approved from dim_models")
    }
    to = destination(LEADERBOARD)
    table, note = headline_table(rows, {model for model, approved in osi.items() if approved})
    said = {
        "num_models": len({row["model"] for row in rows}),
        "num_cells": len(rows),
        "num_refusals": _rows(marts, "select count(*) as num from fct_refusals")[0]["num"],
        "picture": PICTURE,
        "table": table,
        "table_note": note,
        "query": _leaderboard_query(names.leaderboard),
        "configs": _listed(marts, to.files),
        "leaderboard": names.leaderboard,
        "results": names.results,
        "space": names.space,
        "tag": results_tag,
        "version": __version__,
    }
    configs = [_config(config_of(mart), f"{config_of(mart)}/{mart}.parquet", mart == to.default) for mart in to.files]
    front = {"license": "apache-2.0", "pretty_name": "benchForge leaderboard", **_common(len(rows)), "configs": configs}
    return _filled("leaderboard.md", front, said)


def results_card(folder: Path, marts: Path, assembled: Assembled, names: Names) -> str:
    """Card of the per-sample results: ``folder`` is assembled but for it."""
    configs = _configs_of_results(folder)
    first = next((config for config in configs if config.get("default")), None)
    said = {
        "num_samples": assembled.num_samples,
        "num_verdicts": assembled.num_verdicts,
        "num_texts": assembled.num_texts,
        "query": _results_query(names.results, first["data_files"][0]["path"] if first else "data/*/*/*.parquet"),
        "configs": "\n".join(f"| `{config['config_name']}` | {_what(config, marts)} |" for config in configs),
        "licences": _licences(folder),
        "leaderboard": names.leaderboard,
        "results": names.results,
        "version": __version__,
    }
    front = {
        "license": "other",
        "license_name": "facts-apache-2.0-texts-per-model",
        "license_link": f"https://huggingface.co/datasets/{names.results}#licences",
        "pretty_name": "benchForge results, per sample",
        **_common(assembled.num_samples),
        "configs": configs,
    }
    return _filled("results.md", front, said)


def headline_table(rows: Sequence[Mapping[str, Any]], approved: set[str]) -> tuple[str, str]:
    """Markdown table of models by benchmark cells, most cells and best mean first, and a note on what it leaves out."""
    cells = list(dict.fromkeys((row["benchmark"], row["scenario"]) for row in rows))
    by_model: dict[str, dict[tuple[str, str], Mapping[str, Any]]] = {}
    for row in rows:
        by_model.setdefault(row["model"], {})[row["benchmark"], row["scenario"]] = row
    ordered = sorted(by_model, key=lambda model: (-len(by_model[model]), -_mean(by_model[model]), model))
    lines = [
        f"| model | {' | '.join(picture.cell_title(*cell) for cell in cells)} |",
        f"| --- |{' ---: |' * len(cells)}",
    ]
    for model in ordered[:MAX_MODELS]:
        shown = [score_text(by_model[model].get(cell)) for cell in cells]
        lines.append(f"| {model.replace('__', '/')}{'' if model in approved else ' *'} | {' | '.join(shown)} |")
    left = len(ordered) - MAX_MODELS
    return "\n".join(lines), f" {left} more models are in `headline`." if left > 0 else ""


def score_text(row: Mapping[str, Any] | None) -> str:
    """``71.2 [64.1, 77.6]`` in percent."""
    if row is None:
        return "–"
    low, high = row["interval_low"], row["interval_high"]
    interval = "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{100 * row['score']:.1f}{interval}{'' if row['origin'] == 'self' else ' †'}"


def _leaderboard_query(repository: str) -> str:
    place = f"hf://datasets/{repository}"
    return (
        "select model, benchmark, scenario, round(100 * score, 1) as percent,\n"
        "    round(100 * interval_low, 1) as low, round(100 * interval_high, 1) as high,\n"
        "    rank_low, rank_high, is_osi_approved\n"
        f"from '{place}/headline/headline.parquet'\n"
        f"left join '{place}/models/dim_models.parquet' using (model)\n"
        "order by benchmark, scenario, percent desc, model"
    )


def _results_query(repository: str, path: str) -> str:
    return (
        "select model, scenario, protocol, temperature,\n"
        "    count(*) filter (where official_base_verdict = 'pass') as passed, count(grader_id) as judged\n"
        f"from 'hf://datasets/{repository}/{path}'\n"
        "group by all\n"
        "order by all"
    )


def _configs_of_results(folder: Path) -> list[dict[str, Any]]:
    configs = []
    for benchmark in sorted(path.name.removeprefix("benchmark=") for path in (folder / "data").glob("benchmark=*")):
        for mark, name in (("osi", benchmark), ("other", f"{benchmark}_other")):
            path = f"data/benchmark={benchmark}/model=*/part-{mark}-*.parquet"
            if any(folder.glob(path)):
                configs.append(_config(name, path, not configs))
    for table in ("tasks", "programs", "timings", "problem_means", "regrades", "runs"):
        if any((folder / table).rglob("*.parquet")):
            configs.append(_config(table, f"{table}/{'**/' if table != 'runs' else ''}*.parquet", False))
    for mart in destination(RESULTS).files:
        configs.append(_config(_config_of_mart(mart), f"marts/{mart}.parquet", False))
    return configs


def _config_of_mart(mart: str) -> str:
    """``tasks`` is a table of the lake already."""
    return mart if config_of(mart) == "tasks" else config_of(mart)


def _config(name: str, path: str, is_default: bool) -> dict[str, Any]:
    config: dict[str, Any] = {"config_name": name, "data_files": [{"split": "test", "path": path}]}
    return {**config, "default": True} if is_default else config


def _what(config: Mapping[str, Any], marts: Path) -> str:
    path, name = config["data_files"][0]["path"], config["config_name"]
    if path.startswith("data/"):
        of = "is not approved by the OSI, or not known" if name.endswith("_other") else "is approved by the OSI"
        return f"samples of models whose licence {of}"
    if path.startswith("marts/"):
        return _described(marts, [Path(path).stem])[Path(path).stem]
    from ...ingest.schemas import TABLES

    return TABLES[name].grain.rstrip(".")


def _listed(marts: Path, names: Sequence[str]) -> str:
    described = _described(marts, names)
    return "\n".join(f"| `{config_of(mart)}` | {described[mart]} |" for mart in names)


def _described(marts: Path, names: Sequence[str]) -> dict[str, str]:
    """First sentence of what the project says of a mart: it stands in the file."""
    query = (
        "select table_name as name, comment from duckdb_tables() where schema_name = 'main'"
        " union all select view_name, comment from duckdb_views() where schema_name = 'main'"
    )
    found = {row["name"]: " ".join((row["comment"] or "").split()) for row in _rows(marts, query)}
    return {name: found.get(name, "").partition(". ")[0].rstrip(".") for name in names}


def _licences(folder: Path) -> str:
    import duckdb

    files = sorted(map(str, (folder / "data").rglob("*.parquet")))
    if not files:
        return "| – | – | 0 | 0 | 0 | 0 |"
    query = (
        "select hub_license, osi_approved, count(distinct model), count(distinct sample_id), count(raw_text),"
        " count(text_withheld) from read_parquet($files, hive_partitioning = false) group by all order by 2 desc, 1"
    )
    with duckdb.connect() as connection:
        found = connection.execute(query, {"files": files}).fetchall()
    return "\n".join(
        f"| {name} | {'yes' if is_osi else 'no'} | {' | '.join(map(str, rest))} |" for name, is_osi, *rest in found
    )


def _common(num_rows: int) -> dict[str, Any]:
    size = next((name for limit, name in _SIZES if num_rows < limit), "100M<n<1B")
    tags = ["benchforge", "code", "leaderboard", "evaluation", "llm"]
    return {"language": ["en", "code"], "tags": tags, "size_categories": [size]}


def _mean(cells: Mapping[Any, Mapping[str, Any]]) -> float:
    return sum(row["score"] for row in cells.values()) / len(cells)


def _filled(template: str, front: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    head = yaml.safe_dump(dict(front), sort_keys=False, allow_unicode=True, width=120)
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return f"---\n{head}---\n\n{Template(text).substitute(said)}"


def _rows(marts: Path, query: str) -> list[dict[str, Any]]:
    with opened(marts) as connection:
        found = connection.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
