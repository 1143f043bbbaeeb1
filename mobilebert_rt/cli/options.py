"""Arguments that several commands share, and the types of their values."""

from __future__ import annotations

import argparse
from typing import Any

from mobilebert_rt.cli.command import Arguments


def _whole_number(text: str, minimum: int) -> int:
    if not (text.isdecimal() and int(text) >= minimum):
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a whole number, at least {minimum}")
    return int(text)


def size(text: str) -> int:
    return _whole_number(text, 0)


def count(text: str) -> int:
    return _whole_number(text, 1)


def counts(text: str) -> list[int]:
    """ "8,32,128" -> [8, 32, 128]."""
    try:
        return [count(part) for part in text.split(",")]
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected whole numbers such as 8,32,128") from None


FLAG: dict[str, Any] = {"action": "store_true"}
SIZE: dict[str, Any] = {"type": size, "metavar": "N"}
COUNT: dict[str, Any] = {"type": count, "metavar": "N"}
COUNTS: dict[str, Any] = {"type": counts, "metavar": "LIST"}
PATH: dict[str, Any] = {"metavar": "PATH"}

MODEL: Arguments = {
    "model": {
        "metavar": "MODEL",
        "help": 'a model file, a Hugging Face folder, or "default", the model that comes with the package',
    }
}
PRECISION: Arguments = {
    "--precision": {"choices": ("int8", "fp32"), "help": "what a folder is converted to in memory (default: int8)"}
}
ISA: Arguments = {"--isa": {"metavar": "NAME", "help": "kernel set, one of those `mbrt info` lists"}}
LOADING: Arguments = (
    PRECISION | {"--threads": COUNT | {"help": "maximum number of threads (default: all usable cores)"}} | ISA
)
TEXTS: Arguments = {
    "texts": {"metavar": "TEXT", "nargs": "*", "help": "or --file (default: three texts of its own)"},
    "-f --file": PATH | {"help": "read one text per line, blank lines too; - is standard input"},
}
TOKENIZER: Arguments = {"--tokenizer": PATH | {"help": "tokenizer.json or vocab.txt, instead of the model's own"}}
SEED: Arguments = {"--seed": SIZE | {"default": 0, "help": "of the random ids (default: 0)"}}
QUIET: Arguments = {"-q --quiet": FLAG | {"help": "no progress bar on the terminal"}}


def model_options(args: argparse.Namespace) -> dict[str, Any]:
    """Keywords of `Model.from_pretrained`."""
    return {"precision": args.precision, "num_threads": args.threads, "isa": args.isa}
