"""``benchforge demo``: the commands a user would type, one after the other, on bundled data."""

from __future__ import annotations

from pathlib import Path

import click

from .console import out

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What is to be asked: 40 small problems of forge_mini, ten recorded models.", ("plan",)),
    (
        "Ask: a local server answers from recorded exchanges. One model's recording is incomplete, on purpose.",
        ("generate",),
    ),
    ("Grade every program in the sandbox; the answers never enter it.", ("score",)),
    ("Rebuild every mart from the lake.", ("aggregate",)),
)

NEXT_COMMANDS: tuple[tuple[str, str], ...] = (
    ("why some numbers are missing", 'benchforge sql --run-name demo "select * from fct_refusals"'),
    (
        "which samples a better extraction would have saved",
        "benchforge sql --run-name demo \"select model, task_id from fct_sample_results where verdict = 'strict'\"",
    ),
    (
        "the published leaderboards of dozens of models, recomputed from recorded verdicts",
        "benchforge aggregate --recorded",
    ),
)


@click.command(name="demo", epilog="Example: benchforge demo")
@click.option("--scratch", type=click.Path(), help="Folder of the demo's run (default .benchforge).")
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
    for reason, line in NEXT_COMMANDS:
        out.say(f"  {line}\n      {reason}")


def _run(arguments: list[str]) -> None:
    from .main import cli

    cli.main(["--quiet", *arguments] if out.is_quiet else arguments, standalone_mode=False)


def _short(path: Path) -> str:
    """Relative to where the user stands, when it is below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
