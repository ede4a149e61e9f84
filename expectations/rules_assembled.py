"""Rules that only an assembled ``publish/`` folder can break: its rows carry their terms, its cards their numbers."""

from __future__ import annotations

from .rules import Rule

_ROW = ("model", "benchmark", "scenario", "task_id", "sample_index", "hub_license", "osi_approved")
_AGAIN = "benchforge publish --dry-run, to assemble it again"

ASSEMBLED_RULES = (
    Rule(
        "terms_in_every_row",
        "assembled",
        "critical",
        "A published row without the licence of its model, or without a word on its OSI approval.",
        "gate_facts.data",
        "coalesce(hub_license, '') = '' or osi_approved is null",
        _ROW,
        _AGAIN,
        needs="gate_facts.data",
    ),
    Rule(
        "terms_of_the_seed",
        "assembled",
        "critical",
        "A published row whose terms are not those that seeds/models.csv states for its model.",
        "(select data.*, seed.hub_license as seed_license, seed.osi_approved as seed_osi from gate_facts.data as data"
        " left join gate_seeds.models as seed using (model))",
        "hub_license is distinct from coalesce(seed_license, 'unknown')"
        " or osi_approved is distinct from coalesce(seed_osi, false)",
        (*_ROW, "seed_license", "seed_osi"),
        _AGAIN,
        needs="gate_facts.data",
    ),
    Rule(
        "segregated",
        "assembled",
        "critical",
        "A row that lies in a file of the other terms: OSI-approved models and all others are kept apart.",
        "gate_facts.data",
        "osi_approved is distinct from (parse_filename(filename) like 'part-osi-%')",
        (*_ROW, "filename"),
        _AGAIN,
        needs="gate_facts.data",
    ),
    Rule(
        "in_its_folder",
        "assembled",
        "critical",
        "A row that lies in the folder of another benchmark or model.",
        "gate_facts.data",
        "not contains(filename, '/benchmark=' || benchmark || '/model=' || model || '/')",
        (*_ROW, "filename"),
        _AGAIN,
        needs="gate_facts.data",
    ),
    Rule(
        "texts_withheld",
        "assembled",
        "critical",
        "A text that is there although the row says that it is withheld, or one whose digest is not that of the text.",
        "gate_facts.data",
        "(text_withheld is not null and raw_text is not null)"
        " or (raw_text is not null and text_encoding is null and text_digest <> sha256(raw_text))",
        (*_ROW, "text_withheld", "text_digest"),
        _AGAIN,
        needs="gate_facts.data",
    ),
    Rule(
        "numbers_of_the_card",
        "assembled",
        "critical",
        "A number in the table of a card that the headline does not hold.",
        "gate_facts.card",
        "problem is not null",
        ("file", "line", "model", "problem"),
        _AGAIN,
        (),
        needs="gate_facts.card",
    ),
)
