"""Staging problem files: found anywhere below a folder, by name or by digest; checked; copied whole or not at all.

A file may lie there packed or unpacked, under its upstream name or ours: what counts is the sha256 of its unpacked
content. A benchmark may put its file together out of upstream's (``Benchmark.assemble``); the same digest decides.
Everything asked for is found and checked before the first file is written. Hidden tests of gigabytes
(``Benchmark.stage_hidden``) are the exception: they are kept one by one after that, and count once all are there.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from ..benchmarks import registry
from ..benchmarks.declaration import Artifact, Benchmark, Version
from ..errors import BadInput, UsageError
from ..lake import replace_file
from .staged import pinned_version, staged_directory

_SUFFIXES = (".jsonl", ".json", ".gz")
_MAX_UNPACKED_BYTES = 4 << 30
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """One artifact of one version, and where it belongs."""

    benchmark: Benchmark
    version: Version
    artifact: Artifact
    target: Path

    @property
    def names(self) -> frozenset[str]:
        """File names that promise this artifact: ours and upstream's, packed and unpacked."""
        upstream = self.artifact.source.rpartition(":")[2].rpartition("/")[2]
        plain = {self.artifact.name, upstream.removesuffix(".gz")}
        return frozenset({*plain, *(f"{name}.gz" for name in plain)})


@dataclass(frozen=True)
class Staging:
    """One artifact: from where, to where, and whether it has to be written."""

    wanted: Wanted
    source: Path | None
    """None where the right file is in place already; the folder where it was put together."""
    content: bytes | None = None
    """Of a file that was put together, checked."""

    @property
    def is_new(self) -> bool:
        return self.source is not None


def wanted_files(benchmarks: Sequence[Benchmark], version_name: str | None, datasets_root: Path) -> list[Wanted]:
    """Artifacts of the named benchmarks: of the version named, else of the default one.

    Raises UsageError for a benchmark whose problems are not staged, and for an unknown version.
    """
    wanted: list[Wanted] = []
    for benchmark in benchmarks:
        version = pinned_version(benchmark, version_name)
        if not benchmark.needs_staging or not version.artifacts:
            reason = (
                "its problems are bundled" if benchmark.load and not benchmark.needs_staging else "it is import-only"
            )
            raise UsageError(f"{benchmark.name} {version.name} has nothing to stage: {reason}", "leave it out")
        wanted += _artifacts(benchmark, version, datasets_root)
    return wanted


def every_pinned_file(datasets_root: Path) -> list[Wanted]:
    """Artifacts of all versions of all benchmarks."""
    staged = [benchmark for benchmark in registry().values() if benchmark.needs_staging]
    return [one for bench in staged for version in bench.versions for one in _artifacts(bench, version, datasets_root)]


def plan_staging(wanted: Sequence[Wanted], source: Path) -> list[Staging]:
    """Find and check every artifact. Raises BadInput when one is missing, damaged or of another version."""
    folder = _Folder(source)
    return [Staging(one, None) if _is_in_place(one) else folder.staging(one) for one in wanted]


def plan_what_is_there(wanted: Sequence[Wanted], source: Path) -> list[Staging]:
    """As ``plan_staging``, for whatever pinned file the folder holds; BadInput when it holds none."""
    folder = _Folder(source)
    present = [_unless_in_place(found) for one in wanted if (found := folder.present(one))]
    if not present:
        raise BadInput(
            f"{source} holds none of the pinned problem files", "name the benchmark to see which file is looked for"
        )
    return present


def write_staged(plan: Iterable[Staging]) -> None:
    """Copy what is new, unpacked, each file whole or not at all; the copy's own digest is checked before it appears."""
    for staging in plan:
        if staging.source is None:
            continue
        content = staging.content or b"".join(_unpacked(staging.source))
        if not _is_right(hashlib.sha256(content).hexdigest(), staging.wanted):
            raise BadInput(f"{staging.source} changed while it was read", "run the same command again")
        replace_file(staging.wanted.target, content)


def keep_hidden_tests(wanted: Iterable[Wanted], source: Path) -> list[tuple[Wanted, int]]:
    """Hidden tests that the folder holds, beside the artifacts that are in place: artifact, how many problems.

    Raises BadInput for tests that cannot be read, or that some problem lacks; what was there before stays.
    """
    of_benchmark: dict[str, list[Wanted]] = {}
    for one in wanted:
        of_benchmark.setdefault(one.benchmark.name, []).append(one)
    kept: list[tuple[Wanted, int]] = []
    paths = _Folder(source).paths
    for name, members in of_benchmark.items():
        if stage_hidden := registry()[name].stage_hidden:
            numbers = stage_hidden(paths, [one.target.parent for one in members])
            kept += [(one, number) for one in members if (number := numbers.get(one.target.parent))]
    return kept


