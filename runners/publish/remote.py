"""What is on the Hub, and how it gets there: one commit after a known parent, then a tag of its content.

``upload_folder`` of huggingface_hub 2 streams: large folders become several commits, an upload that broke off goes on
where it stopped, files that did not change are not sent. What it does not do is done here: which revision the first
commit must follow, whose commits came in between, trying again through a storm of 5xx, and a look at what arrived.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...ingest.errors import BadInput, BenchforgeError, Incomplete
from . import hub, publication_file
from .hub import LOGIN, Passing, Repository, asked, patiently

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TITLE = "benchForge publication"
"""Every commit of ours begins with it."""


@dataclass(frozen=True)
class Remote:
    """A repository as it is now."""

    repository: Repository
    head: str | None = None
    """Commit of main; None: there is no such repository yet."""
    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Path -> size and digest: sha256 of large files, the git blob id of others."""
    published: publication_file.Publication | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tag -> commit."""

    @property
    def is_older_schema(self) -> bool:
        """It holds something that this layout did not put there."""
        if self.published is not None:
            return self.published.layout != publication_file.LAYOUT
        return not publication_file.is_ours(self.files)


@dataclass(frozen=True)
class Uploaded:
    """What one repository is after an upload."""

    repository: Repository
    commit: str
    tag: str
    is_changed: bool


def look(api: HfApi, repository: Repository) -> Remote:
    """The repository as it is now. Raises BenchforgeError where the Hub does not let us look, Incomplete where it is
    out of order."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        return patiently(lambda: _looked(api, repository), repository)
    except RepositoryNotFoundError:
        return Remote(repository)


def _looked(api: HfApi, repository: Repository) -> Remote:
    from huggingface_hub.hf_api import RepoFile

    where: dict[str, Any] = {"repo_id": repository.name, "repo_type": repository.kind}
    head = str(api.repo_info(**where).sha)
    entries = list(api.list_repo_tree(**where, recursive=True, revision=head))
    files = [entry for entry in entries if isinstance(entry, RepoFile)]
    known = {file.path: (file.size, file.lfs.sha256 if file.lfs else file.blob_id) for file in files}
    tags = {ref.name: ref.target_commit for ref in api.list_repo_refs(**where).tags}
    return Remote(repository, head, known, _published(api, repository, head, known), tags)


def _published(
    api: HfApi, repository: Repository, revision: str, files: Mapping[str, Any]
) -> publication_file.Publication | None:
    import tempfile

    if publication_file.NAME not in files:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = api.hf_hub_download(
            repository.name,
            publication_file.NAME,
            repo_type=repository.kind,
            revision=revision,
            local_dir=folder,
        )
        return publication_file.parsed(Path(path).read_bytes())


def refuse_older_schema(remote: Remote, *, replace: bool) -> None:
    """BadInput for a repository with a first run in an older schema, unless it is to be replaced."""
    if remote.is_older_schema and not replace:
        odd = next((path for path in sorted(remote.files) if not publication_file.is_ours([path])), "its layout")
        raise BadInput(
            f"{remote.repository.name} holds a publication in another schema ({odd})",
            "benchforge publish --replace, which tags the old revision before anything changes",
        )


def upload(api: HfApi, remote: Remote, folder: Path, *, message: str, is_private: bool = False) -> Uploaded:
    """Make the repository hold exactly ``folder``, and tag it. The folder must have its publication file.

    A repository in an older schema is tagged ``before-<commit>`` first. Raises Incomplete (run it again) where the Hub
    refused too often, BadInput where somebody else commits at the same time, BenchforgeError for a token that may not.
    """
    said = publication_file.refuse_altered(folder)
    repository = remote.repository
    if remote.head is None:
        patiently(lambda: _created(api, repository, is_private), repository)
        remote = look(api, repository)
    if remote.is_older_schema:
        _tag(api, repository, f"before-{str(remote.head)[:8]}", str(remote.head))
    if not _is_there(remote, folder):
        _sent(api, remote, folder, f"{TITLE} {said.tag}", message)
    arrived = look(api, repository)
    if not _is_there(arrived, folder):
        raise BadInput(
            f"{repository.name} does not hold what was sent: somebody else commits to it",
            "benchforge publish, when they have finished",
        )
    tag = _tag(api, repository, said.tag, str(arrived.head), arrived.tags)
    return Uploaded(repository, str(arrived.head), tag, arrived.head != remote.head)


