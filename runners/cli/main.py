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
from .manners import PREFIX, said_where, with_manners


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
    "report": Command("report", "Boards, pairs, curves and every sample as one folder of HTML.", "anywhere"),
    "explain": Command("explain", "Every input of one number, and the SQL that gives it again.", "anywhere"),
    "diff": Command("diff", "Two lakes beside each other: rows, verdicts, numbers that moved.", "anywhere"),
    "compare": Command("compare", "Two models beside each other: is one better, where, why.", "anywhere"),
    "completion": Command("completion", "What bash, zsh or fish sources to complete names.", "anywhere"),
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
        return with_manners(cmd_name, importlib.import_module(f".{declared.module}", __package__).command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, declared.summary) for name, declared in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from ...ingest.names import did_you_mean

            ctx.fail(f"there is no command {args[0]!r}{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


def misspelt_variables() -> list[tuple[str, str]]:
    """Variables of the environment that nothing reads, each with the known name that it is nearly spelled like."""
    given = [name for name in os.environ if name.startswith(f"{PREFIX}_")]
    if not given:
        return []
    from ...ingest.config import OPTIONS
    from ...ingest.names import near

    known = {option.environment for option in OPTIONS} | {f"{PREFIX}_QUIET"}
    if not known.issuperset(given):
        known |= set(variables())
    found = [(name, near(name, known, cutoff=0.9)) for name in given if name not in known]
    return [(name, guesses[0]) for name, guesses in found if guesses]


def variables() -> dict[str, tuple[str, str]]:
    """Variable -> command and option that it stands for; settings of several commands by one of them."""
    found: dict[str, tuple[str, str]] = {}
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        for option in command.params if command else ():
            if isinstance(option, click.Option) and isinstance(option.envvar, str):
                found[option.envvar] = (name, max(option.opts, key=len))
    return found


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: benchforge demo",
)
@click.version_option(__version__, "--version", prog_name="benchforge")
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    envvar=f"{PREFIX}_QUIET",
    show_envvar=True,
    help="No talk and no progress on stderr; also behind the command's name.",
)
def cli(quiet: bool) -> None:
    """Measure code LLMs; publish numbers that anyone can recompute."""
    out.is_quiet = quiet
    for name, meant in misspelt_variables():
        out.say(f"{name} is set, and nothing reads it; did you mean {meant}?")


def main() -> None:
    """Run the command line; expected errors become one sentence, a hint, and their exit code."""
    _fill_streams()
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        if isinstance(error, click.BadParameter):
            said_where(error)
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
        errno.EBUSY: ("something is mounted there or in use", "give another folder, one inside it for example"),
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
