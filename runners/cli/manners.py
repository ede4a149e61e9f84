"""What every command has without saying so: ``--quiet``, a variable for each option, nearest names, completion.

The group gives it to a command when it is looked up, so that a command declares what is its own and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from .console import out

PREFIX = "BENCHFORGE"


class Setting(click.Option):
    """An option that is a setting of the run file as well: the settings read its variable, below the option itself."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        return None


class OneOf(click.Choice[str]):
    """A choice that answers a word it does not know with the nearest one it does."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        from ...ingest.names import did_you_mean

        said = super().get_invalid_choice_message(value, ctx)
        return said.rstrip(".") + did_you_mean(str(value), map(str, self.choices))


class Named(click.ParamType):
    """A text that names something; a shell completes it from ``names``."""

    name = "text"

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        self._names = names

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        folded = incomplete.lower().replace("/", "__")
        return [CompletionItem(name) for name in self._names() if name.lower().startswith(folded)]


def _benchmarks() -> list[str]:
    from ...ingest.benchmarks import registry

    return list(registry())


def _models() -> list[str]:
    from ...ingest.planning.seed_rows import read_models

    return list(read_models())


def _saved() -> list[str]:
    from ..ask.saved import FOLDER

    return sorted(path.stem for path in FOLDER.glob("*.sql"))


def _sandbox_modes() -> tuple[str, ...]:
    from ...ingest.schemas import SANDBOX_MODES

    return SANDBOX_MODES


COMPLETED: Mapping[str, Callable[[], Iterable[str]]] = {
    "--benchmark": _benchmarks,
    "benchmark": _benchmarks,
    "benchmarks": _benchmarks,
    "--model": _models,
    "model": _models,
    "a": _models,
    "b": _models,
    "--saved": _saved,
    "--sandbox-mode": _sandbox_modes,
    "--engine": lambda: ("endpoint", "vllm", "replay"),
}
"""Options and arguments whose values are names that we know, by how they are spelled."""


def with_manners(name: str, command: click.Command) -> click.Command:
    """The command of this name as users meet it; the same object, changed on the first call only."""
    if any(isinstance(option, click.Option) and "--quiet" in option.opts for option in command.params):
        return command
    for parameter in command.params:
        parameter.type = _type_of(parameter)
        if isinstance(parameter, click.Option):
            parameter.show_envvar = parameter.envvar is not None
            parameter.envvar = parameter.envvar or variable_of(name, parameter)
    command.epilog = f"{command.epilog}\n\n{_about_variables(command)}"
    command.params.append(_quiet())
    return command


def variable_of(command: str, option: click.Option) -> str:
    """``BENCHFORGE_SCORE_SHARD_ID`` for ``--shard-id`` of ``score``: named as the option is spelled."""
    spelled = max(option.opts, key=len).lstrip("-")
    return f"{PREFIX}_{command}_{spelled}".upper().replace("-", "_")


def _about_variables(command: click.Command) -> str:
    """One line instead of a bracket behind every option: the rule, by the last option that follows it."""
    ruled = [option for option in command.params if isinstance(option, click.Option) and not option.show_envvar]
    if not ruled:
        return "Every option is a variable of the environment, too."
    spelled = max(ruled[-1].opts, key=len)
    return f"Every option is a variable of the environment, too: {ruled[-1].envvar} is {spelled}."


def said_where(error: click.BadParameter) -> None:
    """A wrong value that came from the environment is said to: its variable, where the option was not typed."""
    from click.core import ParameterSource

    option, context = error.param, error.ctx
    if not isinstance(option, click.Option) or context is None or option.name is None:
        return
    if context.get_parameter_source(option.name) is ParameterSource.ENVIRONMENT:
        error.param_hint = str(option.envvar)


def _type_of(parameter: click.Parameter) -> click.ParamType:
    known = next((COMPLETED[word] for word in parameter.opts if word in COMPLETED), None)
    if known is not None and parameter.type is click.STRING:
        return Named(known)
    if type(parameter.type) is click.Choice:
        return OneOf(parameter.type.choices, parameter.type.case_sensitive)
    return parameter.type


def _quiet() -> click.Option:
    def hush(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        out.is_quiet = out.is_quiet or value

    return click.Option(
        ["-q", "--quiet"], is_flag=True, expose_value=False, callback=hush, help="No talk and no progress on stderr."
    )
