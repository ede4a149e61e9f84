"""Benchmarks, one file each: a module of this folder that defines ``BENCHMARK`` joins the registry.

Adding one is a file here and a row in ``seeds/benchmarks.csv``. Benchmarks of one's own are declared by data among the
staged problems instead (``own``); they join when the settings say where those are (``adopt``).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ..errors import BadInput, NotStaged, UsageError
from ..names import did_you_mean
from ..schemas import BENCHMARKS
from .declaration import Benchmark
from .outside import is_outside, outside

__all__ = ["adopt", "declared", "registry", "resolve"]

_own: dict[str, Benchmark] = {}
"""Of the one datasets folder that a process works with."""


class _Registry(dict[str, Benchmark]):
    def __missing__(self, name: str) -> Benchmark:
        """A run, a lake or a row may name a benchmark of one's own that another machine has, or one outside."""
        if is_outside(name):
            return outside(name)
        raise NotStaged(
            f"there is no benchmark {name!r} here: one of your own lies in the datasets folder",
            "name that folder: --datasets DIR, or put the benchmark's folder into this one",
        )


def registry() -> Mapping[str, Benchmark]:
    """Benchmark key -> declaration: those of this folder, then those adopted. ``[]`` raises NotStaged for others."""
    return _Registry({**declared(), **_own})


def adopt(datasets_root: Path) -> None:
    """Let the benchmarks of one's own in this folder join the registry, in place of any adopted before.

    Raises BadInput for a declaration that cannot be read, or that has the name of a benchmark of ours.
    """
    from .own import declared_in

    found = {benchmark.name: benchmark for benchmark in declared_in(datasets_root)}
    for name in found:
        if _folded(name) in _declared_words():
            raise BadInput(
                f"{datasets_root / name} has the name of another benchmark", f"rename {datasets_root / name}"
            )
    _own.clear()
    _own.update(found)


@cache
def declared() -> Mapping[str, Benchmark]:
    """Benchmark key -> declaration, in the order of ``schemas.BENCHMARKS``, others by name; imported on first use."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    found = [module.BENCHMARK for module in modules if hasattr(module, "BENCHMARK")]
    for benchmark in found:
        _refuse_conflicts(benchmark)
    ranks = {name: rank for rank, name in enumerate(BENCHMARKS)}
    found.sort(key=lambda one: (ranks.get(one.name, len(ranks)), one.name))
    return {benchmark.name: benchmark for benchmark in found}


def resolve(name: str) -> tuple[Benchmark, tuple[str, ...]]:
    """Benchmark and scenarios that a word on the command line means.

    A benchmark's key means all its scenarios, an alias (``cruxeval_i``, ``mbpp+``) what its file says; case, ``-`` and
    ``_`` do not matter. Raises UsageError with the nearest known word.
    """
    words = {**_declared_words(), **{_folded(key): (own, own.scenarios) for key, own in _own.items()}}
    found = words.get(_folded(name))
    if found is not None:
        return found
    if is_outside(_folded(name)):
        return outside(_folded(name)), outside(_folded(name)).scenarios
    raise UsageError(
        f"there is no benchmark {name!r}{did_you_mean(_folded(name), words)}", f"one of {', '.join(registry())}"
    )


@cache
def _declared_words() -> Mapping[str, tuple[Benchmark, tuple[str, ...]]]:
    words: dict[str, tuple[Benchmark, tuple[str, ...]]] = {}
    for benchmark in declared().values():
        words[_folded(benchmark.name)] = (benchmark, benchmark.scenarios)
        for alias, scenario in benchmark.aliases.items():
            words[_folded(alias)] = (benchmark, (scenario,) if scenario else benchmark.scenarios)
    return words


def _folded(name: str) -> str:
    return name.strip().lower().replace("-", "_")


def _refuse_conflicts(benchmark: Benchmark) -> None:
    """A declaration that contradicts itself is a defect of its file: say so on the first import."""
    unknown = [scenario for scenario in benchmark.aliases.values() if scenario and scenario not in benchmark.scenarios]
    if unknown or set(benchmark.test_sets) != set(benchmark.scenarios):
        raise ValueError(f"{benchmark.name}: aliases and test sets must name its scenarios {benchmark.scenarios}")
