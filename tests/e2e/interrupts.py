"""Runs a command again and again, Ctrl-C at chosen moments: one process that has imported everything, a fork for each.

A moment is a number of changes to the file system (a file opened to be written, renamed, made, removed) below a folder:
it is the same on a fast and on a loaded machine, and it is where something half-written would come from.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path

from benchforge.runners.cli.main import main

_CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.link", "os.truncate", "os.rmdir")


def watch(root: str, moment: int, seen: list[int]) -> None:
    """Count changes below ``root``; at the ``moment``-th the process interrupts itself, as a terminal would."""

    def is_below(path: object) -> bool:
        return isinstance(path, str | bytes | os.PathLike) and str(Path.cwd() / os.fsdecode(path)).startswith(
            root + "/"
        )

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[2], int):
            is_change = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        else:
            is_change = event in _CHANGES
        if is_change and any(map(is_below, arguments)):
            seen[0] += 1
            if seen[0] == moment:
                os.kill(os.getpid(), signal.SIGINT)

    sys.addaudithook(hook)


def forked(words: list[str], root: str, moment: int, folder: Path) -> dict[str, object]:
    """Exit code, what was said, and how many changes there were; moment 0: undisturbed."""
    told = folder / "told"
    pid = os.fork()
    if pid == 0:
        code = [98]
        try:
            _command(words, root, moment, told, code)
        except KeyboardInterrupt:
            pass  # it came when the command was over
        finally:
            os._exit(code[0])
    _, status = os.waitpid(pid, 0)
    said, _, changes = told.read_text().rpartition("\nchanges ")
    return {"code": os.waitstatus_to_exitcode(status), "said": said, "changes": int(changes or 0)}


def _command(words: list[str], root: str, moment: int, told: Path, code: list[int]) -> None:
    seen = [0]
    descriptor = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.argv = ["benchforge", *words]
    watch(root, moment, seen)
    code[0] = _exit_code()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(descriptor, f"\nchanges {seen[0]}".encode())


def _exit_code() -> int:
    try:
        main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        return 99
    return 0


if __name__ == "__main__":
    import duckdb  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    sys.modules["vl_convert"] = None  # pyright: ignore[reportArgumentType]  # charts of a report: 1.5 s, nothing to interrupt

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a caller in the background may have it ignored
    for line in sys.stdin:
        asked = json.loads(line)
        os.chdir(asked["folder"])
        answer = forked(asked["words"], asked["root"], asked["moment"], Path(asked["told"]))
        print(json.dumps(answer), flush=True)
