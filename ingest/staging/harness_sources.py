"""Sources of the official harnesses, staged whole: a release of PyPI, or a checkout or archive that the user gives.

What came is compared with the pin before anything is put in place: an archive of PyPI by its sha256, a checkout by one
digest over names and contents of all its files, which its commit fixes::

    git ls-tree -r --format='%(objectname)  %(path)' COMMIT | LC_ALL=C sort -k2 | sha256sum

Nothing of a harness is imported or executed here. ``<root>/<name>-<version>/`` holds the files, ``….json`` beside it
their sha256 and where they came from.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from .. import keys
from ..errors import BadInput, Incomplete, NotStaged, UsageError
from ..lake import replace_file
from ..names import did_you_mean
from .addresses import fetched

_IGNORED = (".git", "__pycache__", ".DS_Store", ".ipynb_checkpoints", "*.pyc", "*.egg-info")
"""What using a checkout leaves in it: never staged, because no pin covers it."""
_MAX_BYTES = 256 << 20
_PIP_SECONDS = 600


@dataclass(frozen=True)
class HarnessSource:
    """``archives``: file of PyPI -> sha256. ``tree_digest``: of all files of ``commit``, see above."""

    name: str
    repository: str
    commit: str
    tree_digest: str
    requirement: str = ""
    archives: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def address(self) -> str:
        """Where its commit can be had as one file."""
        return f"https://github.com/{self.repository}/archive/{self.commit}.tar.gz"


SOURCES: tuple[HarnessSource, ...] = (
    HarnessSource(
        "evalplus",
        "evalplus/evalplus",
        "26d6d00bb1fd0fa37f39c99d5290da67891d1c5e",
        "9de0b62a8987aa01f187ed294165901a7bb57eefd195f663dcd54eae3dba8282",
        "evalplus==0.3.1",
        {
            "evalplus-0.3.1-py3-none-any.whl": "cd601debb67419113d10ac5c3317689d847f27de5d8cf3837975f3cab571b75d",
            "evalplus-0.3.1.tar.gz": "732352dba404d96dd97a1593b3209fd50a09f543bfe37058a0bacf3fd23025da",
        },
    ),
    HarnessSource(
        "bigcodebench",
        "bigcode-project/bigcodebench",
        "47eff25a9933ba89eee755bcf2696c4f17160b54",
        "93ac3dc43867862bddf94ebcd0298ccf43dde9ece86a2759700523562fea79b5",
        "bigcodebench==0.2.5",
        {
            "bigcodebench-0.2.5-py3-none-any.whl": "7adda739687317102db71b3088d2b6e8350c887a16245a7e7c5272f893c11ae3",
            "bigcodebench-0.2.5.tar.gz": "1e3897b1f2052dfe25100cc242f905ce526f35b93822a06f8cd4d85a9454410b",
        },
    ),
    HarnessSource(
        "cruxeval",
        "facebookresearch/cruxeval",
        "190faf16d175b5847b0af05d937872b1fb395942",
        "149303c5733c6c2dc69c5aafb26f377009b0131ac9123d011e7d33c5f4594409",
    ),
    HarnessSource(
        "livecodebench",
        "LiveCodeBench/LiveCodeBench",
        "28fef95ea8c9f7a547c8329f2cd3d32b92c1fa24",
        "9d2f7a53e3388ec1af3075db47dc1cf8eeb875b5063eda2a97391d5ab04a654d",
    ),
)
"""Pins of the issue's contracts; archives as PyPI serves them."""


@dataclass(frozen=True)
class StagedHarness:
    """``version`` is that of PyPI or seven characters of the commit."""

    name: str
    version: str
    folder: Path
    is_new: bool
    num_bytes: int
    came_from: str


def source_of(name: str) -> HarnessSource:
    """Raises UsageError that lists the known ones."""
    for source in SOURCES:
        if source.name == name.lower():
            return source
    known = [source.name for source in SOURCES]
    raise UsageError(f"there is no harness {name}{did_you_mean(name, known)}", f"one of {', '.join(known)}")


def sources_root(scratch: Path) -> Path:
    return scratch / "harnesses" / "sources"


