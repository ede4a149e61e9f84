"""What ``benchforge stage`` fetches: weights of models, sources of harnesses; one row each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import out

if TYPE_CHECKING:
    from ...ingest.planning.models import Model
    from ...ingest.staging.harness_sources import HarnessSource

Row = dict[str, Any]


def weights_rows(settings: Any, names: Sequence[str], is_dry_run: bool) -> Iterator[Row]:
    """Model after model, so that an error leaves the earlier ones in place. Raises as ``plan_weights`` does.

    Local checkpoints are looked at and left where they are. NotStaged where the Hub's library is not installed.
    """
    from ...ingest.planning.to_stage import models_to_stage

    for model in models_to_stage(settings, names):
        if model.weights:
            yield _local_row(model)
        elif model.hub_id is None:
            yield _row(f"weights of {model.name}", "", "served elsewhere", "", "no hub_id")
        else:
            yield _hub_row(settings, model, model.hub_id, is_dry_run)


def harness_rows(settings: Any, names: Sequence[str], given: str | None, is_dry_run: bool) -> Iterator[Row]:
    """Harness after harness: its source, the protocol strings in it, and an environment that runs it where PyPI has it.

    Raises UsageError for an unknown name, and for one folder given for several harnesses.
    """
    from ...ingest.errors import UsageError
    from ...ingest.staging.harness_sources import source_of

    sources = [source_of(name) for name in dict.fromkeys(names)]
    if given is not None and len(sources) > 1:
        raise UsageError("--from holds one harness, and several are named", "stage them one after the other")
    for source in sources:
        yield from _harness(settings, source, given, is_dry_run)


def _hub_row(settings: Any, model: Model, hub_id: str, is_dry_run: bool) -> Row:
    from ...ingest.errors import NotStaged
    from ...ingest.planning.wanted import digests_file
    from ...ingest.staging.weights import plan_weights, stage_weights
    from ..online import hub_target, require_network

    try:
        from huggingface_hub.utils import disable_progress_bars
    except ImportError as error:
        raise NotStaged("weights need the Hub's library", "pip install 'benchforge[publish]'") from error
    if out.is_quiet:
        disable_progress_bars()
    kept, hf_home = digests_file(settings), settings["compute.hf_home"]

    def reach() -> None:
        require_network("stage", hub_target())

    plan = plan_weights(hub_id, model.revision, hf_home, kept, out.say, reach=reach)
    state = "staged" if plan.files else "in place"
    if plan.files and not is_dry_run:
        out.say(f"{plan.hub_id}: {len(plan.files)} files, {plan.missing_bytes / 1e9:.1f} GB to fetch")
        stage_weights(plan, kept, out.say)
    num_bytes = sum(file.num_bytes for file in plan.files) or None
    return _row(f"weights of {plan.hub_id}", plan.commit[:12], state, plan.folder, "Hub", num_bytes)


def _local_row(model: Model) -> Row:
    from ...ingest.errors import UsageError
    from ...ingest.planning.weights import weights_problem

    folder = Path(str(model.weights)).expanduser()
    problem = weights_problem(folder)
    if problem:
        raise UsageError(f"{model.name}: {problem}", "correct weights: or checkpoints: of the run file")
    return _row(f"weights of {model.name}", "", "in place", folder.absolute(), "local")


def _harness(settings: Any, source: HarnessSource, given: str | None, is_dry_run: bool) -> Iterator[Row]:
    from ...ingest.staging.harness_sources import sources_root, stage_harness, staged_harness
    from ..online import require_network
    from ..score.harnesses import HARNESSES

    root = sources_root(settings.scratch)
    found = None if given else staged_harness(source, root)
    if found is None and is_dry_run:
        yield _row(f"sources of {source.name}", source.commit[:7], "staged", root, given or source.requirement)
        return
    if found is None:
        if given is None or "://" in given:
            require_network("stage")
        found = stage_harness(source, given, root)
    state = "staged" if found.is_new else "in place"
    yield _row(f"sources of {found.name}", found.version, state, found.folder, found.came_from, found.num_bytes)
    if not is_dry_run:
        yield from _strings(found.folder, settings.datasets_root)
        for harness in HARNESSES:
            if harness.name == source.name and harness.requirement and given is None:
                yield _environment(harness, settings.scratch)


def _strings(folder: Path, datasets_root: Path) -> Iterator[Row]:
    """The protocol strings of a harness that has some."""
    from ...ingest.staging.strings import HARNESSES, find_strings, write_strings

    if folder.name.partition("-")[0] in HARNESSES:
        texts = find_strings(folder)
        for path, (name, strings) in zip(write_strings(texts, datasets_root), texts.items(), strict=True):
            yield _row(f"{len(strings)} strings of {name}", "", "staged", path, str(folder))


def _environment(harness: Any, scratch: Path) -> Row:
    """What ``score --cross-check`` runs offline."""
    from ..score.environments import environment_of, is_made

    state = "in place" if is_made(harness, scratch) else "staged"
    place = environment_of(harness, scratch, is_offline=False, is_given=False)
    return _row(f"environment of {harness.name}", harness.requirement.partition("==")[2], state, place, "PyPI")


def _row(what: str, version: str, state: str, path: Any, source: str, num_bytes: int | None = None) -> Row:
    row = {"what": what, "version": version, "state": state, "bytes": num_bytes}
    return {**row, "path": str(path), "source": source}
