"""``benchforge demo``: the commands a user would type, one after the other, on bundled data."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from .console import out

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What is to be asked: the problems of forge_mini, of ten made-up models.", ("plan",)),
    (
        "Ask: a local server answers from recorded exchanges; one model's recording lacks answers, on purpose.",
        ("generate",),
    ),
    ("Grade every program in the sandbox; the answers never enter it.", ("score",)),
    ("Rebuild every mart from the lake.", ("aggregate",)),
)

NEXT_COMMANDS: tuple[tuple[str, str], ...] = (
    (
        "why numbers are missing",
        'sql --run-name demo "select distinct model, metric, reason, detail from fct_refusals"',
    ),
    (
        "samples that a better extraction of the program saves",
        "sql --run-name demo \"select model, task_id, sample_index from fct_sample_results where test_set = 'plus'"
        " group by all having bool_or(is_passed and verdict = 'strict')"
        " and not bool_or(is_passed and verdict = 'official')\"",
    ),
    ("published leaderboards of dozens of models, recomputed from recorded verdicts", "aggregate --recorded"),
)


@click.command(name="demo", epilog="Example: benchforge demo")
@click.option("--scratch", type=click.Path(), help="Folder of the demo's run (default: .benchforge).")
def command(scratch: str | None) -> None:
    """Run the whole road offline on bundled data and print the leaderboard with intervals."""
    from ...ingest.bundled import DEMO_RUN_FILE
    from ...ingest.errors import Incomplete

    for sentence, words in STEPS:
        arguments = [*words, "--config", str(DEMO_RUN_FILE), *(["--scratch", scratch] if scratch else [])]
        out.say(f"\n── {sentence}\n   $ benchforge {' '.join(words)} --config {_short(DEMO_RUN_FILE)}")
        try:
            _run(arguments)
        except Incomplete as expected:
            out.say(f"   {expected.message}")
    out.say("\nWorth trying next:")
    for reason, words in NEXT_COMMANDS:
        where = f" --scratch {scratch}" if scratch and words.startswith("sql") else ""
        out.say(f"  {_program()} {words}{where}\n      {reason}")


def _program() -> str:
    """How the reader calls us: by name where the shell finds it, else by its path in the virtual environment."""
    return "benchforge" if shutil.which("benchforge") else _short(Path(sys.executable).with_name("benchforge"))


def _run(arguments: list[str]) -> None:
    from .main import cli

    cli.main(["--quiet", *arguments] if out.is_quiet else arguments, standalone_mode=False)


def _short(path: Path) -> str:
    """Relative to where the user stands, when it is below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
