"""BigCodeBench's own evaluator and ours on the same samples, one after the other: CPU seconds, verdicts.

    python tests/bench/suite_bigcodebench.py --harness DIR --environment DIR --problems DIR --graded FILE [--every 10]

``--harness`` holds bigcodebench 0.2.5 unpacked (its wheel, or a checkout at 47eff25): its ``untrusted_check`` is called
for each sample in a pool of one worker, as its ``evaluate`` does with ``--execution local``, in the interpreter of the
environment and inside the outer sandbox. Ours is the judge with one worker. Both get the same calibrated programs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "suites"))

import measure

_OFFICIAL = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from concurrent.futures import ProcessPoolExecutor
from bigcodebench.eval import untrusted_check

def check(row):
    status, _ = untrusted_check(row["solution"], row["test"], "task_func", 30 * 1024, 30 * 1024, 10, 1, 20)
    return row["task_id"], status

if __name__ == "__main__":
    rows = json.load(open("samples.json"))
    with ProcessPoolExecutor(max_workers=1) as executor:
        said = dict(executor.map(check, rows))
    json.dump(said, open("verdicts.json", "w"))
"""


def samples_of(problems: Path, graded: Path, every: int) -> list[dict[str, str]]:
    """Each ``every``-th recorded sample; those that the recorded grader let run to the limit of 240 s are left out."""
    import bigcodebench as suite

    tasks = suite.tasks_of(problems, "full-a3b8985")
    recorded = suite.opened(graded)["eval"]
    chosen = [one for one in list(tasks)[::every] if recorded[one][0]["status"] != "timeout"]
    return [
        {"task_id": one, "solution": recorded[one][0]["solution"], "test": tasks[one].payload["test"]} for one in chosen
    ]


def run_official(harness: Path, environment: Path, samples: list[dict[str, str]], result: Path) -> None:
    """In the outer sandbox, in a folder of its own."""
    from benchforge.runners.score import beside

    with beside.own_folder() as folder:
        (folder / "samples.json").write_text(json.dumps(samples))
        (folder / "run.py").write_text(_OFFICIAL)
        python = environment / "bin" / "python"
        shown = (environment.absolute(), python.resolve().parent.parent, harness.absolute())
        argv = (str(python.absolute()), f"{beside.RESULT}/run.py", str(harness.absolute()))
        variables = {"NLTK_DATA": f"{environment.absolute()}/nltk_data", "MPLCONFIGDIR": "/tmp/mpl"}
        beside.run(beside.Command(argv, shown, folder, 900.0, variables))
        result.write_text(json.dumps(beside.read_json(folder / "verdicts.json")))


def run_ours(environment: Path, problems: Path, graded: Path, samples: list[dict[str, str]], result: Path) -> None:
    import bigcodebench as suite

    ids = {one["task_id"] for one in samples}
    tasks = {key: suite.uncalibrated(task) for key, task in suite.tasks_of(problems, "full-a3b8985").items()}
    programs = {one["task_id"]: one["solution"] for one in samples}
    rows = suite.grade({key: tasks[key] for key in ids}, programs, environment, result, float("inf"))
    said = {key: graded.outcomes["official"].base.verdict for key, graded in rows}
    result.write_text(json.dumps(said))


def table(figures: Mapping[str, Any], said: Mapping[str, Mapping[str, str]]) -> None:
    official, ours = figures["official"], figures["ours"]
    print(f"{'':10} {'CPU s':>8} {'wall s':>8} {'peak MiB':>9} {'passed':>7}")
    for name, one in figures.items():
        passed = sum(word == "pass" for word in said[name].values())
        peak = one.peak_memory_bytes >> 20
        print(f"{name:10} {one.cpu_seconds:>8.1f} {one.wall_seconds:>8.1f} {peak:>9} {passed:>7}")
    differing = [key for key in said["ours"] if (said["ours"][key] == "pass") != (said["official"][key] == "pass")]
    print(
        f"{len(said['ours'])} samples, ratio of CPU {official.cpu_seconds / ours.cpu_seconds:.1f}, differ: {differing}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("harness", "environment", "problems", "graded"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--work", type=Path, default=Path("build/bench-bigcodebench"))
    parser.add_argument("--run", choices=("official", "ours"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    samples, results = given.work / "samples.json", {name: given.work / f"{name}.json" for name in ("official", "ours")}
    if given.run == "official":
        run_official(given.harness, given.environment, json.loads(samples.read_text()), results["official"])
        return
    if given.run == "ours":
        chosen = json.loads(samples.read_text())
        run_ours(given.environment, given.problems, given.graded, chosen, results["ours"])
        return
    samples.write_text(json.dumps(samples_of(given.problems, given.graded, given.every)))
    figures = {}
    for name in results:
        results[name].unlink(missing_ok=True)
        figures[name] = measure.measured([sys.executable, str(Path(__file__).resolve()), *sys.argv[1:], "--run", name])
    table(figures, {name: json.loads(path.read_text()) for name, path in results.items()})


if __name__ == "__main__":
    main()
