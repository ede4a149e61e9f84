"""inspect_ai logs: ``.eval`` (a zip) and ``.json``.

Shapes as UKGovernmentBEIS/inspect_ai@499e615 writes them (``log/_log.py``, ``log/_recorders/eval.py``). A zip holds
``header.json`` without samples and ``samples/<id>_epoch_<n>.json``; while the run goes on, or after it was killed,
there is no header, only ``_journal/start.json`` and the samples flushed so far. A member that stands twice was tried
again: the last one counts. Newer releases pack members with zstd, which ``zipfile`` reads from Python 3.14 on.

A score is a letter (C, P, I, N), a truth value, a number, a text, a list, or an object of these; only right or wrong is
a verdict. A sample with an error was not judged. With several scorers the first that the results name is the verdict,
all of them stand in ``notes``.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .benchmark_words import our_word
from .glimpse import Glimpse
from .json_stream import JsonStream
from .records import Context, Judgement, Log, LogFacts, Record, log_format
from .text_stream import AGAIN, MAX_ROW_BYTES, first_bytes

TOOL = "inspect_ai"
_ZSTD_METHOD = 93
"""Method 93 of the zip format's list (APPNOTE 4.4.5)."""
_LETTERS: Mapping[str, float] = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_ATTACHMENT = "attachment://"


def open_log(path: Path, context: Context) -> Log:
    is_zip = first_bytes(path, 2) == b"PK"
    header = _zip_header(path) if is_zip else _json_header(path)
    samples = _zip_samples if is_zip else _json_samples
    names = _scorers(header)
    return Log(lambda: (_record(one, names, context) for one in samples(path)), _facts(header), _stated(header))


def _zip_header(path: Path) -> dict[str, Any]:
    with _archive(path) as archive:
        names = archive.namelist()
        name = "header.json" if "header.json" in names else "_journal/start.json"
        if name not in names:
            raise BadInput(f"{path} is a zip file without header.json: no log of inspect_ai", "check the file")
        return _member(path, archive, archive.getinfo(name))


def _zip_samples(path: Path) -> Iterator[dict[str, Any]]:
    with _archive(path) as archive:
        last = {info.filename: info for info in archive.infolist() if info.filename.startswith("samples/")}
        for info in last.values():
            yield _member(path, archive, info)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise BadInput(f"{path} is a damaged zip file: {error}", AGAIN) from error


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> dict[str, Any]:
    if info.file_size > MAX_ROW_BYTES:
        raise BadInput(f"{path}: {info.filename} is larger than {MAX_ROW_BYTES >> 20} MiB", AGAIN)
    try:
        is_zstd = info.compress_type == _ZSTD_METHOD
        content = _zstd_content(path, info) if is_zstd else _bounded(archive, info)
        value = json.loads(content)
    except (zipfile.BadZipFile, OSError, ValueError, RecursionError, NotImplementedError, EOFError) as error:
        raise BadInput(f"{path}: {info.filename} is damaged: {error}", AGAIN) from error
    if not isinstance(value, dict):
        raise BadInput(f"{path}: {info.filename} is not an object", "is this a log of inspect_ai?")
    return value


