# every line here is one system call that can be named
# ruff: noqa: PTH103, PTH108, PTH118, PTH120, PTH123
"""Commands one after the other in a scratch of their own; the first that fails is the last.

``spec``: files (path -> text, slots filled), steps (name, argv, seconds, stdin, removes), variables.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from . import namespaces
from .keeper import Broken, Keeper


def run(keeper: Keeper, spec: Mapping[str, Any], flags: Any) -> None:
    """Say a line per step that ran."""
    for path, text in spec["files"].items():
        _put(path, text)
    for number, step in enumerate(spec["steps"]):
        for path in step["removes"]:
            os.unlink(path)
        command = _found(step["argv"][0], spec["variables"]["PATH"])
        ended = _started(keeper, command, step, spec["variables"])
        keeper.say("step", number, ended.facts())
        if ended.exit_code or ended.signal or ended.cause:
            return


def _started(keeper: Keeper, command: str, step: Mapping[str, Any], variables: Mapping[str, str]) -> Any:
    given = os.memfd_create("stdin")
    os.write(given, step["stdin"].encode())
    os.lseek(given, 0, os.SEEK_SET)

    def work(writers: Sequence[int]) -> None:
        os.setsid()
        os.dup2(given, 0)
        os.dup2(writers[0], 1)
        os.dup2(writers[1], 2)
        keeper.confine()
        os.closerange(3, 4096)
        os.execve(command, step["argv"], variables)

    try:
        return keeper.run(work, step["seconds"], 2)
    finally:
        os.close(given)


def _found(name: str, path: str) -> str:
    """A tool that is missing is the environment's fault; a program that was not built is the sample's."""
    if name.startswith("./"):
        return name
    found = shutil.which(name, path=path)
    if found is None:
        raise Broken(f"{name} is not there")
    return found


def _put(path: str, text: str) -> None:
    if path.startswith("/") or ".." in path.split("/"):
        raise Broken(f"a file of a task lies outside of its scratch: {path}")
    place = os.path.join(namespaces.WORK, path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8", errors="surrogatepass", newline="") as stream:
        stream.write(text)
