"""Settings of one command: option, then environment, then ``~/.benchforge.env``, then run file, then default.

``OPTIONS`` declares every setting once: its path in the run file, its environment variable, type, default, allowed
values. This module is the only reader of ``os.environ``. A run file is checked whole: every error is reported at once,
with its line and the allowed values.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .errors import UsageError
from .names import did_you_mean, meant_or_known
from .schemas import DEVIATIONS, SANDBOX_MODE_ALIASES, SANDBOX_MODES

ENVIRONMENT_FILE = ".benchforge.env"


@dataclass(frozen=True)
class Option:
    """One setting. ``type`` is the Python type of the value; what lists hold is checked by plan."""

    path: str
    type: type
    default: Any
    meaning: str
    allowed: tuple[Any, ...] = ()
    minimum: float | None = None

    @property
    def environment(self) -> str:
        """``run.name`` -> ``BENCHFORGE_RUN_NAME``; a path in ``SHORT_NAMES`` has the name that users know."""
        return "BENCHFORGE_" + SHORT_NAMES.get(self.path, self.path.replace(".", "_").upper())


SHORT_NAMES: Mapping[str, str] = {
    "run.scratch": "SCRATCH",
    "run.lake": "LAKE",
    "run.datasets": "DATASETS",
    "score.sandbox_mode": "SANDBOX_MODE",
    "compute.sif_dir": "SIF_DIR",
    "compute.hf_home": "HF_HOME",
    "compute.gpu_partition": "GPU_PARTITION",
    "compute.cpu_partition": "CPU_PARTITION",
    "compute.gres": "GRES",
    "compute.constraint": "CONSTRAINT",
    "compute.account": "ACCOUNT",
    "compute.gpu_qos": "GPU_QOS",
    "compute.cpu_qos": "CPU_QOS",
    "compute.nice": "NICE",
    "compute.time_limit": "GPU_TIME",
    "compute.cpu_time_limit": "CPU_TIME",
}

OPTIONS: tuple[Option, ...] = (
    Option("run.name", str, "default", "Folder of the run below the scratch folder."),
    Option("run.scratch", str, ".benchforge", "Folder that holds runs and staged problems."),
    Option("run.lake", str, "", "Lake folder; empty: <scratch>/<run.name>/lake."),
    Option("run.datasets", str, "", "Folder of staged problems; empty: <scratch>/datasets."),
    Option("run.seed", int, 0, "Seed of sample index i is run.seed + i."),
    Option("run.num_samples", int, 1, "Samples per task (n) where a model says nothing else.", minimum=1),
    Option(
        "run.max_requeue_per_shard", int, 5, "Attempts after which a shard is reported instead of requeued.", minimum=0
    ),
    Option("run.gpu_hour_budget", float, 2000.0, "GPU hours after which nothing new is asked for.", minimum=0),
    Option("run.include_non_osi", bool, False, "Patterns of models: take in licences that the OSI has not approved."),
    Option("run.offline", bool, True, "Generate and score never reach the network."),
    Option("benchmarks", list, [], "Benchmarks or scenarios to run; empty: the default cells."),
    Option("models", list, [], "Models: a key of seeds/models.csv, or a mapping that starts with model:."),
    Option("engine.name", str, "endpoint", "Engine that answers.", ("endpoint", "vllm", "replay")),
    Option("engine.base_url", str, "", "OpenAI-compatible /v1 address of the endpoint engine."),
    Option("engine.api_key_variable", str, "OPENAI_API_KEY", "Environment variable that holds the key."),
    Option("engine.concurrency", int, 64, "Requests in flight.", minimum=1),
    Option("engine.timeout_seconds", float, 0.0, "Limit of one answer; 0: by its length and the pace.", minimum=0),
    Option("engine.max_attempts", int, 5, "Attempts per request on 429, 5xx and lost connections.", minimum=1),
    Option("engine.samples_per_request", int, 1, "Samples of one task asked for in one request.", minimum=1),
    Option("engine.stream_from_tokens", int, 4096, "Answers that may be as long are streamed.", minimum=1),
    Option("engine.first_token_seconds", float, 0.0, "Limit of a stream's first token; 0: derived.", minimum=0),
    Option("engine.gap_seconds", float, 0.0, "Limit between two chunks of a stream; 0: derived.", minimum=0),
    Option("engine.allow", list, [], "What a server may ignore and be used all the same.", DEVIATIONS),
    Option("engine.token_ceiling", int, 0, "Tokens after which nothing new is asked for; 0: none.", minimum=0),
    Option("engine.money_ceiling", float, 0.0, "Price after which nothing new is asked for; 0: none.", minimum=0),
    Option("engine.record", str, "", "File that keeps every HTTP exchange; empty: none."),
    Option("engine.exchanges", str, "", "Recorded exchanges of the replay engine; empty: those of forge_mini."),
    Option("engine.image", str, "nvcr.io/nvidia/vllm:25.09-py3", "Engine image."),
    Option("engine.fallback_image", str, "vllm/vllm-openai:v0.32.0", "Image where the first cannot be pulled."),
    Option("engine.python", str, "", "Interpreter that has vLLM; empty: this one."),
    Option("engine.max_model_len", int, 16_384, "Window in tokens; a model that thinks brings its own.", minimum=1),
    Option("engine.gpu_memory_utilization", float, 0.90, "Share of a GPU's memory that vLLM takes.", minimum=0.01),
    Option("engine.max_num_seqs", int, 64, "Sequences that vLLM decodes side by side.", minimum=1),
    Option("engine.batch_invariant", bool, False, "VLLM_BATCH_INVARIANT=1: slower, the same text in any batch."),
    Option("engine.unsafe_network", bool, False, "Start our engine although its network cannot be made empty."),
    Option("engine.flags", dict, {}, "Further flags of vLLM, {flag: value}; a value of '' is a bare flag."),
    Option("score.sandbox_mode", str, "", "Outer sandbox; empty: the best available.", ("", *SANDBOX_MODES)),
    Option("score.num_workers", int, 0, "Sandboxes side by side; 0: one per core.", minimum=0),
    Option("compute.headroom_gpus", int, 2, "Idle GPUs left to others.", minimum=0),
    Option("compute.gpus_per_task", int, 1, "GPUs of one task.", minimum=1),
    Option("compute.gpu_partition", str, "PLACEHOLDER_GPU_PARTITION", "Partition of GPU jobs."),
    Option("compute.cpu_partition", str, "PLACEHOLDER_CPU_PARTITION", "Partition of scoring jobs."),
    Option("compute.gres", str, "PLACEHOLDER_GRES", "Kind of GPU as sbatch takes it, gpu:TYPE or gpu."),
    Option("compute.constraint", str, "", "Node features that a GPU job needs; empty: none."),
    Option("compute.account", str, "", "Account of jobs; empty: the site's default."),
    Option("compute.gpu_qos", str, "long", "QOS of GPU jobs; empty: the site's default."),
    Option("compute.cpu_qos", str, "", "QOS of scoring jobs; empty: the site's default."),
    Option("compute.time_limit", str, "04:00:00", "Limit of one GPU job."),
    Option("compute.cpu_time_limit", str, "02:00:00", "Limit of one scoring job."),
    Option("compute.signal", str, "USR1@120", "Notice before the limit: signal@seconds."),
    Option("compute.nice", int, 1000000, "Nice value of jobs."),
    Option("compute.gpu_cpus", int, 4, "Processors of a GPU job.", minimum=1),
    Option("compute.gpu_memory", str, "", "Memory of a GPU job (64G); empty: the site's default."),
    Option("compute.cpu_cpus", int, 8, "Processors of a scoring job.", minimum=1),
    Option("compute.cpu_memory", str, "", "Memory of a scoring job (16G); empty: the site's default."),
    Option("compute.refresh_seconds", float, 30.0, "Between two looks of monitor at the queue.", minimum=1),
    Option("compute.sif_dir", str, "", "Folder of container images."),
    Option("compute.hf_home", str, "", "Folder of staged weights."),
    Option("publish.namespace", str, "D4vidHuang", "Hub namespace."),
)


@dataclass(frozen=True)
class Settings:
    """All settings of one command, by path, with where each came from."""

    values: Mapping[str, Any]
    origins: Mapping[str, str]
    run_file: Path | None = None

    def __getitem__(self, path: str) -> Any:
        return self.values[path]

    @property
    def scratch(self) -> Path:
        return Path(self["run.scratch"]).expanduser()

    @property
    def run_root(self) -> Path:
        return self.scratch / self["run.name"]

    @property
    def lake_root(self) -> Path:
        if self["run.lake"].startswith("hf://"):
            what = f"{self['run.lake']} is published: it can be read by aggregate, check and publish alone"
            raise UsageError(what, "give a folder with --lake DIR")
        return Path(self["run.lake"]).expanduser() if self["run.lake"] else self.run_root / "lake"

    @property
    def datasets_root(self) -> Path:
        return Path(self["run.datasets"]).expanduser() if self["run.datasets"] else self.scratch / "datasets"


def load_settings(
    options: Mapping[str, Any] | None = None,
    run_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    also: Callable[[Settings], list[str]] = lambda settings: [],
) -> Settings:
    """Settings by precedence; ``options`` maps paths to values given on the command line (None: not given).

    Benchmarks of one's own join the registry: here it becomes known where they lie. BadInput where one is damaged.
    Raises UsageError that lists every unknown key, wrong type and value that is not allowed, and what ``also`` finds
    wrong with the rest: it sees the settings without the wrong values.
    """
    from .benchmarks import adopt

    environment = os.environ if environment is None else environment
    problems: list[str] = []
    layers = (
        ("option", _from_options(options or {}, problems)),
        ("environment", _from_environment(environment, problems, "environment")),
        (
            f"~/{ENVIRONMENT_FILE}",
            _from_environment(_environment_file(environment, problems), problems, ENVIRONMENT_FILE),
        ),
        (f"{run_file}", _from_run_file(run_file, problems)),
        ("default", {option.path: option.default for option in OPTIONS}),
    )
    values, origins = {}, {}
    for origin, layer in reversed(layers):
        values.update(layer)
        origins.update(dict.fromkeys(layer, origin))
    settings = Settings(values, origins, run_file)
    adopt(settings.datasets_root)
    problems += also(settings)
    if problems:
        raise UsageError("the configuration is wrong:\n  " + "\n  ".join(problems), "correct the lines named above")
    return settings


def secret(variable: str) -> str | None:
    """A key from the environment, asked for by name; never stored in settings, so never printed."""
    return os.environ.get(variable)


def variable(name: str) -> str:
    """A variable of other programs (``HF_HOME``), or a fact that probe wrote; empty where it is not set."""
    return os.environ.get(name) or _environment_file(os.environ, []).get(name, "")


def _from_options(options: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    declared = {option.path: option for option in OPTIONS}
    found = {}
    for path, value in options.items():
        if value is None:
            continue
        try:
            found[path] = _checked(declared[path], value)
        except ValueError as error:
            problems.append(f"option: {path}: {error}")
    return found


def _environment_file(environment: Mapping[str, str], problems: list[str]) -> Mapping[str, str]:
    try:
        path = Path(environment.get("HOME") or Path.home()) / ENVIRONMENT_FILE
        text = path.read_text(encoding="utf-8")
    except (OSError, RuntimeError):  # no such file, or no home at all, as in some containers
        return {}
    except UnicodeDecodeError:
        problems.append(f"{ENVIRONMENT_FILE} is not UTF-8 text")
        return {}
    lines = (line.removeprefix("export ").strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _from_environment(environment: Mapping[str, str], problems: list[str], where: str) -> dict[str, Any]:
    found = {}
    for option in OPTIONS:
        text = environment.get(option.environment)
        if text is None or option.type is dict or (option.type is list and not option.allowed):
            continue
        try:
            found[option.path] = _checked(option, _parsed(option, text))
        except ValueError as error:
            problems.append(f"{where}: {option.environment}: {error}")
    return found


def _parsed(option: Option, text: str) -> Any:
    if option.type is bool:
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)
    if option.type in (int, float):
        try:
            return option.type(text)
        except ValueError:
            return text
    if option.type is list:
        return [word.strip() for word in text.split(",") if word.strip()]
    return text


def flags_of(given: Any) -> Any:
    """Flags of a server as ``{name without dashes: text}``, from a mapping or from words as a shell has them.

    ``["--enforce-eager", "--dtype=float16"]`` and ``{enforce-eager: "", dtype: float16}`` are the same flags; what is
    neither comes back as it is, for the caller to refuse.
    """
    if isinstance(given, list) and all(isinstance(word, str) for word in given):
        given = {name: value for name, _, value in (word.partition("=") for word in given)}
    if not isinstance(given, Mapping):
        return given
    return {str(name).lstrip("-").replace("_", "-"): _flag_text(value) for name, value in given.items()}


def _flag_text(value: Any) -> str:
    if value is True or value is None:
        return ""
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _from_run_file(path: Path | None, problems: list[str]) -> dict[str, Any]:
    if path is None:
        return {}
    root = _composed(path)
    found: dict[str, Any] = {}
    if root is not None:
        _walk(root, "", path.name, found, problems)
    return found


def _composed(path: Path) -> yaml.Node | None:
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise UsageError(f"the run file {path} cannot be read ({error.strerror})", "give --config FILE") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"the run file {path} is not YAML: {error}", "correct the line named above") from error


def _walk(node: yaml.Node, prefix: str, name: str, found: dict[str, Any], problems: list[str]) -> None:
    """Collect leaf values by path; a wrong one is noted with its line and the walk goes on."""
    declared = {option.path: option for option in OPTIONS}
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"{name}:{node.start_mark.line + 1}: {prefix.rstrip('.') or 'the file'} must be a mapping")
        return
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        path = prefix + str(key_node.value)
        line = key_node.start_mark.line + 1
        if path in lines:
            problems.append(f"{name}:{line}: {path} stands in line {lines[path]} already")
        elif path in declared:
            _collect(declared[path], value_node, f"{name}:{line}", found, problems)
        elif any(known.startswith(path + ".") for known in declared):
            _walk(value_node, path + ".", name, found, problems)
        else:
            problems.append(f"{name}:{line}: unknown key {path}{meant_or_known(path, sorted(declared))}")
        lines.setdefault(path, line)


def _collect(option: Option, node: yaml.Node, where: str, found: dict[str, Any], problems: list[str]) -> None:
    try:
        value = yaml.SafeLoader("").construct_object(node, deep=True)
        found[option.path] = _checked(option, value)
    except (ValueError, yaml.YAMLError, TypeError) as error:
        problems.append(f"{where}: {option.path}: {error}")


def _checked(option: Option, value: Any) -> Any:
    """The value as it is used; ValueError with what is wrong and what is allowed."""
    value = _as_meant(option, value)
    if not isinstance(value, option.type) or (option.type is int and isinstance(value, bool)):
        allowed = "; one of true, false" if option.type is bool else ""
        raise ValueError(f"{value!r} is not of type {option.type.__name__}{allowed}")
    if option.allowed:
        _refuse_unknown(value if option.type is list else [value], option.allowed)
    if option.minimum is not None and not value >= option.minimum:
        raise ValueError(f"{value!r} is less than {option.minimum:g}")
    if option.path == "compute.signal" and not re.fullmatch(r"(USR[12]@\d+)?", str(value)):
        raise ValueError(f"{value!r} is no notice: USR1@SECONDS or USR2@SECONDS")
    if option.path == "run.name" and not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", str(value)):
        raise ValueError(f"{value!r} is no folder name: letters, digits, . _ + -")
    return value


def _as_meant(option: Option, value: Any) -> Any:
    """Other spellings of the same value: an old name, flags as words, a whole number for a float."""
    if option.path == "score.sandbox_mode":
        return SANDBOX_MODE_ALIASES.get(value, value)
    if option.path == "engine.flags":
        return flags_of(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if option.type is float and is_whole else value


def _refuse_unknown(words: list[Any], allowed: tuple[Any, ...]) -> None:
    for word in words:
        if word not in allowed:
            known = ", ".join(str(name) or "(empty)" for name in allowed)
            raise ValueError(f"{word!r} is not allowed{did_you_mean(str(word), map(str, allowed))}; one of {known}")
