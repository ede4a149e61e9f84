"""Every recorded log of other tools: format, samples, stated score beside its own verdicts, causes, why they differ.

``python tests/bench/audit_logs.py FOLDER``: FOLDER holds the logs and their MANIFEST.jsonl. Nothing is graded again.
Exit status 1 where a file of a listed tool is not read, or a score that should be reproduced is not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchforge.ingest.errors import BenchforgeError
from benchforge.ingest.formats import Context, registry
from benchforge.ingest.formats.recognise import recognise
from benchforge.runners.ask.audit.causes_of_scores import base_passed, own_percent
from benchforge.runners.ask.audit.detectors import findings
from benchforge.runners.ask.audit.evidence import Evidence, evidence_of
from benchforge.runners.ask.audit.known import known_causes

_NOT_READ = {
    "baseline_humaneval.json": "a project's own score file, of no tool",
    "dpo_humaneval_lr2e5.json": "a project's own score file, of no tool",
    "dpo_humaneval_rerun-lr5e7.json": "a project's own score file, of no tool",
    "openai_humaneval.out": "console output, no log",
}
_OTHER_TOOLS = {"helm/": "HELM is not among the tools that are read"}
_DIFFERENT = {
    "inspect/docent-intercode-ctf.eval": "15 of the 790 samples that its header counts are left in the file",
    "inspect/cyse2-vuln-exploit.json": "1 of the 2,340 samples that its header counts is left in the file",
}
_SCENARIOS = {"cruxeval/": "cruxeval_i", "multipl-e/": "cpp"}
_BESIDE = {
    "sanitized_calibrated_eval_results.json.gz": "sanitized_calibrated_pass_at_k.json",
    "samples.jsonl_results.jsonl.gz": "samples.jsonl_passatk.json",
}
_SAME_POINTS = 0.05


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for line in (folder / "MANIFEST.jsonl").read_text().splitlines():
        row = json.loads(line)
        yield _row(folder, row["file"], row)


def _row(folder: Path, file: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    found = {"file": file, "format": "-", "samples": "-", "stated": None, "own": None, "causes": "", "says": ""}
    try:
        entry = recognise(folder / file, "humanevalplus")
    except BenchforgeError as error:
        why = _NOT_READ.get(Path(file).name) or next((v for k, v in _OTHER_TOOLS.items() if file.startswith(k)), None)
        return found | {"says": why or f"NOT READ: {error.message}", "is_wrong": why is None}
    found["format"] = entry.name
    if entry.name not in registry():
        return found | {"says": "a table of many models: import"}
    entry = registry()[entry.name]
    if not entry.has_samples:
        return found | {"says": f"{len(entry.log(folder / file, Context('', '')).stated_scores)} stated scores"}
    scenario = next((one for start, one in _SCENARIOS.items() if file.startswith(start)), "default")
    return found | _of_samples(evidence_of(folder / file, entry, Context("", scenario)), folder, file, manifest)


def _of_samples(evidence: Evidence, folder: Path, file: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    stated, own = _stated(evidence, folder, file, manifest), own_percent(evidence, base_passed)
    own = evidence.percent if own is None else own
    causes = [one.cause_id for one in findings(evidence)]
    named = ", ".join(f"{one}{'' if known_causes()[one]['kind'] == 'cause' else ' (notice)'}" for one in causes)
    says, is_wrong = "no verdicts" if own is None else "no score stated", False
    if stated is not None and own is not None:
        is_same = abs(stated - own) <= _SAME_POINTS
        says = "equal" if is_same else _DIFFERENT.get(file, "DIFFERENT")
        is_wrong = not is_same and file not in _DIFFERENT
    samples = str(len(evidence.records))
    return {"samples": samples, "stated": stated, "own": own, "causes": named, "says": says, "is_wrong": is_wrong}


def _stated(evidence: Evidence, folder: Path, file: str, manifest: Mapping[str, Any]) -> float | None:
    """In percent: by the log, by the score file beside it, else as the manifest quotes it."""
    scores = evidence.stated_scores
    for name, beside in _BESIDE.items():
        if file.endswith(name) and (path := folder / file.replace(name, beside)).exists():
            scores = registry()[recognise(path).name].log(path, Context("", "default")).stated_scores
    if scores:
        return scores.get("pass@1", next(iter(scores.values())))
    quoted = manifest.get("stated") or {}
    if "correct" in quoted:
        return 100 * quoted["correct"] / (quoted["correct"] + quoted["errors"])
    return next(
        (100 * quoted[name] for name in ("pass@1", "base", "exact_match,none", "score") if name in quoted), None
    )


def main() -> int:
    rows = list(_rows(Path(sys.argv[1])))
    for row in rows:
        stated, own = ("-" if row[name] is None else f"{row[name]:.2f}" for name in ("stated", "own"))
        head = f"{row['file'][:78]:78} {row['format']:24} {row['samples']:>6} {stated:>7} {own:>7}"
        print(f"{head}  {row['says']}; {row['causes'] or '-'}")
    read, wrong = sum(row["format"] != "-" for row in rows), sum(bool(row.get("is_wrong")) for row in rows)
    equal = sum(row["says"] == "equal" for row in rows)
    print(
        f"{len(rows)} files, {read} read, {len(rows) - read} explained; {equal} stated scores reproduced, {wrong} wrong"
    )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
