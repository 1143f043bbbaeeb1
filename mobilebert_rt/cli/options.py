"""Arguments that several commands share, and what they become."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mobilebert_rt.default_model import default_model_path
from mobilebert_rt.errors import InputError


def add_model_path(parser: argparse.ArgumentParser, offer_default: bool = True) -> None:
    """MODEL. offer_default: the model that comes with the package, which has no head, is of use to the command."""
    what = "a model file, or a Hugging Face folder"
    if offer_default:
        what = 'a model file, a Hugging Face folder, or "default", the model that comes with the package'
    parser.add_argument("model", metavar="MODEL", type=_model, help=what)


def add_model(parser: argparse.ArgumentParser, offer_default: bool = True) -> None:
    """MODEL and how it is loaded."""
    add_model_path(parser, offer_default)
    group = parser.add_argument_group("model")
    group.add_argument(
        "--precision",
        choices=("int8", "fp32"),
        help="what a folder is converted to in memory (default: int8)",
    )
    group.add_argument("--threads", type=int, metavar="N", help="threads (default: what this process may use)")
    group.add_argument("--isa", metavar="NAME", help="kernel set, one of those that `mbrt info` lists")


def add_texts(parser: argparse.ArgumentParser) -> None:
    """Where texts come from."""
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="or --file, or lines on standard input")
    parser.add_argument(
        "-f", "--file", metavar="PATH", help="read a text from each line, blank ones too; - is standard input"
    )


def add_text_limits(parser: argparse.ArgumentParser, longest: str = "all the model takes") -> None:
    """What happens to long texts, how many run at once, and whose tokenizer it is. longest: --max-length's default."""
    group = parser.add_argument_group("long texts and batches")
    group.add_argument(
        "--on-overflow",
        choices=("error", "truncate", "stride"),
        help="a text longer than the model takes: stop, keep the beginning, or read it in windows",
    )
    group.add_argument("--max-length", type=int, metavar="N", help=f"tokens of a text (default: {longest})")
    group.add_argument(
        "--stride", type=int, metavar="N", help="tokens that neighbouring windows share, half a window at most"
    )
    group.add_argument("--max-batch-tokens", type=int, metavar="N", help="tokens run at once (default: 4096)")
    group.add_argument("--tokenizer", metavar="PATH", help="tokenizer.json or vocab.txt, if the model has none")


def add_tokenizer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tokenizer", metavar="PATH", help="tokenizer.json or vocab.txt, if the model has none")


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """--json. what: what is printed then."""
    parser.add_argument("--json", action="store_true", help=what)


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """--quiet, for commands that may take long."""
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar on the terminal")


def example(parser: argparse.ArgumentParser, *lines: str) -> None:
    """The help's last part: commands to try."""
    parser.epilog = "\n".join(["examples:", *(f"  {line}" for line in lines)])


def _model(name: str) -> str:
    """An argparse type: the path of the package's own model for "default", unless something of that name is there."""
    return str(default_model_path()) if name == "default" and not Path(name).exists() else name


def model_options(args: argparse.Namespace) -> dict[str, Any]:
    """Keywords of `Model.from_pretrained`."""
    return {"precision": args.precision, "num_threads": args.threads, "isa": args.isa}


def task_options(args: argparse.Namespace, stride: str = "stride") -> dict[str, Any]:
    """Keywords of a task's `from_pretrained`; what was not given keeps the task's own default."""
    given = {
        "on_overflow": args.on_overflow,
        "max_length": args.max_length,
        stride: args.stride,
        "max_batch_tokens": args.max_batch_tokens,
        "tokenizer": args.tokenizer,
    }
    return {**model_options(args), **{name: value for name, value in given.items() if value is not None}}


def progress(args: argparse.Namespace) -> bool | None:
    """The tasks' `progress`: never, or on a terminal when it takes long."""
    return False if args.quiet else None


def positive_list(name: str) -> Callable[[str], list[int]]:
    """An argparse type: "8,32,128" -> [8, 32, 128]; whole numbers from 1."""

    def parse(text: str) -> list[int]:
        parts = text.split(",")
        if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of {name} such as 8,32,128")
        return [int(part) for part in parts]

    return parse


def checked_positive(value: int, option: str) -> int:
    """The value. Raises InputError when it is below 1."""
    if value < 1:
        raise InputError(f"{option} is {value}; it should be at least 1.")
    return value
