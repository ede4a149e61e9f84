"""``score`` does one of four things; an option that the one asked for has no use for is refused, never ignored."""

from __future__ import annotations

from collections.abc import Mapping

import click
from click.core import ParameterSource

SCORE, GOLD, REGRADE, CROSS_CHECK = "scoring", "--gold", "--regrade", "--cross-check"

_MODES: Mapping[str, str] = {"gold": GOLD, "regrade": REGRADE, "cross_check": CROSS_CHECK}
_TAKEN_BY: Mapping[str, tuple[str, ...]] = {
    "shard_ids": (SCORE, REGRADE, CROSS_CHECK),
    "models": (SCORE, REGRADE, CROSS_CHECK),
    "resume": (SCORE,),
    "force": (SCORE,),
    "limit_factor": (SCORE, GOLD, REGRADE),
    "unsafe": (SCORE, GOLD, REGRADE),
    "dry_run": (SCORE, REGRADE),
    "harness": (CROSS_CHECK,),
    "harness_python": (CROSS_CHECK,),
}
"""Options by name of parameter; those that are not here have a meaning everywhere."""


def refuse_what_has_no_meaning(context: click.Context) -> None:
    """Raises UsageError for two things asked for at once, and for an option of another one on the command line."""
    from ...ingest.errors import UsageError

    modes = [word for name, word in _MODES.items() if context.params[name]]
    if len(modes) > 1:
        raise UsageError(f"{' and '.join(modes)} are two runs; ask for one at a time", "benchforge score --help")
    mode = modes[0] if modes else SCORE
    spelled = {option.name: option.opts[0] for option in context.command.params}
    for name, taken_by in _TAKEN_BY.items():
        if mode not in taken_by and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(_sentence(spelled[name], mode, taken_by), "benchforge score --help")


def _sentence(option: str, mode: str, taken_by: tuple[str, ...]) -> str:
    if mode == SCORE:
        return f"{option} has a meaning only beside {' or '.join(taken_by)}"
    return f"{option} has no meaning beside {mode}; leave one of them out"
