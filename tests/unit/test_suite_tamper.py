"""Signs of tampering by text: what is flagged, and at which level."""

from __future__ import annotations

import pytest
from benchforge.runners.score.sandbox.inside.suites.tamper import NOTE, RISK, TAMPER, flags_of

EQUAL = "class E(list):\n    def __eq__(self, other):\n        return True\n"
MAIN = "__name__ == '__main__'"


def under(test: str, body: str) -> str:
    return f"if {test}:\n" + "".join(f"    {line}\n" for line in body.splitlines())


def levels(source: str) -> set[str]:
    return {level for level, _ in flags_of(source)}


@pytest.mark.parametrize(
    "test", [f"not {MAIN}", f"{MAIN} or True", "__name__ != '__main__'", "__name__ != '__main__' == 1"]
)
def test_a_condition_that_only_names_main_hides_nothing(test: str):
    """A class that equals everything once passed strictly and unseen below the first of these."""
    assert TAMPER in levels(under(test, EQUAL))


@pytest.mark.parametrize("test", [MAIN, "'__main__' == __name__"])
def test_what_only_a_script_runs_is_a_risk_at_most_and_values_are_watched(test: str):
    assert levels(under(test, EQUAL)) == {RISK, NOTE}
    assert any("equality" in name for _, name in flags_of(under(test, EQUAL)))  # watched: the name can be rebound
    assert levels(under(test, "import sys, unittest\nunittest.main()\nsys.exit(0)")) <= {NOTE}
    assert TAMPER in levels(under(test, "pass") + "else:\n    import sys\n    sys._getframe(1)\n")
