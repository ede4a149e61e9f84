#!/usr/bin/env python3
"""Definition files without apptainer: parsed, their package steps and tests run under bubblewrap.

Theory of operation. ``%post`` of a scoring image is package steps. They are run unchanged, by the same shell, with a
fresh environment at /opt/base first in PATH (the image's own interpreter lies in /usr/local) and a writable /opt;
everything else is read-only: this machine's tree, or another one given with ``--root`` (debootstrap makes one). Then
``%environment`` and ``%test`` are run in the same place, without any network. What cannot be shown so is said: the base
image itself, and engine images, which are somebody else's packages.

Standard library only: ``build.sh --check`` runs it with any Python 3 on any machine.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
_BASE, _HARNESS = "/opt/base", "/opt/harness"
_SECTIONS = ("", "files", "post", "environment", "labels", "test", "help", "runscript")
_PINNED = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.]+")
_STEP_SECONDS = 1800
_KEPT_VARIABLES = re.compile(r"(?i)(PIP_.*|https?_proxy|no_proxy|SSL_CERT_.*)")


@dataclass(frozen=True)
class Definition:
    """A definition file: its header (``From``, ``Bootstrap``) and its sections as text."""

    name: str
    header: Mapping[str, str]
    sections: Mapping[str, str]

    @property
    def has_steps(self) -> bool:
        return bool(self.sections.get("post", "").strip())

    @property
    def takes_files(self) -> bool:
        return bool(self.sections.get("files", "").strip())


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``is_good`` None where it cannot be shown here."""

    name: str
    what: str
    is_good: bool | None
    said: str = ""


def parse(path: Path) -> Definition:
    """Raises ValueError with what apptainer would refuse, or what would not build the same image twice."""
    sections: dict[str, list[str]] = {"": []}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("%"):
            section = line[1:].strip()
            if section not in _SECTIONS or section in sections:
                raise ValueError(f"%{section} is unknown or stands twice")
            sections[section] = []
        elif section or (line.strip() and not line.startswith("#")):
            sections[section].append(line)
    header = dict(re.findall(r"^(\w+):\s*(\S+)$", "\n".join(sections.pop("")), re.MULTILINE))
    texts = {name: "\n".join(lines) + "\n" for name, lines in sections.items()}
    definition = Definition(path.stem, header, texts)
    if problem := _problem(definition):
        raise ValueError(problem)
    return definition


def _problem(definition: Definition) -> str:
    base = definition.header.get("From", "")
    if definition.header.get("Bootstrap") != "docker" or not re.fullmatch(r"[\w./-]+:[\w.-]+", base):
        return f"the base {base!r} is no image of a registry with a tag"
    if base.endswith(":latest"):
        return "the base is the latest image, whichever that is"
    if not definition.sections.get("test", "").strip():
        return "it has no %test"
    if loose := [word for word in pip_words(definition) if not _PINNED.fullmatch(word)]:
        return f"{', '.join(loose)}: not pinned to one version"
    for name in ("post", "environment", "test"):
        done = subprocess.run(["bash", "-n", "-c", definition.sections.get(name, "")], capture_output=True, text=True)
        if done.returncode != 0:
            return f"%{name}: {done.stderr.strip()}"
    return ""


def pip_words(definition: Definition) -> list[str]:
    """Packages that ``%post`` installs, as written."""
    text = definition.sections.get("post", "").replace("\\\n", " ")
    lines = [line.split("pip install", 1)[1] for line in text.splitlines() if "pip install" in line]
    return [word for line in lines for word in line.split() if not word.startswith("-")]


def run_steps(definition: Definition, work: Path, root: Path | None = None) -> list[Finding]:
    """``%post``, then ``%test`` without network; what was installed lies in ``work``/harness and ``work``/base."""
    for name in ("base", "harness"):
        (work / name).mkdir(parents=True)
    prepare = f"python3 -m venv {_BASE}"
    post = f"export PATH={_BASE}/bin:$PATH\n{definition.sections['post']}"
    test = f"export PATH={_BASE}/bin:$PATH\n{definition.sections.get('environment', '')}{definition.sections['test']}"
    findings = []
    for what, script, has_network in (("interpreter", prepare, True), ("%post", post, True), ("%test", test, False)):
        said = _run(script, work, root, has_network)
        findings.append(Finding(definition.name, what, not said, said))
        if said:
            break
    return findings


