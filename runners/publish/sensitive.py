"""What must not leave the house: keys, names of this machine and of its users, in any published text.

Two kinds of text are told apart. What *we* wrote (identifiers, ledgers, marts, cards) can hold what this machine knows:
anything that looks like a key or a home folder is a fault there. What a *model* wrote cannot know this machine, but
models write examples (``AKIAIOSFODNN7EXAMPLE``, ``sk-xxxxxxxx``, ``/home/user``) and may recite real keys from their
training data. So there, placeholders are let through, paths are none of our business, and a key that looks real is a
fault as well. This run's own secrets, distinctive host names and home folder are a fault everywhere.
docs/publication.md has the counts on recorded completions.
"""

from __future__ import annotations

import getpass
import math
import os
import re
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...expectations.findings import MAX_OFFENDERS, Finding, Findings

if TYPE_CHECKING:
    import duckdb

KEYS: Mapping[str, str] = {
    "aws_access_key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "github_token": r"\bgh[pousr]_[0-9A-Za-z]{36,}|\bgithub_pat_[0-9A-Za-z_]{50,}",
    "gitlab_token": r"\bglpat-[0-9A-Za-z_-]{20,}",
    "google_api_key": r"\bAIza[0-9A-Za-z_-]{35}",
    "hugging_face_token": r"\bhf_[0-9A-Za-z]{30,}",
    "json_web_token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{20,}",
    "nvidia_api_key": r"\bnvapi-[0-9A-Za-z_-]{40,}",
    "openai_or_anthropic_key": r"\bsk-(?:proj-|ant-|svcacct-)?[0-9A-Za-z_-]{32,}",
    "private_key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\s\\nr]*[0-9A-Za-z+/=]{40,}",
    "pypi_token": r"\bpypi-AgEIcHlwaS5vcmc[0-9A-Za-z_-]{40,}",
    "slack_token": r"\bxox[abeoprs]-[0-9]{6,}-[0-9A-Za-z-]{16,}",
}
"""Formats as their makers document them; RE2 and Python read them alike."""
HOME_FOLDER = r"(?:/home/|/Users/|[A-Z]:\\Users\\)[0-9A-Za-z._-]+|/root/[0-9A-Za-z._-]+"
CREDENTIALS = r"\b[a-z][a-z0-9+]*://[^/\s:@'\"]+:[^/\s:@'\"]{3,}@"
MODEL_TEXTS = ("raw_text", "reasoning", "answer", "program")
"""Columns that a model wrote."""
MAX_TEXT_BYTES = 16 << 20
"""Of one text: a hundred times what 40,960 tokens make. One that is longer is no answer."""

_TEXT_FILES = (".md", ".json", ".csv", ".txt", ".py", ".js", ".css")
_PLACEHOLDER = re.compile(r"example|sample|your|dummy|fake|test|xxx|abc|123456|\.\.\.|000000", re.IGNORECASE)
_MIN_BITS = 3.5
"""Entropy of a key's characters: random ones of 32 have 4.3 bits each and more, words and repetitions under 3.5."""
_SECRET_NAME = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSWD|API_KEY|ACCESS_KEY)(_|$)")
_MIN_SECRET = 12
_GENERIC = frozenset({"root", "user", "users", "admin", "ubuntu", "debian", "guest", "home", "runner", "nobody",
                      "localhost", "test", "www", "node", "host"})  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """What may not be told of where this runs. Values never stand in a message."""

    secrets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    home: str = ""
    user: str = ""
    folders: tuple[str, ...] = ()
    """Of the run: scratch, lake, cache."""

    @property
    def is_home_distinctive(self) -> bool:
        return len(Path(self.home).parts) > 2 and Path(self.home).name.lower() not in _GENERIC

    def distinctive_hosts(self) -> list[str]:
        """Names that no model writes by chance: with a digit, a hyphen or a dot."""
        return [host for host in self.hosts if len(host) >= 5 and re.search(r"[\d.-]", host)]

    def redactions(self) -> dict[str, str]:
        """Text -> word that stands for it in the ledger."""
        folders = {folder: "<folder>" for folder in (*self.folders, self.home) if len(Path(folder).parts) > 1}
        return {**folders, **{host: "<host>" for host in self.hosts if host.lower() not in _GENERIC}}


