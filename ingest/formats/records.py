"""What every format reader gives: records of samples and verdicts, and what the file says about itself."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput

if TYPE_CHECKING:
    from .glimpse import Glimpse


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
    program: str | None = None
    """What the tool executed, where the log holds it beside a ``text`` that is something else."""
    prompt: str | None = None
    finish_reason: str | None = None
    """As the server said, in the tool's words."""
    task_score: float | None = None
    """From 0 to 1 where there is no verdict: the mean over the task's samples (theirs are lost), or partial credit."""
    task_facts: TaskFacts | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What the tool says of this sample and no other field holds, under the tool's own names."""


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
    facts: LogFacts = field(default_factory=lambda: LogFacts())


@dataclass(frozen=True)
class LogFacts:
    """What a log says about itself as a whole; None is not said there, and stays unknown."""

    tool: str | None = None
    tool_version: str | None = None
    benchmark: str | None = None
    """A word that ``--benchmark`` takes, where the log leaves no doubt; else None."""
    title: str | None = None
    """The benchmark or task in the tool's own words."""
    scenario: str | None = None
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    num_tasks: int | None = None
    """Tasks that the log says it is about, which need not be those that it holds."""
    num_samples: int | None = None
    """Samples in all that the log says it is about."""
    recorded_at: str | None = None
    dataset_hash: str | None = None
    is_by_position: bool = False
    """Task ids are places in the tool's own order: the log names no task."""
    notes: tuple[str, ...] = ()
    """Sentences that whoever reads the log should know."""


@dataclass(frozen=True)
class Log:
    """A log opened: facts and stated scores (percent) at once, records read anew from the file at every call."""

    records: Callable[[], Iterator[Record]]
    facts: LogFacts = field(default_factory=LogFacts)
    stated_scores: Mapping[str, float] = field(default_factory=dict)
    dataset: tuple[str, str] | None = None

    def recording(self) -> Recording:
        """All of it in memory: what an import writes as one shard."""
        records = tuple(self.records())
        task_facts = {one.task_id: one.task_facts for one in records if one.task_facts is not None}
        return Recording(records, self.dataset, self.stated_scores, task_facts, self.facts)


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
    """One format of the registry: its reader, one line for ``--help``, and how a file of it is told by its content.

    ``open`` reads record by record in bounded memory; a format without it is small enough to be read whole.
    """

    name: str
    read: Callable[[Path, Context], Recording]
    description: str
    tool: str = ""
    recognises: Callable[[Glimpse], bool] = lambda glimpse: False
    open: Callable[[Path, Context], Log] | None = None
    benchmarks: tuple[str, ...] = ()
    """Where two formats read one file, the benchmark named decides: those of this one."""
    has_samples: bool = True
    """False: the file states scores, and holds no sample."""
    judges_parts: bool = False
    """Verdicts are on base and extra tests apart. Else one is on whatever the tool ran, which is no base verdict."""

    def log(self, path: Path, context: Context) -> Log:
        """The file opened. BadInput as the reader raises it; of the records, as they are read.

        Readers take values as they stand; here a field of another type than declared is refused, a fact left out.
        """
        if self.open is not None:
            log = self.open(path, context)
        else:
            recording = self.read(path, context)
            facts = recording.facts if recording.facts.tool else LogFacts(tool=self.tool or None)
            log = Log(lambda: iter(recording.records), facts, recording.stated_scores, recording.dataset)
        records = log.records
        scores = {name: value for name, value in log.stated_scores.items() if math.isfinite(value)}
        return replace(
            log, records=lambda: _typed(path, self.name, records()), facts=_typed_facts(log.facts), stated_scores=scores
        )


@dataclass(frozen=True)
class TableFormat:
    """One format of tables: how often each of many models solved each problem."""

    name: str
    description: str
    tool: str
    recognises: Callable[[Glimpse], bool]


def log_format(
    name: str,
    open_: Callable[[Path, Context], Log],
    description: str,
    *,
    tool: str,
    recognises: Callable[[Glimpse], bool],
    benchmarks: tuple[str, ...] = (),
    has_samples: bool = True,
    judges_parts: bool = False,
) -> Format:
    """A format that is read record by record; whatever shape a file turns out to have, it ends in one sentence."""

    def guarded(path: Path, context: Context) -> Log:
        with _one_sentence(path, name):
            log = open_(path, context)
        return replace(log, records=lambda: _guarded_records(path, name, log))

    def read(path: Path, context: Context) -> Recording:
        return guarded(path, context).recording()

    return Format(name, read, description, tool, recognises, guarded, benchmarks, has_samples, judges_parts)


def _guarded_records(path: Path, name: str, log: Log) -> Iterator[Record]:
    with _one_sentence(path, name):
        yield from log.records()


@contextmanager
def _one_sentence(path: Path, name: str) -> Iterator[None]:
    """Others change their shapes without a word: a field that is gone, or of another type, is no defect of ours."""
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise BadInput(
            f"{path} is not shaped like {name} ({what})", "check that the format named fits the file, or use auto"
        ) from error


_TEXTS = ("text", "program", "prompt", "finish_reason")


def _typed(path: Path, name: str, records: Iterator[Record]) -> Iterator[Record]:
    """BadInput for the first record with a field that is not of its type, or a score that is none."""
    for record in records:
        odd = next((one for one in _TEXTS if not isinstance(getattr(record, one), str | None)), None)
        if not isinstance(record.completion_tokens, int | None):
            odd = "completion_tokens"
        if record.task_score is not None and not 0 <= record.task_score <= 1:
            odd = "task_score"
        if odd is not None:
            value = f"{getattr(record, odd)!r:.40}"
            raise BadInput(
                f"{path}: {odd} of sample {record.sample_index} of {record.task_id} is {value}: not shaped like {name}",
                "check that the format named fits the file",
            )
        yield record


_NUMBERS_OF_FACTS = ("temperature", "top_p", "max_tokens", "num_tasks", "num_samples")
_TEXTS_OF_FACTS = ("tool_version", "benchmark", "title", "scenario", "model", "recorded_at", "dataset_hash")


def _typed_facts(facts: LogFacts) -> LogFacts:
    """What a log says of itself in another type than declared is not said."""
    odd = [one for one in _TEXTS_OF_FACTS if not isinstance(getattr(facts, one), str | None)]
    odd += [one for one in _NUMBERS_OF_FACTS if not isinstance(getattr(facts, one), int | float | None)]
    return replace(facts, **dict.fromkeys(odd)) if odd else facts


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
    tool: str = ""
    recognises: Callable[[Glimpse], bool] = lambda glimpse: False
