"""Options of `mbrt serve`: each is a flag, and an environment variable named MBRT_SERVE_ and the flag."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mobilebert_rt.cli import UsageError
from mobilebert_rt.cli.command import Arguments
from mobilebert_rt.cli.options import count, size


@dataclass(frozen=True)
class Settings:
    """Sizes in bytes, times in seconds."""

    host: str = "127.0.0.1"
    port: int = 8080
    api_key: str | None = None
    cors_origins: tuple[str, ...] = ()
    auto_truncate: bool = False
    max_batch_tokens: int = 4096
    max_concurrent_requests: int = 512
    max_texts: int = 2048
    max_text_length: int = 200_000
    max_body: int = 8_000_000
    max_waiting: int = 64_000_000
    timeout: float = 60.0
    body_timeout: float = 20.0
    grace: float = 25.0
    log_format: str = "json"
    log_level: str = "info"


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected seconds, more than 0")
    return value


def port(text: str) -> int:
    number = size(text)
    if number > 65535:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a port from 0 to 65535")
    return number


def one_of(*names: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"found {text!r}; expected one of {', '.join(names)}")
        return text

    return check


def flag(text: str) -> bool:
    return one_of("0", "1")(text) == "1"


def origins(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


# Name of a field: type of its value in the command line and the environment, metavar, help.
_OPTIONS: dict[str, tuple[Callable[[str], Any], str, str]] = {
    "host": (str, "ADDRESS", "address to listen on; 0.0.0.0 for all of IPv4"),
    "port": (port, "N", "port to listen on; 0 for any that is free"),
    "api_key": (str, "KEY", "ask for the header `Authorization: Bearer KEY`; better set by the environment"),
    "cors_origins": (origins, "LIST", "origins of web pages that may call, such as https://example.org"),
    "auto_truncate": (flag, "", "truncate long texts instead of refusing them"),
    "max_batch_tokens": (count, "N", "tokens of one call of the engine, of all requests together"),
    "max_concurrent_requests": (count, "N", "requests at once; further ones get 429"),
    "max_texts": (count, "N", "texts of a request; more get 413"),
    "max_text_length": (count, "N", "characters of a text; more get 413"),
    "max_body": (count, "BYTES", "size of a request's body; more gets 413"),
    "max_waiting": (count, "BYTES", "bodies and answers of all requests at once; more get 429"),
    "timeout": (seconds, "S", "seconds from the end of the body to the answer; then 503"),
    "body_timeout": (seconds, "S", "seconds that a client has to send its body; then 408"),
    "grace": (seconds, "S", "seconds after SIGTERM to answer what was accepted"),
    "log_format": (one_of("json", "text"), "F", "json or text"),
    "log_level": (one_of("debug", "info", "warning", "error"), "L", "debug, info (each request), warning or error"),
}


def variable(name: str) -> str:
    """The environment variable of a field."""
    return f"MBRT_SERVE_{name.upper()}"


def arguments() -> Arguments:
    """The flags, for a parser. Their defaults are None: see settings_of."""
    found: Arguments = {}
    for field in dataclasses.fields(Settings):
        kind, metavar, text = _OPTIONS[field.name]
        name = f"--{field.name.replace('_', '-')}"
        if kind is flag:
            found[name] = {"action": "store_true", "default": None, "help": text}
        else:
            default = field.default
            shown = "none" if default in (None, ()) else f"{default:g}" if isinstance(default, float) else default
            found[name] = {"type": kind, "metavar": metavar, "help": f"{text} (default: {shown})"}
    return found


def settings_of(args: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Settings:
    """Flags, then the environment, then defaults. Raises UsageError for a wrong variable."""
    given = {}
    for name, (kind, _, _) in _OPTIONS.items():
        value = getattr(args, name)
        if value is None and environment.get(variable(name)):
            try:
                value = kind(environment[variable(name)])
            except argparse.ArgumentTypeError as error:
                raise UsageError(f"{variable(name)}: {error}.") from None
        if value is not None:
            given[name] = value
    return Settings(**given)
