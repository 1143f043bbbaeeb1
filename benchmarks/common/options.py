"""What the commands of benchmarks/peers and benchmarks/paper have in common: options and messages."""

from __future__ import annotations

import argparse
import datetime
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.common.machine import allowed_cpus, describe
from benchmarks.common.results import Run
from scripts.common import BUILD, make_parser


def say(message: str) -> None:
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    print(f"{clear}{message}", file=sys.stderr, flush=True)


def names(known: Sequence[str], what: str) -> Callable[[str], list[str]]:
    """A parser of comma-separated names out of `known`."""

    def parse(text: str) -> list[str]:
        found = [part.strip() for part in text.split(",") if part.strip()]
        unknown = [name for name in found if name not in known]
        if unknown or not found:
            raise argparse.ArgumentTypeError(
                f"unknown {what} {', '.join(unknown) or repr(text)}; expected {', '.join(known)}"
            )
        return found

    return parse


def numbers(text: str) -> list[int]:
    """A parser of comma-separated counts."""
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 1,8,128") from None
    if found[0] < 0:
        raise argparse.ArgumentTypeError(f"{found[0]} is negative")
    return found


def command_parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser with the common options; results go to build/NAME."""
    parser = make_parser(description, prog=f"benchmarks/{name}")
    add, out = parser.add_argument, BUILD / name
    add("--cpus", type=numbers, default=allowed_cpus(), metavar="LIST", help="CPUs to run on, the last first (all)")
    add("--rounds", type=int, metavar="N", help="rounds, in each of which every engine runs once (15)")
    add("--turn-ms", type=float, default=150.0, metavar="MS", help="time that an engine runs in a round (%(default)g)")
    add("--out", type=Path, default=out, metavar="FOLDER", help=f"folder of the results (build/{name})")
    add("--docs", action="store_true", help="write the tables into docs/results.md")
    return parser


def new_run(name: str, arguments: Sequence[str] | None, options: argparse.Namespace, *recorded: str) -> Run:
    """A run without results. recorded: the options that are kept with it."""
    given = sys.argv[1:] if arguments is None else arguments
    return Run(
        command=shlex.join(["python", f"benchmarks/{name}", *given]),
        date=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        machine=describe(options.cpus),
        options={option: getattr(options, option) for option in recorded},
    )
