"""What a column and a table are, and the few types that Parquet, DuckDB and Spark all read the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TYPES: Mapping[str, str] = {
    # our name -> DuckDB type; `arrow_type` in lake.py holds the other half
    "text": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "digest": "BLOB",  # 16 bytes
    "text_list": "VARCHAR[]",
    "float_list": "DOUBLE[]",
    "int_list": "BIGINT[]",
}


@dataclass(frozen=True)
class Column:
    """One column of a lake table; ``unit`` is empty for names and counts."""

    name: str
    type: str
    nullable: bool
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """One lake table: its columns, the columns that make its Hive path, and its grain."""

    name: str
    grain: str
    partitions: tuple[str, ...]
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if not column.nullable)


def column(name: str, type_: str, meaning: str, unit: str = "") -> Column:
    return Column(name, type_, False, meaning, unit)


def optional(name: str, type_: str, meaning: str, unit: str = "") -> Column:
    return Column(name, type_, True, meaning, unit)
