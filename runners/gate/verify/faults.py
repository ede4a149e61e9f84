"""What ``benchforge verify`` can find: one row per rule, and one ``Fault`` per thing that breaks it.

``damage`` makes exit code 1, ``incomplete`` 3; ``leftover`` is shown and does no harm. docs/verify.md is made from
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ....expectations.findings import MAX_OFFENDERS, Finding

if TYPE_CHECKING:
    from .remedies import Remedy

Kind = Literal["damage", "incomplete", "leftover"]


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of a run, a lake or a published folder."""

    name: str
    kind: Kind
    holds: str
    repair: str


RULES: tuple[Rule, ...] = (
    Rule("part_missing", "damage", "A part that a live list names is there.", "the shard is sealed or done again"),
    Rule(
        "part_digest",
        "damage",
        "The bytes of a part hash to the digest in its name.",
        "set aside, then as part_missing",
    ),
    Rule(
        "part_readable",
        "damage",
        "Footer and every column chunk of a live part can be decoded.",
        "set aside, then as part_missing",
    ),
    Rule(
        "part_columns",
        "damage",
        "A part has the declared columns under their types, and no other.",
        "set aside, then as part_missing",
    ),
    Rule(
        "part_folder",
        "damage",
        "Rows lie in the folder of their benchmark and model, required values are there.",
        "set aside, then as part_missing",
    ),
    Rule(
        "live_list", "damage", "Lines of a live list are whole and name parts of their own table, shard and stage.", "–"
    ),
    Rule("none_live", "damage", "A table with parts has live ones.", "live lists are made again from the markers"),
    Rule(
        "live_as_sealed",
        "damage",
        "What counts of a finished shard is what its last seal wrote.",
        "the live list is appended to as sealed; else sealed or done again",
    ),
    Rule("manifest_line", "damage", "Every whole manifest line is a shard, and stands once.", "–"),
    Rule("plan_digest", "damage", "Shard id and request digest of a manifest line are the digests of its fields.", "–"),
    Rule(
        "marker",
        "damage",
        "A marker is whole, tells of a planned shard and of the number of rows sealed.",
        "written again where the rows are there; else the shard is pending",
    ),
    Rule(
        "rows_as_planned",
        "damage",
        "A finished shard has exactly the rows that its manifest line plans.",
        "sealed or done again",
    ),
    Rule(
        "values_as_planned",
        "damage",
        "Model, request, sampling, seeds and sample window of rows are those of their manifest line.",
        "sealed again where the journal agrees with the plan",
    ),
    Rule("unknown_shard", "damage", "The run's own lake holds rows of planned shards only.", "–"),
    Rule("key_twice", "damage", "A key stands once among all live rows of a table.", "–"),
    Rule(
        "sample_missing",
        "damage",
        "Every verdict belongs to a sample, every timing to a verdict.",
        "of a shard that is pending, verdicts count no more",
    ),
    Rule(
        "task_missing",
        "damage",
        "Every verdict, and every sample of a listed task set, belongs to a task.",
        "recorded again from the staged problems, or with the import, which is pending then",
    ),
    Rule(
        "program_missing",
        "damage",
        "The text of every program that we judged is there.",
        "its shards are scored again: nothing is run, texts are extracted",
    ),
    Rule(
        "journal_differs",
        "damage",
        "Sealed samples are what their journal says, value by value.",
        "– : which of the two was edited, a person says",
    ),
    Rule("verdict_differs", "damage", "Sealed verdicts are what the score journal says.", "–"),
    Rule(
        "verdict_older",
        "damage",
        "Verdicts are not older than the samples they are about.",
        "the shard is scored again",
    ),
    Rule(
        "compaction",
        "damage",
        "A compacted part in force holds exactly the rows of the parts that it stands for.",
        "taken out of force where those parts are whole",
    ),
    Rule("staged_digest", "damage", "Staged problem files and protocol strings are the pinned ones.", "–"),
    Rule("bundled_digest", "damage", "Files of the installed package are those of its wheel.", "–"),
    Rule("published_file", "damage", "Files of a published folder are those its publication.json lists.", "–"),
    Rule("journal_gone", "leftover", "What a shard made stands in its journal, so that it can be compared.", "–"),
    Rule("pending", "incomplete", "Every planned shard is generated, and scored where we can grade.", "–"),
    Rule(
        "seal_unfinished",
        "incomplete",
        "A shard whose journal is whole is sealed, one whose rows count has its markers.",
        "sealed from the journal",
    ),
    Rule("temporary", "leftover", "No temporary file is older than an hour.", "removed"),
    Rule("stale_lease", "leftover", "A finished shard has no lease.", "removed"),
    Rule("torn_line", "leftover", "Journals and lists end with a whole line.", "its bytes set aside, then cut off"),
    Rule(
        "orphan",
        "leftover",
        "Every part was entered in a live list once.",
        "a whole part of a table that is only added to is entered; others stay as they are",
    ),
    Rule("set_aside", "leftover", "Nothing damaged was set aside.", "–"),
)
BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}


@dataclass(frozen=True)
class Fault:
    """One rule broken at one place. ``remedies`` are what ``--repair`` does about it, in order; empty: nothing."""

    rule: str
    artifact: str
    message: str
    num_rows: int = 1
    offenders: tuple[Mapping[str, Any], ...] = ()
    remedies: tuple[Remedy, ...] = ()

    @property
    def kind(self) -> Kind:
        return BY_NAME[self.rule].kind

    def finding(self) -> Finding:
        """As the gate shows it."""
        severity = "critical" if self.kind == "damage" else "warning"
        offenders = self.offenders[:MAX_OFFENDERS]
        return Finding(self.rule, severity, self.artifact, self.message, self.num_rows, offenders)


def exit_code(faults: Sequence[Fault]) -> int:
    """1 for damage, 3 where something is only not finished, else 0."""
    kinds = {fault.kind for fault in faults}
    return 1 if "damage" in kinds else 3 if "incomplete" in kinds else 0


def rules_table() -> str:
    """The rules as the Markdown table of docs/verify.md."""
    lines = ["| rule | kind | what holds | `--repair` |", "| --- | --- | --- | --- |"]
    return "\n".join(lines + [f"| `{one.name}` | {one.kind} | {one.holds} | {one.repair} |" for one in RULES])
