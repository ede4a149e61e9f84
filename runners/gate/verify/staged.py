"""What runs are made from: staged problem files, protocol strings, and the files of the installed package."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

from ....ingest import keys
from ....ingest.benchmarks import registry
from ....ingest.errors import BadInput, NotStaged
from ....ingest.staging.staged import staged_directory
from ....ingest.staging.strings import HARNESSES, read_strings
from .faults import Fault


def look_at_staged(datasets_root: Path) -> Iterator[Fault]:
    """Files whose sha256 is not the pinned one; what was never staged is not missed."""
    for benchmark in registry().values():
        for version in benchmark.versions if benchmark.needs_staging else ():
            folder = staged_directory(datasets_root, benchmark, version)
            for artifact in version.artifacts:
                path = folder / artifact.name
                if artifact.sha256 and path.is_file() and (found := keys.sha256_file(path)) != artifact.sha256:
                    name = path.relative_to(datasets_root).as_posix()
                    again = f"remove it, then benchforge stage {benchmark.name} --version {version.name} --from DIR"
                    yield Fault("staged_digest", name, f"hashes to {found[:12]}, pinned is another; {again}")
    yield from _strings(datasets_root)


def look_at_package() -> Iterator[Fault]:
    """Files against the digests in the wheel's own record; a checkout has none, git watches over it."""
    from importlib import metadata

    for file in metadata.files("benchforge") or ():
        path = Path(str(file.locate()))
        if file.hash is None or file.hash.mode != "sha256" or ".." in file.parts:
            continue
        found = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else None
        if found is None or base64.urlsafe_b64encode(found).decode().rstrip("=") != file.hash.value:
            words = "is gone" if found is None else "was changed after it was installed"
            yield Fault("bundled_digest", str(file), f"{words}; pip install --force-reinstall benchforge")


def _strings(datasets_root: Path) -> Iterator[Fault]:
    for name, harness in HARNESSES.items():
        for string in harness.strings:
            try:
                read_strings([string.name], datasets_root)
            except NotStaged:
                continue
            except BadInput as error:
                yield Fault("staged_digest", f"strings/{name}.json", f"{string.name}: {error.message}; {error.hint}")