def this_machine(hosts: Iterable[str], folders: Iterable[str], token: str | None) -> Machine:
    """Facts of this machine and its environment, and of ``hosts`` that the run's ledgers name."""
    home = os.path.expanduser("~")  # noqa: PTH111 (a home that is not set stays "~", and is no path then)
    found = {value for name, value in os.environ.items() if _SECRET_NAME.search(name) and len(value) >= _MIN_SECRET}
    names = {name for host in (*hosts, socket.gethostname(), socket.getfqdn()) for name in (host, host.split(".")[0])}
    return Machine(
        secrets=tuple(sorted(found | ({token} if token else set()))),
        hosts=tuple(sorted(name for name in names if len(name) > 2 and name.lower() not in _GENERIC)),
        home=home if home.startswith("/") else "",
        user=_user(),
        folders=tuple(sorted({folder for folder in folders if folder.startswith("/")})),
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return ""


@dataclass
class Scan:
    """Offenders by rule and place; samples whose text offends."""

    places: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    num_rows: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    samples: set[bytes] = field(default_factory=set)

    def add(self, rule: str, file: str, column: str, shown: str, number: int = 1) -> None:
        place = (rule, file, column)
        self.num_rows[place] += number
        if len(self.places.setdefault(place, [])) < MAX_OFFENDERS:
            self.places[place].append(shown)

    def join(self, other: Scan, folder: str) -> None:
        """Take in what was found in a folder beside."""
        for (rule, file, column), shown in other.places.items():
            place = (rule, f"{folder}/{file}", column)
            self.places[place] = shown
            self.num_rows[place] = other.num_rows[rule, file, column]
        self.samples |= other.samples

    def findings(self) -> Findings:
        return Findings(tuple(self._finding(*place) for place in sorted(self.places)), len(KEYS) + 6)

    def _finding(self, rule: str, file: str, column: str) -> Finding:
        place = (rule, file, column)
        offenders = tuple({"column": column, "begins": shown} for shown in self.places[place])
        message = f"{rule.replace('_', ' ')} in {column}"
        return Finding(f"sensitive_{rule}", "critical", file, message, self.num_rows[place], offenders)


def scan(folder: Path, machine: Machine, public: Iterable[str] = ()) -> Scan:
    """Every text of every file below ``folder``; ``public`` are names that may be told (the namespace)."""
    import duckdb

    found, rules = Scan(), _Rules(machine, tuple(public))
    tables: dict[tuple[tuple[str, str], ...], list[str]] = {}
    with duckdb.connect() as connection:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            if path.suffix == ".parquet":
                tables.setdefault(_columns(path), []).append(str(path))
            elif path.suffix in _TEXT_FILES:
                for rule, text in rules.of_ours(path.read_text(encoding="utf-8", errors="replace")):
                    found.add(rule, path.relative_to(folder).as_posix(), "text", _masked(text))
        for columns, files in tables.items():
            table = _Table(connection, folder, files, dict(columns))
            for name, type_ in columns:
                if name in MODEL_TEXTS:
                    table.scan_model_text(name, rules, found)
                elif "string" in type_:
                    table.scan_ours(name, rules, found)
    return found


def _columns(path: Path) -> tuple[tuple[str, str], ...]:
    import pyarrow.parquet as pq

    return tuple((field.name, str(field.type)) for field in pq.read_schema(path))


@dataclass(frozen=True)
class _Table:
    """Files of the same columns, asked together: to compile the patterns takes longer than to read a small file."""

    connection: duckdb.DuckDBPyConnection
    folder: Path
    files: list[str]
    columns: Mapping[str, str]

    @property
    def source(self) -> str:
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in self.files)
        return f"read_parquet([{listed}], hive_partitioning = false, filename = '_file')"

    def scan_model_text(self, column: str, rules: _Rules, found: Scan) -> None:
        key = "sample_id" if "sample_id" in self.columns else "null::blob"
        rows = self.connection.execute(
            f"select {key}, {column}, _file, strlen({column}) from {self.source}"
            f" where regexp_matches({column}, ?) or strlen({column}) > ?",
            [rules.pattern_of_models, MAX_TEXT_BYTES],
        )
        while batch := rows.fetchmany(256):
            for sample_id, text, file, size in batch:
                too_long = [("text_too_long", "")] if size > MAX_TEXT_BYTES else []
                for rule, offender in [*rules.of_models(text), *too_long][:1]:
                    found.add(rule, self._name(file), column, _masked(offender))
                    if sample_id is not None:
                        found.samples.add(bytes(sample_id))

    def scan_ours(self, column: str, rules: _Rules, found: Scan) -> None:
        """Distinct values: names and digests repeat in a million rows."""
        value = f"unnest({column})" if self.columns[column].startswith("list") else column
        rows = self.connection.execute(
            f"select value, _file, count(*) from (select {value} as value, _file from {self.source})"
            " group by value, _file having regexp_matches(value, ?)",
            [rules.pattern_of_ours],
        )
        for text, file, number in rows.fetchall():
            for rule, offender in list(rules.of_ours(text))[:1]:
                found.add(rule, self._name(file), column, _masked(offender), number)

    def _name(self, file: str) -> str:
        return Path(file).relative_to(self.folder).as_posix()


