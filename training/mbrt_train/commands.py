"""Parts that the commands of `mbrt-train` share."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mbrt_train.errors import TrainingError, TrainingWarning

Run = Callable[[argparse.Namespace], int]
Commands = argparse._SubParsersAction  # the type has no public name


def add_command(
    commands: Commands[argparse.ArgumentParser],
    name: str,
    summary: str,
    text: str,
    run: Run,
    *,
    checkpoints: Callable[[Path], Path] | None = None,
    resumes: bool = False,
) -> argparse.ArgumentParser:
    """A command with its help.

    checkpoints: from --out to the folder of checkpoints, if the command writes some; resumes: it continues by itself.
    """
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{text}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, checkpoints=checkpoints, resumes=resumes)
    return parser


def interrupted(args: argparse.Namespace) -> str:
    """What an interruption left, and what the same command does next."""
    if args.resumes:
        return "interrupted; the same command goes on from the last checkpoint"
    if args.checkpoints is None:
        return "interrupted; nothing was written"
    from mbrt_train.checkpoints import latest_step  # noqa: PLC0415

    step = latest_step(args.checkpoints(args.out))
    if step is None:
        return "interrupted before the first checkpoint; the same command starts again"
    return f"interrupted; the same command goes on from step {step:,}"


@contextmanager
def one_line_warnings() -> Iterator[None]:
    """Print this package's warnings as one line on standard error."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def one_line(message: Warning | str, category: type[Warning], *place: Any) -> None:
            if issubclass(category, TrainingWarning):
                print(f"mbrt-train: warning: {message}", file=sys.stderr)
            else:
                show(message, category, *place)

        warnings.showwarning = one_line  # type: ignore[assignment]
        yield


def add_encoding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--encoding", default="utf-8", metavar="NAME", help="of text files (default: utf-8)")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Sources, and how their documents are read."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", type=Path)
    parser.add_argument("--lines", action="store_true", help="each line of a .txt file is a document")
    add_encoding(parser)
    parser.add_argument("--field", default="text", help="text column of .jsonl and .parquet (default: text)")


def parse_seeds(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(seed) for seed in text.split(","))
    except ValueError:
        raise TrainingError(f"--seeds is {text!r}; expected numbers such as 0,1,2.") from None
    if len(set(found)) < len(found):
        raise TrainingError(f"--seeds is {text!r}; expected different numbers.")
    return found
