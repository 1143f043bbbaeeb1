"""How the tests call `mbrt`: in this process, with its output and its exit code."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
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
        """Standard output as JSON lines; numbers with a fraction as float32."""

        def float32(digits: str) -> float:
            return float(np.float32(digits))

        return [json.loads(line, parse_float=float32) for line in self.out.split("\n")[:-1]]


Mbrt = Callable[..., Result]


@pytest.fixture
def mbrt(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Mbrt]:
    """mbrt(*arguments, stdin=bytes): the exit code, standard output and standard error."""
    own = os.dup(0)

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        source = tmp_path / "standard input"
        source.write_bytes(stdin)
        with source.open("rb") as file:
            os.dup2(file.fileno(), 0)
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse: --help
            code = int(stop.code or 0)
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    yield run
    os.dup2(own, 0)
    os.close(own)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer MobileBERT with a vocabulary."""
    return save_folder(tmp_path_factory.mktemp("mobilebert"), max_position_embeddings=24)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the models of tests/small_models/files.py."""
    return tmp_path_factory.mktemp("models")
