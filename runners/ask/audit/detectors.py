"""Every detector by the cause it finds: what ``seeds/known_causes.csv`` marks as seen in a log."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import cache

from . import (
    causes_of_counts,
    causes_of_extraction,
    causes_of_graders,
    causes_of_prompts,
    causes_of_scores,
    causes_of_versions,
)
from .evidence import Detector, Evidence, Finding
from .known import known_causes

_MODULES = (
    causes_of_graders,
    causes_of_extraction,
    causes_of_prompts,
    causes_of_counts,
    causes_of_scores,
    causes_of_versions,
)


@cache
def detectors() -> Mapping[str, Detector]:
    """Cause -> detector: the functions named in the seed."""
    return {
        name: function
        for module in _MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and name in known_causes()
    }


def findings(evidence: Evidence) -> Iterator[Finding]:
    """What is found in a log, in the order of the causes' names."""
    for _, detector in sorted(detectors().items()):
        finding = detector(evidence)
        if finding is not None:
            yield finding
