"""Every finding, in the order in which one would mend them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ....ingest.errors import SandboxUnavailable
from ..door import Means
from ..sandbox.layers import needed
from . import machine, probes, sandboxes, suite
from .finding import FAIL, Finding


def all_findings(means: Means, *, is_quick: bool = False) -> Iterator[Finding]:
    """The machine, the modes, the layers of the mode asked for (or the best), then programs inside it.

    Where no sandbox starts, or a layer is missing that scoring insists on, no program is run: the findings end there.
    """
    yield from machine.findings()
    modes = sandboxes.modes()
    yield from sandboxes.mode_findings(modes, means.sandbox_mode)
    chosen = sandboxes.chosen(modes, means.sandbox_mode)
    if chosen is None:
        return
    yield from sandboxes.layer_findings(chosen)
    if not set(needed(chosen.name)) <= set(chosen.layers):
        return
    means = replace(means, sandbox_mode=chosen.name)
    try:
        yield from probes.findings(means)
        if not is_quick:
            yield from suite.findings(means)
    except SandboxUnavailable as error:
        yield Finding("programs inside", FAIL, error.message, "everything", error.hint)
