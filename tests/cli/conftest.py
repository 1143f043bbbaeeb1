"""How the tests call `mbrt`: in this process, with what it printed and its exit code."""

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
from mobilebert_rt.model import Model
from tests.small_models import save_folder
from tests.text.fake_model import FakeModel


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Mbrt = Callable[..., Result]


@pytest.fixture
def mbrt(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Mbrt:
    """mbrt(*arguments, stdin=bytes): the exit code, standard output and standard error."""

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse: --help and wrong options
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeModel], FakeModel]:
    """fake(model): whatever path is loaded, it is this model."""

    def install(model: FakeModel) -> FakeModel:
        def load(cls: type, path: object, *arguments: object, **options: object) -> FakeModel:
            model.loaded = (str(path), arguments, options)
            return model

        monkeypatch.setattr(Model, "from_pretrained", classmethod(load))
        return model

    return install


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer MobileBERT with a vocabulary, for the real engine."""
    return save_folder(tmp_path_factory.mktemp("mobilebert"), max_position_embeddings=24)
