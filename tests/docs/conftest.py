"""Fixtures of the documentation's tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs import workspace


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of placeholders, made once."""
    return workspace.make(tmp_path_factory.mktemp("placeholders"))


@pytest.fixture
def inside(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder of placeholders, as the current folder."""
    folder = shutil.copytree(models, tmp_path / "reader")
    monkeypatch.chdir(folder)
    return folder
