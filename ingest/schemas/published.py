"""Rows of a published lake: what ``samples`` and ``results`` hold of one sample and grader, side by side.

Both tables have a ``source`` and a ``shard_id`` of their own. ``source`` and ``shard_id`` of a published row are those
of the sample, and the verdict's stand under names of their own.
"""

from __future__ import annotations

from .columns import Column, Table, column, optional
from .tables import RESULTS, SAMPLES

PUBLISHED_ONLY: tuple[Column, ...] = (
    optional("verdict_source", "text", "source of the verdict: repository@commit where somebody else judged."),
    optional("verdict_shard_id", "text", "Shard that wrote the verdict."),
    column("hub_license", "text", "Licence of the model as the Hub names it; unknown: no row in seeds/models.csv."),
    column("osi_approved", "bool", "True only where the model's licence is known to be approved by the OSI."),
    optional("text_digest", "text", "sha256 of raw_text (UTF-8); there also where the text is withheld."),
    optional("text_withheld", "text", "Why raw_text, reasoning and answer are not here: licence or sensitive."),
)
"""Columns that no table of an unpublished lake has. Lakes that were published without them (the bundled one) have one
``source``, of the sample and of its verdict: they are known by an ``osi_approved`` that is NULL."""

TEXTS_WITHHELD = ("licence", "sensitive")


def _columns() -> tuple[Column, ...]:
    """Samples first, then what the verdict adds: all of it optional, for a sample may wait for its verdict."""
    known = {each.name for each in SAMPLES.columns}
    verdicts = (optional(each.name, each.type, each.meaning, each.unit) for each in RESULTS.columns)
    return (*SAMPLES.columns, *(each for each in verdicts if each.name not in known), *PUBLISHED_ONLY)


PUBLISHED = Table(
    "published",
    "One row per sample and grader: the sample, its verdict, the terms of its model.",
    ("benchmark", "model"),
    ("sample_id", "grader_id"),
    _columns(),
)
"""No table of a lake: it stands for ``samples`` and ``results`` in the published form."""
