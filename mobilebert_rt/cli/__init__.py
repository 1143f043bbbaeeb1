"""The command line `mbrt`: the commands of csrc/tools, and modules here that are imported when one of them runs."""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence

import mobilebert_rt
from mobilebert_rt import _core
from mobilebert_rt.errors import CancelledError, MobileBertError

# Name of a module: what its COMMAND does.
PYTHON_COMMANDS = {
    "convert": "write a Hugging Face folder as one model file",
    "download": "download a model from the Hugging Face Hub",
    "inspect": "show what a model contains, and the kernels chosen on this CPU",
    "verify": "compare a model with Hugging Face's, layer by layer",
    "profile": "show the time of a call by operation and layer",
    "serve": "answer over HTTP, as OpenAI's API and text-embeddings-inference",
}
COMMANDS = _core.commands | PYTHON_COMMANDS
# An option with which a module here runs the command.
PYTHON_OPTIONS = {("embed", "--parquet"): "embed_parquet"}
EXAMPLES = """\
  mbrt embed default "A cat sleeps."
  mbrt convert ./mobilebert-sst2 sst2.safetensors
  mbrt classify sst2.safetensors "a warm, funny film"
"""

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


class UsageError(Exception):
    """A wrong command line: exit code 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mbrt`. Returns 0, 1 (an error, or a check that failed) or 2 (a wrong command line)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 shows escapes
    name, *arguments = list(sys.argv[1:] if argv is None else argv) or [""]
    if name in ("", "-h", "--help", "help"):
        overview = _core.overview(list(PYTHON_COMMANDS.items()), EXAMPLES)
        print(overview, end="", file=sys.stdout if name else sys.stderr)
        return 0 if name else EXIT_USAGE
    if name in ("-V", "--version"):
        print(f"mbrt {mobilebert_rt.__version__}")
        return 0
    if name not in COMMANDS:
        return _fail(EXIT_USAGE, f"{name}: no such command. `mbrt --help` lists them.")
    return _run(name, arguments)


class _Notes(logging.Handler):
    """Shows what loading reports, such as the time of a conversion, on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"mbrt: {record.getMessage()}", file=sys.stderr)


def _run(name: str, arguments: list[str]) -> int:
    code = 0
    logger = logging.getLogger("mobilebert_rt.loading")
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        logger.addHandler(_Notes())
    try:
        module = _module(name, arguments)
        if module is not None:
            command = importlib.import_module(f"{__name__}.{module}").COMMAND
            code = command.run(command.parse(name, arguments))
            sys.stdout.flush()
        else:
            from mobilebert_rt.cli import native  # noqa: PLC0415 - `mbrt --help` needs no model

            native.run(name, arguments)
    except UsageError as error:
        return _fail(EXIT_USAGE, f"{error} See `mbrt {name} --help`.")
    except BrokenPipeError:
        # The reader (`| head`) has closed the pipe: no error, and the flush at exit must not report one either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except (KeyboardInterrupt, CancelledError):
        return _fail(EXIT_INTERRUPTED, "interrupted")
    except OSError as error:
        return _fail(EXIT_ERROR, f"{error.filename}: {error.strerror}." if error.filename else error)
    except MobileBertError as error:
        return _fail(EXIT_ERROR, _core.on_command_line(str(error)))
    return code


def _module(name: str, arguments: list[str]) -> str | None:
    """The module here that runs the command; None for one in C++."""
    options = {argument.partition("=")[0] for argument in arguments}
    for (command, option), module in PYTHON_OPTIONS.items():
        if command == name and option in options:
            return module
    return name if name in PYTHON_COMMANDS else None


def _fail(code: int, message: object) -> int:
    print(f"mbrt: {message}", file=sys.stderr)
    return code
