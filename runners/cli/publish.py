"""``benchforge publish``: results, leaderboard and page to the Hub, after everything was checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

_EPILOG = "Example: benchforge publish --dry-run --namespace my-organization"
_SENT = ("repository", "commit", "tag", "changed")
_KINDS = ("results", "leaderboard", "space")


class _Repository(click.ParamType):
    """``results``, ``leaderboard`` or ``space``, with ``=NAMESPACE/NAME`` where it is called otherwise."""

    name = "kind[=namespace/name]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        kind, _, name = value.partition("=")
        if kind not in _KINDS:
            from ...ingest.names import did_you_mean

            guess = did_you_mean(kind, _KINDS)
            self.fail(f"{kind!r} is not a repository{guess}; one of {', '.join(_KINDS)}", param, ctx)
        if "=" in value and name.count("/") != 1:
            self.fail(f"{name!r} is not NAMESPACE/NAME", param, ctx)
        return kind, name


@contextmanager
def _watch(total: int) -> Iterator[Callable[[int, str], None]]:
    with out.progress(total, "models and tests") as bar:
        yield bar.advance


@click.command(name="publish", epilog=_EPILOG)
@settings_options
@click.option("--recorded", is_flag=True, help="The bundled lake of recorded public verdicts, not the run's.")
@click.option("--namespace", help="User or organization on the Hub; default: publish.namespace of the run file.")
@click.option("--repo", "repos", multiple=True, type=_Repository(), help="Only these, or under another name.")
@click.option("--replace", is_flag=True, help="Replace a first run in an older schema; its revision is tagged first.")
@click.option("--private", is_flag=True, help="Repositories that are made now are private.")
@click.option("--withhold-sensitive", is_flag=True, help="Leave out texts in which something looks like a key.")
@click.option("--accept", multiple=True, help="Rule of check whose findings are warnings this time.")
@dry_run_option
@format_option
def command(
    recorded: bool,
    namespace: str | None,
    repos: tuple[tuple[str, str], ...],
    replace: bool,
    private: bool,
    withhold_sensitive: bool,
    accept: tuple[str, ...],
    dry_run: bool,
    format_: str,
    **given: Any,
) -> None:
    """Publish per-sample results, the leaderboard and its page on the Hugging Face Hub.

    Every mart is built from the lake, checked (exit code 4 where a critical check finds something), assembled in
    <scratch>/<run>/publish, built again from there, and sent. Unchanged repositories get no commit; an upload that
    broke off goes on where it stopped. The token is HF_TOKEN or that of hf auth login.
    """
    from ..aggregate import resolved
    from ..marts_file import lake_of
    from ..online import hub_target, require_network
    from ..publish.publishing import Refused, Wanted, prepare, send

    settings = settings_from(**given, publish__namespace=namespace)
    if not dry_run:
        require_network("publish", hub_target())
    lake = resolved(None if recorded else lake_of(settings))
    wanted = Wanted(
        kinds=tuple(kind for kind in _KINDS if not repos or kind in dict(repos)),
        names={kind: name for kind, name in repos if name},
        is_replacing=replace,
        is_private=private,
        withholds_sensitive=withhold_sensitive,
        accept=accept,
    )
    out.say(f"lake: {'bundled (recorded public verdicts)' if recorded else lake}")
    try:
        prepared = prepare(settings, lake, wanted, is_dry_run=dry_run, say=out.say, watch=_watch)
    except Refused as refused:
        _show_findings(refused.findings.as_rows(), format_)
        raise
    if prepared.warnings.warnings:
        out.say(f"{len(prepared.warnings.warnings)} warnings; benchforge check shows them")
    if dry_run:
        _show_plan(prepared, format_)
        return
    sent = [_row(uploaded) for uploaded in send(prepared, wanted, out.say)]
    out.table(sent, _SENT, format_)


def _show_findings(rows: list[dict[str, Any]], format_: str) -> None:
    from ...expectations.findings import COLUMNS

    out.table(rows, COLUMNS, format_, title="What the gate found")


def _show_plan(prepared: Any, format_: str) -> None:
    """The plan as data; the cards, which people read, as talk."""
    from ..publish.publishing import PLAN_COLUMNS

    out.table(prepared.plan(), PLAN_COLUMNS, format_, title="What would be sent")
    for kind in prepared.remotes:
        card = prepared.folder(kind) / "README.md"
        if kind != "space" and card.is_file():
            out.say(f"\n{card}:\n\n{card.read_text(encoding='utf-8')}")
    out.say(f"nothing was sent; the folders lie in {prepared.publication.folder}")


def _row(uploaded: Any) -> Mapping[str, Any]:
    return {
        "repository": uploaded.repository.name,
        "commit": uploaded.commit,
        "tag": uploaded.tag,
        "changed": uploaded.is_changed,
    }
