"""Which gap between two models can a benchmark see: before looking, from medians over other pairs.

    gap(N, n) = (c + .841621) sqrt((V_data + V_prediction / n) / N)        power .8

c is 1.96 for one pair chosen in advance, Tukey's constant for all pairs of a board. The variances are medians over the
comparable pairs of the benchmark, never those of the pair in question: power from the observed difference is circular
(Hoenig, Heisey 2001). With one sample a problem only their sum is known, the share of discordant problems, and how more
samples would help cannot be said.
"""

from __future__ import annotations

import math

from . import families

POWER_QUANTILE = 0.8416212335729143
"""80 % quantile of the standard normal law: the gap is seen on four of five boards."""


def gap(
    num_problems: int, num_samples: int, v_data: float | None, v_prediction: float | None, num_models: int = 2
) -> float | None:
    """Difference of mean scores that N problems with n samples each show with power .8, on a board of M models.

    ``v_data``, ``v_prediction``: variance of one problem's difference between problems, and of one sample's given the
    problem (:class:`benchforge.macros.boards.Board`); None where they are unknown. ``num_models`` 2: one pair.
    """
    if v_data is None or v_prediction is None or num_problems < 1 or num_samples < 1:
        return None
    return _gap(num_problems, max(v_data, 0.0) + v_prediction / num_samples, num_models)


def gap_of_one_sample(num_problems: int, share_discordant: float, num_models: int = 2) -> float:
    """The same where n = 1: the variance is the share of discordant problems, and there is no curve in n."""
    return _gap(num_problems, share_discordant, num_models)


def _gap(num_problems: int, variance: float, num_models: int) -> float:
    return (families.tukey_constant(num_models) + POWER_QUANTILE) * math.sqrt(variance / num_problems)
