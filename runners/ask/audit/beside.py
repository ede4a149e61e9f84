"""Files named beside a log: scores that a tool states in a file of its own, and the samples that were to be graded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ....ingest.errors import BadInput
from ....ingest.formats import Context, LogFacts, registry
from ....ingest.recorded import Wanted, settled
from .evidence import Evidence, Key, key_of

_FROM_BESIDE = ("tool_version", "benchmark", "title", "model", "temperature", "top_p", "max_tokens", "num_samples")


@dataclass(frozen=True)
class Beside:
    """What the other files say: scores in percent, facts, texts by (task, sample)."""

    stated_scores: Mapping[str, float] = field(default_factory=dict)
    facts: tuple[LogFacts, ...] = ()
    texts: Mapping[Key, str] = field(default_factory=dict)


def sorted_out(files: Sequence[Path], wanted: Wanted) -> tuple[list[Path], Beside]:
    """Logs to audit, and what the other files say of them.

    A file of samples without verdicts is taken for the input of the results beside it, where there is one result file
    alone: it is not graded a second time. BadInput where no file holds samples.
    """
    logs: list[Path] = []
    scores: dict[str, float] = {}
    facts: list[LogFacts] = []
    for path in files:
        entry = registry().get(settled(path, wanted).format_name)
        if entry is not None and not entry.has_samples:
            log = entry.log(path, Context("", ""))
            scores |= log.stated_scores
            facts.append(log.facts)
        else:
            logs.append(path)
    if not logs:
        shown = ", ".join(f"{name} {value:.2f}" for name, value in scores.items())
        raise BadInput(f"no file holds samples; stated is {shown}", "name the file with the samples as well")
    logs, texts = _without_inputs(logs, wanted)
    return logs, Beside(scores, tuple(facts), texts)


def _without_inputs(logs: list[Path], wanted: Wanted) -> tuple[list[Path], dict[Key, str]]:
    """Of two logs of one tool, one with verdicts and one without: the first, and the texts of the second."""
    if len(logs) != 2:
        return logs, {}
    names = [settled(path, wanted).format_name for path in logs]
    for place, pair in ((0, names), (1, names[::-1])):
        if pair[1] == f"{pair[0]}-graded":
            rows = registry()[pair[0]].log(logs[place], Context("", "")).records()
            return [logs[1 - place]], {key_of(row): row.text for row in rows if row.text is not None}
    return logs, {}


def joined(evidence: Evidence, beside: Beside, stated: Mapping[str, float]) -> Evidence:
    """The log with what the other files and the user say of it; where both speak, the log does."""
    facts = evidence.facts
    for other in beside.facts:
        said = {name: getattr(other, name) for name in _FROM_BESIDE if getattr(facts, name) is None}
        notes = tuple(dict.fromkeys((*facts.notes, *other.notes)))
        facts = replace(facts, **said, notes=notes)
    scores = {**stated, **beside.stated_scores, **evidence.stated_scores}
    return replace(evidence, facts=facts, stated_scores=scores, texts_beside=beside.texts)
