"""What the commands of benchmarks/peers and benchmarks/paper have in common: options, messages, plots."""

from __future__ import annotations

import argparse
import datetime
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import documents
from benchmarks.common.environment import existing, installed
from benchmarks.common.machine import allowed_cpus, describe
from benchmarks.common.results import Run
from scripts.common import BUILD

PLOTS = Path(__file__).with_name("plots.py")
PLOT_PACKAGES = (("matplotlib>=3.8",),)


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
    parser = argparse.ArgumentParser(
        prog=f"benchmarks/{name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, out = parser.add_argument, BUILD / name
    add("--cpus", type=numbers, default=allowed_cpus(), metavar="LIST", help="CPUs to run on, the last first (all)")
    add("--rounds", type=int, metavar="N", help="rounds, in each of which every engine runs once (15)")
    add("--turn-ms", type=float, default=150.0, metavar="MS", help="time that an engine runs in a round (%(default)g)")
    add("--out", type=Path, default=out, metavar="FOLDER", help=f"folder of the results (build/{name})")
    add("--docs", action="store_true", help="write the tables into docs/results.md, with plots beside it")
    add("--no-install", action="store_true", help="use what the cache folder has; report as missing what it has not")
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


def draw(out: Path, python: str | None, install: bool) -> None:
    """Draw the plots of out/results.json as out/*.svg, or report why not. python: an interpreter with matplotlib."""
    for old in out.glob("*.svg"):
        old.unlink()
    environment = existing("plots", python) if python else installed("plots", PLOT_PACKAGES, say, install)
    reason = environment.missing_reason("matplotlib")
    if not reason:
        command = [environment.python, str(PLOTS), str(out / "results.json"), str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        reason = done.stderr.strip().splitlines()[-1] if done.returncode else None
    if reason:
        say(f"no plots: {reason}")


def document(out: Path, name: str, plots: dict[str, str], *parts: Any) -> None:
    """Write text parts and those of `plots` (file: title) that exist into section `name` of docs/results.md."""
    shown = []
    for plot, title in plots.items():
        if (out / f"{plot}.svg").is_file():
            copy = documents.RESULTS.with_name(f"results_{plot}.svg")
            shutil.copyfile(out / f"{plot}.svg", copy)
            shown.append(f"![{title}]({copy.name})")
    documents.put(documents.RESULTS, name, "\n\n".join(part for part in (*parts, *shown) if part))
