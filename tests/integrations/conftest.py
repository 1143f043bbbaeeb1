"""The recipes of docs/integrations.md, and a watch on connections."""

from __future__ import annotations

import io
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.docs.conftest import inside, models
from tests.docs.pages import INTEGRATIONS, Block, blocks
from tests.docs.serving import run_python

__all__ = ["inside", "models"]

LOCAL = {"127.0.0.1", "::1", "localhost", None}


@dataclass
class Recipe:
    """What a section of the page did. names: its variables; printed, shown: what each block printed, and the page's."""

    names: dict[str, Any]
    printed: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.names[name]


def run_blocks(section: str, recipe: Recipe, folder: Path) -> None:
    """Runs the Python blocks of a section."""
    for block in blocks(INTEGRATIONS):
        if block.section == section and block.language == "python":
            recipe.printed += _output(block, recipe.names, folder)
        elif block.section == section and block.language == "text":
            recipe.shown.append(block.text)


def _output(block: Block, names: dict[str, Any], folder: Path) -> list[str]:
    """What the block prints; empty if it prints nothing."""
    with redirect_stdout(io.StringIO()) as output:
        run_python(block, names, folder)
    return [output.getvalue()] if output.getvalue() else []


@pytest.fixture
def run(inside: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Recipe]:
    """Runs the lines that all recipes start with and those of one section."""
    if not hasattr(sqlite3.Connection, "enable_load_extension"):
        import pysqlite3  # noqa: PLC0415 - as the page says

        monkeypatch.setitem(sys.modules, "sqlite3", pysqlite3)

    def run_section(section: str) -> Recipe:
        recipe = Recipe({"__name__": "__main__"})
        for part in ("", section):
            run_blocks(part, recipe, inside)
        return recipe

    return run_section


@pytest.fixture(scope="session")
def attempts() -> Iterator[list[Any]]:
    """What was asked for outside this machine; refused. Some libraries send statistics, and ignore errors."""
    tried: list[Any] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def refuse(target: Any) -> None:
        tried.append(target)
        raise ConnectionRefusedError(f"{target} is another machine")

    def connect_locally(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in LOCAL:
            refuse(address)
        connect(self, address)

    def look_up_locally(host: Any, *arguments: Any, **keywords: Any) -> Any:
        if host not in LOCAL:
            refuse(host)
        return look_up(host, *arguments, **keywords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_locally)
        patch.setattr(socket, "getaddrinfo", look_up_locally)
        yield tried


@pytest.fixture(autouse=True)
def _no_connection_to_other_machines(attempts: list[Any]) -> Iterator[None]:
    yield
    assert attempts == []
