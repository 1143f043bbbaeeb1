"""Runs Python blocks, with a server for those that ask 127.0.0.1:8080; checks `curl` commands and `mbrt serve`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from mobilebert_rt.server.routes import ROUTES
from tests.docs.pages import Block
from tests.server.process import Server

ADDRESS = "http://127.0.0.1:8080"


@contextmanager
def served(text: str, folder: Path) -> Iterator[str]:
    """The text with the address of a server that runs meanwhile, if it names ADDRESS."""
    if ADDRESS not in text:
        yield text
        return
    with Server("default", str(folder / "mnli.safetensors")) as running:
        yield text.replace(ADDRESS, running.url)


def run_python(block: Block, names: dict[str, Any], folder: Path) -> None:
    """Runs a block with the names of the blocks before it; its server has a model of `folder`."""
    with served(block.text, folder) as text:
        exec(compile("\n" * (block.line - 1) + text, str(block.page), "exec"), names)


def problem_of_curl(arguments: list[str]) -> str | None:
    """None when a route takes the request, else why not. curl itself need not be installed."""
    [url] = [word for word in arguments if word.startswith(ADDRESS)]
    route = next((route for route in ROUTES if route.path == url.removeprefix(ADDRESS)), None)
    if route is None:
        return f"the server has no route {url}"
    if route.request is None:
        return None
    try:
        msgspec.convert(json.loads(arguments[arguments.index("-d") + 1]), route.request)
    except (ValueError, msgspec.ValidationError) as error:
        return f"{route.path} does not take the body: {error}"
    return None if "Content-Type: application/json" in arguments else "the header Content-Type is missing"


def problem_of_serve(command: list[str]) -> str | None:
    """None when the server starts, else what it says. The port is any that is free."""
    words = [word for i, word in enumerate(command) if word != "--port" and command[i - 1] != "--port"]
    try:
        Server(*words).kill()
    except AssertionError as error:
        return str(error)
    return None
