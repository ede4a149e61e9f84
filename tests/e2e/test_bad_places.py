"""Disks that are full or read-only: one sentence, nothing half-done, and the same command goes on afterwards.

A small tmpfs is mounted in a namespace of its own, so the tests need neither root nor a spare disk.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHFORGE = f"{sys.executable} -m benchforge --quiet"


@pytest.fixture
def namespace() -> list[str]:
    """Words that run a shell where it may mount."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare (util-linux) is not installed")
    words = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-euc"]
    if subprocess.run([*words, "mount -t tmpfs none /mnt"], capture_output=True).returncode:
        pytest.skip("this machine does not allow user namespaces")
    return words


def run(namespace: list[str], script: str, folder: Path) -> str:
    """Output of a script that sees ``$D`` (the folder, to be mounted on) and ``$B`` (the command)."""
    preamble = f"D={folder}; B='{BENCHFORGE}'; C={ROOT / 'ingest' / 'bundled' / 'demo.yaml'}; cd {folder.parent}\n"
    done = subprocess.run([*namespace, preamble + script], capture_output=True, text=True, timeout=240)
    return done.stdout + done.stderr


def test_full_disk_while_generating_loses_nothing(namespace: list[str], tmp_path: Path):
    folder = tmp_path / "full"
    folder.mkdir()
    script = """
mount -t tmpfs -o size=100k none $D
$B plan --config $C --scratch $D >/dev/null
set +e; $B generate --config $C --scratch $D --model forge__perfect >/dev/null 2>$D/../said; echo "first $?"; set -e
cat $D/../said
cat $D/demo/gen/*/samples.jsonl 2>/dev/null | grep -c sample_id || true
mount -o remount,size=64m $D
$B generate --config $C --scratch $D --model forge__perfect >/dev/null; echo "second $?"
ls $D/demo/manifests | grep -c 'generate-.*done'
"""
    said = run(namespace, script, folder)
    assert "Traceback" not in said, said
    assert "first 1" in said and "the disk is full" in said, said
    assert "second 0" in said and said.rstrip().endswith("1"), said


def test_read_only_scratch_is_one_sentence(namespace: list[str], tmp_path: Path):
    folder = tmp_path / "readonly"
    folder.mkdir()
    script = """
mount -t tmpfs -o ro none $D
set +e; $B plan --config $C --scratch $D; echo "exit $?"
"""
    said = run(namespace, script, folder)
    assert "exit 1" in said and "the file system is read-only" in said, said
    assert "Traceback" not in said and "hint:" in said, said
