"""The command line `mbrt`. Each command is a module, imported on use, with `configure` and `run`."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence

import mobilebert_rt
from mobilebert_rt.errors import CancelledError, MobileBertError

# name, what it does: the order of the help.
COMMANDS = {
    "embed": "turn texts into vectors",
    "classify": "label texts, or pairs of texts",
    "tag": "find names, places and the like in texts",
    "answer": "answer questions from a text",
    "fill": "propose words for [MASK]",
    "convert": "write a Hugging Face folder as one model file",
    "inspect": "show what a model holds, and the kernels chosen on this CPU",
    "verify": "compare a model with Hugging Face's, layer by layer",
    "bench": "measure latency, throughput, load time and memory",
    "profile": "show where the time of a call goes, by operation and layer",
    "info": "show this installation and this machine, for reports",
}

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mbrt`. Returns 0, 1 (a check that failed) or 2 (an error, told on standard error)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview(), file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else EXIT_ERROR
    if arguments[0] in ("-V", "--version"):
        print(f"mbrt {mobilebert_rt.__version__}")
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        print(f"mbrt: there is no command {name!r}{hint} `mbrt --help` lists them.", file=sys.stderr)
        return EXIT_ERROR
    return _run(name, arguments[1:])


def _run(name: str, arguments: list[str]) -> int:
    try:
        command = importlib.import_module(f"{__name__}.{name}")
        parser = argparse.ArgumentParser(
            prog=f"mbrt {name}",
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.configure(parser)
        # Intermixed: plain parsing would refuse TEXT after an option that follows MODEL.
        code: int = command.run(parser.parse_intermixed_args(arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader (`| head`) has gone: nothing is wrong, and the exit's own flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except (KeyboardInterrupt, CancelledError):
        print(f"mbrt {name}: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error
        print(f"mbrt {name}: {what}", file=sys.stderr)
        return EXIT_ERROR
    except MobileBertError as error:
        print(f"mbrt {name}: {error}", file=sys.stderr)
        return EXIT_ERROR


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "usage: mbrt COMMAND ...",
            "",
            "MobileBERT and small BERT encoders on this CPU. Nothing is ever downloaded or reported.",
            "",
            *lines,
            "",
            "examples:",
            '  mbrt embed default "A cat sleeps."',
            "  mbrt convert ./mobilebert-sst2 sst2.safetensors",
            '  mbrt classify sst2.safetensors "a warm, funny film"',
            "",
            "`mbrt COMMAND --help` explains each with an example. Environment: MBRT_ISA, MBRT_NUM_THREADS.",
        ]
    )