def _artifacts(benchmark: Benchmark, version: Version, datasets_root: Path) -> list[Wanted]:
    folder = staged_directory(datasets_root, benchmark, version)
    return [Wanted(benchmark, version, artifact, folder / artifact.name) for artifact in version.artifacts]


def _is_in_place(wanted: Wanted) -> bool:
    """Of an artifact without a published digest, only its being there can be told."""
    return wanted.target.is_file() and _is_right(_digest(wanted.target), wanted)


def _is_right(digest: str | None, wanted: Wanted) -> bool:
    return digest is not None and wanted.artifact.sha256 in ("", digest)


def _unless_in_place(staging: Staging) -> Staging:
    return Staging(staging.wanted, None) if _is_in_place(staging.wanted) else staging


class _Folder:
    """Files below a folder that may be problem files; each is hashed once at most."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise UsageError(f"{root} is not a folder", "give --from the folder that holds the downloaded files")
        self.root = root
        self._digests: dict[Path, str | None] = {}

    @cached_property
    def paths(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*") if path.suffix in _SUFFIXES and path.is_file())

    def digest(self, path: Path) -> str | None:
        """sha256 of the unpacked content; None for a file that cannot be unpacked or is too large."""
        if path not in self._digests:
            self._digests[path] = _digest(path)
        return self._digests[path]

    def with_digest(self, sha256: str) -> Path | None:
        return next((path for path in self.paths if self.digest(path) == sha256), None)

    def present(self, wanted: Wanted) -> Staging | None:
        """The artifact if it is here, whatever it is called."""
        if wanted.benchmark.assemble is None:
            path = self.with_digest(wanted.artifact.sha256)
            return Staging(wanted, path) if path else None
        try:
            return self.staging(wanted)
        except BadInput:
            return None

    def staging(self, wanted: Wanted) -> Staging:
        """The artifact, found or put together. Raises BadInput that says what is missing or stands in its place."""
        if wanted.benchmark.assemble is None:
            return Staging(wanted, self.find(wanted))
        content = wanted.benchmark.assemble(self.paths, wanted.version)
        if not _is_right(hashlib.sha256(content).hexdigest(), wanted):
            what = f"{wanted.benchmark.name} {wanted.version.name}"
            raise BadInput(
                f"the problems in {self.root} are not those of {what}: their sha256 differs", _origin(wanted)
            )
        return Staging(wanted, self.root, content)

    def find(self, wanted: Wanted) -> Path:
        """The artifact, by name first. Raises BadInput that says what stands in its place."""
        named = [path for path in self.paths if path.name in wanted.names]
        for path in named:
            if self.digest(path) == wanted.artifact.sha256:
                return path
        found = self.with_digest(wanted.artifact.sha256)
        if found is not None:
            return found
        what = f"{wanted.benchmark.name} {wanted.version.name}"
        if named:
            raise BadInput(f"{named[0]} is not {what}: {self._verdict(named[0])}", _origin(wanted))
        raise BadInput(f"{self.root} does not hold {wanted.artifact.name}[.gz] of {what}", _origin(wanted))

    def _verdict(self, path: Path) -> str:
        digest = self.digest(path)
        if digest is None:
            return "it is damaged and cannot be unpacked"
        for benchmark in registry().values():
            for version in benchmark.versions:
                if digest in {artifact.sha256 for artifact in version.artifacts}:
                    return f"it is {benchmark.name} {version.name}"
        return f"its sha256 begins with {digest[:12]}, so it is damaged or of another release"


def _origin(wanted: Wanted) -> str:
    repository, _, path = wanted.artifact.source.partition(":")
    return f"take {path} from {repository.replace('@', ' at commit ')}"


def _digest(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        for chunk in _unpacked(path):
            digest.update(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile, OverflowError):
        return None
    return digest.hexdigest()


def _unpacked(path: Path) -> Iterator[bytes]:
    """Content in chunks, unpacked where it begins as gzip does. OverflowError beyond four GiB."""
    with path.open("rb") as raw:
        is_packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_packed else raw
        left = _MAX_UNPACKED_BYTES
        while chunk := stream.read(_CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise OverflowError(f"{path} unpacks to more than {_MAX_UNPACKED_BYTES} bytes")
            yield chunk