def _run(script: str, work: Path, root: Path | None, has_network: bool) -> str:
    """Empty when it succeeded, else its last line."""
    words = [*sandbox(work, root, has_network), "/bin/bash", "-e", "-c", script]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_STEP_SECONDS)
    except subprocess.TimeoutExpired:
        return f"no end within {_STEP_SECONDS} s"
    if done.returncode == 0:
        return ""
    said = done.stderr.strip() or done.stdout.strip() or f"exit {done.returncode}"
    return said.splitlines()[-1][:300]


def sandbox(work: Path, root: Path | None, has_network: bool) -> list[str]:
    """Command line of bubblewrap; the network is there for package steps alone."""
    words = ["bwrap", "--unshare-all", *(["--share-net"] if has_network else []), "--die-with-parent", "--new-session"]
    words += [
        "--ro-bind",
        str(root or "/"),
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/opt",
    ]
    for path in sorted(Path("/opt").iterdir()):  # an index of packages may lie there
        words += ["--ro-bind", str(path), str(path)]
    for path in ("/etc/ssl", "/etc/resolv.conf", "/etc/hosts") if root else ():  # its index may have a name of its own
        if Path(f"{root}{path}").exists():
            words += ["--ro-bind-try", path, path]
    if Path("/etc/pip.conf").exists():
        words += ["--ro-bind", "/etc/pip.conf", "/tmp/pip.conf", "--setenv", "PIP_CONFIG_FILE", "/tmp/pip.conf"]
    words += ["--bind", str(work / "base"), _BASE, "--bind", str(work / "harness"), _HARNESS]
    words += ["--clearenv", "--setenv", "HOME", "/tmp", "--setenv", "PATH", f"{_path(root)}:/usr/bin:/bin"]
    for name, value in os.environ.items():
        if _KEPT_VARIABLES.fullmatch(name):
            words += ["--setenv", name, value]
    return [*words, "--"]


def _path(root: Path | None) -> str:
    """Where python3 is: that of this machine may lie anywhere."""
    found = shutil.which("python3") if root is None else None
    return str(Path(found).parent) if found else "/usr/local/bin"


def check(paths: Sequence[Path], root: Path | None, kept: Path | None, is_parse_only: bool) -> list[Finding]:
    findings: list[Finding] = []
    for path in paths:
        try:
            definition = parse(path)
        except (OSError, ValueError) as error:
            findings.append(Finding(path.stem, "definition", False, str(error)))
            continue
        findings.append(Finding(path.stem, "definition", True))
        if is_parse_only or not definition.has_steps or definition.takes_files:
            why = "no package steps" if not definition.has_steps else "not asked for"
            why = "it takes files along, as apptainer alone does" if definition.takes_files else why
            findings.append(Finding(path.stem, "%post", None, why))
        elif shutil.which("bwrap") is None:
            findings.append(Finding(path.stem, "%post", None, "bubblewrap is missing: apt install bubblewrap"))
        else:
            with tempfile.TemporaryDirectory(prefix="def-") as folder:
                findings += run_steps(definition, kept / definition.name if kept else Path(folder), root)
        findings.append(
            Finding(path.stem, "base image", None, f"{definition.header['From']}: built by apptainer alone")
        )
    return findings


def main() -> None:
    parser = argparse.ArgumentParser(description="Check definition files without apptainer.")
    parser.add_argument("names", nargs="*", help="definitions without .def; all of them without")
    parser.add_argument("--root", type=Path, help="tree of another system: debootstrap bookworm DIR")
    parser.add_argument("--keep", type=Path, help="folder for what was installed")
    parser.add_argument("--parse-only", action="store_true")
    given = parser.parse_args()
    paths = [HERE / f"{name}.def" for name in given.names] or sorted(HERE.glob("*.def"))
    findings = check(paths, given.root, given.keep, given.parse_only)
    words = {True: "PASS", False: "FAIL", None: "not shown"}
    for one in findings:
        print(f"{words[one.is_good]:9}  {one.name:20}  {one.what:12}  {one.said}".rstrip())
    sys.exit(any(one.is_good is False for one in findings))


if __name__ == "__main__":
    main()
