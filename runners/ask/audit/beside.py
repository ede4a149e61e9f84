"""Files named beside a log: scores that a tool states in a file of its own, and the samples that were to be graded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ....ingest.errors import BadInput, UsageError
from ....ingest.formats import Context, LogFacts, Record, registry
from ....ingest.formats.glimpse import look
from ....ingest.formats.recognise import formats_of
from ....ingest.recorded import Wanted, settled
from .evidence import Evidence, Key, key_of

_FROM_BESIDE = ("tool_version", "benchmark", "title", "model", "temperature", "top_p", "max_tokens", "num_samples")
_NUM_SHOWN = 5


@dataclass(frozen=True)
class Beside:
    """What the other files say: scores in percent, facts, texts by (task, sample)."""

    stated_scores: Mapping[str, float] = field(default_factory=dict)
    facts: tuple[LogFacts, ...] = ()
    texts: Mapping[Key, str] = field(default_factory=dict)
    text_form: str | None = None
    """Form of all of these texts, as the file that holds them has it."""


def sorted_out(files: Sequence[Path], wanted: Wanted) -> tuple[list[Path], Beside]:
    """Logs to audit, and what the other files say of them.

    A file of samples without verdicts is taken for the input of the results beside it, where there is one result file
    alone: it is not graded a second time. BadInput where no file holds samples, UsageError for a file named twice.
    """
    places = [path.resolve() for path in files]
    if again := next((path for place, path in enumerate(files) if path.resolve() in places[:place]), None):
        raise UsageError(f"{again} was named twice", "name each file once")
    known = _told_apart(files, wanted)
    logs: list[Path] = []
    scores: dict[str, float] = {}
    facts: list[LogFacts] = []
    for path in files:
        entry = registry().get(known[path])
        if entry is not None and not entry.has_samples:
            log = entry.log(path, Context("", ""))
            scores |= log.stated_scores
            facts.append(log.facts)
        else:
            logs.append(path)
    if not logs:
        shown = _shown(scores)
        raise BadInput(f"no file holds samples; stated is {shown}", "name the file with the samples as well")
    logs, rows = _without_inputs(logs, [known[path] for path in logs])
    texts = {key_of(row): row.text for row in rows if row.text is not None}
    form = next((row.text_form for row in rows), None)
    return logs, Beside(scores, tuple(facts), texts, form)


def _shown(scores: Mapping[str, float]) -> str:
    """The first few: a table of MultiPL-E states hundreds."""
    words = ", ".join(f"{name} {value:.2f}" for name, value in list(scores.items())[:_NUM_SHOWN])
    more = len(scores) - _NUM_SHOWN
    return f"{words} and {more} more" if more > 0 else words


def _told_apart(files: Sequence[Path], wanted: Wanted) -> dict[Path, str]:
    """File -> its format; rows that two tools write alike are of the tool whose results stand beside them."""
    found: dict[Path, str] = {}
    ambiguous: dict[Path, UsageError] = {}
    for path in files:
        try:
            found[path] = settled(path, wanted).format_name
        except UsageError as error:
            ambiguous[path] = error
    for path, error in ambiguous.items():
        names = {name.removesuffix("-graded") for name in found.values() if name.endswith("-graded")}
        fitting = {one.name for one in formats_of(look(path))} & names
        if len(fitting) != 1:
            raise error
        found[path] = fitting.pop()
    return found


def _without_inputs(logs: list[Path], names: list[str]) -> tuple[list[Path], tuple[Record, ...]]:
    """Of two logs of one tool, one with verdicts and one without: the first, and the samples of the second."""
    if len(logs) != 2:
        return logs, ()
    for place, pair in ((0, names), (1, names[::-1])):
        if pair[1] == f"{pair[0]}-graded":
            return [logs[1 - place]], tuple(registry()[pair[0]].log(logs[place], Context("", "")).records())
    return logs, ()


def joined(evidence: Evidence, beside: Beside, stated: Mapping[str, float]) -> Evidence:
    """The log with what the other files and the user say of it; where both speak, the log does.

    Results without texts get those of the samples beside them.
    """
    facts = evidence.facts
    for other in beside.facts:
        said = {name: getattr(other, name) for name in _FROM_BESIDE if getattr(facts, name) is None}
        notes = tuple(dict.fromkeys((*facts.notes, *other.notes)))
        facts = replace(facts, **said, notes=notes)
    scores = {**stated, **beside.stated_scores, **evidence.stated_scores}
    records = tuple(
        replace(one, text=text, text_form=beside.text_form)
        if one.text is None and (text := beside.texts.get(key_of(one))) is not None
        else one
        for one in evidence.records
    )
    return replace(evidence, facts=facts, records=records, stated_scores=scores, texts_beside=beside.texts)
