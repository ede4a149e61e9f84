"""Program and test in one process, forked with every library of the environment in memory.

Theory of operation. Everything that this process says is a claim, and the nonce that stands in its last line is in its
memory, so it can be found by a program that looks for it: that takes frames, the collector or the process's own memory,
which ``tamper`` flags. What the process cannot do is to be believed without running to its end: the judge wants every
test by name, once, the evidence, and the nonce.

Lines: ``["load", reason]`` the program did not load · ``["test", name, outcome, seconds]`` · ``["evidence", level,
name]`` something was patched · ``["end", number of tests, nonce]``.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import named_calls, unittests
from .evidence import Evidence
from .keeper import Keeper

_SEEDS = ("random", "numpy")
_STYLES: Mapping[str, Callable[..., int]] = {"unittest": unittests.run, "calls": named_calls.run}


class Claims:
    """Writes lines to a descriptor with calls that were looked up before the sample ran."""

    def __init__(self, fd: int) -> None:
        write, dumps = os.write, json.dumps

        def say(*content: Any) -> None:
            data = (dumps(content) + "\n").encode("ascii")
            while data:
                data = data[write(fd, data) :]

        self.say = say


def run(keeper: Keeper, spec: Mapping[str, Any], flags: Sequence[Sequence[str]]) -> None:
    """Say one line with what the sample's process wrote."""

    def work(writers: Sequence[int]) -> None:
        os.setsid()
        null = os.open("/dev/null", os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.dup2(writers[0], 3)
        keeper.confine()
        os.closerange(4, 4096)
        _judged(spec, Claims(3), watches_returns=any("equality" in flag[1] for flag in flags))
        os._exit(0)

    ended = keeper.run(work, spec["seconds"], 1)
    keeper.say("claims", ended.outputs[0].text.decode("utf-8", "replace"), {**ended.facts(), "outputs": []})


def _judged(spec: Mapping[str, Any], claims: Claims, *, watches_returns: bool) -> None:
    os.environ.clear()
    os.environ.update(spec["variables"])
    sys.argv = [""]
    _seed()
    _forget_ourselves()
    evidence = Evidence(claims.say)
    leave = os._exit
    try:
        number = _STYLES[spec["style"]](spec, claims.say, evidence, watches_returns)
        evidence.compare()
        claims.say("end", number, spec["nonce"])
    except BaseException as error:
        claims.say("load", type(error).__name__[:60])
    leave(0)


def _seed() -> None:
    """As a fresh interpreter: two samples of one server must not draw the same numbers by accident, nor other ones in
    every run (the seed is fixed, as the hash seed is)."""
    for name in _SEEDS:
        module = sys.modules.get(name)
        if module is not None:
            (module.random.seed if name == "numpy" else module.seed)(0)


def _forget_ourselves() -> None:
    """What a sample could import and patch is not there by name."""
    for name in [name for name in sys.modules if name == "inside" or name.startswith("inside.")]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if path != "/box"]
    gc.enable()
