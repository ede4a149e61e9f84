"""``benchforge completion``: what a shell sources to complete commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .console import out

_SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion", epilog="Example: benchforge completion bash >> ~/.bashrc")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print what SHELL sources to complete commands, options, benchmarks, models and saved questions.

    bash: append it to ~/.bashrc; zsh: to ~/.zshrc, below compinit; fish: to
    ~/.config/fish/completions/benchforge.fish.
    """
    from .main import cli

    found = get_completion_class(shell)
    assert found is not None, "click knows these three"
    out.data(found(cli, {}, "benchforge", "_BENCHFORGE_COMPLETE").source())
