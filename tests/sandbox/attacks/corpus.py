"""All attacks by category, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import encoding, expressions, filesystem, network, parser_bomb, process, programs
from . import resource_exhaustion as resources
from . import verdict_forgery as forgery
from .attack import Attack

BY_CATEGORY: Mapping[str, Sequence[Attack]] = {
    "verdict_forgery": [*forgery.ATTACKS, *programs.ATTACKS, *expressions.ATTACKS],
    "filesystem": filesystem.ATTACKS,
    "network": network.ATTACKS,
    "process": process.ATTACKS,
    "encoding": encoding.ATTACKS,
    "parser_bomb": parser_bomb.ATTACKS,
    "resource_exhaustion": resources.ATTACKS,
}
