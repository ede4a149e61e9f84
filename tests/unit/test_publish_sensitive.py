"""What must not leave the house is found in every file, and examples that models write are let through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchforge.runners.publish import sensitive
from benchforge.runners.publish.sensitive import KEYS, Machine, is_placeholder, scan

LETTERS = "QmZ4kTn8WvRy2PxLsJ6dGhB3cFfKeU9aXoI7zNtR5bYw1pVq0SgMjDuHlEiCrOa"
"""Drawn at random: what a real key looks like. None of these is one."""
REAL = {
    "aws_access_key": "AKIA" + "JQ2W7XZ5B4LMTR3K",
    "github_token": "ghp_" + LETTERS[:36],
    "gitlab_token": "glpat-" + LETTERS[:20],
    "google_api_key": "AIza" + LETTERS[:35],
    "hugging_face_token": "hf_" + LETTERS[:34],
    "json_web_token": f"eyJ{LETTERS[:20]}.eyJ{LETTERS[20:44]}.{LETTERS[:43]}",
    "nvidia_api_key": "nvapi-" + LETTERS[:50],
    "openai_or_anthropic_key": "sk-proj-" + LETTERS[:40],
    "private_key": f"-----BEGIN RSA PRIVATE KEY-----\n{LETTERS}",
    "pypi_token": "pypi-AgEIcHlwaS5vcmc" + LETTERS[:60],
    "slack_token": f"xoxb-{123987456012}-{LETTERS[:24]}",
}
PLACEHOLDERS = (
    "AKIAIOSFODNN7EXAMPLE",
    "AKIAXXXXXXXXXXXXXXXX",
    "sk-" + "x" * 48,
    "sk-your-api-key-goes-here-and-nowhere-else",
    "hf_" + "abcdefghijklmnopqrstuvwxyzABCDEFGH",
    "ghp_" + "1234567890" * 4,
    "sk-loading-spinner-animation-container-wrapper",
)
MACHINE = Machine(
    secrets=("correct horse battery staple",),
    hosts=("gpu07.cluster.example", "gpu07", "falcon"),
    home="/home/somebody",
    user="somebody",
)


def _found(folder: Path, machine: Machine = MACHINE) -> dict[tuple[str, str], int]:
    findings = scan(folder, machine, public=("D4vidHuang",)).findings()
    assert all(finding.severity == "critical" for finding in findings.findings)
    return {(finding.rule.removeprefix("sensitive_"), finding.message.rpartition(" ")[2]): finding.num_rows
            for finding in findings.findings}  # fmt: skip


def _write(folder: Path, columns: dict[str, list[Any]], name: str = "part-0.parquet") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / name)
    return folder


def test_every_format_is_declared_with_an_example() -> None:
    assert set(REAL) == set(KEYS)


@pytest.mark.parametrize("column", ["raw_text", "detail", "stop"])
def test_keys_are_found_in_what_models_and_what_we_wrote(tmp_path: Path, column: str) -> None:
    texts = [f"before {key} after" for key in REAL.values()] + ["nothing"]
    values = [[text] for text in texts] if column == "stop" else texts
    assert _found(_write(tmp_path, {column: values})) == {(rule, column): 1 for rule in REAL}


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_examples_are_let_through(tmp_path: Path, text: str) -> None:
    assert is_placeholder(text)
    assert not _found(_write(tmp_path, {"raw_text": [f"key = '{text}'"]}))


def test_models_write_paths_and_addresses_and_we_do_not(tmp_path: Path) -> None:
    texts = ["open('/home/user/data.csv')", "postgres://admin:hunter2@db", r"C:\Users\me\x"]
    assert not _found(_write(tmp_path / "models", {"raw_text": texts, "answer": texts, "program": texts}))
    ours = _found(_write(tmp_path / "ours", {"detail": texts}))
    assert ours == {("home_folder", "detail"): 2, ("credentials_in_address", "detail"): 1}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("password is correct horse battery staple!", "own_secret"),
        ("ran on gpu07.cluster.example today", "own_host"),
        ("ran on gpu07", "own_host"),
        ("see /home/somebody/x", "own_home_folder"),
    ],
)
def test_names_of_this_machine_are_faults_everywhere(tmp_path: Path, text: str, rule: str) -> None:
    found = _found(_write(tmp_path, {"raw_text": [text], "sample_id": [b"i" * 16]}))
    assert found == {(rule, "raw_text"): 1}
    assert scan(tmp_path, MACHINE).samples == {b"i" * 16}


def test_common_words_that_are_names_here_are_no_alarm(tmp_path: Path) -> None:
    texts = ["a falcon is a bird", "root of the tree", "the user said"]
    root = Machine(hosts=("falcon",), home="/root", user="root")
    assert not _found(_write(tmp_path, {"raw_text": texts, "reason": texts}), root)


def test_the_namespace_may_be_told_even_where_it_is_the_user(tmp_path: Path) -> None:
    _write(tmp_path, {"repository": ["D4vidHuang/benchforge-results"]})
    assert not _found(tmp_path, Machine(user="D4vidHuang"))
    assert _found(tmp_path, Machine(user="benchforge")) == {("user_name", "repository"): 1}


def test_text_files_are_read_too_and_no_finding_shows_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"token: {REAL['hugging_face_token']}", encoding="utf-8")
    (tmp_path / "seeds.csv").write_text("path\n/home/another/x\n", encoding="utf-8")
    findings = scan(tmp_path, MACHINE).findings().findings
    assert {(finding.artifact, finding.rule) for finding in findings} == {
        ("README.md", "sensitive_hugging_face_token"),
        ("seeds.csv", "sensitive_home_folder"),
    }
    assert REAL["hugging_face_token"] not in repr(findings) and "hf_Q… (37 characters)" in repr(findings)


def test_a_text_without_end_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensitive, "MAX_TEXT_BYTES", 1000)
    assert _found(_write(tmp_path, {"raw_text": ["é" * 501, "é" * 500]})) == {("text_too_long", "raw_text"): 1}


def test_secrets_of_the_environment_are_known_and_short_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADE_API_KEY", "a secret of this run")
    monkeypatch.setenv("OTHER_TOKEN", "EMPTY")
    machine = sensitive.this_machine(["gpu07.cluster.example"], ["/scratch/run", "relative"], "token of the hub")
    assert {"a secret of this run", "token of the hub"} <= set(machine.secrets) and "EMPTY" not in machine.secrets
    assert {"gpu07", "gpu07.cluster.example"} <= set(machine.hosts) and machine.folders == ("/scratch/run",)
    assert machine.redactions()["/scratch/run"] == "<folder>"
