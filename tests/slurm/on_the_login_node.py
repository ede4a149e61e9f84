"""A person at the login node of a virtual cluster: own home, own scratch, facts as probe would have written them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from virtual_cluster import VirtualCluster

ROOT = Path(__file__).resolve().parents[2]
FACTS = """\
BENCHFORGE_GPU_PARTITION=gpu
BENCHFORGE_CPU_PARTITION=cpu
BENCHFORGE_GRES=gpu:pro6000
BENCHFORGE_CONSTRAINT=sm120
BENCHFORGE_GPU_QOS=
BENCHFORGE_COMPUTE_GPU_CPUS=1
BENCHFORGE_COMPUTE_CPU_CPUS=4
BENCHFORGE_SCORE_NUM_WORKERS=1
"""
MODELS = ("forge__perfect", "forge__careless", "forge__chatty")
SAMPLED = dict.fromkeys(("forge__sampler", "forge__repeater", "forge__short"), ", temperature: 0.8")
"""Models whose recorded answers were sampled -> what their item says besides."""
RUN_FILE = """\
run: {{name: month, scratch: {scratch}, seed: 20260, num_samples: 1}}
benchmarks: [forge_mini]
models: [{models}]
engine: {{{engine}, concurrency: {concurrency}}}
"""


@dataclass(frozen=True)
class Answering:
    """What answers the tasks: items of the run file's ``engine``, and what every model's item says besides."""

    engine: str = "name: replay"
    words: str = ""


@dataclass(frozen=True)
class Operator:
    """Runs commands of ours; the run file is ``run.yaml`` in the home folder."""

    cluster: VirtualCluster
    home: Path

    @classmethod
    def at(
        cls,
        cluster: VirtualCluster,
        home: Path,
        models: tuple[str, ...] = MODELS,
        facts: str = "",
        concurrency: int = 8,
        answering: Answering = Answering(),
    ) -> Operator:
        """With the facts of the virtual cluster; ``facts`` come after them and win."""
        home.mkdir(parents=True, exist_ok=True)
        (home / ".benchforge.env").write_text(FACTS + facts, encoding="utf-8")
        listed = ", ".join(f"{{model: {name}{SAMPLED.get(name, '')}{answering.words}}}" for name in models)
        asked = {"scratch": home / "scratch", "models": listed, "concurrency": concurrency, "engine": answering.engine}
        text = RUN_FILE.format(**asked)
        (home / "run.yaml").write_text(text, encoding="utf-8")
        return cls(cluster, home)

    @property
    def run_root(self) -> Path:
        return self.home / "scratch" / "month"

    @property
    def lake(self) -> Path:
        return self.run_root / "lake"

    def try_out(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """One command; the caller looks at how it ended."""
        command = (sys.executable, "-m", "benchforge", *words, "--config", str(self.home / "run.yaml"))
        environment = {**self.cluster.environment, "HOME": str(self.home), **more}
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=900)

    def do(self, *words: str, **more: str) -> str:
        """Standard output of a command that must succeed."""
        done = self.try_out(*words, **more)
        assert done.returncode == 0, f"{words}: {done.returncode} {done.stderr}"
        return done.stdout

    def rows(self, *words: str, **more: str) -> list[dict[str, Any]]:
        return json.loads(self.do(*words, "--format", "json", **more))

    def logs(self) -> str:
        """Everything that the tasks said, for the message of a failed assertion."""
        paths = sorted(self.run_root.glob("jobs/*/logs/*.log"))
        return "\n".join(f"── {path.parent.parent.name}/{path.name}\n{path.read_text()}" for path in paths)

    def num_done(self, stage: str) -> int:
        return len(list(self.run_root.glob(f"manifests/{stage}-*.done")))