class _Rules:
    """Rules by name, for what models wrote and for what we wrote, and one pattern that finds candidates of each."""

    def __init__(self, machine: Machine, public: tuple[str, ...]) -> None:
        own = _own_rules(machine)
        self.models = {**KEYS, **own}
        self.ours = {**KEYS, "home_folder": HOME_FOLDER, "credentials_in_address": CREDENTIALS, **own}
        if _is_telling(machine.user, public):
            self.ours["user_name"] = rf"\b{re.escape(machine.user)}\b"
        self.pattern_of_models = _either(self.models)
        self.pattern_of_ours = _either(self.ours)
        self._exact = own

    def of_models(self, text: str) -> Iterator[tuple[str, str]]:
        yield from self._found(self.models, text)

    def of_ours(self, text: str) -> Iterator[tuple[str, str]]:
        yield from self._found(self.ours, text)

    def _found(self, rules: Mapping[str, str], text: str) -> Iterator[tuple[str, str]]:
        for rule, pattern in rules.items():
            for match in re.finditer(pattern, text):
                if rule not in KEYS or not is_placeholder(match[0]):
                    yield rule, match[0]


def _own_rules(machine: Machine) -> dict[str, str]:
    rules: dict[str, str] = {}
    if machine.secrets:
        rules["own_secret"] = "|".join(map(re.escape, machine.secrets))
    if hosts := machine.distinctive_hosts():
        rules["own_host"] = rf"\b(?:{'|'.join(map(re.escape, hosts))})\b"
    if machine.is_home_distinctive:
        rules["own_home_folder"] = re.escape(machine.home)
    return rules


def _is_telling(user: str, public: tuple[str, ...]) -> bool:
    told = {name.lower() for name in public}
    return len(user) >= 4 and user.lower() not in _GENERIC and user.lower() not in told


def is_placeholder(key: str) -> bool:
    """Whether a text in the format of a key is an example: says so, repeats itself, or is made of words."""
    body = re.split(r"[_-]|KEY-----", key, maxsplit=1)[-1] if not key.startswith(("AKIA", "ASIA", "AIza")) else key[4:]
    is_words = not any(character.isdigit() for character in body)
    return (
        is_words
        or bool(_PLACEHOLDER.search(key))
        or _bits_per_character(body) < _MIN_BITS - (0.6 if len(body) < 20 else 0)
    )


def _bits_per_character(text: str) -> float:
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) if text else 0.0


def _either(rules: Mapping[str, str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in rules.values())


def _masked(text: str) -> str:
    """Enough to find it, too little to use it."""
    return f"{text[:4]}… ({len(text)} characters)" if text else ""


def hosts_of(lake_files: Mapping[str, Any]) -> list[str]:
    """Nodes and hosts that the ledgers of a lake name; ``lake_files``: table -> files of it."""
    import duckdb

    found: set[str] = set()
    with duckdb.connect() as connection:
        for table, column in (("runs", "node"), ("timings", "host")):
            query = f"select distinct {column} from read_parquet(?, union_by_name = true) where {column} is not null"
            found |= {host for (host,) in connection.execute(query, [list(lake_files[table])]).fetchall()}
    return sorted(found)
