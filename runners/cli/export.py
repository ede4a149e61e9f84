"""``benchforge export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import out
from .options import settings_from, settings_options

_FORMATS = ("evalplus", "evalplus-graded", "livecodebench")
_EPILOG = "Example: benchforge export evalplus --benchmark humanevalplus --model org/name --output samples.jsonl"


@click.command(name="export", epilog=_EPILOG)
@click.argument("format_name", metavar="FORMAT", type=click.Choice(_FORMATS))
@click.option("--benchmark", required=True, help="Benchmark or scenario whose samples are wanted.")
@click.option("--model", required=True, help="<org>__<name>, <org>/<name> or a bare name.")
@click.option("--scenario", help="Which scenario, where the benchmark has several.")
@click.option("--request", "request_digest", help="Beginning of the request's digest, where the lake has several.")
@click.option("--grader", "grader_id", help="Beginning of the grader's id, where several judged.")
@click.option("--output", type=click.Path(path_type=Path), help="File to write; default: standard output.")
@settings_options
def command(format_name: str, output: Path | None, **options: Any) -> None:
    """Write samples and verdicts of the lake as other tools read them.

    FORMAT is evalplus (samples), evalplus-graded (eval_results.json) or livecodebench (…_eval_all.json).
    """
    from ...ingest.lake import Lake, replace_file
    from ...ingest.recorded.import_plan import Wanted, benchmark_and_scenario
    from ...ingest.recorded.rows import model_and_protocol
    from ..ask import export

    names = ("config", "scratch", "run_name", "lake", "datasets")
    lake = Lake(settings_from(**{name: options.pop(name) for name in names}).lake_root)
    benchmark, scenario = benchmark_and_scenario(
        Wanted(format_name, options["benchmark"], scenario=options["scenario"])
    )
    model, _ = model_and_protocol(options["model"])
    picked = export.chosen(lake, benchmark.name, scenario, model, options["request_digest"], options["grader_id"])
    if format_name == "livecodebench":
        key = [("benchmark", "=", benchmark.name), ("scenario", "=", scenario)]
        tasks = {row["task_id"]: row for row in lake.read("tasks", filters=key).to_pylist()}
        pieces = export.livecodebench(picked, tasks)
    else:
        pieces = (export.evalplus_samples if format_name == "evalplus" else export.evalplus_graded)(picked)
    text = "".join(pieces)
    if output is None:
        out.data(text)
    else:
        replace_file(output, text.encode("utf-8", "surrogatepass"))
        out.say(f"{output}: {len(picked.rows)} samples of {model} on {benchmark.name} {scenario}")
