"""The interval of a mean over problems whose scores are any numbers from 0 to 1: means that others recorded.

Shapes: one score per problem, shape (N,); order never matters, because everything starts from the distinct scores with
their numbers. The samples behind a score are not known, so nothing can be said of the noise of sampling.

Sources: Owen 1988; Chen, Variyath, Abraham 2008 (empirical likelihood with pseudo observations); Clopper, Pearson 1934.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from . import estimators
from .estimators import FEW_CLUSTERS, FEW_FAILURES, SMALL_N, Interval


def interval_of_mean(scores: ArrayLike, clusters: Sequence[str | None] | None = None) -> Interval | None:
    """The interval with the best measured coverage for problems like these; None for no problem.

    EL-half, from 20 known clusters on with their design effect; all problems at 0 or at 1: Clopper-Pearson. Limits lie
    on the grid 1e-6. ``clusters`` gives one label per score; None in it means that the design is not known: problems
    stand alone then. Raises ValueError for a score outside 0 … 1.
    """
    values = np.asarray(scores, dtype=float)
    if not len(values):
        return None
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("a score is not between 0 and 1")
    labels = None if clusters is None or None in clusters else clusters
    num_clusters = len(set(labels)) if labels else 0
    is_clustered = FEW_CLUSTERS <= num_clusters < len(values)
    flags = _flags(values, num_clusters)
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) == 1 and distinct[0] in (0.0, 1.0):
        num_units = num_clusters if is_clustered else len(values)
        limits = estimators.all_or_none(num_units, is_all=bool(distinct[0]))
        return Interval(*estimators.on_grid(*limits), "clopper_pearson", flags)
    if not is_clustered or labels is None:
        return Interval(*estimators.el_half(distinct, counts, is_on_grid=True), "el_half", flags)
    deff = estimators.design_effect(values, labels)
    limits = estimators.el_half(distinct, counts, deff=deff, num_clusters=num_clusters, is_on_grid=True)
    return Interval(*limits, "el_half_clustered", flags)


def _flags(values: np.ndarray, num_clusters: int) -> tuple[str, ...]:
    """What a reader should know: ``few_failures`` where fewer than 3 problems are below 1, or above 0."""
    is_few = min((values < 1).sum(), (values > 0).sum()) < FEW_FAILURES
    raised = {
        "few_clusters": 0 < num_clusters < FEW_CLUSTERS,
        "few_failures": is_few,
        "small_n": len(values) < SMALL_N,
    }
    return tuple(flag for flag, is_raised in raised.items() if is_raised)