def _bounded(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member may say that it is small and be large."""
    with archive.open(info) as stream:
        content = stream.read(info.file_size + 1)
    if len(content) > info.file_size:
        raise ValueError("it is larger than it says")
    return content


def _zstd_content(path: Path, info: zipfile.ZipInfo) -> bytes:
    import pyarrow as pa

    with path.open("rb") as stream:
        stream.seek(info.header_offset + 26)
        name_length, extra_length = struct.unpack("<HH", stream.read(4))
        stream.seek(name_length + extra_length, 1)
        packed = stream.read(info.compress_size)
    with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as unpacked:
        return unpacked.read(info.file_size)


def _json_header(path: Path) -> dict[str, Any]:
    stream = JsonStream(path)
    header: dict[str, Any] = {}
    for key in stream.members():
        if key in ("samples", "reductions"):
            stream.skip()
        else:
            header[key] = stream.value()
    return header


def _json_samples(path: Path) -> Iterator[dict[str, Any]]:
    stream = JsonStream(path)
    for key in stream.members():
        if key != "samples" or stream.peek() != "[":
            stream.skip()
            continue
        for _ in stream.elements():
            yield stream.value()


def _record(sample: Mapping[str, Any], scorers: Sequence[str], context: Context) -> Record:
    output = sample.get("output") or {}
    choices = output.get("choices") or [{}]
    scores = dict(_scores(sample))
    named = next((name for name in scorers if name in scores), next(iter(scores), None))
    score = (sample.get("scores") or {}).get(named) or {}
    usage = output.get("usage") or {}
    return Record(
        str(sample.get("id")),
        int(sample.get("epoch") or 1) - 1,
        _resolved(output.get("completion"), sample),
        context.text_form or "raw",
        {} if sample.get("error") or named is None else _judgement(scores[named]),
        usage.get("output_tokens"),
        program=_resolved(score.get("answer"), sample),
        prompt=_prompt(sample),
        finish_reason=choices[0].get("stop_reason"),
        task_score=_partial(scores.get(named)) if named and not sample.get("error") else None,
        notes={"scores": scores, "error": (sample.get("error") or {}).get("message"), "limit": sample.get("limit")},
    )


def _scores(sample: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Scorer -> value as a number where it is one; a scorer with an object of values gives one entry per key."""
    for name, score in (sample.get("scores") or {}).items():
        value = score.get("value") if isinstance(score, dict) else score
        if isinstance(value, dict):
            yield from ((key, as_number(item)) for key, item in value.items())
        else:
            yield name, as_number(value)


def as_number(value: Any) -> float | None:
    """0 to 1 for a letter or truth value, a number as it is; None for texts and lists, which no metric averages."""
    if isinstance(value, bool | int | float):
        return float(value)
    return _LETTERS.get(value) if isinstance(value, str) else None


def _judgement(value: float | None) -> dict[str, Judgement]:
    if value == 1.0:
        return {"base": Judgement("pass", "ok")}
    return {"base": Judgement("fail")} if value == 0.0 else {}


def _partial(value: float | None) -> float | None:
    return value if value is not None and 0 < value < 1 else None


def _resolved(text: Any, sample: Mapping[str, Any]) -> str | None:
    """Long texts stand once, under ``attachments``, and are referred to by their digest."""
    if isinstance(text, str) and text.startswith(_ATTACHMENT):
        text = (sample.get("attachments") or {}).get(text.removeprefix(_ATTACHMENT), text)
    return text if isinstance(text, str) else None


def _prompt(sample: Mapping[str, Any]) -> str | None:
    given = sample.get("input")
    if isinstance(given, list):
        texts = [message.get("content") for message in given if isinstance(message, dict)]
        return "\n".join(text for text in texts if isinstance(text, str))
    return _resolved(given, sample)


def _scorers(header: Mapping[str, Any]) -> list[str]:
    scores = (header.get("results") or {}).get("scores") or ()
    return [str(one["name"]) for one in scores if isinstance(one, dict) and one.get("name")]


def _stated(header: Mapping[str, Any]) -> dict[str, float]:
    """``<scorer> <metric>`` in percent of the value stated; metrics of 1.0 are 100."""
    stated = {}
    for one in (header.get("results") or {}).get("scores") or ():
        for name, metric in (one.get("metrics") or {}).items():
            value = metric.get("value") if isinstance(metric, dict) else metric
            if isinstance(value, int | float) and name in ("accuracy", "mean"):
                stated[f"{one['name']} {name}"] = 100 * value
    return stated


def _facts(header: Mapping[str, Any]) -> LogFacts:
    run, plan = header.get("eval") or {}, header.get("plan") or {}
    sampling = {**(plan.get("config") or {}), **(run.get("model_generate_config") or {})}
    results = header.get("results") or {}
    dataset = run.get("dataset") or {}
    return LogFacts(
        tool=TOOL,
        tool_version=(run.get("packages") or {}).get("inspect_ai"),
        benchmark=our_word(run.get("task")),
        title=run.get("task"),
        model=run.get("model"),
        temperature=sampling.get("temperature"),
        top_p=sampling.get("top_p"),
        max_tokens=sampling.get("max_tokens"),
        num_tasks=dataset.get("samples"),
        num_samples=results.get("completed_samples"),
        recorded_at=run.get("created"),
        notes=tuple(_notes(header)),
    )


def _notes(header: Mapping[str, Any]) -> Iterator[str]:
    if header.get("status") != "success":
        yield f"the run did not end well: its status is {header.get('status', 'started')}"
    if header.get("invalidated"):
        yield "the log was invalidated after the run"
    run = header.get("eval") or {}
    limit, num_problems = (run.get("config") or {}).get("limit"), (run.get("dataset") or {}).get("samples")
    if isinstance(limit, int) and (num_problems is None or limit < num_problems):
        yield f"the run was limited to {limit} problems"


def _is_log(glimpse: Glimpse) -> bool:
    if glimpse.kind == "zip":
        return bool({"header.json", "_journal/start.json"} & set(glimpse.names))
    return glimpse.kind == "object" and glimpse.has("version", "eval", "plan")


FORMATS = (log_format("inspect", open_log, "inspect_ai logs, .eval or .json", tool=TOOL, recognises=_is_log),)
