"""The outer sandbox as data: command lines and binds."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import sys
import tempfile
from pathlib import Path

import pytest
from benchforge.ingest import errors
from benchforge.ingest.benchmarks.declaration import Oracles
from benchforge.runners.score import sandbox
from benchforge.runners.score.judge import Judge
from benchforge.runners.score.sandbox import layers, outer

BOX = outer.Box(
    python="/opt/py/bin/python3", inside="/src/inside", extract="/src/extract", packages=("/opt/site",),
    binds=(outer.Bind("/usr", "/usr"), outer.Bind("/lib", "/lib", "usr/lib"), outer.Bind("/opt/py", "/opt/py")),
)  # fmt: skip


def pairs(argv: list[str], option: str) -> list[tuple[str, str]]:
    return [(argv[index + 1], argv[index + 2]) for index, word in enumerate(argv) if word == option]


def test_bubblewrap_binds_only_what_the_box_names_and_only_read_only() -> None:
    argv = outer.bubblewrap_argv(BOX)
    bound = pairs(argv, "--ro-bind")
    assert bound == [
        ("/usr", "/usr"),
        ("/opt/py", "/opt/py"),
        ("/src/inside", "/box/inside"),
        ("/src/extract", "/box/extract"),
    ]
    assert "--bind" not in argv
    assert ("usr/lib", "/lib") in pairs(argv, "--symlink")
    for option in ("--unshare-all", "--die-with-parent", "--new-session", "--clearenv"):
        assert option in argv
    assert argv.index("--size") + 2 == argv.index("--tmpfs")


def test_covered_folders_are_emptied_before_the_shown_packages_are_bound_into_them() -> None:
    site = "/opt/py/lib/python3.11/site-packages"
    argv = outer.bubblewrap_argv(dataclasses.replace(BOX, covered=(site,), shown=(f"{site}/numpy",)))
    text = " ".join(argv)
    positions = [
        text.index(part)
        for part in (
            "--ro-bind /opt/py /opt/py", f"--tmpfs {site}", f"--ro-bind {site}/numpy", f"--remount-ro {site}",
        )
    ]  # fmt: skip
    assert positions == sorted(positions)


def test_apptainer_has_no_network_no_home_and_a_clear_environment() -> None:
    box = dataclasses.replace(BOX, image="/images/score.sif", python="python3")
    argv = outer.apptainer_argv(box, userns=True)
    text = " ".join(argv)
    assert argv[:3] == ["apptainer", "--silent", "exec"]
    for part in ("--containall", "--no-home", "--net --network none", "--cleanenv", "--userns"):
        assert part in text
    assert "/src/inside:/box/inside:ro" in argv
    assert argv[argv.index("/images/score.sif") + 1] == "python3"
    assert "--userns" not in outer.apptainer_argv(box, userns=False)
    scratch = outer.apptainer_argv(box, userns=True, scratch="/scratch/dir")
    assert scratch[scratch.index("--workdir") + 1] == "/scratch/dir" and not {"--memory", "--pids-limit"} & set(scratch)


def test_the_environment_carries_nothing_of_the_callers() -> None:
    assert set(outer.ENVIRONMENT) == {
        "PATH", "LANG", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS", "HOME", "TMPDIR",
    }  # fmt: skip
    assert outer.ENVIRONMENT["PYTHONHASHSEED"] == "0"


def test_the_local_box_holds_no_answers() -> None:
    package = Path(outer.__file__).resolve().parents[3]
    for bind in outer.local_box().binds:
        assert not package.is_relative_to(bind.source) or bind.source.startswith("/usr")
        assert not (Path(bind.source) / "ingest").exists()
        assert not (Path(bind.source) / "benchforge").exists()


def test_a_grader_is_named_by_the_versions_of_all_that_is_shown_and_by_its_image(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    oracles = Oracles("official", "strict")
    with Judge({}) as judge:
        names = {judge.grader_id(oracles)}
        version = importlib.metadata.version
        for distribution in outer.PACKAGES:
            with monkeypatch.context() as patch:
                patch.setattr(
                    importlib.metadata,
                    "version",
                    lambda name, changed=distribution: "0" if name == changed else version(name),
                )
                names.add(judge.grader_id(oracles))
        monkeypatch.setenv(sandbox.IMAGE_VARIABLE, str(tmp_path / "score.sif"))
        for content in (b"one", b"other"):
            (tmp_path / "score.sif").write_bytes(content)
            names.add(judge.grader_id(oracles))
    assert len(names) == 1 + len(outer.PACKAGES) + 2
    assert set(outer.PACKAGES_OF_PROGRAMS) <= set(outer.PACKAGES)


def test_another_system_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(errors.SandboxUnavailable) as caught:
        sandbox.Sandbox.open()
    assert "Linux" in caught.value.message
    assert caught.value.hint


def test_an_unknown_mode_is_a_usage_error() -> None:
    with pytest.raises(errors.UsageError) as caught:
        sandbox.known_mode("docker")
    assert "bubblewrap" in caught.value.hint
    assert sandbox.known_mode("rlimit-only") == "inner-only"
    assert sandbox.known_mode(None) is None


def test_an_unknown_mode_is_refused_before_a_judge_makes_anything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(errors.UsageError, match="docker"):
        Judge({}, "docker")
    assert not list(tmp_path.iterdir())


def test_a_sandbox_without_seccomp_or_run_by_root_is_refused() -> None:
    with pytest.raises(errors.SandboxUnavailable, match="seccomp"):
        layers.refuse_weak("inner-only", ("rlimits", "no_new_privs", "unprivileged_uid"))
    with pytest.raises(errors.SandboxUnavailable, match="unprivileged_uid"):
        layers.refuse_weak("inner-only", ("rlimits", "no_new_privs", "seccomp"))
    layers.refuse_weak("inner-only", layers.needed("inner-only"))


def test_files_of_the_machine_are_never_open_to_a_program_quietly() -> None:
    """Without Landlock a mode that mounts nothing would show the answers."""
    rest = ("rlimits", "no_new_privs", "unprivileged_uid", "seccomp")
    with pytest.raises(errors.SandboxUnavailable, match="landlock") as caught:
        layers.refuse_weak("inner-only", rest)
    assert "bubblewrap" in caught.value.hint
    layers.refuse_weak("bubblewrap", rest)
