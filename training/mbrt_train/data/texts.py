"""Documents from plain text, JSON lines and Parquet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from mbrt_train.errors import TrainingError

KINDS = (".txt", ".jsonl", ".parquet")
# A full stop, question or exclamation mark, with what closes a quotation, before a space and an upper-case letter,
# a digit or a quotation.
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")


def find_sources(paths: Iterable[str | Path]) -> list[Path]:
    """The files of a list of files and folders, in a fixed order. Raises TrainingError where there are none."""
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.suffix in KINDS)
        elif path.suffix not in KINDS:
            raise TrainingError(f"{path}: text is read from {', '.join(KINDS)} files; this is none of them.")
        elif not path.is_file():
            raise TrainingError(f"{path} does not exist.")
        else:
            found.append(path)
    if not found:
        raise TrainingError(f"no {', '.join(KINDS)} file in {', '.join(map(str, paths))}.")
    return found


def read_documents(file: Path, field: str = "text") -> Iterator[str]:
    """Documents of one file: what blank lines separate in .txt, the rows' `field` in the others."""
    if file.suffix == ".txt":
        yield from _paragraph_groups(file)
    elif file.suffix == ".jsonl":
        yield from _json_lines(file, field)
    else:
        table = pq.ParquetFile(file)
        if field not in table.schema_arrow.names:
            raise TrainingError(f"{file}: no column {field!r}; it has {', '.join(table.schema_arrow.names)}.")
        for batch in table.iter_batches(columns=[field]):
            yield from (text for text in batch.column(0).to_pylist() if text)


@dataclass(frozen=True)
class Documents:
    """The documents of several files, to be iterated over as often as one likes."""

    files: Sequence[Path]
    field: str

    def __iter__(self) -> Iterator[str]:
        for file in self.files:
            yield from read_documents(file, self.field)


def split_sentences(document: str) -> list[str]:
    """The sentences of a document, roughly: lines are never joined, and a line is cut where a sentence seems to end."""
    return [piece for line in document.splitlines() for piece in _SENTENCE_END.split(line.strip()) if piece]


def _paragraph_groups(file: Path) -> Iterator[str]:
    lines: list[str] = []
    with file.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if line.strip():
                lines.append(line)
            elif lines:
                yield "".join(lines)
                lines = []
    if lines:
        yield "".join(lines)


def _json_lines(file: Path, field: str) -> Iterator[str]:
    with file.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
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
