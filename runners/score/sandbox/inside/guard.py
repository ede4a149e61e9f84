"""Names that the official harnesses take away from a sample, as facts: a program that needs one fails there, so here.

This is behaviour, not safety (safety is seccomp and Landlock): with ``os.fork`` set to None a program sees a TypeError.
The table follows evalplus 26d6d00 ``evalplus/eval/utils.py`` and CRUXEval 190faf1 ``evaluation/utils_execute.py``;
they differ in ``builtins.open`` alone. LiveCodeBench 28fef95 ``lcb_runner/evaluation/testing_util.py`` keeps ``exit``.
"""

from __future__ import annotations

import builtins
import contextlib
import faulthandler
import importlib.machinery
import os
import site
import sys
from collections.abc import Iterator, Mapping, Sequence
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
_LENT: Mapping[str, Sequence[str]] = {
    "bz2": ("builtins.open",),
    "multiprocessing.process": ("os.getcwd",),
    "tarfile": ("builtins.open",),
    "tempfile": ("os.unlink",),
    "tokenize": ("builtins.open",),
}
"""Modules that use or keep a name while they are imported: the harnesses import them before they take it away."""
_BLOCKED_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")

BUILTINS_TAKEN: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "humaneval": ("exit", "quit", "help"),
    "evalplus": ("exit", "quit", "help", "open"),
    "livecodebench": ("quit", "help"),
}
"""Guard profile -> builtins set to None. ``none`` takes nothing away (programs that talk by stdin and stdout)."""


_taken_for: str | None = None
_taken: dict[str, Any] = {}
"""What was behind the names, to be lent."""


def apply(profile: str) -> None:
    """Take the profile's names and modules away from this process."""
    take_names(profile)
    if BUILTINS_TAKEN[profile]:
        for name in _BLOCKED_MODULES:
            sys.modules[name] = None  # type: ignore[assignment]
    if "tempfile" in sys.modules:
        _settle(sys.modules["tempfile"])


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
    for module, names in ((builtins, BUILTINS_TAKEN[profile]), (os, _OS)):
        for name in names:
            _taken[f"{module.__name__}.{name}"] = getattr(module, name, None)
            setattr(module, name, None)
    for name in _OF_MODULES:
        if name in sys.modules:
            _take(sys.modules[name])
    sys.meta_path.insert(0, _TakesAtImport())  # type: ignore[arg-type]  # duck-typed, as ever


def _take(module: ModuleType) -> None:
    for name in _OF_MODULES.get(module.__name__, ()):
        setattr(module, name, None)


@contextlib.contextmanager
def _lent(names: Sequence[str]) -> Iterator[None]:
    """Give names back that were taken, for a while."""
    owners = [(sys.modules[name.partition(".")[0]], name.partition(".")[2], name) for name in names if name in _taken]
    found = [getattr(module, attribute, None) for module, attribute, _ in owners]
    for module, attribute, name in owners:
        setattr(module, attribute, _taken[name])
    try:
        yield
    finally:
        for (module, attribute, _), value in zip(owners, found, strict=True):
            setattr(module, attribute, value)


def _settle(tempfile: ModuleType) -> None:
    """These harnesses have made a temporary folder before the guard: where it lies is known, and not looked for."""
    if _taken_for in ("evalplus", "humaneval") and tempfile.tempdir is None:
        with contextlib.suppress(OSError):
            tempfile.tempdir = _taken["os.getcwd"]()  # type: ignore[attr-defined]


class _TakesAtImport:
    """The same for a module that is imported later: loading all of them before the fork makes every fork dearer."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _OF_MODULES and name not in _LENT:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def executed(module: ModuleType) -> None:
                with _lent(_LENT.get(name, ())):
                    execute(module)
                _take(module)
                if name == "tempfile":
                    _settle(module)

            spec.loader.exec_module = executed  # type: ignore[method-assign]
        return spec
