"""The two runners by name; each looks at the program first, in a process that may break on it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import steps, tamper, warm
from .keeper import Keeper

_SCAN_SECONDS = 20.0
_NUM_FLAGS = 100


def _looked_at(keeper: Keeper, spec: Mapping[str, Any]) -> list[list[str]]:
    """Flags of the program's text. Parsing is done where hostile code is: a parser can be made to break."""

    def look(writers: Sequence[int]) -> None:
        keeper.confine()
        flags = tamper.flags_of(spec["sample"], spec.get("patterns"))
        data = json.dumps(flags[:_NUM_FLAGS]).encode()
        while data:
            data = data[os.write(writers[0], data) :]
        os._exit(0)

    ended = keeper.run(look, _SCAN_SECONDS, 1)
    try:
        flags = json.loads(ended.outputs[0].text)
    except ValueError:
        return [["tamper_risk", "cannot be looked at"]]
    return flags


def _with_flags(
    runner: Callable[[Keeper, Mapping[str, Any], Any], None],
) -> Callable[[Keeper, Mapping[str, Any]], None]:
    def run(keeper: Keeper, spec: Mapping[str, Any]) -> None:
        flags = _looked_at(keeper, spec) if spec["is_scanned"] else []
        keeper.say("flags", flags)
        runner(keeper, spec, flags)

    return run


RUNNERS: Mapping[str, Callable[[Keeper, Mapping[str, Any]], None]] = {
    "steps": _with_flags(steps.run),
    "warm": _with_flags(warm.run),
}
