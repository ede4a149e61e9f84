"""Names that the official harnesses take away from a sample, as facts: a program that needs one fails there, so here.

This is behaviour, not safety (safety is seccomp and Landlock): with ``os.fork`` set to None a program sees a TypeError.
The table follows evalplus 26d6d00 ``evalplus/eval/utils.py`` and CRUXEval 190faf1 ``evaluation/utils_execute.py``;
they differ in ``builtins.open`` alone. LiveCodeBench 28fef95 ``lcb_runner/evaluation/testing_util.py`` keeps ``exit``.
"""

from __future__ import annotations

import builtins
import faulthandler
import importlib.machinery
import os
import site
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

_OS = [
    "kill",
    "system",
    "putenv",
    "remove",
    "removedirs",
    "rmdir",
    "fchdir",
    "setuid",
    "fork",
    "forkpty",
    "killpg",
    "rename",
    "renames",
    "truncate",
    "replace",
    "unlink",
    "fchmod",
    "fchown",
    "chmod",
    "chown",
    "chroot",
    "lchflags",
    "lchmod",
    "lchown",
    "getcwd",
    "chdir",
]
_OF_MODULES: Mapping[str, Sequence[str]] = {"shutil": ("rmtree", "move", "chown"), "subprocess": ("Popen",)}
_BLOCKED_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")

BUILTINS_TAKEN: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "humaneval": ("exit", "quit", "help"),
    "evalplus": ("exit", "quit", "help", "open"),
    "livecodebench": ("quit", "help"),
}
"""Guard profile -> builtins set to None. ``none`` takes nothing away (programs that talk by stdin and stdout)."""


_taken_for: str | None = None


def apply(profile: str) -> None:
    """Take the profile's names and modules away from this process."""
    take_names(profile)
    if BUILTINS_TAKEN[profile]:
        for name in _BLOCKED_MODULES:
            sys.modules[name] = None  # type: ignore[assignment]


def take_names(profile: str) -> None:
    """Only the names, once: a server does it for all of its children. It needs the modules itself (``os.wait4``)."""
    global _taken_for
    if _taken_for == profile:
        return
    _taken_for = profile
    faulthandler.disable()
    site.setquit()  # the interpreter starts without site, and many programs end with exit()
    if not BUILTINS_TAKEN[profile]:
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in BUILTINS_TAKEN[profile]:
        setattr(builtins, name, None)
    for name in _OS:
        setattr(os, name, None)
    for name in _OF_MODULES:
        if name in sys.modules:
            _take(sys.modules[name])
    sys.meta_path.insert(0, _TakesAtImport())  # type: ignore[arg-type]  # duck-typed, as ever


def _take(module: ModuleType) -> None:
    for name in _OF_MODULES[module.__name__]:
        setattr(module, name, None)


class _TakesAtImport:
    """The same for a module that is imported later: loading all of them before the fork makes every fork dearer."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _OF_MODULES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def executed(module: ModuleType) -> None:
                execute(module)
                _take(module)

            spec.loader.exec_module = executed  # type: ignore[method-assign]
        return spec
