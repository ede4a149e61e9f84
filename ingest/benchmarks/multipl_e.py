"""MultiPL-E: HumanEval in other languages, a scenario each; recorded verdicts only, so far (nuprl/MultiPL-E).

Languages have 158 to 161 of the 164 problems: not every signature can be translated. Counts and names are those of the
problem files that the recorded runs used (QwenLM/Qwen2.5-Coder@d5ead97, ``multiple-eval/data``: prompts reworded).
"""

from __future__ import annotations

from .declaration import Benchmark, Design, Extraction, Oracles
from .versions import licence_of, versions_of

NAME = "multipl_e"
LANGUAGES = ("cpp", "cs", "java", "js", "php", "sh", "ts")

BENCHMARK = Benchmark(
    name=NAME,
    title="MultiPL-E",
    kind="suite",
    scenarios=LANGUAGES,
    test_sets=dict.fromkeys(LANGUAGES, ("base",)),
    versions=versions_of(NAME),
    extraction=Extraction(official="plain", corrected="plain"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design("iid", "within one language no problem is made from another; languages share source problems"),
    licence=licence_of(NAME),
    load=None,
    aliases={"multiple": "", **{f"multipl_e_{language}": language for language in LANGUAGES}},
    needs_staging=False,
)
