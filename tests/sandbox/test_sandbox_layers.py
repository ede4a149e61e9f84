"""Every layer can be switched off alone, by a test and by nothing else; then rows say so, and scoring is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.ingest.schemas import SANDBOX_LAYERS
from benchforge.runners import cli
from benchforge.runners.score.judge import Job, Judge
from benchforge.runners.score.sandbox import Sandbox, layers

from .conftest import BOTH, TASKS

RIGHT = "def total(xs):\n    return sum(xs)\n"
LOCAL_MODES = ("bubblewrap", "unshare", "inner-only")
# without no_new_privs the kernel takes neither a filter nor a Landlock domain from an ordinary user
FALLS_TOO = {"no_new_privs": {"seccomp", "landlock"}}


def switchable(mode: str) -> list[str]:
    return [name for name in (*SANDBOX_LAYERS, *layers.UNNAMED) if name not in layers._FIXED[mode]]


@pytest.mark.parametrize(("mode", "layer"), [(mode, layer) for mode in LOCAL_MODES for layer in switchable(mode)])
def test_one_layer_off_is_off_alone_and_an_honest_program_still_passes(mode: str, layer: str) -> None:
    try:
        with Sandbox.open(mode) as whole:
            expected = set(whole.layers) - {layer} - FALLS_TOO.get(layer, set())
    except SandboxUnavailable as error:
        pytest.skip(f"{mode}: {error.message}")
    with Judge(TASKS, mode, is_unsafe=True, without=frozenset((layer,))) as judge:
        assert set(judge.layers) == expected
        ((_, graded),) = judge.grade([Job(None, "total", RIGHT, BOTH)])
    assert graded.outcomes["official"].base.verdict == "pass"


@pytest.mark.parametrize("layer", layers.needed("inner-only"))
def test_a_layer_that_may_not_be_missing_cannot_be_switched_off_quietly(layer: str) -> None:
    with pytest.raises(SandboxUnavailable, match=layer):
        Sandbox.open("inner-only", without=frozenset((layer,)))


def test_what_a_mode_cannot_do_without_is_an_error_not_a_pretence() -> None:
    with pytest.raises(ValueError, match="user_namespace"):
        Sandbox.open("bubblewrap", without=frozenset(("user_namespace",)))
    with pytest.raises(ValueError, match="sandbox"):
        Sandbox.open("inner-only", without=frozenset(("sandbox",)))


def test_no_command_and_no_variable_leads_to_it() -> None:
    for path in Path(cli.__file__).parent.rglob("*.py"):
        assert "without=" not in path.read_text()