def staged_harness(source: HarnessSource, root: Path) -> StagedHarness | None:
    """What is in place of it, every file checked; None where nothing is, or not all as it was staged."""
    for version in _versions(source):
        folder = root / f"{source.name}-{version}"
        try:
            written = json.loads(_manifest(folder).read_text(encoding="utf-8"))
            wanted = {str(path): str(row["sha256"]) for path, row in written["files"].items()}
            if {path: keys.sha256_file(folder / path) for path in wanted} == wanted:
                num_bytes = sum(int(row["bytes"]) for row in written["files"].values())
                return StagedHarness(source.name, version, folder, False, num_bytes, str(written["from"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return None


def stage_harness(source: HarnessSource, given: str | None, root: Path) -> StagedHarness:
    """Fetch or take, check, put in place whole. ``given`` is a folder, an archive or an http address.

    Raises UsageError (nothing given for a harness that PyPI does not have), NotStaged (it cannot be had), BadInput (it
    is not the pinned one), Incomplete (the address broke off).
    """
    if given is None and not source.requirement:
        raise UsageError(
            f"{source.name} has no release on PyPI", f"add --from DIR, an archive or an address: {source.address}"
        )
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".harness-", dir=root) as name:
        work = Path(name)
        came = _released(source, work) if given is None else _given(given, work)
        files = work / "files"
        if came.is_dir():
            shutil.copytree(came, files, ignore=shutil.ignore_patterns(*_IGNORED))
        else:
            _unpack(came, files)
        _strip(files)
        version, content = _checked(source, came, files, given or source.requirement)
        return _put(source, version, content, root, given or f"PyPI: {came.name}")


def tree_digest(folder: Path) -> str:
    """The digest of the module's docstring over every file below ``folder``."""
    lines = [
        f"{_git_sha1(folder / path)}  {path}\n"
        for path in sorted((path.relative_to(folder).as_posix() for path in _files(folder)), key=str.encode)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _versions(source: HarnessSource) -> list[str]:
    release = [source.requirement.partition("==")[2]] if source.requirement else []
    return [*release, source.commit[:7]]


def _released(source: HarnessSource, work: Path) -> Path:
    """Through pip, which compares the digests as well; wheels only, because building runs what is in them."""
    hashes = " ".join(f"--hash=sha256:{digest}" for digest in source.archives.values())
    (work / "requirements.txt").write_text(f"{source.requirement} {hashes}\n", encoding="utf-8")
    place = work / "release"
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    words += ["--only-binary=:all:", "--require-hashes", "-r", str(work / "requirements.txt"), "-d", str(place)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_PIP_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Incomplete(f"{source.requirement} could not be fetched: {error}", _by_hand(source)) from error
    found = sorted(place.glob("*")) if place.is_dir() else []
    if done.returncode != 0 or len(found) != 1:
        said = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:200]
        raise NotStaged(f"{source.requirement} could not be fetched: {said}", _by_hand(source))
    return found[0]


def _by_hand(source: HarnessSource) -> str:
    return f"pip download --no-deps {source.requirement}, then: benchforge stage --harness {source.name} --from FILE"


def _given(given: str, work: Path) -> Path:
    if given.startswith(("http://", "https://")):
        return fetched(given, work / "archive", _MAX_BYTES)
    path = Path(given).expanduser()
    if not path.exists():
        raise UsageError(f"there is no {path}", "give --from a folder, an archive (tar.gz, zip, whl) or an address")
    return path


def _checked(source: HarnessSource, came: Path, files: Path, said: str) -> tuple[str, Path]:
    """Version, and the folder that holds the files; BadInput where it is neither the release nor the commit."""
    if came.is_file() and keys.sha256_file(came) in source.archives.values():
        return _versions(source)[0], _inner(files)
    for folder in (files, _inner(files)):
        if tree_digest(folder) == source.tree_digest:
            return source.commit[:7], folder
    pinned = f"{source.repository}@{source.commit[:7]}"
    raise BadInput(
        f"{said} is not {source.requirement or pinned}: its files have another digest than the pinned ones",
        f"git -C DIR checkout {source.commit[:7]} && git -C DIR clean -xdf, or: --from {source.address}",
    )


def _inner(folder: Path) -> Path:
    """Archives of a commit or a release hold one folder."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _unpack(archive: Path, folder: Path) -> None:
    """BadInput for what is no archive, leads outside of its folder or is larger than any harness."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                _refuse_large(sum(member.file_size for member in packed.infolist()), archive)
                packed.extractall(folder)
            return
        with tarfile.open(archive) as packed:
            _refuse_large(sum(member.size for member in packed.getmembers()), archive)
            packed.extractall(folder, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise BadInput(f"{archive} cannot be unpacked: {error}", "give a tar.gz, zip or whl file") from error


def _refuse_large(num_bytes: int, archive: Path) -> None:
    if num_bytes > _MAX_BYTES:
        raise BadInput(f"{archive} unpacks to {num_bytes >> 20} MiB", "give the archive of one harness")


def _put(source: HarnessSource, version: str, content: Path, root: Path, came_from: str) -> StagedHarness:
    """The folder whole or not at all; its manifest last."""
    target = root / f"{source.name}-{version}"
    rows = {
        path.relative_to(content).as_posix(): {"bytes": path.stat().st_size, "sha256": keys.sha256_file(path)}
        for path in sorted(_files(content))
    }
    _manifest(target).unlink(missing_ok=True)
    if target.exists():
        shutil.rmtree(target)
    content.rename(target)
    document = {"harness": source.name, "version": version, "from": came_from, "files": rows}
    replace_file(_manifest(target), json.dumps(document, indent=1).encode())
    return StagedHarness(source.name, version, target, True, sum(row["bytes"] for row in rows.values()), came_from)


def _manifest(folder: Path) -> Path:
    return folder.with_name(folder.name + ".json")


def _strip(folder: Path) -> None:
    for path in [path for pattern in _IGNORED for path in folder.rglob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    """Without what use leaves behind: a harness may have run since it was staged."""
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(fnmatch(part, pattern) for part in parts for pattern in _IGNORED):
            yield path


def _git_sha1(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
