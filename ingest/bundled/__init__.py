"""Package data: forge_mini, recorded public verdicts, run files, typed empty parts; PROVENANCE.md says whence."""

from pathlib import Path

ROOT = Path(__file__).parent
RUN_FILE = ROOT / "run.yaml"
"""The commented default run file: it is what works without ``--config``."""
DEMO_RUN_FILE = ROOT / "demo.yaml"
RECORDED_LAKE = ROOT / "lake"
"""Recorded public verdicts, in the published form of a lake."""
