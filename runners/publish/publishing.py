"""The road of ``benchforge publish``: look, build, check, assemble, check again, send, tag.

Nothing is taken from an earlier build: the marts are made from the lake every time. Who may not write, a name that is
too long, and a repository in an older schema are found before anything is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...expectations.findings import Findings
from ...ingest.config import Settings
from ...ingest.errors import BenchforgeError, GateFailed
from .. import aggregate
from ..folders import Folder
from . import publication_file, remote, sensitive
from .assemble import Publication, assemble
from .cards import Names
from .declared import LEADERBOARD, REPOSITORIES, RESULTS, SPACE
from .hub import Repository, api_of, refuse_stranger, repository_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi

KINDS: Mapping[str, str] = {"results": RESULTS, "leaderboard": LEADERBOARD, "space": SPACE}
"""Words of ``--repo`` -> repository; in the order of their upload."""
PLAN_COLUMNS = ("repository", "action", "files", "bytes")

Say = Callable[[str], None]


class Refused(GateFailed):
    """The gate, with everything it found."""

    def __init__(self, findings: Findings, where: str) -> None:
        number = len(findings.critical)
        what = f"{number} critical finding{'s' if number > 1 else ''} in {where}: nothing was published"
        is_text = all(finding.rule.startswith("sensitive_") for finding in findings.critical)
        leave_out = "mend the lake, or publish with --withhold-sensitive, which leaves out texts of models that offend"
        super().__init__(what, leave_out if is_text else "mend the lake and publish again; benchforge check shows more")
        self.findings = findings


@dataclass(frozen=True)
class Wanted:
    """What is asked for on the command line."""

    kinds: tuple[str, ...] = tuple(KINDS)
    names: Mapping[str, str] = field(default_factory=dict)
    """Kind -> full name, where it is not the default one."""
    is_replacing: bool = False
    is_private: bool = False
    withholds_sensitive: bool = False
    accept: tuple[str, ...] = ()
    """Rules of the gate whose findings are warnings this time."""

    def full_names(self, namespace: str) -> Names:
        defaults = {kind: f"{namespace}/{name}" for kind, name in KINDS.items()}
        return Names(**{**defaults, **self.names})


@dataclass(frozen=True)
class Prepared:
    """Assembled and checked; what the Hub holds now."""

    publication: Publication
    remotes: Mapping[str, remote.Remote]
    """Kind -> repository as it is."""
    warnings: Findings

    def folder(self, kind: str) -> Path:
        return self.publication.folder / KINDS[kind]

    def plan(self) -> list[dict[str, Any]]:
        """What an upload would do, one row per repository and action."""
        return [row for kind, found in self.remotes.items() for row in _plan(found, self.folder(kind))]


def prepare(
    settings: Settings,
    lake: Path,
    wanted: Wanted,
    *,
    is_dry_run: bool,
    say: Say = lambda text: None,
    watch: aggregate.Watch = aggregate.unwatched,
) -> Prepared:
    """Everything but the upload. A dry run goes on without a token, and where the Hub cannot be asked.

    Raises Refused where the gate finds something critical, BenchforgeError where publishing would be refused.
    """
    names = wanted.full_names(settings["publish.namespace"])
    repositories = {kind: _repository(kind, names) for kind in wanted.kinds}
    api = api_of()
    remotes = _looked(api, repositories, wanted, is_dry_run=is_dry_run, say=say)
    folder = (settings.run_root / "publish").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with Folder("publish-", inside=folder.parent) as workshop:
        say("building every mart from the lake")
        built = aggregate.build(lake, workshop / "benchforge.duckdb", watch=watch)
        warnings = _checked(settings, built.path, lake, _last_published(remotes, workshop, say), wanted)
        _refuse_nothing(built.path)
        say("assembling, and building again from what would be published")
        publication = _assembled(settings, built.path, lake, folder, names, wanted, watch)
    return Prepared(publication, remotes, warnings)


def send(prepared: Prepared, wanted: Wanted, say: Say = lambda text: None) -> Iterator[remote.Uploaded]:
    """Upload what was prepared, results first; yields each repository as it is done."""
    api = api_of()
    counted = prepared.publication.counted
    message = f"{counted.num_samples} samples, {counted.num_verdicts} verdicts"
    for kind, found in prepared.remotes.items():
        say(f"sending {found.repository.name}")
        yield remote.upload(api, found, prepared.folder(kind), message=message, is_private=wanted.is_private)


def _repository(kind: str, names: Names) -> Repository:
    return repository_of(getattr(names, kind), "space" if kind == "space" else "dataset")


def _looked(
    api: HfApi, repositories: Mapping[str, Repository], wanted: Wanted, *, is_dry_run: bool, say: Say
) -> dict[str, remote.Remote]:
    try:
        for namespace in sorted({each.name.partition("/")[0] for each in repositories.values()}):
            if not is_dry_run:
                refuse_stranger(api, namespace)
        found = {kind: remote.look(api, each) for kind, each in repositories.items()}
    except BenchforgeError as error:
        if not is_dry_run:
            raise
        say(f"what the Hub holds is not known: {error.message}")
        return {kind: remote.Remote(each) for kind, each in repositories.items()}
    for each in found.values():
        if is_dry_run and each.is_older_schema and not wanted.is_replacing:
            say(f"{each.repository.name} holds a publication in another schema: it will take --replace")
        elif not is_dry_run:
            remote.refuse_older_schema(each, replace=wanted.is_replacing)
    return found


def _last_published(remotes: Mapping[str, remote.Remote], workshop: Path, say: Say) -> Path | None:
    """Parquet files of the leaderboard as it was published last; None where there is none."""
    from .snapshot import downloaded

    found = remotes.get("leaderboard")
    if found is None or found.head is None or not any(path.endswith(".parquet") for path in found.files):
        return None
    if found.is_older_schema:
        say(f"{found.repository.name}: an older schema, so what moved since is not comparable")
    return downloaded(found.repository, found.head, ["*.parquet", publication_file.NAME])


def _checked(settings: Settings, built: Path, lake: Path, published: Path | None, wanted: Wanted) -> Findings:
    from ..gate.check import check

    findings = check(settings, built, lake, published=published, accept=wanted.accept)
    if findings.critical:
        raise Refused(findings, "the lake and its marts")
    return findings


def _refuse_nothing(built: Path) -> None:
    with aggregate.opened(built) as connection:
        number = connection.execute("select count(*) from leaderboard").fetchall()[0][0]
    if not number:
        raise GateFailed(
            "the leaderboard has no number, so there is nothing to publish", "benchforge sql 'from fct_refusals'"
        )


def _assembled(
    settings: Settings, built: Path, lake: Path, folder: Path, names: Names, wanted: Wanted, watch: aggregate.Watch
) -> Publication:
    """Assembled and free of what must not leave; with ``--withhold-sensitive`` without the texts that offend."""
    from ..gate.check import check_assembled

    token = _token()
    publication = assemble(settings, built, lake, folder, names=names, token=token, watch=watch)
    public = [part for name in (names.results, names.leaderboard, names.space) for part in name.split("/")]
    found = _scanned(publication, public)
    if found.samples and wanted.withholds_sensitive:
        withheld = sorted(found.samples)
        publication = assemble(settings, built, lake, folder, names=names, withheld=withheld, token=token, watch=watch)
        found = _scanned(publication, public)
    for findings in (found.findings(), check_assembled(folder)):
        if findings.critical:
            raise Refused(findings, "what would be published")
    return publication


def _scanned(publication: Publication, public: Sequence[str]) -> sensitive.Scan:
    found = sensitive.Scan()
    for repository in REPOSITORIES:
        found.join(sensitive.scan(publication.folder / repository, publication.machine, public), repository)
    return found


def _token() -> str | None:
    from huggingface_hub import get_token

    return get_token()


def _plan(found: remote.Remote, folder: Path) -> Iterator[dict[str, Any]]:
    said = publication_file.read(folder)
    ours = {
        **(said.files if said else {}),
        publication_file.NAME: {"bytes": (folder / publication_file.NAME).stat().st_size},
    }
    actions: dict[str, list[int]] = {"create": [], "change": [], "keep": [], "delete": []}
    for path, facts in ours.items():
        action = "create" if path not in found.files else "keep" if remote.is_same(found, folder, path) else "change"
        actions[action].append(facts["bytes"])
    actions["delete"] = [
        size for path, (size, _) in found.files.items() if path not in ours and path != ".gitattributes"
    ]
    for action, sizes in actions.items():
        if sizes:
            yield {"repository": found.repository.name, "action": action, "files": len(sizes), "bytes": sum(sizes)}
