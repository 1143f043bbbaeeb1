"""What a command of `mbrt` consists of."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from mobilebert_rt.cli import UsageError

# Names of an option, such as "-k --top-k", or of a positional argument: keywords of add_argument.
Arguments = dict[str, dict[str, Any]]


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}.")


@dataclass(frozen=True)
class Command:
    """about: the first paragraphs of the help; json: what --json prints; run: returns the exit code."""

    about: str
    json: str
    examples: tuple[str, ...]
    arguments: Arguments
    run: Callable[[argparse.Namespace], int]

    def parse(self, name: str, words: list[str]) -> argparse.Namespace:
        """Raises UsageError."""
        parser = Parser(
            prog=f"mbrt {name}",
            description=self.about,
            epilog="\n".join(["examples:", *(f"  {line}" for line in self.examples)]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        for names, keywords in self.arguments.items():
            parser.add_argument(*names.split(), **keywords)
        parser.add_argument("--json", action="store_true", help=self.json)
        # Intermixed: plain parsing refuses TEXT after an option that follows MODEL.
        return parser.parse_intermixed_args(words)
