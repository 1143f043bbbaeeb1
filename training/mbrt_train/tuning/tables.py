"""Columns of CSV and TSV files, with or without a header."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mbrt_train.errors import TrainingError


class Line(NamedTuple):
    """The requested fields of one line, and its place in the file."""

    where: str
    fields: tuple[str, ...]


def read_columns(file: Path, names: Sequence[Sequence[str]], places: Sequence[int]) -> list[Line]:
    """The requested columns, by any of their names in a header, or by number without a header.

    .csv is quoted CSV; other files are TSV in GLUE's format, in which quotes are ordinary characters. Raises
    TrainingError for a missing or empty file and for short lines.
    """
    if not file.is_file():
        raise TrainingError(f"{file} does not exist.")
    quoted = file.suffix.lower() == ".csv"
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream) if quoted else csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = [(reader.line_num, row) for row in reader if row]
    if not rows:
        raise TrainingError(f"{file} is empty.")
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


def _by_header(header: list[str], names: Sequence[Sequence[str]]) -> list[int] | None:
    places = [next((header.index(name) for name in choices if name in header), None) for choices in names]
    return None if any(place is None for place in places) else [place for place in places if place is not None]
