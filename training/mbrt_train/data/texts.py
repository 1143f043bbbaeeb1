"""Documents from plain text, JSON lines and Parquet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow.parquet as pq

from mbrt_train.data.files import UTF8, read_lines
from mbrt_train.errors import TrainingError

KINDS = (".txt", ".jsonl", ".parquet")
# A full stop, question or exclamation mark with closing quotes or brackets, before a space and an upper-case letter, a
# digit or an opening quote.
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")


def find_sources(paths: Iterable[str | Path]) -> list[Path]:
    """The files of a list of files and folders, in a fixed order. Raises TrainingError if there is none."""
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.suffix in KINDS)
        elif path.suffix not in KINDS:
            raise TrainingError(f"{path}: unknown suffix; expected {', '.join(KINDS)}.")
        elif not path.is_file():
            raise TrainingError(f"{path} does not exist.")
        else:
            found.append(path)
    if not found:
        raise TrainingError(f"no {', '.join(KINDS)} file in {', '.join(map(str, paths))}.")
    return found


@dataclass(frozen=True)
class Reading:
    """How files are read: the column of .jsonl and .parquet; whether each line of .txt is a document; the encoding."""

    field: str = "text"
    lines: bool = False
    encoding: str = UTF8


PLAIN = Reading()


def read_documents(file: Path, how: Reading = PLAIN) -> Iterator[str]:
    """Documents of one file: separated by blank lines in .txt, the rows' column in the others."""
    field = how.field
    if file.suffix == ".txt" and how.lines:
        yield from (line for _, line in read_lines(file, how.encoding) if line.strip())
    elif file.suffix == ".txt":
        yield from _paragraph_groups(file, how.encoding)
    elif file.suffix == ".jsonl":
        yield from _json_lines(file, how)
    else:
        table = pq.ParquetFile(file)
        if field not in table.schema_arrow.names:
            raise TrainingError(f"{file}: no column {field!r}; it has {', '.join(table.schema_arrow.names)}.")
        for batch in table.iter_batches(columns=[field]):
            yield from (text for text in batch.column(0).to_pylist() if text)


@dataclass(frozen=True)
class Documents:
    """The documents of several files; can be iterated over repeatedly."""

    files: Sequence[Path]
    how: Reading

    def __iter__(self) -> Iterator[str]:
        for file in self.files:
            yield from read_documents(file, self.how)


def groups(documents: Iterable[str], size: int) -> Iterator[list[str]]:
    """`size` documents at a time; the last group may be smaller."""
    source = iter(documents)
    while group := list(islice(source, size)):
        yield group


def split_sentences(document: str) -> list[str]:
    """The approximate sentences of a document: lines are not joined, and are split where a sentence seems to end."""
    return [piece for line in document.splitlines() for piece in _SENTENCE_END.split(line.strip()) if piece]


def _paragraph_groups(file: Path, encoding: str) -> Iterator[str]:
    lines: list[str] = []
    for _, line in read_lines(file, encoding):
        if line.strip():
            lines.append(line)
        elif lines:
            yield "".join(lines)
            lines = []
    if lines:
        yield "".join(lines)


def _json_lines(file: Path, how: Reading) -> Iterator[str]:
    field = how.field
    for number, line in read_lines(file, how.encoding):
        if not line.strip():
            continue
        try:
            text = json.loads(line)[field]
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"{file}:{number}: not a JSON object with {field!r} ({error!r}).") from None
        if not isinstance(text, str):
            raise TrainingError(f"{file}:{number}: {field!r} is {type(text).__name__}, not a string.")
        if text:
            yield text
