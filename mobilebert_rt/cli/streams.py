"""Texts in, results out: arguments, files and standard input, lines and JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mobilebert_rt.errors import InputError


def texts_of(args: argparse.Namespace) -> Iterable[str]:
    """The texts of a command: its arguments, or the lines of --file or of standard input, read as they are
    needed.

    A blank line is a text too, so that results and lines keep step. Raises InputError when there is nothing
    to read.
    """
    if args.texts:
        if args.file:
            raise InputError("texts were given as arguments and by --file; choose one.")
        return list(args.texts)
    if args.file and args.file != "-":
        return _file_lines(Path(args.file))
    return _lines(_standard_input(), "standard input")


def whole_text(path: str | None) -> str:
    """All of a file, or of standard input for None and "-"."""
    if path is not None and path != "-":
        return _decoded(Path(path).read_bytes(), path)
    return _decoded(_standard_input().read(), "standard input")


def pairs_of(texts: Iterable[str], from_arguments: bool) -> Iterator[tuple[str, str]]:
    """Arguments two by two, or lines cut at their tab. Raises InputError for what is not a pair."""
    if from_arguments:
        given = list(texts)
        if len(given) % 2:
            raise InputError(f"--pairs needs an even number of texts; there are {len(given)}.")
        yield from zip(given[::2], given[1::2], strict=True)
        return
    for number, line in enumerate(texts, start=1):
        first, tab, second = line.partition("\t")
        if not tab:
            raise InputError(f"line {number} is not a pair: the two texts should have a tab between them.")
        yield first, second


def _standard_input() -> BinaryIO:
    if sys.stdin.isatty():
        raise InputError("there is no text: give it as an argument, by --file, or on standard input.")
    return sys.stdin.buffer


def _file_lines(path: Path) -> Iterator[str]:
    file = path.open("rb")  # here and not in the generator: a missing file is told before the model is loaded

    def lines() -> Iterator[str]:
        with file:
            yield from _lines(file, str(path))

    return lines()


def _lines(stream: BinaryIO, name: str) -> Iterator[str]:
    for number, line in enumerate(stream, start=1):
        yield _decoded(line, f"{name}, line {number}").removesuffix("\n").removesuffix("\r")


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 text (byte {error.start} is 0x{data[error.start]:02X}).") from None


def write_json(value: Any) -> None:
    """One line of JSON; text stays readable, and NaN is refused since JSON has none."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False), flush=True)


def write_document(value: Any) -> None:
    """The JSON document of a command that reports on one thing."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))


def one_line(text: str) -> str:
    """For people's eyes: no line breaks or tabs."""
    return " ".join(text.split())


def table(header: list[str], rows: list[list[str]]) -> str:
    """Columns padded to their widest cell; numbers to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    right = [all(_numeric(row[i]) for row in rows) and bool(rows) for i in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _numeric(cell: str) -> bool:
    return cell in ("", "-") or cell.replace(",", "").replace(".", "").replace("e-", "").replace("e+", "").isdecimal()


def megabytes(count: float) -> str:
    return f"{count / 1e6:,.1f} MB"
