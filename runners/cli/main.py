"""Entry point. Commands are declared here and imported only when called: ``--help`` loads nothing heavy."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import click

from ... import __version__
from ...ingest.errors import BenchforgeError
from .console import out


@dataclass(frozen=True)
class Command:
    """One row of the stage table: where it lives, what it does, where it runs, whether it needs the internet."""

    module: str
    summary: str
    where: str
    is_online: bool = False


COMMANDS: Mapping[str, Command] = {
    "demo": Command("demo", "The whole road on bundled data: plan, generate, score, build, leaderboard.", "anywhere"),
    "plan": Command("plan", "Write the shards that are missing to the manifest.", "anywhere"),
    "stage": Command(
        "stage", "Put problem files, strings, harnesses and weights in place, all pinned.", "login node", True
    ),
    "ingest-problems": Command(
        "ingest_problems", "Take in dated problems of one's own, checked whole, as a new release.", "CPU node (Linux)"
    ),
    "generate": Command("generate", "Ask the model for the samples of pending shards.", "GPU node or any client"),
    "smoke": Command(
        "smoke", "Try the engine on a few tasks of each benchmark: ready or not.", "GPU node or any client"
    ),
    "import": Command("import_", "Take in recorded samples and published verdicts of others.", "anywhere"),
    "audit": Command("audit", "Say whether the score of a log is right, and if not, why.", "anywhere"),
    "export": Command("export", "Write samples and verdicts as EvalPlus and LiveCodeBench read them.", "anywhere"),
    "score": Command("score", "Grade samples in the sandbox.", "CPU node (Linux)"),
    "judge": Command("judge", "Grade rows that carry task and solution inline.", "CPU node (Linux)"),
    "sandbox-check": Command(
        "sandbox_check", "Say whether scoring is safe on this machine, layer by layer.", "CPU node (Linux)"
    ),
    "compact": Command("compact", "Many small parts of the lake into few.", "anywhere"),
    "verify": Command("verify", "Whether a run and its lake are what their writers left; --repair mends.", "anywhere"),
    "aggregate": Command("aggregate", "Rebuild every mart from the lake and print the leaderboard.", "anywhere"),
    "check": Command("check", "Hold marts and lake against each other: may this be published?", "anywhere"),
    "publish": Command("publish", "Results, leaderboard and page to the Hub, once checked.", "login node", True),
    "sql": Command("sql", "Ask the marts and the lake.", "anywhere"),
    "explain": Command("explain", "Every input of one number, and the SQL that gives it again.", "anywhere"),
    "diff": Command("diff", "Two lakes beside each other: rows, verdicts, numbers that moved.", "anywhere"),
    "compare": Command("compare", "Two models beside each other: is one better, where, why.", "anywhere"),
    "pull-image": Command("pull_image", "Fetch the engine image, or its fall-back.", "login node", True),
    "probe": Command("probe", "Facts of the cluster into ~/.benchforge.env; none is guessed.", "login node"),
    "submit": Command("submit", "Pending shards to SLURM, throttled to what is idle.", "login node"),
    "monitor": Command("monitor", "Keep the throttle at what is idle; measure what we get.", "login node"),
    "resubmit": Command("resubmit", "Submit again what is left; list what failed too often.", "login node"),
    "cancel": Command("cancel", "Take the run's jobs out of the queue.", "login node"),
    "status": Command("status", "What is planned, running, done.", "anywhere"),
}


class LazyGroup(click.Group):
    """Lists commands from the declaration and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        declared = COMMANDS.get(cmd_name)
        if declared is None:
            return None
        command = importlib.import_module(f".{declared.module}", __package__).command
        for option in command.params:
            if option.name.endswith("_"):  # a Python word, as format_: its variable has the option's name
                option.envvar = f"BENCHFORGE_{cmd_name}_{option.name.rstrip('_')}".upper().replace("-", "_")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, declared.summary) for name, declared in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"there is no command {args[0]!r}{_nearest(args[0])}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "BENCHFORGE"},
    epilog="Example: benchforge demo",
)
@click.version_option(__version__, "--version", prog_name="benchforge")
@click.option("-q", "--quiet", is_flag=True, help="No talk and no progress on stderr.")
def cli(quiet: bool) -> None:
    """Measure code LLMs; publish numbers that anyone can recompute."""
    out.is_quiet = quiet


def main() -> None:
    """Run the command line; expected errors become one sentence, a hint, and their exit code."""
    _fill_streams()
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; what was finished is kept", "run the same command again", 75)
    except BenchforgeError as error:
        _fail(error.message, error.hint, error.exit_code)
    except BrokenPipeError:
        sys.exit(0)  # the reader (head, less) has seen enough
    except OSError as error:
        _fail_on_disk(error)


def _fill_streams() -> None:
    """A closed descriptor would be taken by the next file opened, and what is told to nobody land in it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115


def _fail_on_disk(error: OSError) -> None:
    """Disks and paths are the user's to mend: one sentence, no traceback."""
    elsewhere = "give another folder with --scratch DIR or BENCHFORGE_SCRATCH=DIR"
    causes = {
        errno.ENOSPC: ("the disk is full", "free some space and run the same command again"),
        errno.EDQUOT: ("the quota is used up", "free some space and run the same command again"),
        errno.EROFS: ("the file system is read-only", elsewhere),
        errno.EACCES: ("permission is denied", elsewhere),
        errno.EPERM: ("permission is denied", elsewhere),
        errno.ENOTDIR: ("a file stands where a folder is needed", elsewhere),
        errno.EEXIST: ("a file stands where a folder is needed", elsewhere),
        errno.EBADF: ("standard input or output is not open for this", "redirect it"),
        errno.ENOENT: ("there is no such folder or file any more", "change into an existing folder, or name another"),
        errno.EISDIR: ("a folder stands where a file is needed", "give a file"),
        errno.ENAMETOOLONG: ("a name is too long for the file system", "shorten it"),
    }
    if error.errno not in causes:
        raise error
    sentence, hint = causes[error.errno]
    _fail(f"{sentence} ({error.filename or 'while writing'})", hint, 1)


def _fail(message: str, hint: str, exit_code: int) -> None:
    print(f"benchforge: {message}", file=sys.stderr)
    if hint:
        print(f"\nhint: {hint}", file=sys.stderr)
    sys.exit(exit_code)


def _nearest(word: str) -> str:
    import difflib

    close = difflib.get_close_matches(word, COMMANDS, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
