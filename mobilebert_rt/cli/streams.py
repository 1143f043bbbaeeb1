"""Texts in, results out: arguments, files and standard input, lines and JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from mobilebert_rt.cli.command import UsageError
from mobilebert_rt.errors import InputError


def texts_of(args: argparse.Namespace) -> Iterable[str]:
    """The texts of a command: its arguments, or the lines of --file or of standard input, read as they are needed.

    Lines end at LF or CRLF. A blank line is a text too, so that line n of the output belongs to line n of the input.
    """
    if not args.texts:
        return lines_of(args.file)
    if args.file:
        raise UsageError("--file: found TEXT arguments too. Give one of the two.")
    return list(args.texts)


def lines_of(path: str | None) -> Iterator[str]:
    """The lines of a file, or of standard input for None and "-"."""
    return _lines(*_opened(path))


def pairs_of(args: argparse.Namespace) -> Iterable[tuple[str, str]]:
    """Arguments two by two, or lines cut at their tab."""
    texts = texts_of(args)
    if not args.texts:
        return map(_pair, texts, range(1, sys.maxsize))
    if len(args.texts) % 2:
        raise UsageError(f"--pairs: found {len(args.texts)} texts; expected an even number.")
    return list(zip(args.texts[::2], args.texts[1::2], strict=True))


def whole_text(path: str | None) -> str:
    """All of a file, or of standard input for None and "-"."""
    source, name = _opened(path)
    with source as file:
        return _decoded(file.read(), name, "utf-8-sig")


def _pair(line: str, number: int) -> tuple[str, str]:
    first, tab, second = line.partition("\t")
    if not tab:
        raise InputError(f"line {number}: found no tab; expected two texts with a tab between them.")
    return first, second


def _opened(path: str | None) -> tuple[AbstractContextManager[BinaryIO], str]:
    """The file and its name in messages. Not lazy: a missing file is reported before the model is loaded."""
    if path and path != "-":
        return Path(path).open("rb"), path
    if sys.stdin.isatty():
        raise UsageError("found no text; expected an argument, --file, or standard input.")
    return nullcontext(sys.stdin.buffer), "standard input"


def _lines(source: AbstractContextManager[BinaryIO], name: str) -> Iterator[str]:
    encoding = "utf-8-sig"  # of the first line: without the byte order mark
    with source as file:
        for number, line in enumerate(file, start=1):
            yield _decoded(line, f"{name}, line {number}", encoding).removesuffix("\n").removesuffix("\r")
            encoding = "utf-8"


def _decoded(data: bytes, name: str, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: byte {error.start} is 0x{data[error.start]:02X}; expected UTF-8 text.") from None


def write_json(value: Any, indent: int | None = None) -> None:
    """One JSON value; text stays readable, and NaN is refused since JSON has none."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent), flush=True)


def one_line(text: str) -> str:
    """The text without line breaks, tabs and repeated spaces."""
    return " ".join(text.split())


def table(header: list[str], rows: list[list[str]], right: bool = True) -> str:
    """Columns padded to their widest cell: the first to the left, the others to the right (if right)."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = []
    for first, *others in [header, *rows]:
        cells = [
            cell.rjust(width) if right else cell.ljust(width) for cell, width in zip(others, widths[1:], strict=True)
        ]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def megabytes(count: float) -> str:
    return f"{count / 1e6:,.1f} MB"
