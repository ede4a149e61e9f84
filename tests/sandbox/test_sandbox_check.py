"""``benchforge sandbox-check`` and the suite it ships: it passes here, and it sees what is missing."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from benchforge.ingest import schemas
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.runners.cli.main import cli
from benchforge.runners.score import door
from benchforge.runners.score.conformance import run, suite
from benchforge.runners.score.door import Means
from benchforge.runners.score.judge import Judge
from benchforge.runners.score.readiness import CAUTION, FAIL, PASS, machine, sandboxes
from benchforge.runners.score.sandbox import Sandbox
from benchforge.runners.score.sandbox.layers import NAMESPACES
from click.testing import CliRunner, Result

CATEGORIES = {
    "verdict_forgery", "resource_exhaustion", "filesystem", "network", "process", "encoding", "parser_bomb",
}  # fmt: skip


def checked(*words: str) -> tuple[Result, dict[str, dict[str, Any]]]:
    done = CliRunner().invoke(cli, ["sandbox-check", "--format", "json", *words])
    return done, {row["check"]: row for row in json.loads(done.stdout)} if done.stdout else {}


def test_a_machine_that_scores_has_no_fail_and_every_caution_has_a_command() -> None:
    done, rows = checked("--quick")
    assert done.exception is None, (done.exception, rows)
    assert {"kernel", "user namespaces", "Landlock version", "swap", "core pattern", "clock source", "root"} <= set(
        rows
    )
    assert {f"mode {mode}" for mode in schemas.SANDBOX_MODES} | set(schemas.SANDBOX_LAYERS) <= set(rows)
    assert {"threads are limited", "memory is limited", "scratch is private", "numpy imports inside"} <= set(rows)
    for row in rows.values():
        assert row["status"] in (PASS, CAUTION) and row["protects"] and bool(row["fix"]) is (row["status"] != PASS)
    assert not any(name.startswith("suite") for name in rows)


def weakened(missing: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mode as if these layers were not there."""
    real = Sandbox.open

    def opened(*given: Any, **named: Any) -> Sandbox:
        sandbox = real(*given, **named)
        sandbox.layers = tuple(name for name in sandbox.layers if name not in missing)
        return sandbox

    monkeypatch.setattr(sandboxes.Sandbox, "open", opened)


def test_a_needed_layer_that_is_missing_fails_and_no_program_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    weakened({"seccomp"}, monkeypatch)
    monkeypatch.setattr(door, "Judge", None)
    done, rows = checked()
    assert isinstance(done.exception, SandboxUnavailable) and done.exception.exit_code == 1
    assert "1 check(s) FAIL" in done.exception.message
    assert rows["seccomp"]["status"] == FAIL and rows["seccomp"]["fix"] and rows["landlock"]["status"] == PASS


def test_what_a_mode_promises_fails_and_what_it_never_had_is_a_caution() -> None:
    full = sandboxes.Mode("unshare", schemas.SANDBOX_LAYERS)
    assert {row.status for row in sandboxes.layer_findings(full)} == {PASS}
    for layer in schemas.SANDBOX_LAYERS:
        rest = tuple(name for name in schemas.SANDBOX_LAYERS if name != layer)
        for mode, is_bare in (("bubblewrap", False), ("inner-only", True)):
            found = {row.check: row.status for row in sandboxes.layer_findings(sandboxes.Mode(mode, rest))}
            is_extra = layer in NAMESPACES.values() if is_bare else layer == "landlock"
            assert found[layer] == (CAUTION if is_extra else FAIL), (mode, layer)


def test_a_mode_that_was_asked_for_and_does_not_start_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(mode: str, **_: Any) -> Sandbox:
        raise SandboxUnavailable(f"Sandbox mode {mode} does not start: no.", "mend it")

    monkeypatch.setattr(sandboxes.Sandbox, "open", refused)
    done, rows = checked("--sandbox-mode", "unshare")
    assert isinstance(done.exception, SandboxUnavailable)
    assert rows["mode unshare"]["status"] == FAIL and rows["mode unshare"]["fix"] == "mend it"
    assert rows["mode bubblewrap"]["status"] == CAUTION and rows["outer sandbox"]["status"] == FAIL
    assert "seccomp" not in rows


def test_a_mode_that_does_not_exist_is_a_usage_error() -> None:
    done, _ = checked("--sandbox-mode", "chroot")
    assert getattr(done.exception, "exit_code", None) == 2


@pytest.mark.parametrize(
    ("finding", "status"),
    [
        (machine._landlock_abi(0), CAUTION),
        (machine._landlock_abi(3), CAUTION),
        (machine._landlock_abi(5), CAUTION),
        (machine._landlock_abi(6), PASS),
        (machine._core_pattern("|/usr/share/apport/apport %p"), CAUTION),
        (machine._core_pattern("core.%p"), PASS),
    ],
)
def test_facts_are_read_as_they_are_meant(finding: Any, status: str) -> None:
    assert finding.status == status and bool(finding.fix) is (status != PASS)


def test_another_machine_type_has_no_filter_or_one_that_never_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.platform, "machine", lambda: "sparc64")
    assert machine._seccomp_machine().status == FAIL
    monkeypatch.setattr(machine.platform, "machine", lambda: "aarch64")
    assert machine._seccomp_machine().status == CAUTION
    assert "never run" in machine._seccomp_machine().found


def test_the_suite_covers_every_category_and_every_target() -> None:
    attacks, honest = suite.rows("attacks"), suite.rows("honest")
    per_category = {name: sum(row["category"] == name for row in attacks) for name in CATEGORIES}
    assert min(per_category.values()) >= 5 and sum(per_category.values()) == len(attacks)
    assert {row["target"] for row in honest} >= {row["target"] for row in attacks}
    assert len({row["id"] for row in (*attacks, *honest)}) == len(attacks) + len(honest)
    assert all("pass" in row["expect"]["must_not"] for row in attacks)


@pytest.mark.slow
def test_the_suite_goes_as_it_must() -> None:
    results = run(Means(num_workers=2))
    assert [result for result in results if not result.is_right] == []
    assert {result.category for result in results} == CATEGORIES | {"honest", "probe", "effect"}


def test_the_suite_sees_what_gets_through_where_layers_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    without = frozenset(("seccomp", "landlock", "network_namespace"))
    wanted = {"cf-tcp", "cf-udp", "cf-abstract-socket", "cf-bare-calls"}
    shipped = {name: suite.rows(name) for name in ("attacks", "honest")}
    chosen = {"attacks": [row for row in shipped["attacks"] if row["id"] in wanted], "honest": shipped["honest"][:1]}
    monkeypatch.setattr(suite, "rows", chosen.__getitem__)
    monkeypatch.setattr(door, "Judge", functools.partial(Judge, without=without))
    try:
        results = run(Means("unshare", num_workers=1, is_unsafe=True))
    except SandboxUnavailable as error:
        pytest.skip(f"no such sandbox here: {error.message}")
    wrong = {result.name for result in results if not result.is_right and result.category == "network"}
    assert wrong == wanted
    assert {result.found for result in results if result.category == "effect"} == {
        "canary_net: tcp", "canary_net: udp", "canary_net: abstract socket",
    }  # fmt: skip
