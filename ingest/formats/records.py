"""What every format reader gives: records of samples and verdicts, and what the file says about itself."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Judgement:
    """Somebody else's verdict on one part of the tests; ``reason`` is None where the file does not tell."""

    verdict: str
    reason: str | None = None


@dataclass(frozen=True)
class Record:
    """One recorded sample: its text as the file holds it, its verdicts by part (``base``, ``plus``), or both.

    ``line`` is where it stands in its file (a row counted from 1 in Parquet), None where the file has no lines.
    """

    task_id: str
    sample_index: int
    text: str | None = None
    text_form: str | None = None
    judgements: Mapping[str, Judgement] = field(default_factory=dict)
    completion_tokens: int | None = None
    line: int | None = None


@dataclass(frozen=True)
class TaskFacts:
    """What a file tells about a problem besides samples; used where the problems themselves are not staged."""

    source_problem: str | None = None
    stratum: str | None = None
    cluster: str | None = None
    contest_date: datetime.date | None = None


@dataclass(frozen=True)
class Recording:
    """A whole file. ``dataset`` is (benchmark, version) where the file proves it; scores are in percent."""

    records: tuple[Record, ...]
    dataset: tuple[str, str] | None = None
    stated_scores: Mapping[str, float] = field(default_factory=dict)
    task_facts: Mapping[str, TaskFacts] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a reader may need to know that the file does not say.

    ``prompts`` and ``inputs`` are by task id, None where the problems are not staged; ``text_form`` overrides the
    form that the format implies (a raw chat reply in a ``completion`` field).
    """

    benchmark: str
    scenario: str
    text_form: str | None = None
    prompts: Mapping[str, str] | None = None
    inputs: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Format:
    """One format of the registry: its reader, and one line for ``--help``."""

    name: str
    read: Callable[[Path, Context], Recording]
    description: str


@dataclass(frozen=True)
class ProblemMean:
    """A mean over the samples of one problem, in percent; the samples are not known. ``model`` is as the file says."""

    model: str
    protocol: str
    metric: str
    task_id: str
    source_problem: str
    percent: float
    num_samples: int | None = None
    stratum: str | None = None
    recorded_date: datetime.date | None = None


@dataclass(frozen=True)
class MeansFormat:
    """One format of means by problem: the reader gives every mean of every model of the file, and what it left out."""

    name: str
    read: Callable[[Path, Context], tuple[tuple[ProblemMean, ...], tuple[str, ...]]]
    description: str