def _created(api: HfApi, repository: Repository, is_private: bool) -> None:
    sdk = "gradio" if repository.kind == "space" else None
    api.create_repo(repository.name, repo_type=repository.kind, private=is_private, exist_ok=True, space_sdk=sdk)


def _sent(api: HfApi, remote: Remote, folder: Path, title: str, message: str) -> None:
    """Upload, and again after what passes; each try starts from the last commit that is ours."""
    from huggingface_hub.errors import RepositoryNotFoundError

    parent = remote.head
    for wait in (*hub.WAITS_SECONDS, None):
        try:
            return asked(
                lambda parent=parent: _upload(api, remote.repository, folder, title, message, parent),
                remote.repository,
            )
        except Passing as error:
            if wait is None:
                raise Incomplete(error.message, "benchforge publish, which goes on where it stopped") from None
            time.sleep(wait)
        except RepositoryNotFoundError:  # also what the Hub says where a token has expired meanwhile
            raise BenchforgeError(f"the token may not write to {remote.repository.name} any more", LOGIN) from None
        with contextlib.suppress(Passing):
            parent = asked(lambda: _last_of_ours(api, remote, title), remote.repository)


def _upload(api: HfApi, repository: Repository, folder: Path, title: str, message: str, parent: str | None) -> None:
    api.upload_folder(
        repo_id=repository.name,
        repo_type=repository.kind,
        folder_path=folder,
        commit_message=title,
        commit_description=message,
        parent_commit=parent,
        delete_patterns="*",
        ignore_patterns=[".cache/**"],
    )


def _last_of_ours(api: HfApi, remote: Remote, title: str) -> str | None:
    """Head after a broken upload, if every commit since we looked is ours. Raises BadInput where one is not.

    The title names the content: another publication at the same time is not ours.
    """
    repository = remote.repository
    commits = api.list_repo_commits(repository.name, repo_type=repository.kind)
    for commit in commits:
        if commit.commit_id == remote.head:
            break
        if not commit.title.startswith(title):
            raise BadInput(
                f"somebody else committed to {repository.name} meanwhile ({commit.commit_id[:8]})",
                "benchforge publish, when they have finished",
            )
    return commits[0].commit_id if commits else remote.head


def _is_there(found: Remote, folder: Path) -> bool:
    """Whether a repository holds exactly the files of a folder, by size and digest."""
    said = publication_file.read(folder)
    ours = {*(said.files if said else ()), publication_file.NAME}
    return set(found.files) - {".gitattributes"} == ours and all(is_same(found, folder, path) for path in ours)


def is_same(found: Remote, folder: Path, path: str) -> bool:
    """Whether the repository has this file of the folder as it is here."""
    from huggingface_hub.utils.sha import git_hash

    size, digest = found.files[path]
    if size != (folder / path).stat().st_size:
        return False
    if len(digest) == 40:  # a file that git itself keeps: small
        return digest == git_hash((folder / path).read_bytes())
    with (folder / path).open("rb") as stream:
        return digest == hashlib.file_digest(stream, "sha256").hexdigest()


def _tag(api: HfApi, repository: Repository, tag: str, commit: str, known: Mapping[str, str] | None = None) -> str:
    """Tag a commit. Equal content keeps its tag, even where a card has changed since: a tag never moves."""
    if known is None or tag not in known:
        patiently(
            lambda: api.create_tag(repository.name, tag=tag, revision=commit, repo_type=repository.kind, exist_ok=True),
            repository,
        )
    return tag
