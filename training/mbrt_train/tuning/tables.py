"""Rows of data files: columns by name, or by number in GLUE's files without a header."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mbrt_train.data.files import UTF8, read_text
from mbrt_train.errors import TrainingError

KINDS = (".csv", ".tsv", ".jsonl", ".parquet")


class Line(NamedTuple):
    """The requested fields of one line, and its place in the file."""

    where: str
    fields: tuple[str, ...]


class Row(NamedTuple):
    """The values of one row by column, and its place in the file."""

    where: str
    values: dict[str, Any]


def read_columns(file: Path, names: Sequence[Sequence[str]], places: Sequence[int], encoding: str = UTF8) -> list[Line]:
    """The requested columns, by any of their names in a header, or by number without a header.

    .csv is quoted CSV; other files are TSV in GLUE's format, in which quotes are ordinary characters. Raises
    TrainingError for a missing or empty file and for short lines.
    """
    rows = _table(file, encoding)
    columns = _by_header(rows[0][1], names)
    if columns is not None:
        rows = rows[1:]
    else:
        columns = list(places)
    found = []
    for number, row in rows:
        if max(columns) >= len(row):
            raise TrainingError(f"{file}:{number}: {len(row)} columns; column {max(columns) + 1} is required.")
        found.append(Line(f"{file}:{number}", tuple(row[i] for i in columns)))
    if not found:
        raise TrainingError(f"{file}: no lines after the header.")
    return found


def read_rows(file: Path, encoding: str = UTF8) -> list[Row]:
    """All rows of a CSV or TSV file with a header, of JSON lines, or of a Parquet file.

    Raises TrainingError for another suffix, an empty file, and lines that are not of the format.
    """
    suffix = file.suffix.lower()
    if suffix not in KINDS:
        raise TrainingError(
            f"{file}: the suffix is {suffix!r}; expected one of {', '.join(KINDS)}. Save the file as one of these."
        )
    read = {".jsonl": _json_lines, ".parquet": _parquet}.get(suffix, _with_header)
    rows = read(file, encoding)
    if not rows:
        raise TrainingError(f"{file}: no rows; expected at least one.")
    return rows


def _table(file: Path, encoding: str) -> list[tuple[int, list[str]]]:
    """Line numbers and fields of all lines that are not empty."""
    stream = io.StringIO(read_text(file, encoding), newline="")
    quoted = file.suffix.lower() == ".csv"
    reader = csv.reader(stream) if quoted else csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise TrainingError(f"{file}:{reader.line_num}: not CSV ({error}).") from None
    if not rows:
        raise TrainingError(f"{file} is empty.")
    return rows


def _with_header(file: Path, encoding: str) -> list[Row]:
    (_, header), *rows = _table(file, encoding)
    if len(set(header)) < len(header):
        raise TrainingError(f"{file}:1: a column name occurs twice in {', '.join(header)}; expected different names.")
    for number, row in rows:
        if len(row) != len(header):
            raise TrainingError(
                f"{file}:{number}: {len(row)} columns; the header has {len(header)} ({', '.join(header)}). In .csv "
                "files, put quotes around a text that contains a comma."
            )
    return [Row(f"{file}:{number}", dict(zip(header, row, strict=True))) for number, row in rows]


def _json_lines(file: Path, encoding: str) -> list[Row]:
    rows = []
    for number, line in enumerate(read_text(file, encoding).split("\n"), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError as error:
            raise TrainingError(
                f"{file}:{number}: not JSON ({error}); expected one object per line. Write each row on its own line."
            ) from None
        if not isinstance(values, dict):
            raise TrainingError(
                f'{file}:{number}: {type(values).__name__}; expected an object such as {{"text": ...}}.'
            )
        rows.append(Row(f"{file}:{number}", values))
    return rows


def _parquet(file: Path, encoding: str) -> list[Row]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - only for Parquet
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise TrainingError(
            f"{file}: reading Parquet requires pyarrow, which is not installed. Run `pip install pyarrow`."
        ) from None
    if not file.is_file():
        raise TrainingError(f"{file} does not exist.")
    try:
        values = pq.read_table(file).to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        raise TrainingError(f"{file}: not a Parquet file ({error}).") from None
    return [Row(f"{file}, row {i}", row) for i, row in enumerate(values, 1)]


def _by_header(header: list[str], names: Sequence[Sequence[str]]) -> list[int] | None:
    places = [next((header.index(name) for name in choices if name in header), None) for choices in names]
    return None if any(place is None for place in places) else [place for place in places if place is not None]
