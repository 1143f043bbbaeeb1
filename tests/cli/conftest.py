"""How the tests call `mbrt`: in this process, with its output and its exit code."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mobilebert_rt.cli import main
from tests.small_models import save_folder


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.split("\n")[:-1]]


Mbrt = Callable[..., Result]


@pytest.fixture
def mbrt(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Mbrt:
    """mbrt(*arguments, stdin=bytes): the exit code, standard output and standard error."""

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse: --help
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer MobileBERT with a vocabulary."""
    return save_folder(tmp_path_factory.mktemp("mobilebert"), max_position_embeddings=24)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the models of tests/small_models/files.py."""
    return tmp_path_factory.mktemp("models")
